//! A sorted run in a temporary file: of each record the two lengths, the key and the value.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use super::buffer::length;
use super::sort_error;
use crate::dataset::error::DatasetError;

/// How many bytes are read or written at a time.
const BLOCK_BYTES: usize = 64 << 10;

/// A run, at its beginning.
#[derive(Debug)]
pub(super) struct Run(File);

/// Writes records that are in order.
pub(super) struct RunWriter(BufWriter<File>);

/// Reads a run.
#[derive(Debug)]
pub(super) struct RunReader(BufReader<File>);

/// Writes the records, which are in order, as a run in `folder`.
pub(super) fn write_run<'a>(
    folder: &Path,
    records: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) -> Result<Run, DatasetError> {
    let write = || {
        let mut writer = RunWriter::new(folder)?;
        for (key, value) in records {
            writer.push(key, value)?;
        }
        writer.finish()
    };
    write().map_err(sort_error(folder))
}

impl RunWriter {
    pub(super) fn new(folder: &Path) -> io::Result<RunWriter> {
        std::fs::create_dir_all(folder)?;
        Ok(RunWriter(BufWriter::with_capacity(BLOCK_BYTES, tempfile::tempfile_in(folder)?)))
    }

    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.0.write_all(&length(key).to_le_bytes())?;
        self.0.write_all(&length(value).to_le_bytes())?;
        self.0.write_all(key)?;
        self.0.write_all(value)
    }

    pub(super) fn finish(self) -> io::Result<Run> {
        let mut file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Run(file))
    }
}

impl Run {
    pub(super) fn read(self) -> RunReader {
        RunReader(BufReader::with_capacity(BLOCK_BYTES, self.0))
    }
}

impl RunReader {
    /// Reads the next record into `key` and `value`, and returns whether there was one.
    pub(super) fn read(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> io::Result<bool> {
        use std::io::BufRead as _;
        if self.0.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut lengths = [0; 8];
        self.0.read_exact(&mut lengths)?;
        let [a, b, c, d, e, f, g, h] = lengths;
        key.resize(u32::from_le_bytes([a, b, c, d]) as usize, 0);
        value.resize(u32::from_le_bytes([e, f, g, h]) as usize, 0);
        self.0.read_exact(key)?;
        self.0.read_exact(value)?;
        Ok(true)
    }
}
