//! Signals, as a terminal sends them.

use std::process::Command;

/// Sends SIGINT, as Ctrl-C does.
pub(crate) fn interrupt(process: u32) {
    let status = Command::new("kill").args(["-INT", &process.to_string()]).status().expect("kill starts");
    assert!(status.success(), "the process is there to be interrupted");
}
