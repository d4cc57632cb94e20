//! The validated tables, in memory: every version of every row.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::paging::page_of;
use super::{MemorySql, lock};
use crate::digest::Digest;
use crate::error::{Entity, StoreError};
use crate::global_data::{GlobalDataStore, GlobalRecord, ValidatedQuery};
use crate::ground_truth::{GroundTruth, GroundTruthStore, those_that_count};
use crate::id::RecordId;
use crate::market_metric::{MarketMetric, MarketMetricStore};
use crate::page::{Page, PageRequest};
use crate::record::{DataType, SourceApp};
use crate::user_interaction::{UserInteraction, UserInteractionStore};

/// A row of which former versions are kept.
pub(super) trait VersionedRow: Clone {
    type Key: Ord + Clone;

    fn key(&self) -> Self::Key;
    fn raw_id(&self) -> &RecordId;
    fn content_hash(&self) -> Digest;
}

/// A row that [`ValidatedQuery`] can be asked of.
pub(super) trait ValidatedTableRow: VersionedRow<Key = RecordId> {
    /// The data type, in tables that hold more than one.
    fn data_type(&self) -> Option<&DataType>;
    fn source_app(&self) -> &SourceApp;
    fn event_time(&self) -> DateTime<Utc>;
    fn created_at(&self) -> DateTime<Utc>;
}

/// What a key had for some time: a row, or none from an instant on.
#[derive(Debug, Clone)]
enum Version<R> {
    Row(R),
    Gone(DateTime<Utc>),
}

impl<R> Version<R> {
    fn row(&self) -> Option<&R> {
        match self {
            Version::Row(row) => Some(row),
            Version::Gone(_) => None,
        }
    }
}

/// Rows by key, each with its versions in the order they were written.
#[derive(Debug)]
pub(super) struct Versions<R: VersionedRow>(BTreeMap<R::Key, Vec<Version<R>>>);

impl<R: VersionedRow> Default for Versions<R> {
    fn default() -> Versions<R> {
        Versions(BTreeMap::new())
    }
}

impl<R: VersionedRow> Versions<R> {
    /// Writes `row` and returns whether it differs from what was there.
    pub(super) fn upsert(&mut self, row: &R) -> bool {
        let versions = self.0.entry(row.key()).or_default();
        let current = versions.last().and_then(Version::row);
        if current.is_some_and(|current| current.content_hash() == row.content_hash()) {
            return false;
        }
        versions.push(Version::Row(row.clone()));
        true
    }

    /// Removes the row with this key, if it was made from `raw_id`.
    pub(super) fn remove(&mut self, key: &R::Key, raw_id: &RecordId, at: DateTime<Utc>) {
        let Some(versions) = self.0.get_mut(key) else { return };
        if versions.last().and_then(Version::row).is_some_and(|row| row.raw_id() == raw_id) {
            versions.push(Version::Gone(at));
        }
    }

    fn find(&self, key: &R::Key) -> Option<&R> {
        self.0.get(key)?.last()?.row()
    }

    pub(super) fn current(&self) -> impl Iterator<Item = &R> {
        self.0.values().filter_map(|versions| versions.last()?.row())
    }
}

impl<R: ValidatedTableRow> Versions<R> {
    fn matching(&self, query: &ValidatedQuery) -> impl Iterator<Item = &R> {
        let versions = self.0.values().filter_map(|versions| as_known(versions, query.known_by));
        versions.filter(|row| matches(query, *row))
    }

    fn page(&self, query: &ValidatedQuery, request: &PageRequest<RecordId>) -> Page<R, RecordId> {
        page_of(self.matching(query).cloned(), request, VersionedRow::key)
    }
}

/// Returns the version that was known at `known_by`: the last one from up to then.
fn as_known<R: ValidatedTableRow>(versions: &[Version<R>], known_by: Option<DateTime<Utc>>) -> Option<&R> {
    let Some(known_by) = known_by else { return versions.last()?.row() };
    let since = |version: &&Version<R>| match version {
        Version::Row(row) => row.created_at(),
        Version::Gone(at) => *at,
    };
    versions.iter().filter(|version| since(version) <= known_by).max_by_key(since)?.row()
}

fn matches<R: ValidatedTableRow>(query: &ValidatedQuery, row: &R) -> bool {
    let is_of = |data_type: &DataType| row.data_type().is_none_or(|found| found == data_type);
    query.data_type.as_ref().is_none_or(is_of)
        && query.source_app.as_ref().is_none_or(|app| app == row.source_app())
        && query.event_from.is_none_or(|from| row.event_time() >= from)
        && query.event_before.is_none_or(|before| row.event_time() < before)
}

macro_rules! validated_table_row {
    ($row:ty, $data_type:expr) => {
        impl VersionedRow for $row {
            type Key = RecordId;

            fn key(&self) -> RecordId {
                self.id.clone()
            }

            fn raw_id(&self) -> &RecordId {
                &self.raw_id
            }

            fn content_hash(&self) -> Digest {
                self.content_hash
            }
        }

        impl ValidatedTableRow for $row {
            fn data_type(&self) -> Option<&DataType> {
                let data_type: fn(&$row) -> Option<&DataType> = $data_type;
                data_type(self)
            }

            fn source_app(&self) -> &SourceApp {
                &self.source_app
            }

            fn event_time(&self) -> DateTime<Utc> {
                self.event_time
            }

            fn created_at(&self) -> DateTime<Utc> {
                self.created_at
            }
        }
    };
}

validated_table_row!(GlobalRecord, |row| Some(&row.data_type));
validated_table_row!(MarketMetric, |_| None);
validated_table_row!(UserInteraction, |_| None);

impl VersionedRow for GroundTruth {
    type Key = (RecordId, String, RecordId);

    fn key(&self) -> (RecordId, String, RecordId) {
        (self.record_id.clone(), self.target.clone(), self.raw_id.clone())
    }

    fn raw_id(&self) -> &RecordId {
        &self.raw_id
    }

    fn content_hash(&self) -> Digest {
        self.content_hash
    }
}

#[async_trait]
impl GlobalDataStore for MemorySql {
    async fn get(&self, id: &RecordId) -> Result<GlobalRecord, StoreError> {
        let synced = lock(&self.synced);
        synced.global.find(id).cloned().ok_or_else(|| StoreError::not_found(Entity::GlobalRecord, id))
    }

    async fn list(
        &self,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<GlobalRecord, RecordId>, StoreError> {
        Ok(lock(&self.synced).global.page(query, &page))
    }

    async fn count(&self, query: &ValidatedQuery) -> Result<u64, StoreError> {
        Ok(lock(&self.synced).global.matching(query).count() as u64)
    }
}

#[async_trait]
impl MarketMetricStore for MemorySql {
    async fn list(
        &self,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<MarketMetric, RecordId>, StoreError> {
        Ok(lock(&self.synced).market.page(query, &page))
    }

    async fn count(&self, query: &ValidatedQuery) -> Result<u64, StoreError> {
        Ok(lock(&self.synced).market.matching(query).count() as u64)
    }
}

#[async_trait]
impl UserInteractionStore for MemorySql {
    async fn list(
        &self,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<UserInteraction, RecordId>, StoreError> {
        Ok(lock(&self.synced).interactions.page(query, &page))
    }

    async fn count(&self, query: &ValidatedQuery) -> Result<u64, StoreError> {
        Ok(lock(&self.synced).interactions.matching(query).count() as u64)
    }
}

#[async_trait]
impl GroundTruthStore for MemorySql {
    async fn find_by_records(&self, target: &str, records: &[RecordId]) -> Result<Vec<GroundTruth>, StoreError> {
        let synced = lock(&self.synced);
        let wanted: HashSet<&RecordId> = records.iter().collect();
        let is_wanted = |truth: &&GroundTruth| truth.target == target && wanted.contains(&truth.record_id);
        Ok(those_that_count(synced.truths.current().filter(is_wanted).cloned()))
    }

    async fn count(&self, target: &str) -> Result<u64, StoreError> {
        let synced = lock(&self.synced);
        let truths = synced.truths.current().filter(|truth| truth.target == target);
        Ok(truths.map(|truth| &truth.record_id).collect::<HashSet<_>>().len() as u64)
    }
}
