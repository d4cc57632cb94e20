//! Rows and values of every entity on one line of time, sorted, so that one pass finds the latest value before each row.
//!
//! The key of a record is entity, event time, what it is, and what makes it unique. Values of an instant come before its rows,
//! so that a value counts from its own instant on; of two values of one instant the one that was known later comes last, then
//! the one with the greater id, and the last one counts.

use chrono::{DateTime, Utc};

use super::codec::{Garbled, Reader, put_instant, put_text};
use super::ttl::Ttl;
use crate::dataset::cells::Cell;
use crate::dataset::error::DatasetError;
use crate::dataset::sort::{SortRoom, Sorter};

/// What comes first of an instant.
const VALUE: u8 = 0;
const ROW: u8 = 1;

/// Takes rows and values in any order.
#[derive(Debug)]
pub(super) struct Timeline {
    n_keys: usize,
    room: SortRoom,
    sorter: Sorter,
    key: Vec<u8>,
}

/// How many rows have a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Matched {
    pub(super) n_found: u64,
    pub(super) n_too_old: u64,
}

/// The last value that was passed.
#[derive(Debug, Default)]
struct Latest {
    entity: Vec<u8>,
    event_time: i64,
    value: Vec<u8>,
}

impl Timeline {
    /// Starts without rows and values of entities that `n_keys` columns name.
    pub(super) fn new(n_keys: usize, room: SortRoom) -> Timeline {
        Timeline { n_keys, sorter: Sorter::new(room.clone()), room, key: Vec::new() }
    }

    /// Puts row number `row` of an entity on the line.
    pub(super) fn put_row(&mut self, entity: &Entity, event_time: DateTime<Utc>, row: u64) -> Result<(), DatasetError> {
        self.begin(entity, event_time, ROW);
        self.key.extend_from_slice(&row.to_be_bytes());
        self.sorter.push(&self.key, &[])
    }

    /// Puts a value of an entity on the line; no two have the same id.
    pub(super) fn put_value(
        &mut self,
        entity: &Entity,
        event_time: DateTime<Utc>,
        known_time: DateTime<Utc>,
        id: &str,
        value: &[u8],
    ) -> Result<(), DatasetError> {
        self.begin(entity, event_time, VALUE);
        put_instant(&mut self.key, known_time);
        self.key.extend_from_slice(id.as_bytes());
        self.sorter.push(&self.key, value)
    }

    fn begin(&mut self, entity: &Entity, event_time: DateTime<Utc>, what: u8) {
        self.key.clear();
        self.key.extend_from_slice(&entity.0);
        put_instant(&mut self.key, event_time);
        self.key.push(what);
    }

    /// Gives each row that has a value no older than `ttl` to `found`, by entity and event time, and counts.
    pub(super) fn match_rows(
        self,
        ttl: Option<Ttl>,
        mut found: impl FnMut(u64, &[u8]) -> Result<(), DatasetError>,
    ) -> Result<Matched, DatasetError> {
        let Timeline { n_keys, room, sorter, .. } = self;
        let garbled = |error: Garbled| DatasetError::Sort { folder: room.folder.clone(), source: error.into() };
        let ttl = ttl.map_or(i64::MAX, Ttl::microseconds);
        let mut sorted = sorter.finish()?;
        let mut latest: Option<Latest> = None;
        let mut matched = Matched::default();
        while let Some((key, value)) = sorted.next_record()? {
            let (entity, rest) = Entity::split(key, n_keys).map_err(garbled)?;
            let mut rest = Reader::new(rest);
            let event_time = rest.instant().map_err(garbled)?;
            if rest.byte().map_err(garbled)? == VALUE {
                latest.get_or_insert_default().set(entity, event_time, value);
                continue;
            }
            let row = rest.long().map_err(garbled)?;
            let Some(latest) = latest.as_ref().filter(|latest| latest.entity == entity) else { continue };
            if event_time.saturating_sub(latest.event_time) <= ttl {
                matched.n_found += 1;
                found(row, &latest.value)?;
            } else {
                matched.n_too_old += 1;
            }
        }
        Ok(matched)
    }

    /// Returns the most bytes of records that were held at a time.
    #[cfg(test)]
    pub(super) fn n_peak_bytes(&self) -> usize {
        self.sorter.n_peak_bytes()
    }
}

impl Latest {
    fn set(&mut self, entity: &[u8], event_time: i64, value: &[u8]) {
        self.entity.clear();
        self.entity.extend_from_slice(entity);
        self.event_time = event_time;
        self.value.clear();
        self.value.extend_from_slice(value);
    }
}

/// The values that name an entity, as bytes.
#[derive(Debug, Default)]
pub(super) struct Entity(Vec<u8>);

impl Entity {
    /// Names the entity by `cells`, as they print, and returns whether each holds something: white space alone does not.
    pub(super) fn set(&mut self, cells: impl Iterator<Item = Cell>) -> bool {
        self.0.clear();
        for cell in cells {
            let Some(text) = cell.into_text().filter(|text| !text.trim().is_empty()) else { return false };
            put_text(&mut self.0, &text);
        }
        true
    }

    /// Takes the entity off the front of a key.
    fn split(key: &[u8], n_keys: usize) -> Result<(&[u8], &[u8]), Garbled> {
        let mut reader = Reader::new(key);
        for _ in 0..n_keys {
            let length = reader.number()? as usize;
            reader.bytes(length)?;
        }
        let rest = reader.rest();
        Ok((&key[..key.len() - rest.len()], rest))
    }
}
