//! Sorting more than fits into memory: sorted runs in temporary files, merged in the end.
//!
//! A record is a key and a value, both bytes, and records are sorted by the bytes of the key and then of the value. Memory is
//! the budget, whatever the number of records, and a block for each run that is merged. The files have no name: the system
//! removes them when they are closed, also those of a process that was killed.

mod buffer;
mod merge;
mod run;

use std::path::{Path, PathBuf};

use tracing::debug;

use super::error::DatasetError;
use buffer::Buffer;
use run::{Run, write_run};

pub(super) use merge::Sorted;

/// How many runs are merged into one as soon as there are so many of a size, so that no merge has many files open.
const FAN_IN: usize = 32;

/// Where records are kept that do not fit into memory, and how much that is.
#[derive(Debug, Clone)]
pub(super) struct SortRoom {
    /// Temporary files are made here; it is made too, when it is needed.
    pub(super) folder: PathBuf,
    /// How many bytes of records are held at a time.
    pub(super) n_bytes: usize,
}

impl SortRoom {
    /// Returns a part of the memory, for one of `n` that sort at the same time.
    pub(super) fn shared_by(&self, n: usize) -> SortRoom {
        SortRoom { folder: self.folder.clone(), n_bytes: self.n_bytes / n.max(1) }
    }
}

/// Takes records in any order.
#[derive(Debug)]
pub(super) struct Sorter {
    room: SortRoom,
    buffer: Buffer,
    /// Runs by size: those of each level are merged from [`FAN_IN`] of the level before.
    levels: Vec<Vec<Run>>,
    n_peak_bytes: usize,
}

impl Sorter {
    /// Starts without records.
    pub(super) fn new(room: SortRoom) -> Sorter {
        Sorter { room, buffer: Buffer::default(), levels: Vec::new(), n_peak_bytes: 0 }
    }

    /// Takes a record.
    ///
    /// # Errors
    /// [`DatasetError::Sort`] when what does not fit into memory cannot be written.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), DatasetError> {
        if !self.buffer.is_empty() && self.buffer.n_bytes_with(key, value) > self.room.n_bytes {
            self.spill()?;
        }
        self.buffer.push(key, value);
        self.n_peak_bytes = self.n_peak_bytes.max(self.buffer.n_bytes());
        Ok(())
    }

    /// Returns the most bytes of records that were held at a time.
    #[cfg(test)]
    pub(super) fn n_peak_bytes(&self) -> usize {
        self.n_peak_bytes
    }

    /// Returns the records in order.
    ///
    /// # Errors
    /// [`DatasetError::Sort`] when a run cannot be read.
    pub(super) fn finish(mut self) -> Result<Sorted, DatasetError> {
        self.buffer.sort();
        let runs: Vec<Run> = self.levels.into_iter().flatten().collect();
        debug!(sort.n_runs = runs.len(), sort.n_peak_bytes = self.n_peak_bytes, "sorted in {} runs", runs.len());
        Sorted::new(runs, self.buffer, &self.room.folder)
    }

    fn spill(&mut self) -> Result<(), DatasetError> {
        self.buffer.sort();
        let run = write_run(&self.room.folder, self.buffer.iter())?;
        self.buffer.clear();
        self.add_run(0, run)
    }

    fn add_run(&mut self, level: usize, run: Run) -> Result<(), DatasetError> {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(run);
        if self.levels[level].len() < FAN_IN {
            return Ok(());
        }
        let runs = std::mem::take(&mut self.levels[level]);
        let merged = Sorted::new(runs, Buffer::default(), &self.room.folder)?.into_run()?;
        self.add_run(level + 1, merged)
    }
}

/// Says where sorting failed.
fn sort_error(folder: &Path) -> impl Fn(std::io::Error) -> DatasetError + use<> {
    let folder = folder.to_owned();
    move |source| DatasetError::Sort { folder: folder.clone(), source: source.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Record = (Vec<u8>, Vec<u8>);

    fn sorted(records: &[Record], n_bytes: usize) -> (Vec<Record>, usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(SortRoom { folder: folder.path().to_owned(), n_bytes });
        for (key, value) in records {
            sorter.push(key, value).unwrap();
        }
        let n_peak_bytes = sorter.n_peak_bytes();
        let mut sorted = sorter.finish().unwrap();
        let mut found = Vec::new();
        while let Some((key, value)) = sorted.next_record().unwrap() {
            found.push((key.to_vec(), value.to_vec()));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file has a name");
        (found, n_peak_bytes)
    }

    fn numbered(n_records: u32) -> Vec<Record> {
        // Multiplying by an odd number goes through all numbers in another order.
        let key = |n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes().to_vec();
        (0..n_records).map(|n| (key(n), n.to_le_bytes().to_vec())).collect()
    }

    proptest! {
        #[test]
        fn whatever_the_memory_the_order_is_that_of_a_sort(
            records in prop::collection::vec(any::<Record>(), 0..200),
            n_bytes in 0_usize..2_000,
        ) {
            let mut expected = records.clone();
            expected.sort();
            prop_assert_eq!(sorted(&records, n_bytes).0, expected);
        }
    }

    #[test]
    fn many_runs_are_merged_in_levels() {
        let records = numbered(40_000);
        let mut expected = records.clone();
        expected.sort();
        // Some twenty records a run: two thousand runs, and three levels.
        assert!(sorted(&records, 1_000).0 == expected);
    }

    #[test]
    fn memory_does_not_grow_with_the_number_of_records() {
        let peaks = [5_000, 50_000, 200_000].map(|n_records| sorted(&numbered(n_records), 64 << 10).1);
        assert!(peaks.iter().all(|peak| *peak <= 64 << 10), "{peaks:?}");
        assert_eq!(peaks[1], peaks[2]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut sorter = Sorter::new(SortRoom { folder: file.path().join("below"), n_bytes: 0 });
        sorter.push(b"b", b"").unwrap();
        let err = sorter.push(b"a", b"").unwrap_err();
        assert!(err.to_string().contains(&file.path().display().to_string()), "{err}");
    }
}
