//! The stores on real SQLite files, and on a real PostgreSQL server.

mod concurrency;
mod conformance;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod connecting;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod diagnosis;
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
