//! Tests of ml-train as a whole: real data, every estimator, bad input, stored models.

mod bad_input;
mod conformance;
mod data_sets;
mod golden;
mod stored;
mod support;
