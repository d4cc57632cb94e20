//! The store on a real MongoDB server.

mod conformance;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod connecting;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod cuts;
mod diagnosis;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod feed;
#[expect(clippy::unwrap_used, reason = "a test whose fixture fails has failed")]
mod fixture;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod migrations;
mod others;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod polling;
mod results;
#[expect(clippy::unwrap_used, reason = "the helpers of these tests fail with them")]
mod retention;
mod writers;
