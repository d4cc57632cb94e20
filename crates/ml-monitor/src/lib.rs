//! How models are doing: the quality of their data, drift of a window against the training reference, and live scores
//! where the truth is known.
//!
//! Everything but [`live::LiveScorer`] is a plain synchronous function over data in memory. Nothing here stores, serves or
//! raises alerts: [`report::MonitorReport`] gives the rows that others keep.

pub mod drift;
pub mod live;
mod numbers;
pub mod profile;
pub mod quality;
pub mod report;
mod words;
