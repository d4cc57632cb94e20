//! What becomes of the rows of a batch: followed through it in memory, record by record, and then written table by table.

use std::borrow::Cow;
use std::collections::BTreeMap;

use futures::future::try_join_all;
use ml_core::id::RecordId;
use ml_core::record::Collection;
use ml_core::sync::{RowRef, ValidatedRow};

use super::plan::PlannedRecord;
use super::take_turn;
use crate::connection::PostgresConnection;
use crate::error::Failure;
use crate::error::postgres::{changed_meanwhile, or_changed_meanwhile};
use crate::sql::sync::row::{on_table, table_named};
use crate::sql::validated::SupersededRow;
use crate::sql::validated::bulk::{self, BulkRow, StoredVersion};
use crate::types::Instant;

/// How many rows one statement inserts; the server should have something to do before all are encoded.
const ROWS_PER_INSERT: usize = 1_000;

/// The rows that a batch touches, by the name of the table, which is the order that every commit locks them in.
pub(super) struct Rows<'b> {
    tables: BTreeMap<&'static str, Table<'b>>,
}

/// The rows of one table.
#[derive(Default)]
struct Table<'b> {
    /// By key, in the order that every commit locks them in.
    places: BTreeMap<Cow<'b, str>, Place<'b>>,
    /// Rows of the batch that later ones of it took the place of, and when.
    overwritten: Vec<(&'b ValidatedRow, Instant)>,
}

/// Where a row is, or could be.
#[derive(Default)]
struct Place<'b> {
    stored: Option<StoredVersion>,
    /// When the stored row ceased to be current, if it did.
    superseded_at: Option<Instant>,
    /// The row of the batch that is there after it.
    written: Option<&'b ValidatedRow>,
}

impl<'b> Place<'b> {
    /// Returns the digest and the raw record of the row that is there now.
    fn current(&self) -> Option<(Cow<'_, str>, &str)> {
        if let Some(row) = self.written {
            return Some((Cow::Owned(row.content_hash().to_string()), row.raw_id().as_str()));
        }
        let stored = self.stored.as_ref().filter(|_| self.superseded_at.is_none())?;
        Some((Cow::Borrowed(&stored.content_hash), &stored.raw_id))
    }

    /// Returns the stored row that ceased to be current, and when.
    fn ended(&self) -> Option<(&StoredVersion, Instant)> {
        Some((self.stored.as_ref()?, self.superseded_at?))
    }

    /// Ends the row that is there now; returns it if it was one of the batch.
    fn end(&mut self, at: Instant) -> Option<&'b ValidatedRow> {
        let written = self.written.take();
        if written.is_none() {
            self.superseded_at = Some(at);
        }
        written
    }
}

impl<'b> Table<'b> {
    /// Writes the row over what is there now, and returns whether that changes anything.
    fn write(&mut self, row: &'b ValidatedRow) -> bool {
        let place = self.places.entry(key_of(row)).or_default();
        let current = place.current().map(|(content_hash, _)| content_hash == row.content_hash().to_string());
        if current == Some(true) {
            return false;
        }
        if current.is_some() {
            let at = Instant(row.created_at());
            self.overwritten.extend(place.end(at).map(|former| (former, at)));
        }
        place.written = Some(row);
        true
    }

    /// Removes the row with this key, if it was made from `raw_id`.
    fn remove(&mut self, key: &str, raw_id: &str, at: Instant) {
        let Some(place) = self.places.get_mut(key) else { return };
        if place.current().is_some_and(|(_, owner)| owner == raw_id) {
            self.overwritten.extend(place.end(at).map(|former| (former, at)));
        }
    }
}

impl<'b> Rows<'b> {
    /// Looks at what is where the records have rows, or had them.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`](ml_core::error::StoreError::Corrupt) when a record had a row in a table that there is not.
    pub(super) async fn load(
        postgres: &mut PostgresConnection,
        collection: Collection,
        records: &'b [PlannedRecord<'_>],
    ) -> Result<Rows<'b>, Failure> {
        let mut tables: BTreeMap<&str, Table<'b>> = BTreeMap::new();
        for record in records {
            for row in record.rows.iter() {
                let table = tables.entry(row.table()).or_default();
                table.places.entry(key_of(row)).or_default();
            }
            for RowRef { table, id } in &record.lost {
                let name = table_named(table, record.raw_id.as_str())?;
                let table = tables.entry(name).or_default();
                table.places.entry(whole_key(name, Cow::Owned(id.clone()), record.raw_id)).or_default();
            }
        }
        let own_prefix = format!("{collection}:");
        for (name, table) in &mut tables {
            let keys: Vec<&str> = table.places.keys().map(Cow::as_ref).collect();
            // Other collections may write what is not named after this one.
            if !keys.iter().all(|key| key.starts_with(&own_prefix)) {
                take_turn(postgres, name).await?;
            }
            let stored = on_table!(*name, of "", Row => Ok::<_, Failure>(Row::load_versions(postgres, &keys).await?))?;
            for version in stored {
                if let Some(place) = table.places.get_mut(version.key.as_str()) {
                    place.stored = Some(version);
                }
            }
        }
        Ok(Rows { tables })
    }

    /// Does what becomes of a record to its rows, and returns whether that changes any.
    pub(super) fn follow(&mut self, record: &'b PlannedRecord<'_>) -> bool {
        for RowRef { table, id } in &record.lost {
            if let Some(places) = self.tables.get_mut(table.as_str()) {
                let key = whole_key(table, Cow::Borrowed(id), record.raw_id);
                places.remove(&key, record.raw_id.as_str(), record.since.into());
            }
        }
        let mut is_changed = !record.lost.is_empty();
        for row in record.rows.iter() {
            if let Some(table) = self.tables.get_mut(row.table()) {
                is_changed |= table.write(row);
            }
        }
        is_changed
    }

    /// Writes what takes the place of stored rows, or only takes them away.
    pub(super) async fn replace(&self, postgres: &mut PostgresConnection) -> Result<(), Failure> {
        for (name, table) in &self.tables {
            on_table!(*name, of "", Row => replace_in::<Row>(postgres, table).await)?;
        }
        Ok(())
    }

    /// Writes the rows that are new where they are.
    pub(super) async fn insert(&self, postgres: &PostgresConnection) -> Result<(), Failure> {
        for (name, table) in &self.tables {
            on_table!(*name, of "", Row => insert_into::<Row>(postgres, table).await)?;
        }
        Ok(())
    }
}

/// Returns the key of a row among all of its table, in the form of [`BulkRow::key`].
fn key_of(row: &ValidatedRow) -> Cow<'_, str> {
    whole_key(row.table(), row.key(), row.raw_id())
}

/// Completes a key that has the form of [`RowRef::id`]: truths are kept by raw record too.
fn whole_key<'k>(table: &str, key: Cow<'k, str>, raw_id: &RecordId) -> Cow<'k, str> {
    match table {
        "ground_truth" => Cow::Owned(format!("{key}\n{raw_id}")),
        _ => key,
    }
}

async fn replace_in<R: BulkRow>(postgres: &mut PostgresConnection, table: &Table<'_>) -> Result<(), Failure> {
    let (mut replacing, mut gone) = (Vec::new(), Vec::new());
    for (key, place) in &table.places {
        match (&place.stored, place.written) {
            (Some(_), Some(row)) => replacing.extend(R::encode(row)),
            (Some(_), None) if place.superseded_at.is_some() => gone.push(key.as_ref()),
            (Some(_) | None, None) | (None, Some(_)) => {}
        }
    }
    let former = former_rows::<R>(postgres, table).await?;
    bulk::keep_all(postgres, &former).await?;
    if !gone.is_empty() {
        R::delete_all(postgres, &gone).await?;
    }
    if !replacing.is_empty() {
        R::replace_all(postgres, &replacing).await?;
    }
    Ok(())
}

/// While the server writes some rows, the next are encoded.
async fn insert_into<R: BulkRow>(postgres: &PostgresConnection, table: &Table<'_>) -> Result<(), Failure> {
    let new: Vec<&ValidatedRow> =
        table.places.values().filter(|place| place.stored.is_none()).filter_map(|place| place.written).collect();
    let inserts = new.chunks(ROWS_PER_INSERT).map(async |rows| {
        let rows: Vec<R> = rows.iter().filter_map(|row| R::encode(row)).collect();
        R::insert_all(postgres, &rows).await
    });
    try_join_all(inserts).await.map_err(or_changed_meanwhile)?;
    Ok(())
}

/// Returns the versions that cease to be current. Those that are stored stay as they are until the transaction ends.
async fn former_rows<R: BulkRow>(
    postgres: &mut PostgresConnection,
    table: &Table<'_>,
) -> Result<Vec<SupersededRow>, Failure> {
    let mut former = Vec::new();
    for (row, at) in &table.overwritten {
        let row = R::encode(row).map(|row| row.superseded(*at)).transpose()?;
        former.extend(row.flatten());
    }
    let ended = table.places.iter().filter(|(_, place)| place.superseded_at.is_some());
    let keys: Vec<&str> = ended.map(|(key, _)| key.as_ref()).collect();
    if keys.is_empty() {
        return Ok(former);
    }
    let mut n_ended = 0;
    for row in R::load_locked(postgres, &keys).await? {
        let Some((stored, at)) = table.places.get(row.key().as_ref()).and_then(Place::ended) else { continue };
        if row.content_hash() != stored.content_hash {
            return Err(changed_meanwhile("a row that the sync replaces").into());
        }
        n_ended += 1;
        former.extend(row.superseded(at)?);
    }
    if n_ended < keys.len() {
        return Err(changed_meanwhile("a row that the sync replaces").into());
    }
    Ok(former)
}
