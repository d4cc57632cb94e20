//! What other programs do to the documents while they are synced: a list of changes that a seed decides, and what must be there
//! in the end.

use std::collections::BTreeMap;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, doc};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use super::documents::{COLLECTIONS, Sort, Version, repeated_text, version};
use crate::harness::mongo::TestDatabase;
use crate::harness::samples::seeded;

/// How many pairs of texts there are that may be there once.
const N_PAIRS: usize = 3;

/// The documents as they are now, and what comes next.
pub(super) struct Churn<'a> {
    database: &'a TestDatabase,
    rng: ChaCha8Rng,
    /// When the next version is ingested, in seconds.
    time: i64,
    n_ids: usize,
    documents: BTreeMap<(&'static str, String), (Bson, Version)>,
}

impl<'a> Churn<'a> {
    /// Writes the first `n` documents, beside sound ones that may be there.
    pub(super) fn begin(database: &'a TestDatabase, seed: u64, n: usize) -> Churn<'a> {
        let (rng, documents) = (seeded(seed), BTreeMap::new());
        let mut churn = Churn { database, rng, time: 0, n_ids: 0, documents };
        churn.adopt();
        churn.put_repeated();
        for _ in 0..n {
            churn.put_new();
        }
        churn
    }

    /// Changes `n` things, one after the other.
    pub(super) fn take(&mut self, n: usize) {
        for _ in 0..n {
            match self.rng.random_range(0..10) {
                0..4 => self.put_new(),
                4..7 => self.replace(),
                7 => self.touch(),
                8 => self.delete(),
                _ => self.restore(),
            }
        }
    }

    /// Returns every document that is there by collection and id, the latter as the program shows it.
    pub(super) fn documents(&self) -> impl Iterator<Item = (&'static str, &str, &Version)> {
        self.documents.iter().map(|((collection, id), (_, version))| (*collection, id.as_str(), version))
    }

    fn adopt(&mut self) {
        for collection in COLLECTIONS {
            for document in self.database.list(collection, doc! {}) {
                let id = Bson::from(document.get_str("_id").expect("sound documents have texts as ids"));
                let content_hash = document.get_str("content_hash").expect("sound documents have hashes").to_owned();
                let version = Version { sort: Sort::Sound, content_hash, document };
                self.documents.insert((collection, shown(&id)), (id, version));
            }
        }
    }

    /// Of two texts that are the same, the second waits in quarantine. They stay as they are: who has a value that may be there
    /// once depends on who was first.
    fn put_repeated(&mut self) {
        for pair in 0..N_PAIRS {
            let text = format!("the text of pair {pair}");
            for (member, sort) in [("a", Sort::Sound), ("b", Sort::Faulty)] {
                let id = format!("pair-{pair}-{member}");
                let time = self.next_time();
                let repeated = repeated_text(&mut self.rng, &id, &text, time);
                self.put("text_corpus", Bson::from(id), Version { sort, ..repeated });
            }
        }
    }

    fn put_new(&mut self) {
        let collection = *COLLECTIONS.choose(&mut self.rng).expect("there are some");
        self.n_ids += 1;
        let n = self.n_ids;
        let (id, sort) = match self.rng.random_range(0..20) {
            0 => (Bson::from(ObjectId::from_bytes(self.rng.random())), Sort::Unreadable),
            1 => (Bson::from(format!("odd-{n}")), Sort::Unreadable),
            2 => (Bson::from(format!("ours-{n}")), Sort::Published),
            3..6 => (Bson::from(format!("faulty-{n}")), Sort::Faulty),
            6 => (Bson::from(format!("\u{1f980}:{n} %'\"")), Sort::Sound),
            _ => (Bson::from(format!("sound-{n}")), Sort::Sound),
        };
        let time = self.next_time();
        let version = version(&mut self.rng, collection, &id, sort, time);
        self.put(collection, id, version);
    }

    /// Replaces a document, which may become sound, faulty or unreadable.
    fn replace(&mut self) {
        let Some((collection, id)) = self.choose() else { return };
        let is_text = id.as_str().is_some();
        let sort = match self.rng.random_range(0..6) {
            0 => Sort::Faulty,
            1 => Sort::Unreadable,
            _ => Sort::Sound,
        };
        let sort = if is_text { sort } else { Sort::Unreadable };
        let time = self.next_time();
        let version = version(&mut self.rng, collection, &id, sort, time);
        self.put(collection, id, version);
    }

    /// Changes some fields of a document in place.
    fn touch(&mut self) {
        let Some((collection, id)) = self.choose() else { return };
        let time = self.next_time();
        let next = version(&mut self.rng, collection, &id, Sort::Sound, time);
        let (_, former) = &self.documents[&(collection, shown(&id))];
        if former.sort == Sort::Unreadable {
            return;
        }
        let fields: Document = ["raw_content", "content_hash", "ingested_at"]
            .into_iter()
            .filter_map(|field| Some((field.to_owned(), next.document.get(field)?.clone())))
            .collect();
        let documents = self.database.documents(collection);
        let (filter, change) = (doc! { "_id": &id }, doc! { "$set": fields });
        self.database.persist(|| async { documents.update_one(filter.clone(), change.clone()).await });
        self.documents.insert((collection, shown(&id)), (id, next));
    }

    fn delete(&mut self) {
        let Some((collection, id)) = self.choose() else { return };
        self.remove(collection, &id);
        self.documents.remove(&(collection, shown(&id)));
    }

    /// Deletes a document and writes it again as it was long ago, as one does who takes it from a backup.
    fn restore(&mut self) {
        let Some((collection, id)) = self.choose() else { return };
        let sort = if id.as_str().is_some() { Sort::Sound } else { Sort::Unreadable };
        let time = self.rng.random_range(-1_000_000..0);
        let version = version(&mut self.rng, collection, &id, sort, time);
        self.remove(collection, &id);
        self.put(collection, id, version);
    }

    fn put(&mut self, collection: &'static str, id: Bson, version: Version) {
        let documents = self.database.documents(collection);
        let filter = doc! { "_id": &id };
        self.database.persist(|| async {
            let replace = documents.replace_one(filter.clone(), &version.document);
            replace.upsert(true).bypass_document_validation(true).await
        });
        self.documents.insert((collection, shown(&id)), (id, version));
    }

    fn remove(&self, collection: &str, id: &Bson) {
        let documents = self.database.documents(collection);
        self.database.persist(|| async { documents.delete_one(doc! { "_id": id }).await });
    }

    /// Chooses a document that may change.
    fn choose(&mut self) -> Option<(&'static str, Bson)> {
        let may_change = |id: &str| !id.starts_with("pair-") && !id.starts_with("ours-");
        let keys: Vec<_> = self.documents.iter().filter(|((_, id), _)| may_change(id)).collect();
        let (key, (id, _)) = keys.choose(&mut self.rng)?;
        Some((key.0, id.clone()))
    }

    fn next_time(&mut self) -> i64 {
        self.time += 1;
        self.time
    }
}

/// Returns the id as the program shows it.
fn shown(id: &Bson) -> String {
    match id {
        Bson::ObjectId(id) => id.to_hex(),
        id => id.as_str().expect("ids are texts or object ids").to_owned(),
    }
}
