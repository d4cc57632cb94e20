//! For tests: builders, a clock and ids that hold still, in-memory stores, and one conformance suite per store interface.
//!
//! A backend states that it conforms with one line per side, or per suite, in its integration tests:
//!
//! ```text
//! /// A migrated store in a folder that goes with it; `None`, and a line that says why, where there is no server.
//! async fn fresh() -> Option<Fresh<SqlStore>> {
//!     let folder = tempfile::tempdir().unwrap();
//!     let store = SqlStore::open(folder.path().join("sql.sqlite")).await.unwrap();
//!     store.migrate().await.unwrap();
//!     Some(Fresh::with_guard(store, folder))
//! }
//!
//! ml_core::sql_side_suites!(fresh);
//! ```
//!
//! A suite such as `ml_core::run_store_suite!(fresh)` expands into a module `run_store` with one `#[tokio::test]` per case,
//! each on a store of its own. What is given is called without arguments, so an async closure will do as well as a function.
//! The crate that runs suites needs `tokio` (with `macros` and `rt`) among its development dependencies.
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
