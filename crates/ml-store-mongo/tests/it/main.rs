//! The store on a real MongoDB server.

mod conformance;
mod connecting;
mod diagnosis;
mod feed;
#[expect(clippy::unwrap_used, reason = "a test whose fixture fails has failed")]
mod fixture;
mod migrations;
mod others;
mod polling;
mod retention;
mod writers;
