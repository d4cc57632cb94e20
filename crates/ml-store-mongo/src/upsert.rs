//! Inserts what is new and replaces what differs, a batch at a time.
//!
//! Most of what is written is new, so that a batch is one `insert_many`; only the ids that it says are taken are looked at.
//! Where the last batch was there already, the next one is looked up first, for a refused insert costs the server more.
//!
//! A replacement names the version that it replaces, by content hash and time, in one statement: of two writers who read the
//! same version one finds it gone and looks again, so that what is older never takes the place of what is newer.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use ml_core::document::UpsertCounts;
use ml_core::error::{Entity, StoreError};
use ml_core::record::RawRecord;
use mongodb::bson::{RawDocumentBuf, doc, rawdoc};
use mongodb::error::{Error as DriverError, ErrorKind};

use crate::codec::MICROS_FIELD;
use crate::codec::instant::Instant;
use crate::codec::read::Fields;
use crate::codec::record;
use crate::error::code;
use crate::store::MongoDocuments;

/// How often a batch is looked at again because others write the same ids.
const MAX_ROUNDS: usize = 100;

/// The most ids asked for in one query: some servers need far longer for thousands than for some hundreds several times.
const IDS_AT_ONCE: usize = 500;

/// The most bytes of documents in one command, which has to fit into a document itself.
const MAX_COMMAND_BYTES: usize = 12 * 1024 * 1024;

/// What is tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// For batches that are mostly new.
    InsertFirst,
    /// For batches that are mostly there.
    LookupFirst,
}

/// Where documents are written, and what orders their versions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) collection: &'static str,
    pub(crate) entity: Entity,
    /// The field of the time that a version is from.
    pub(crate) time_field: &'static str,
}

/// A document to be written.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    pub(crate) id: &'a str,
    /// Equal for documents that are the same.
    pub(crate) content_hash: String,
    pub(crate) document: RawDocumentBuf,
    /// The time that this version is from.
    pub(crate) made_at: DateTime<Utc>,
    /// The record, which takes on the time of a newer version that it replaces; anything else is left out as outdated.
    pub(crate) record: Option<&'a RawRecord>,
}

impl<'a> Item<'a> {
    /// Encodes a record.
    pub(crate) fn of_record(given: &'a RawRecord) -> Item<'a> {
        Item {
            id: given.id.as_str(),
            content_hash: given.content_hash.to_string(),
            document: record::encode(given, given.ingested_at),
            made_at: given.ingested_at,
            record: Some(given),
        }
    }

    /// Returns the document that takes the place of `former`, which is never from after it.
    fn replacement(&self, former: &Former) -> RawDocumentBuf {
        match (self.record, former.made_at) {
            (Some(given), Some(made_at)) if made_at > given.ingested_at => record::encode(given, made_at),
            _ => self.document.clone(),
        }
    }

    /// Tells whether nothing is to be done where `former` is.
    fn is_settled_by(&self, former: &Former) -> bool {
        let is_outdated = self.record.is_none() && former.made_at.is_some_and(|made_at| made_at > self.made_at);
        is_outdated || former.has_content_of(self)
    }
}

/// What is known of a document that is there.
#[derive(Debug)]
struct Former {
    content_hash: Option<String>,
    made_at: Option<DateTime<Utc>>,
}

impl Former {
    fn of(document: &RawDocumentBuf, time_field: &'static str) -> Option<(String, Former)> {
        let fields = Fields::of(document).ok()?;
        let former = Former {
            content_hash: fields.text("content_hash").ok().map(ToOwned::to_owned),
            made_at: fields.time(time_field).ok(),
        };
        Some((fields.text("_id").ok()?.to_owned(), former))
    }

    fn has_content_of(&self, item: &Item<'_>) -> bool {
        self.content_hash.as_ref() == Some(&item.content_hash)
    }
}

impl MongoDocuments {
    /// Writes the items; an id that appears twice is written in the order given.
    pub(crate) async fn upsert_items(
        &self,
        operation: &'static str,
        target: Target,
        items: Vec<Item<'_>>,
        order: Order,
    ) -> Result<UpsertCounts, StoreError> {
        let mut counts = UpsertCounts::default();
        let mut rest: Vec<&Item<'_>> = items.iter().collect();
        while !rest.is_empty() {
            let mut seen = HashSet::with_capacity(rest.len());
            let (first_of_id, later): (Vec<_>, Vec<_>) = rest.into_iter().partition(|item| seen.insert(item.id));
            let mut batch = Batch { store: self, operation, target, counts: UpsertCounts::default() };
            batch.write(first_of_id, order).await?;
            counts += batch.counts;
            rest = later;
        }
        Ok(counts)
    }
}

/// A batch of items with an id each, while it is written.
struct Batch<'s> {
    store: &'s MongoDocuments,
    operation: &'static str,
    target: Target,
    counts: UpsertCounts,
}

impl Batch<'_> {
    async fn write(&mut self, items: Vec<&Item<'_>>, order: Order) -> Result<(), StoreError> {
        let mut formers = HashMap::new();
        if order == Order::LookupFirst {
            formers = self.find_formers(&items).await?;
        }
        let mut waiting = items;
        for _ in 0..MAX_ROUNDS {
            let (mut there, new): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|item| formers.contains_key(item.id));
            let taken = self.insert(new).await?;
            formers.extend(self.find_formers(&taken).await?);
            there.extend(taken);
            waiting = self.replace(there, &formers).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            // Someone else wrote or deleted these meanwhile.
            formers = self.find_formers(&waiting).await?;
        }
        let id = waiting.first().map_or("", |item| item.id);
        Err(StoreError::conflict(self.target.entity, id))
    }

    /// Inserts the items and returns those whose ids are taken.
    async fn insert<'a>(&mut self, items: Vec<&'a Item<'a>>) -> Result<Vec<&'a Item<'a>>, StoreError> {
        if items.is_empty() {
            return Ok(items);
        }
        let documents = self.store.raw(self.target.collection);
        let insert = || async {
            let inserted = documents.insert_many(items.iter().map(|item| &item.document)).ordered(false).await;
            match inserted {
                Ok(_) => Ok(HashSet::new()),
                Err(err) => taken_indices(err),
            }
        };
        let taken = self.store.run(self.operation, insert).await?;
        self.counts.inserted += (items.len() - taken.len()) as u64;
        let is_taken = |(index, item)| taken.contains(&index).then_some(item);
        Ok(items.into_iter().enumerate().filter_map(is_taken).collect())
    }

    async fn find_formers(&self, items: &[&Item<'_>]) -> Result<HashMap<String, Former>, StoreError> {
        let documents = self.store.raw(self.target.collection);
        let time_field = self.target.time_field;
        let mut formers = HashMap::with_capacity(items.len());
        for items in items.chunks(IDS_AT_ONCE) {
            let ids: Vec<&str> = items.iter().map(|item| item.id).collect();
            let find = || async {
                let found = documents
                    .find(doc! { "_id": { "$in": &ids } })
                    .projection(doc! { "content_hash": 1, time_field: 1, MICROS_FIELD: 1 })
                    .batch_size(IDS_AT_ONCE as u32);
                found.await?.try_collect::<Vec<RawDocumentBuf>>().await
            };
            let found = self.store.run(self.operation, find).await?;
            formers.extend(found.iter().filter_map(|document| Former::of(document, time_field)));
        }
        Ok(formers)
    }

    /// Replaces what differs from its former version, and returns what has to be looked at again.
    async fn replace<'a>(
        &mut self,
        items: Vec<&'a Item<'a>>,
        formers: &HashMap<String, Former>,
    ) -> Result<Vec<&'a Item<'a>>, StoreError> {
        let mut again = Vec::new();
        let mut chunk = Vec::new();
        let mut size_bytes = 0;
        for item in items {
            match formers.get(item.id) {
                // It was deleted between two looks.
                None => again.push(item),
                Some(former) if item.is_settled_by(former) => self.counts.unchanged += 1,
                Some(former) => {
                    if size_bytes + item.document.as_bytes().len() > MAX_COMMAND_BYTES {
                        again.extend(self.replace_chunk(std::mem::take(&mut chunk)).await?);
                        size_bytes = 0;
                    }
                    size_bytes += item.document.as_bytes().len();
                    chunk.push((item, former));
                }
            }
        }
        again.extend(self.replace_chunk(chunk).await?);
        Ok(again)
    }

    async fn replace_chunk<'a>(
        &mut self,
        chunk: Vec<(&'a Item<'a>, &Former)>,
    ) -> Result<Vec<&'a Item<'a>>, StoreError> {
        if chunk.is_empty() {
            return Ok(Vec::new());
        }
        let statements = chunk.iter().map(|(item, former)| self.replacement(item, former)).collect();
        let command = self.store.write_command("update", self.target.collection, "updates", false, statements);
        let n_replaced = self.store.run(self.operation, || self.store.run_write(&command)).await? as usize;
        self.counts.changed += n_replaced as u64;
        let items: Vec<&Item<'_>> = chunk.into_iter().map(|(item, _)| item).collect();
        if n_replaced == items.len() {
            return Ok(Vec::new());
        }
        self.unreplaced(items, n_replaced).await
    }

    /// Finds which of the items are not there as they should be, where only `n_replaced` were replaced by us.
    async fn unreplaced<'a>(
        &mut self,
        items: Vec<&'a Item<'a>>,
        n_replaced: usize,
    ) -> Result<Vec<&'a Item<'a>>, StoreError> {
        let formers = self.find_formers(&items).await?;
        let is_there = |item: &&Item<'_>| formers.get(item.id).is_some_and(|former| former.has_content_of(item));
        let (there, mut missing): (Vec<_>, Vec<_>) = items.into_iter().partition(is_there);
        // The server does not say which ones were ours. One of ours that another writer has replaced since is done, and what
        // replaced it is from no earlier time: where something older is, ours never was.
        let may_have_been_ours = |item: &&Item<'_>| {
            let made_at = formers.get(item.id).and_then(|former| former.made_at);
            made_at.is_none_or(|made_at| made_at >= item.made_at)
        };
        missing.sort_by_key(may_have_been_ours);
        missing.truncate(there.len() + missing.len() - n_replaced);
        self.counts.unchanged += there.len().saturating_sub(n_replaced) as u64;
        Ok(missing)
    }

    /// Returns the statement that puts the item in the place of this very version.
    fn replacement(&self, item: &Item<'_>, former: &Former) -> RawDocumentBuf {
        let mut filter = doc! { "_id": item.id };
        // Where someone else spoiled either, whatever is there now is replaced.
        if let Some(content_hash) = &former.content_hash {
            filter.insert("content_hash", content_hash);
        }
        if let Some(made_at) = former.made_at {
            filter.extend(Instant::from(made_at).is_in(self.target.time_field));
        }
        let filter = RawDocumentBuf::try_from(filter).expect("texts and dates can be written");
        rawdoc! { "q": filter, "u": item.replacement(former) }
    }
}

/// Returns which documents of an insert were refused because their ids are taken, unless something else went wrong.
fn taken_indices(error: DriverError) -> mongodb::error::Result<HashSet<usize>> {
    let ErrorKind::InsertMany(failure) = &*error.kind else { return Err(error) };
    let refused = failure.write_errors.as_deref().unwrap_or_default();
    if failure.write_concern_error.is_some() || refused.iter().any(|err| err.code != code::DUPLICATE_KEY) {
        return Err(error);
    }
    Ok(refused.iter().map(|err| err.index).collect())
}
