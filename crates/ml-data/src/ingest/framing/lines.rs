//! One item a line.

use std::ops::Range;

use memchr::memchr;

use super::Cut;

/// Ends an item after every line feed; blank lines have no content.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Lines;

impl Cut for Lines {
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        memchr(b'\n', bytes).map(|at| at + 1)
    }

    fn content(&self, item: &[u8]) -> Option<Range<usize>> {
        trimmed(item)
    }
}

/// Returns where `item` has something other than white space, from its first to its last such byte.
pub(super) fn trimmed(item: &[u8]) -> Option<Range<usize>> {
    let start = item.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let end = item.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
    Some(start..end + 1)
}
