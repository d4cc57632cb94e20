//! The program at work in the background, until it is killed, interrupted or done.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::site::Site;
use crate::harness::{signal, wait_until};

/// How often is looked whether the moment has come.
const POLL_INTERVAL: Duration = Duration::from_micros(500);

/// A running command. It is killed when dropped.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
    shown: String,
}

impl Process {
    pub(super) fn start(site: &Site<'_>, args: &[&str]) -> Process {
        Process::spawn(site.command(args), site.workspace().path(format!("{}.log", args.join("_"))))
    }

    fn spawn(mut command: Command, log: PathBuf) -> Process {
        let shown = format!("{command:?}");
        let stderr = File::create(&log).expect("the file can be made");
        let child = command.stdout(Stdio::null()).stderr(stderr).spawn().expect("the program starts");
        Process { child, log, shown }
    }

    /// Kills the process when `is_due` says so, `limit` after now at the latest, and returns whether it was at work then.
    /// One that has ended by itself must have succeeded.
    #[track_caller]
    pub(super) fn killed_after(mut self, limit: Duration, is_due: impl Fn() -> bool, context: &str) -> bool {
        let deadline = Instant::now() + limit;
        while !is_due() && Instant::now() < deadline {
            if let Some(status) = self.ended() {
                self.assert_succeeded(status, context);
                return false;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        self.kill(context)
    }

    /// Kills the process, and returns whether it was at work then.
    #[track_caller]
    pub(super) fn kill(mut self, context: &str) -> bool {
        self.child.kill().expect("a process of ours can be killed");
        let status = self.child.wait().expect("a process of ours can be waited for");
        if status.code().is_none() {
            self.assert_sane(context);
            return true;
        }
        self.assert_succeeded(status, context);
        false
    }

    /// Presses Ctrl-C and waits for the end, which must be a success.
    #[track_caller]
    pub(super) fn interrupt(mut self, context: &str) {
        signal::interrupt(self.child.id());
        let status = wait_until("the interrupted process ends", || self.ended().ok_or_else(|| self.said()));
        self.assert_succeeded(status, context);
    }

    /// Checks that the process is still at work.
    #[track_caller]
    pub(super) fn assert_at_work(&mut self, context: &str) {
        if let Some(status) = self.ended() {
            panic!("{context}: {} ended with {status}\n{}", self.shown, self.said());
        }
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process can be looked at")
    }

    #[track_caller]
    fn assert_succeeded(&self, status: ExitStatus, context: &str) {
        self.assert_sane(context);
        assert!(status.success(), "{context}: {} ended with {status}\n{}", self.shown, self.said());
    }

    #[track_caller]
    fn assert_sane(&self, context: &str) {
        let said = self.said();
        assert!(!said.contains("panicked at"), "{context}: {} panicked\n{said}", self.shown);
    }

    /// Returns the end of what the process said.
    pub(super) fn said(&self) -> String {
        let log = std::fs::read(&self.log).expect("the file can be read");
        let start = log.len().saturating_sub(4000);
        String::from_utf8_lossy(&log[start..]).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
