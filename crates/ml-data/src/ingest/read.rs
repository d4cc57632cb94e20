//! The front of an ingest: an opened input in, blocks of items out.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;

use tokio_util::sync::CancellationToken;

use super::cells::Header;
use super::error::IngestError;
use super::format::InputFormat;
use super::framing::{Blocks, BrokenOff, Cut, Lines, Rows, TextBlock, Values};
use super::input::Opened;
use super::mapping::FieldMapping;
use super::parquet_rows::{ParquetRows, seekable};
use super::parse::{Block, hand_on};

/// Reads one input to its end.
pub(super) struct Reader<'a> {
    pub(super) format: InputFormat,
    pub(super) max_line_bytes: usize,
    pub(super) mapping: &'a FieldMapping,
    pub(super) blocks: SyncSender<Result<Block, IngestError>>,
    pub(super) cancel: &'a CancellationToken,
}

impl Reader<'_> {
    /// Hands on every block, or a fault as the last one, until nobody takes them any more.
    pub(super) fn run(&self, opened: Opened) {
        if let Err(error) = self.read(opened) {
            hand_on(&self.blocks, Err(error));
        }
    }

    fn read(&self, opened: Opened) -> Result<(), IngestError> {
        let max_bytes = self.max_line_bytes;
        let Opened { name, content, .. } = match self.format {
            InputFormat::Parquet => return self.read_parquet(opened),
            _ => opened,
        };
        match self.format {
            InputFormat::Jsonl => self.cut(&name, Blocks::new(content, Lines, max_bytes), Block::Json),
            InputFormat::Json => self.cut(&name, Blocks::new(content, Values::default(), max_bytes), Block::Json),
            InputFormat::Tsv => self.read_rows(&name, content, Some(b'\t')),
            InputFormat::Csv | InputFormat::Parquet => self.read_rows(&name, content, None),
        }
    }

    fn cut<R: Read, C: Cut>(
        &self,
        name: &str,
        mut blocks: Blocks<R, C>,
        block_of: impl Fn(TextBlock) -> Block,
    ) -> Result<(), IngestError> {
        while !self.cancel.is_cancelled() {
            let Some(block) = blocks.next_block().map_err(|broken| broken_off(name, broken))? else { return Ok(()) };
            if !hand_on(&self.blocks, Ok(block_of(block))) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn read_rows(&self, name: &str, content: impl Read, delimiter: Option<u8>) -> Result<(), IngestError> {
        let wrong = |fault: String| IngestError::Header { input: name.to_owned(), fault };
        // Line ends do not depend on the delimiter unless a cell is quoted after it; the header tells it for the rest.
        let mut first = Blocks::new(content, Rows::new(delimiter.unwrap_or(b',')), self.max_line_bytes);
        let row = first.next_item().map_err(|broken| broken_off(name, broken))?;
        let (_, row) = row.ok_or_else(|| wrong("is blank: the first line must name the columns".to_owned()))?;
        let row = String::from_utf8(row).map_err(|_| wrong("is not UTF-8: save the file as UTF-8".to_owned()))?;
        let is_text = |column: &str| {
            let texts = [&self.mapping.text, &self.mapping.label, &self.mapping.source];
            texts.into_iter().flatten().any(|path| path.as_str() == column)
        };
        let header = Header::parse(&row, delimiter, is_text).map_err(wrong)?;
        self.check_mapping(&header).map_err(wrong)?;
        let blocks = first.with_cut(Rows::new(header.delimiter));
        let header = Arc::new(header);
        self.cut(name, blocks, |block| Block::Rows(block, Arc::clone(&header)))
    }

    /// Every mapped column must be there.
    fn check_mapping(&self, header: &Header) -> Result<(), String> {
        let columns: Vec<&str> = header.columns.iter().map(|column| column.name.as_str()).collect();
        match self.mapping.named().find(|path| !columns.contains(&path.as_str())) {
            None => Ok(()),
            Some(missing) => Err(format!("has no column `{missing}`; the columns are `{}`", columns.join("`, `"))),
        }
    }

    fn read_parquet(&self, mut opened: Opened) -> Result<(), IngestError> {
        let name = opened.name.clone();
        let wrong = |source| IngestError::Parquet { input: name.clone(), report: Box::default(), source };
        let file = seekable(&mut opened).map_err(|error| broken_off(&name, BrokenOff { line: 1, error }))?;
        let mut bytes_left = file.metadata().map_or(0, |metadata| metadata.len());
        opened.bytes_read.store(bytes_left, Ordering::Relaxed);
        let mut rows = ParquetRows::new(file).map_err(wrong)?;
        while !self.cancel.is_cancelled() {
            let Some(block) = rows.next_block().map_err(wrong)? else { return Ok(()) };
            // The file is counted with its first block: rows do not tell how many bytes they were.
            if !hand_on(&self.blocks, Ok(Block::Parquet(block, std::mem::take(&mut bytes_left)))) {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn broken_off(name: &str, broken: BrokenOff) -> IngestError {
    IngestError::Read { input: name.to_owned(), line: broken.line, report: Box::default(), source: broken.error }
}
