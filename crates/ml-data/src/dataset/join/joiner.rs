//! The join of one feature source: takes rows and values, page by page, and gives columns.

use chrono::{DateTime, Utc};
use ml_core::dataset::JoinCounts;
use ml_core::table::Column;

use super::codec::Garbled;
use super::columns::FeatureColumns;
use super::feature_source::FeatureSource;
use super::timeline::{Entity, Matched, Timeline};
use crate::dataset::error::DatasetError;
use crate::dataset::named_cells::NamedCells;
use crate::dataset::sort::{SortRoom, Sorter};

/// Joins one feature source. Memory is that of its sorts, whatever the number of rows and values, until [`Joiner::finish`]
/// makes columns.
#[derive(Debug)]
pub(in crate::dataset) struct Joiner {
    columns: FeatureColumns,
    room: SortRoom,
    timeline: Timeline,
    counts: JoinCounts,
    n_rows: u64,
    latest_row: Option<DateTime<Utc>>,
    entity: Entity,
    value: Vec<u8>,
}

/// What a feature source gave.
#[derive(Debug)]
pub(in crate::dataset) struct Joined {
    pub(in crate::dataset) columns: Vec<Column>,
    pub(in crate::dataset) counts: JoinCounts,
}

impl Joiner {
    /// Starts without rows and values.
    pub(in crate::dataset) fn new(source: FeatureSource, room: SortRoom) -> Joiner {
        Joiner {
            timeline: Timeline::new(source.on.len(), room.clone()),
            room,
            counts: JoinCounts { source: source.name.clone(), ..JoinCounts::default() },
            columns: FeatureColumns::new(source),
            n_rows: 0,
            latest_row: None,
            entity: Entity::default(),
            value: Vec::new(),
        }
    }

    pub(super) fn source(&self) -> &FeatureSource {
        self.columns.source()
    }

    /// Returns the event time of the latest row, after which no value counts.
    pub(super) fn latest_row(&self) -> Option<DateTime<Utc>> {
        self.latest_row
    }

    /// Takes the next row of the dataset.
    pub(in crate::dataset) fn add_row(&mut self, row: &impl NamedCells) -> Result<(), DatasetError> {
        let number = self.n_rows;
        self.n_rows += 1;
        self.latest_row = self.latest_row.max(Some(row.event_time()));
        if self.entity.set(self.columns.source().on.iter().map(|key| row.cell(&key.left))) {
            self.timeline.put_row(&self.entity, row.event_time(), number)?;
        }
        Ok(())
    }

    /// Takes a value of the source.
    pub(super) fn add_value(&mut self, value: &impl NamedCells) -> Result<(), DatasetError> {
        self.counts.n_read += 1;
        self.value.clear();
        self.columns.encode(value, &mut self.value);
        if !self.entity.set(self.columns.source().on.iter().map(|key| value.cell(&key.right))) {
            self.counts.n_unfit += 1;
            return Ok(());
        }
        let (event_time, known_time) = (value.event_time(), value.known_time());
        self.timeline.put_value(&self.entity, event_time, known_time, value.id(), &self.value)
    }

    /// Counts a value that cannot be taken.
    pub(super) fn add_unfit(&mut self) {
        self.counts.n_read += 1;
        self.counts.n_unfit += 1;
    }

    /// Says how many documents were first known too late.
    pub(super) fn set_known_later(&mut self, n_known_later: u64) {
        self.counts.n_known_later = n_known_later;
    }

    /// Returns whether the source has no value, not even one that cannot be taken.
    pub(super) fn is_without_values(&self) -> bool {
        self.counts.n_read == 0 && self.counts.n_known_later == 0
    }

    /// Finds the value of each row.
    pub(in crate::dataset) fn finish(mut self) -> Result<Joined, DatasetError> {
        self.columns.check()?;
        let ttl = self.source().ttl;
        let mut by_row = Sorter::new(self.room.clone());
        let Matched { n_found, n_too_old } =
            self.timeline.match_rows(ttl, |row, value| by_row.push(&row.to_be_bytes(), value))?;
        self.counts.n_found = n_found;
        self.counts.n_too_old = n_too_old;
        self.counts.n_missing = self.n_rows - n_found - n_too_old;

        let folder = self.room.folder;
        let garbled = |error: Garbled| DatasetError::Sort { folder: folder.clone(), source: error.into() };
        let mut decoder = self.columns.decoder();
        let mut by_row = by_row.finish()?;
        while let Some((row, value)) = by_row.next_record()? {
            let row: [u8; 8] = row.try_into().map_err(|_| garbled(Garbled))?;
            decoder.set(u64::from_be_bytes(row) as usize, value).map_err(garbled)?;
        }
        Ok(Joined { columns: decoder.finish(self.n_rows as usize), counts: self.counts })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use ml_core::table::ColumnValues;
    use ml_core::testkit::build::second;
    use proptest::prelude::*;

    use super::*;
    use crate::dataset::cells::Cell;

    /// A row, or a value: what it is of, when it happened and was known, and what it says.
    #[derive(Debug, Clone)]
    struct Event {
        id: String,
        entity: Option<u8>,
        happened: i64,
        known: i64,
    }

    impl NamedCells for Event {
        fn id(&self) -> &str {
            &self.id
        }

        fn event_time(&self) -> DateTime<Utc> {
            second(self.happened)
        }

        fn known_time(&self) -> DateTime<Utc> {
            second(self.known)
        }

        fn column(&self, name: &str) -> Cell {
            match (name, self.entity) {
                ("entity", Some(entity)) => Cell::Integer(entity.into()),
                ("says", _) => Cell::Text(self.id.clone()),
                _ => Cell::Missing,
            }
        }

        fn for_each_name<'a>(&'a self, see: &mut dyn FnMut(&'a str)) {
            ["entity", "says"].into_iter().for_each(see);
        }
    }

    fn events(prefix: &'static str) -> impl Strategy<Value = Vec<Event>> {
        let event = (prop::option::weighted(0.9, 0_u8..3), 0_i64..12, 0_i64..4);
        prop::collection::vec(event, 0..40).prop_map(move |events| {
            let events = events.into_iter().enumerate();
            events
                .map(|(n, (entity, happened, known))| Event { id: format!("{prefix}{n}"), entity, happened, known })
                .collect()
        })
    }

    fn source(ttl: Option<&str>) -> FeatureSource {
        let ttl = ttl.map(|ttl| format!(", ttl: {ttl}")).unwrap_or_default();
        let key = "{ left: entity, right: entity }";
        let yaml = format!("{{ name: f, table: global_ml_data, data_type: t, on: {key}, columns: [says]{ttl} }}");
        serde_yaml_ng::from_str(&yaml).unwrap()
    }

    fn room(n_bytes: usize) -> SortRoom {
        SortRoom { folder: std::env::temp_dir(), n_bytes }
    }

    /// What each row gets, or whether what there was is too old, by looking at every value for every row.
    fn naive(rows: &[Event], values: &[Event], ttl: Option<i64>) -> Vec<Result<String, bool>> {
        let mut found = Vec::new();
        for row in rows {
            let mut best: Option<&Event> = None;
            for value in values {
                if row.entity.is_none() || value.entity != row.entity || value.happened > row.happened {
                    continue;
                }
                let key = |value: &Event| (value.happened, value.known, value.id.clone());
                if best.is_none_or(|best| key(value) > key(best)) {
                    best = Some(value);
                }
            }
            found.push(match best {
                None => Err(false),
                Some(value) if ttl.is_some_and(|ttl| row.happened - value.happened > ttl) => Err(true),
                Some(value) => Ok(value.id.clone()),
            });
        }
        found
    }

    proptest! {
            #[test]
            fn a_join_is_what_a_naive_loop_finds(
                rows in events("r"),
                values in events("v"),
                ttl in prop::option::of(1_i64..8),
                n_bytes in 0_usize..4_000,
            ) {
                let written = ttl.map(|ttl| format!("{ttl}s"));
                let mut joiner = Joiner::new(source(written.as_deref()), room(n_bytes));
                for row in &rows {
     joiner.add_row(row).unwrap();
    }
                for value in &values {
     joiner.add_value(value).unwrap();
    }
                let Joined { columns, counts } = joiner.finish().unwrap();

                let expected = naive(&rows, &values, ttl);
                let [column] = &columns[..] else { panic!("one column is asked for") };
                let texts = expected.iter().map(|found| found.clone().ok()).collect();
                prop_assert_eq!(&column.values, &ColumnValues::Text(texts));
                let n_too_old = expected.iter().filter(|found| **found == Err(true)).count() as u64;
                let n_found = expected.iter().filter(|found| found.is_ok()).count() as u64;
                prop_assert_eq!((counts.n_found, counts.n_too_old), (n_found, n_too_old));
                prop_assert_eq!(counts.n_found + counts.n_too_old + counts.n_missing, rows.len() as u64);
                prop_assert_eq!(counts.n_read, values.len() as u64);
            }
        }

    fn event(id: String, entity: u8, happened: i64) -> Event {
        Event { id, entity: Some(entity), happened, known: 0 }
    }

    #[test]
    fn memory_does_not_grow_with_rows_and_values() {
        let peak = |n: i64| {
            let mut joiner = Joiner::new(source(Some("1h")), room(32 << 10));
            for number in 0..n {
                joiner.add_row(&event(format!("r{number:09}"), (number % 7) as u8, number)).unwrap();
                joiner.add_value(&event(format!("v{number:09}"), (number % 5) as u8, number * 2 % n)).unwrap();
            }
            let n_peak_bytes = joiner.timeline.n_peak_bytes();
            assert_eq!(joiner.finish().unwrap().columns[0].values.len(), n as usize);
            n_peak_bytes
        };
        let (few, many) = (peak(2_000), peak(40_000));
        assert!(few <= 32 << 10 && many <= 32 << 10, "{few} and {many} bytes");
    }

    #[test]
    fn a_value_counts_from_its_instant_on_and_to_the_end_of_its_time_to_live() {
        let at = |happened: TimeDelta| {
            let mut joiner = Joiner::new(source(Some("60s")), room(1 << 20));
            let row = MicrosecondRow(second(0) + happened);
            joiner.add_row(&row).unwrap();
            joiner.add_value(&event("v".to_owned(), 1, 0)).unwrap();
            let counts = joiner.finish().unwrap().counts;
            (counts.n_found, counts.n_too_old, counts.n_missing)
        };
        assert_eq!(at(TimeDelta::microseconds(-1)), (0, 0, 1));
        assert_eq!(at(TimeDelta::zero()), (1, 0, 0));
        assert_eq!(at(TimeDelta::seconds(60)), (1, 0, 0));
        assert_eq!(at(TimeDelta::seconds(60) + TimeDelta::microseconds(1)), (0, 1, 0));
    }

    /// A row of entity 1.
    struct MicrosecondRow(DateTime<Utc>);

    impl NamedCells for MicrosecondRow {
        fn id(&self) -> &'static str {
            "r"
        }

        fn event_time(&self) -> DateTime<Utc> {
            self.0
        }

        fn known_time(&self) -> DateTime<Utc> {
            self.0
        }

        fn column(&self, _: &str) -> Cell {
            Cell::Text("1".to_owned())
        }

        fn for_each_name<'a>(&'a self, see: &mut dyn FnMut(&'a str)) {
            see("entity");
        }
    }
}
