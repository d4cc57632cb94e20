//! For tests: builders, a clock and ids that hold still, in-memory stores, and one conformance suite per store interface.
//!
//! A backend states that it conforms with one line per suite in its integration tests:
//!
//! ```ignore
//! async fn fresh() -> Option<Fresh<SqlStore>> { … }
//!
//! ml_core::document_store_suite!(fresh);
//! ml_core::change_feed_suite!(fresh);
//! ```
//!
//! Each suite expands into a module with one `#[tokio::test]` per case, each on a store of its own from `fresh`. The
//! crate that runs suites needs `tokio` (with `macros` and `rt`) among its development dependencies.
//!
//! Everything here panics on misuse: a test that cannot go on has failed.

pub mod build;
pub mod clock;
pub mod concurrently;
#[expect(missing_docs, reason = "the name of a case says what it checks")]
#[expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]
pub mod conformance;
pub mod fresh;
pub mod memory;
pub mod side;

pub use fresh::Fresh;
