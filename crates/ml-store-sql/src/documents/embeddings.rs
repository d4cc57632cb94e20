//! Embeddings.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::document::UpsertCounts;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::{RecordId, ResultId};
use ml_core::result::{Embedding, EmbeddingStore};

use crate::documents::EmbeddedDocuments;
use crate::documents::results::{self, result_row};
use crate::prepared::prepared;
use crate::schema::documents::embeddings;
use crate::types::{Instant, JsonText};

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = embeddings, treat_none_as_default_value = false)]
struct EmbeddingRow {
    id: String,
    record_id: String,
    model: String,
    vector: JsonText,
    created_at: Instant,
}

result_row!(EmbeddingRow, embeddings, created_at);

impl From<&Embedding> for EmbeddingRow {
    fn from(embedding: &Embedding) -> EmbeddingRow {
        EmbeddingRow {
            id: embedding.id.as_str().to_owned(),
            record_id: embedding.record_id.as_str().to_owned(),
            model: embedding.model.clone(),
            vector: JsonText::of(&embedding.vector),
            created_at: Instant(embedding.created_at),
        }
    }
}

impl EmbeddingRow {
    fn into_embedding(self) -> Result<Embedding, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::Embedding, key, err))
    }

    fn decode(self) -> Result<Embedding, BoxError> {
        Ok(Embedding {
            id: ResultId::parse(self.id)?,
            record_id: RecordId::parse(self.record_id)?,
            model: self.model,
            vector: self.vector.parse()?,
            created_at: self.created_at.0,
        })
    }
}

#[async_trait]
impl EmbeddingStore for EmbeddedDocuments {
    async fn upsert(&self, embeddings: &[Embedding]) -> Result<UpsertCounts, StoreError> {
        let rows: Vec<EmbeddingRow> = embeddings.iter().map(EmbeddingRow::from).collect();
        self.database.write_blocking("writing embeddings", move |sqlite| Ok(results::upsert(sqlite, &rows)?)).await
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        let ids = results::texts(ids);
        self.database
            .write_blocking("deleting embeddings", move |sqlite| Ok(results::delete::<EmbeddingRow>(sqlite, &ids)?))
            .await
    }

    async fn find_by_records(&self, model: &str, records: &[RecordId]) -> Result<Vec<Embedding>, StoreError> {
        let model = model.to_owned();
        let records: BTreeSet<RecordId> = records.iter().cloned().collect();
        self.database
            .read_blocking("reading embeddings", move |sqlite| {
                let mut found = Vec::new();
                for record in &records {
                    let rows: Vec<EmbeddingRow> = embeddings::table
                        .filter(embeddings::model.eq(&model))
                        .filter(embeddings::record_id.eq(record.as_str()))
                        .load(sqlite)?;
                    for row in rows {
                        found.push(row.into_embedding()?);
                    }
                }
                Ok(found)
            })
            .await
    }
}
