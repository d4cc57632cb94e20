//! Choosing among pipelines: folds, and the search for what to set.
//!
//! A search varies parts of one pipeline, scores each variant on the same folds, and says which is best. It sees training
//! rows alone; what is chosen is fitted on all of them, and scored on rows that no part of the search has seen.

pub mod candidate;
pub mod outcome;
pub mod path;
pub mod search;
pub mod spec;
pub mod split;
pub mod values;

mod fold;
mod halving;
mod nested;
mod reader;
mod schedule;
mod score;
