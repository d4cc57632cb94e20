//! Tests of ml-train as a whole: real data, every estimator, bad input, stored models.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test that calls them")]

mod bad_input;
mod boosting;
mod conformance;
mod data_sets;
mod decision;
mod explain;
mod golden;
mod onnx;
mod package;
mod package_fuzz;
mod samples;
mod selection;
mod sentiment;
mod steps;
mod stored;
mod study;
mod support;
mod tabular;
mod trees;
