//! Another program, run to its end, or ended with all that it started.

use std::ffi::OsString;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether the program has ended.
const INTERVAL: Duration = Duration::from_millis(50);

/// How long a program has to end by itself once it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// How a program ended.
pub(super) enum Ended {
    Itself(ExitStatus),
    /// It was ended because its time was over.
    Late,
    /// It was ended because the user stopped the training.
    Stopped,
}

/// Runs `program`; what it prints goes to standard error, so that standard output keeps to the result of this program.
pub(super) fn run(
    program: &str,
    arguments: &[String],
    environment: &[(&str, OsString)],
    timeout: Option<Duration>,
    stop: &CancellationToken,
) -> anyhow::Result<Ended> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::from(std::io::stderr())).stderr(Stdio::inherit());
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    // A group of its own: it is ended with whatever it started, and Ctrl-C reaches it through this program alone.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let started = command.spawn();
    let mut child =
        Group(started.with_context(|| format!("cannot start `{program}`: is it installed, and on the PATH?"))?);
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    loop {
        if let Some(status) = child.0.try_wait()? {
            return Ok(Ended::Itself(status));
        }
        if stop.is_cancelled() {
            child.end();
            return Ok(Ended::Stopped);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            child.end();
            return Ok(Ended::Late);
        }
        thread::sleep(INTERVAL);
    }
}

/// A program and what it started.
struct Group(Child);

impl Group {
    /// Asks the group to end, waits for a while, and then makes it.
    fn end(&mut self) {
        self.ask();
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                break;
            }
            thread::sleep(INTERVAL);
        }
        self.kill();
        // It is dead, and has only to be taken note of.
        let _ = self.0.wait();
    }

    #[cfg(unix)]
    fn ask(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    #[cfg(not(unix))]
    fn ask(&self) {}

    #[cfg(unix)]
    fn kill(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }

    #[cfg(not(unix))]
    fn kill(&mut self) {
        let _ = self.0.kill();
    }

    /// A group that is gone already needs no signal.
    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        let _ = rustix::process::kill_process_group(rustix::process::Pid::from_child(&self.0), signal);
    }
}

impl Drop for Group {
    /// Whatever ends the wait early, nothing is left running.
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.end();
        }
    }
}
