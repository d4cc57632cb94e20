//! One item a row of delimited text, in which a quoted cell may hold line feeds.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::Cut;
use crate::ingest::report::RejectReason;

/// Ends an item after every line feed outside quotes. A quote opens a cell only at its beginning.
#[derive(Debug)]
pub(in crate::ingest) struct Rows {
    delimiter: u8,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a cell.
    CellStart,
    /// Inside a cell without quotes, or after the closing quote.
    Bare,
    /// Inside quotes.
    Quoted,
    /// After a quote inside quotes: the closing one, or the first of a doubled one.
    QuoteInQuotes,
}

impl Rows {
    /// Cells are separated by `delimiter`.
    pub(in crate::ingest) fn new(delimiter: u8) -> Rows {
        Rows { delimiter, state: State::CellStart }
    }

    /// Goes over the bytes of a cell that decide nothing, and returns how many they are.
    fn n_plain(&self, bytes: &[u8]) -> usize {
        let next = match self.state {
            State::Quoted => memchr(b'"', bytes),
            State::Bare => memchr2(b'\n', self.delimiter, bytes),
            State::CellStart | State::QuoteInQuotes => Some(0),
        };
        next.unwrap_or(bytes.len())
    }
}

impl Cut for Rows {
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = self.n_plain(bytes);
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::QuoteInQuotes,
                (State::Quoted, _) | (State::QuoteInQuotes | State::CellStart, b'"') => State::Quoted,
                (_, b'\n') => {
                    self.state = State::CellStart;
                    return Some(at);
                }
                (_, byte) if byte == self.delimiter => State::CellStart,
                _ => State::Bare,
            };
            at += self.n_plain(&bytes[at..]);
        }
        None
    }

    fn give_up(&mut self) {
        self.state = State::Bare;
    }

    /// White space may be a cell, so only the line end is taken off.
    fn content(&self, item: &[u8]) -> Option<Range<usize>> {
        let row = item.strip_suffix(b"\n").unwrap_or(item);
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        (!row.is_empty()).then_some(0..row.len())
    }

    fn fault_at_end(&self) -> Option<RejectReason> {
        (self.state == State::Quoted).then_some(RejectReason::OpenQuote)
    }
}
