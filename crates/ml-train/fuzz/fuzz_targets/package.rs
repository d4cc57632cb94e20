//! Whatever bytes are given as a package: an error or a model, and no panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ml_train::package::{Package, Papers};

fuzz_target!(|bytes: &[u8]| {
    let _ = Papers::from_bytes(bytes);
    let _ = Package::from_bytes(bytes);
});
