//! Whatever bytes are given as an ONNX model: an error or a graph, and no panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ml_train::onnx::Graph;

fuzz_target!(|bytes: &[u8]| {
    let _ = Graph::from_onnx(bytes);
});
