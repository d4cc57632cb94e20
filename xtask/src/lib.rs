//! What the end-to-end tests share with `cargo xtask`: database servers that a test may start, kill and start again.

pub mod servers;
