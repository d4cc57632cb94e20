//! Documents whose ids are no ids of records: other programs gave them. They are shown by an id that is made of theirs.

use std::collections::HashSet;

use ml_core::document::ResumeToken;
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::Collection;
use mongodb::bson::{Bson, Document, RawBsonRef, RawDocumentBuf, doc};

use super::snapshot::{is_no_text, those_after};
use super::{OPERATION, change, token};
use crate::store::MongoDocuments;

/// Matches every text that is no id of a record, and few that are: with control characters, blank, or too long.
const ODD_TEXT: &str = r"\p{Cc}|^[\s\p{Z}]*$|^.{129}";

/// How many ids are looked through at a time.
const IDS_AT_ONCE: usize = 10_000;

impl MongoDocuments {
    pub(super) async fn list_foreign(
        &self,
        collection: Collection,
        page: PageRequest<ResumeToken>,
    ) -> Result<Page<RecordId, ResumeToken>, StoreError> {
        let after = page.cursor().map(token::read_id).transpose()?;
        let filter = doc! { "$or": [is_no_text(), is_odd_text()] };
        let found = self.find_foreign(collection, filter, after.as_ref(), page.limit() + 1).await?;
        let found = Page::from_lookahead(found, page.limit(), |document| {
            token::write_id(&token::id_of(document).unwrap_or(Bson::Null))
        });
        let ids = found.items.iter().filter_map(|document| document.get("_id").ok().flatten());
        let foreign = ids.filter(|id| !is_of_a_record(*id)).map(change::id_of);
        Ok(Page { items: foreign.collect(), next_cursor: found.next_cursor })
    }

    /// Looks for the ids in MongoDB of the documents that are shown by `wanted`, where they cannot be told from that.
    pub(super) async fn foreign_keys_of(
        &self,
        collection: Collection,
        wanted: &HashSet<&RecordId>,
    ) -> Result<Vec<Bson>, StoreError> {
        let is_any_unnamed = wanted.iter().any(|id| id.as_str().starts_with(change::UNNAMED));
        let filter = if is_any_unnamed {
            doc! { "$or": [is_no_text(), is_odd_text()] }
        } else {
            is_no_text()
        };
        let (mut keys, mut after) = (Vec::new(), None);
        loop {
            let found = self.find_foreign(collection, filter.clone(), after.as_ref(), IDS_AT_ONCE).await?;
            for document in &found {
                let shown = document.get("_id").ok().flatten().map(change::id_of);
                if shown.is_some_and(|id| wanted.contains(&id)) {
                    keys.extend(token::id_of(document));
                }
            }
            after = found.last().and_then(token::id_of);
            if found.len() < IDS_AT_ONCE || after.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn find_foreign(
        &self,
        collection: Collection,
        filter: Document,
        after: Option<&Bson>,
        limit: usize,
    ) -> Result<Vec<RawDocumentBuf>, StoreError> {
        let filter = those_after(filter, after);
        self.find_page(OPERATION, collection.name(), filter, Some(doc! { "_id": 1 }), limit).await
    }
}

fn is_odd_text() -> Document {
    doc! { "_id": { "$regex": ODD_TEXT } }
}

fn is_of_a_record(id: RawBsonRef<'_>) -> bool {
    id.as_str().is_some_and(|text| RecordId::parse(text).is_ok())
}
