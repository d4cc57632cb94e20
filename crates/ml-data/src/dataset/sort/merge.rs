//! Sorted runs read as one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;
use std::path::{Path, PathBuf};

use super::buffer::Buffer;
use super::run::{Run, RunReader, RunWriter};
use super::sort_error;
use crate::dataset::error::DatasetError;

/// Key and value.
type Record<'a> = (&'a [u8], &'a [u8]);

/// Records in order.
#[derive(Debug)]
pub(in crate::dataset) struct Sorted {
    folder: PathBuf,
    /// The next record of each run; the one given last comes back to be filled again.
    heads: BinaryHeap<Head>,
    given: Option<Head>,
}

/// The record of a run that comes next.
#[derive(Debug)]
struct Head {
    key: Vec<u8>,
    value: Vec<u8>,
    rest: Rest,
}

/// What comes after it.
#[derive(Debug)]
enum Rest {
    File(RunReader),
    Memory { buffer: Buffer, next: usize },
}

impl Sorted {
    /// Reads `runs` and `buffer`, each of which is in order.
    pub(super) fn new(runs: Vec<Run>, buffer: Buffer, folder: &Path) -> Result<Sorted, DatasetError> {
        let mut sorted = Sorted { folder: folder.to_owned(), heads: BinaryHeap::new(), given: None };
        let in_memory = (!buffer.is_empty()).then_some(Rest::Memory { buffer, next: 0 });
        for rest in runs.into_iter().map(|run| Rest::File(run.read())).chain(in_memory) {
            sorted.put_back(Head { key: Vec::new(), value: Vec::new(), rest })?;
        }
        Ok(sorted)
    }

    /// Returns key and value of the next record.
    ///
    /// # Errors
    /// [`DatasetError::Sort`] when a run cannot be read.
    pub(in crate::dataset) fn next_record(&mut self) -> Result<Option<Record<'_>>, DatasetError> {
        if let Some(given) = self.given.take() {
            self.put_back(given)?;
        }
        self.given = self.heads.pop();
        Ok(self.given.as_ref().map(|head| (head.key.as_slice(), head.value.as_slice())))
    }

    /// Writes everything as one run.
    pub(super) fn into_run(mut self) -> Result<Run, DatasetError> {
        let failed = sort_error(&self.folder);
        let mut writer = RunWriter::new(&self.folder).map_err(&failed)?;
        while let Some((key, value)) = self.next_record()? {
            writer.push(key, value).map_err(&failed)?;
        }
        writer.finish().map_err(&failed)
    }

    fn put_back(&mut self, mut head: Head) -> Result<(), DatasetError> {
        if head.advance().map_err(sort_error(&self.folder))? {
            self.heads.push(head);
        }
        Ok(())
    }
}

impl Head {
    /// Reads the next record of the run, and returns whether there was one.
    fn advance(&mut self) -> io::Result<bool> {
        match &mut self.rest {
            Rest::File(reader) => reader.read(&mut self.key, &mut self.value),
            Rest::Memory { buffer, next } => {
                let Some((key, value)) = buffer.get(*next) else { return Ok(false) };
                self.key.clear();
                self.key.extend_from_slice(key);
                self.value.clear();
                self.value.extend_from_slice(value);
                *next += 1;
                Ok(true)
            }
        }
    }
}

// The heap gives the greatest first, and the least record is to come first.
impl Ord for Head {
    fn cmp(&self, other: &Head) -> Ordering {
        other.key.cmp(&self.key).then_with(|| other.value.cmp(&self.value))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}
