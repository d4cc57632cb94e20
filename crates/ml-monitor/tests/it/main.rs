//! What the monitor says of whole tables, stores and reference figures.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod drift;
mod golden;
mod live;
mod profile;
mod report;
