//! Cutting a stream of bytes into items: lines, rows or JSON values, gathered into blocks.
//!
//! An item longer than accepted is passed over without being held, and the cutting goes on after it.

mod lines;
mod rows;
mod values;

use std::io::{self, Read};
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::report::RejectReason;

pub(super) use self::lines::Lines;
pub(super) use self::rows::Rows;
pub(super) use self::values::Values;

/// How much is read at a time.
const READ_BYTES: usize = 256 * 1024;
/// A block is full with so many items: some six blocks and batches are in memory at once, and small records take there seven
/// times the bytes that they have in the input …
const BLOCK_ITEMS: usize = 2_500;
/// … or with so many bytes.
const BLOCK_BYTES: usize = 4 * 1024 * 1024;

/// Finds where items end. It is given a stream bit by bit, each byte once.
pub(super) trait Cut: Send {
    /// Returns how many of `bytes` belong to the item that they continue or begin, if it ends within them.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize>;

    /// Says that the item at hand is too long, so that the next sensible end is looked for.
    fn give_up(&mut self) {}

    /// Returns where in `item` its content is, or nothing if it has none.
    fn content(&self, item: &[u8]) -> Option<Range<usize>>;

    /// Returns what is wrong with an input that ends here.
    fn fault_at_end(&self) -> Option<RejectReason> {
        None
    }
}

/// Some items of an input, in order. Its buffer goes back to the reader when it is dropped.
#[derive(Debug)]
pub(super) struct TextBlock {
    bytes: Vec<u8>,
    spare_buffers: Sender<Vec<u8>>,
    pub(super) items: Vec<Item>,
    /// How many bytes of the input the block takes.
    pub(super) n_bytes: u64,
}

/// One item of a block.
#[derive(Debug)]
pub(super) struct Item {
    /// The line on which its content begins, from 1.
    pub(super) line: u64,
    content: Result<Range<usize>, RejectReason>,
}

impl TextBlock {
    /// Returns the content of `item`, or why it has none.
    pub(super) fn content(&self, item: &Item) -> Result<&[u8], RejectReason> {
        item.content.clone().map(|range| &self.bytes[range])
    }
}

impl Drop for TextBlock {
    fn drop(&mut self) {
        // A reader that has ended wants none back.
        let _ = self.spare_buffers.send(std::mem::take(&mut self.bytes));
    }
}

/// An input that broke off.
#[derive(Debug)]
pub(super) struct BrokenOff {
    pub(super) line: u64,
    pub(super) error: io::Error,
}

/// Reads a stream block by block.
pub(super) struct Blocks<R, C> {
    reader: R,
    cut: C,
    max_item_bytes: usize,
    /// What was read and is not in a block yet; begins with an item.
    buffer: Vec<u8>,
    /// How much of the buffer the cutter has seen.
    n_seen: usize,
    /// The line on which the item begins.
    line: u64,
    /// While an item that is too long is passed over: the line it began on.
    too_long_since: Option<u64>,
    is_at_end: bool,
    /// Whether the last item has been given.
    is_done: bool,
    broken_off: Option<io::Error>,
    spare_buffers: SpareBuffers,
}

/// Buffers of blocks that were dropped. To get memory of that size from the system anew, block for block, takes an eighth of
/// the time of an ingest.
struct SpareBuffers {
    sender: Sender<Vec<u8>>,
    receiver: Receiver<Vec<u8>>,
}

impl SpareBuffers {
    fn new() -> SpareBuffers {
        let (sender, receiver) = channel();
        SpareBuffers { sender, receiver }
    }

    /// Returns a buffer that holds `bytes`.
    fn take(&self, bytes: &[u8]) -> Vec<u8> {
        let mut buffer = self.receiver.try_recv().unwrap_or_default();
        buffer.clear();
        // One item may have been so long that its memory is better given back.
        buffer.shrink_to(2 * BLOCK_BYTES);
        buffer.extend_from_slice(bytes);
        buffer
    }
}

impl<R: Read, C: Cut> Blocks<R, C> {
    /// Reads `reader` with items cut by `cut`.
    pub(super) fn new(reader: R, cut: C, max_item_bytes: usize) -> Blocks<R, C> {
        Blocks {
            reader,
            cut,
            max_item_bytes,
            buffer: Vec::new(),
            n_seen: 0,
            line: 1,
            too_long_since: None,
            is_at_end: false,
            is_done: false,
            broken_off: None,
            spare_buffers: SpareBuffers::new(),
        }
    }

    /// Goes on with another cutter, which must be at the beginning of an item as this one is.
    pub(super) fn with_cut<D: Cut>(self, cut: D) -> Blocks<R, D> {
        let Blocks { reader, max_item_bytes, buffer, n_seen, line, too_long_since, .. } = self;
        let Blocks { is_at_end, is_done, broken_off, spare_buffers, .. } = self;
        Blocks {
            reader,
            cut,
            max_item_bytes,
            buffer,
            n_seen,
            line,
            too_long_since,
            is_at_end,
            is_done,
            broken_off,
            spare_buffers,
        }
    }

    /// Returns the next block, or nothing at the end.
    ///
    /// # Errors
    /// [`BrokenOff`], after the block with everything that came whole before.
    pub(super) fn next_block(&mut self) -> Result<Option<TextBlock>, BrokenOff> {
        let mut items = Vec::new();
        let mut item_start = 0;
        while !self.is_done && items.len() < BLOCK_ITEMS && item_start < BLOCK_BYTES {
            if let Some(length) = self.cut.find_end(&self.buffer[self.n_seen..]) {
                let item_end = self.n_seen + length;
                self.end_item(item_start..item_end, &mut items);
                item_start = item_end;
                self.n_seen = item_end;
                continue;
            }
            self.n_seen = self.buffer.len();
            if self.n_seen - item_start > self.max_item_bytes {
                self.pass_over(item_start);
            }
            if self.is_at_end {
                self.end_input(item_start, &mut items);
                item_start = self.buffer.len();
                break;
            }
            if !self.read_on() {
                break;
            }
        }
        if !items.is_empty() || item_start > 0 {
            let rest = self.spare_buffers.take(&self.buffer[item_start..]);
            let mut bytes = std::mem::replace(&mut self.buffer, rest);
            bytes.truncate(item_start);
            self.n_seen -= item_start;
            let (n_bytes, spare_buffers) = (bytes.len() as u64, self.spare_buffers.sender.clone());
            return Ok(Some(TextBlock { bytes, spare_buffers, items, n_bytes }));
        }
        match self.broken_off.take() {
            Some(error) => Err(BrokenOff { line: self.line, error }),
            None => Ok(None),
        }
    }

    /// Takes the whole of the input that is one item, such as a header; nothing at the end.
    pub(super) fn next_item(&mut self) -> Result<Option<(u64, Vec<u8>)>, BrokenOff> {
        loop {
            if let Some(length) = self.cut.find_end(&self.buffer[self.n_seen..]) {
                let item_end = self.n_seen + length;
                return Ok(self.take_item(item_end));
            }
            self.n_seen = self.buffer.len();
            if self.is_at_end || self.n_seen > self.max_item_bytes {
                return Ok(if self.buffer.is_empty() { None } else { self.take_item(self.n_seen) });
            }
            if !self.read_on() {
                let error = self.broken_off.take().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
                return Err(BrokenOff { line: self.line, error });
            }
        }
    }

    fn take_item(&mut self, item_end: usize) -> Option<(u64, Vec<u8>)> {
        let rest = self.buffer.split_off(item_end);
        let item = std::mem::replace(&mut self.buffer, rest);
        self.n_seen = 0;
        let line = self.line;
        self.line += n_lines(&item);
        self.cut.content(&item).map(|range| (line, item[range].to_vec()))
    }

    /// Reads some more into the buffer; `false` when the input broke off.
    fn read_on(&mut self) -> bool {
        let n_before = self.buffer.len();
        self.buffer.resize(n_before + READ_BYTES, 0);
        let read = loop {
            match self.reader.read(&mut self.buffer[n_before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(n_before + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => self.is_at_end = true,
            Ok(_) => {}
            Err(error) => self.broken_off = Some(error),
        }
        self.broken_off.is_none()
    }

    fn end_item(&mut self, range: Range<usize>, items: &mut Vec<Item>) {
        let item = &self.buffer[range.clone()];
        let n_lines_of_item = n_lines(item);
        if let Some(line) = self.too_long_since.take() {
            items.push(Item { line, content: Err(RejectReason::TooLong(self.max_item_bytes)) });
        } else if let Some(content) = self.cut.content(item) {
            let line = self.line + n_lines(&item[..content.start]);
            let content = if content.len() > self.max_item_bytes {
                Err(RejectReason::TooLong(self.max_item_bytes))
            } else {
                Ok(range.start + content.start..range.start + content.end)
            };
            items.push(Item { line, content });
        }
        self.line += n_lines_of_item;
    }

    /// Lets go of the item that begins at `item_start`, whose end has not come yet.
    fn pass_over(&mut self, item_start: usize) {
        if self.too_long_since.is_none() {
            self.too_long_since = Some(self.line);
            self.cut.give_up();
        }
        self.line += n_lines(&self.buffer[item_start..]);
        self.buffer.truncate(item_start);
        self.n_seen = item_start;
    }

    fn end_input(&mut self, item_start: usize, items: &mut Vec<Item>) {
        self.is_done = true;
        let n_items = items.len();
        if item_start < self.buffer.len() || self.too_long_since.is_some() {
            self.end_item(item_start..self.buffer.len(), items);
        }
        let Some(fault) = self.cut.fault_at_end() else { return };
        match items.get_mut(n_items) {
            Some(last) => last.content = last.content.clone().and(Err(fault)),
            None => items.push(Item { line: self.line, content: Err(fault) }),
        }
    }
}

fn n_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
