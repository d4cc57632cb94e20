//! The vocabulary of the platform: domain types, pure metrics, and the store interfaces that every backend implements.
//!
//! Deliberately absent: async runtimes, database drivers, HTTP, file access and estimators. Everything here is plain
//! data, pure functions over it, and object-safe traits.
//!
//! The feature `testkit` adds builders, in-memory stores, and one conformance suite per trait.

pub mod artifact;
pub mod clock;
pub mod dataset;
pub mod digest;
pub mod document;
pub mod error;
pub mod evaluation;
pub mod experiment;
pub mod global_data;
pub mod ground_truth;
pub mod id;
pub mod market_metric;
pub mod metrics;
pub mod model;
mod name;
pub mod outbox;
pub mod page;
pub mod quarantine;
pub mod record;
pub mod reference;
pub mod result;
pub mod run;
pub mod secret;
pub mod sync;
pub mod table;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod user_interaction;
pub mod warning;
