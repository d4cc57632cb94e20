//! The parallel middle of an ingest: blocks of items in, batches of records out, in the same order.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use rayon::prelude::*;

use ml_core::clock::Clock;
use ml_core::record::RawRecord;

use super::assemble::Assembler;
use super::cells::Header;
use super::error::IngestError;
use super::framing::TextBlock;
use super::json::parse_object;
use super::parquet_rows::RowBlock;
use super::report::{MAX_REJECTIONS, RejectReason, Rejection};
use super::seen::{MAX_IDS, Met, SeenIds};
use crate::field::Fields;

/// How many items one thread takes at a time.
const MIN_ITEMS_PER_TASK: usize = 128;

/// Items of an input, in order.
pub(super) enum Block {
    /// Objects as JSON.
    Json(TextBlock),
    /// Rows of cells.
    Rows(TextBlock, Arc<Header>),
    /// Rows of Parquet, with the bytes read for them.
    Parquet(RowBlock, u64),
}

/// What a block became.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) records: Vec<RawRecord>,
    /// How many of them an earlier record of the input equals.
    pub(super) n_repeated: u64,
    pub(super) n_rejected: u64,
    /// The first of the rejected items.
    pub(super) rejections: Vec<Rejection>,
    pub(super) n_bytes: u64,
}

/// The outcome of one item.
type Outcome = (u64, Result<RawRecord, RejectReason>);

/// Turns blocks into batches.
pub(super) struct Parser {
    pub(super) input: String,
    pub(super) assembler: Assembler,
    pub(super) clock: Arc<dyn Clock>,
}

impl Parser {
    /// Parses what `blocks` gives until it ends, a fault comes through it, or nobody takes the batches any more.
    pub(super) fn run(
        &self,
        blocks: &Receiver<Result<Block, IngestError>>,
        send: impl Fn(Result<Batch, IngestError>) -> bool,
    ) {
        let mut seen = SeenIds::new(MAX_IDS);
        while let Ok(block) = blocks.recv() {
            let batch = block.map(|block| self.batch(block, &mut seen));
            let is_last = batch.is_err();
            if !send(batch) || is_last {
                return;
            }
        }
    }

    fn batch(&self, block: Block, seen: &mut SeenIds) -> Batch {
        let (outcomes, n_bytes) = self.parse(block);
        let mut batch = Batch { records: Vec::with_capacity(outcomes.len()), n_bytes, ..Batch::default() };
        for (line, outcome) in outcomes {
            match outcome.and_then(|record| compared(record, line, seen)) {
                Ok((record, is_repeated)) => {
                    batch.n_repeated += u64::from(is_repeated);
                    batch.records.push(record);
                }
                Err(reason) => batch.reject(&self.input, line, reason),
            }
        }
        batch
    }

    fn parse(&self, block: Block) -> (Vec<Outcome>, u64) {
        match block {
            Block::Json(text) => (self.parse_text(&text, parse_object), text.n_bytes),
            Block::Rows(text, header) => (self.parse_text(&text, |row| header.fields(row)), text.n_bytes),
            Block::Parquet(rows, n_bytes) => {
                let now = self.clock.now();
                let parse = |(line, fields): (u64, Result<Fields, RejectReason>)| {
                    (line, fields.and_then(|fields| self.assembler.assemble(fields, now)))
                };
                (rows.into_par_iter().with_min_len(MIN_ITEMS_PER_TASK).map(parse).collect(), n_bytes)
            }
        }
    }

    fn parse_text(
        &self,
        block: &TextBlock,
        parse: impl Fn(&str) -> Result<Fields, RejectReason> + Sync,
    ) -> Vec<Outcome> {
        let now = self.clock.now();
        let parse_item = |item| {
            let text = as_text(block.content(item)?)?;
            self.assembler.assemble(parse(text)?, now)
        };
        let items = block.items.par_iter().with_min_len(MIN_ITEMS_PER_TASK);
        items.map(|item| (item.line, parse_item(item))).collect()
    }
}

impl Batch {
    fn reject(&mut self, input: &str, line: u64, reason: RejectReason) {
        self.n_rejected += 1;
        if self.rejections.len() < MAX_REJECTIONS {
            self.rejections.push(Rejection { input: input.to_owned(), line, reason });
        }
    }
}

fn as_text(bytes: &[u8]) -> Result<&str, RejectReason> {
    std::str::from_utf8(bytes).map_err(|error| RejectReason::InvalidUtf8(error.valid_up_to() + 1))
}

/// Returns the record and whether an earlier one equals it, unless its id was there before with other content.
fn compared(record: RawRecord, line: u64, seen: &mut SeenIds) -> Result<(RawRecord, bool), RejectReason> {
    match seen.meet(record.id.as_str(), &record.content_hash, line) {
        Met::First => Ok((record, false)),
        Met::Again => Ok((record, true)),
        Met::Otherwise { first_line } => {
            let id = record.id.as_str()[record.source_app.as_str().len() + 1..].to_owned();
            Err(RejectReason::DuplicateId { id, first_line })
        }
    }
}

/// Hands blocks on; says whether anyone still takes them.
pub(super) fn hand_on(blocks: &SyncSender<Result<Block, IngestError>>, block: Result<Block, IngestError>) -> bool {
    let is_last = block.is_err();
    blocks.send(block).is_ok() && !is_last
}
