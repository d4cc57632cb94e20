//! Runs the `ml-app` binary in a scratch folder and keeps what it said.

pub(crate) mod binary;
pub(crate) mod dump;
pub(crate) mod mongo;
pub(crate) mod namespace;
pub(crate) mod outcome;
pub(crate) mod postgres;
pub(crate) mod proxy;
pub(crate) mod samples;
pub(crate) mod signal;
pub(crate) mod sql_side;
pub(crate) mod trained;
pub(crate) mod workspace;

use std::time::{Duration, Instant};

/// Longer than any single command of these tests takes, even unoptimised on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// Polls until `condition` returns a value; after [`PATIENCE`] it fails with what was waited for and the last state seen.
pub(crate) fn wait_until<T>(what: &str, mut condition: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match condition() {
            Ok(value) => return value,
            Err(state) => assert!(Instant::now() < deadline, "waited in vain until {what}; last seen: {state}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Says why a test does not run here.
#[expect(clippy::print_stderr, reason = "this is how a test says that it was skipped")]
pub(crate) fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}
