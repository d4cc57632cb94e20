//! Asking for memory before it is needed.

use std::hint::black_box;

/// Reads numbers that are needed soon.
///
/// What is computed with one that is far from the processor waits for it, and soon everything behind waits too. Here nothing
/// waits for any of them, so that they come all at the same time.
#[inline]
pub(crate) fn touch(numbers: impl Iterator<Item = u64>) {
    black_box(numbers.fold(0, |all, number| all ^ number));
}
