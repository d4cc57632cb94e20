//! The stores on real SQLite files.

mod concurrency;
mod conformance;
mod durability;
#[expect(clippy::unwrap_used, reason = "a test whose fixture fails has failed")]
mod fixture;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod migrations;
mod opening;
mod reading;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod settled_past;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod syncing;
