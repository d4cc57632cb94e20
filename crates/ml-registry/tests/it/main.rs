//! The registry over in-memory stores, and artifacts in a folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod artifacts;
mod bundle;
mod fixture;
mod registry;
mod transfer;
