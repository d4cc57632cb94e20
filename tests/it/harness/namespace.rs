//! File systems of a chosen size or mode, which the rest of the machine does not see and which vanish with the test.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::binary::ml_app;
use super::outcome::Outcome;
use super::workspace::finish;

/// A mount namespace of its own, held open by a shell that ends when its standard input does.
#[derive(Debug)]
pub(crate) struct Namespace {
    holder: Child,
    kinds: &'static [&'static str],
}

/// The namespaces to enter: for the administrator, and for anyone else, who is one inside.
const KINDS: [&[&str]; 2] = [&["--mount"], &["--user", "--mount"]];

impl Namespace {
    /// Makes `folder` a file system in memory of `size`, such as `3m`. `None` where that is not possible.
    pub(crate) fn with_small_disk(folder: &Path, size: &str) -> Option<Namespace> {
        Namespace::start(r#"mount -t tmpfs -o "size=$1" tmpfs "$2""#, size, folder)
    }

    /// Makes `folder` read-only, for every user. `None` where that is not possible.
    pub(crate) fn with_read_only(folder: &Path) -> Option<Namespace> {
        Namespace::start(r#"mount --bind "$2" "$2" && mount -o "remount,$1,bind" "$2""#, "ro", folder)
    }

    fn start(mount: &str, option: &str, folder: &Path) -> Option<Namespace> {
        KINDS.iter().find_map(|kinds| Namespace::start_in(kinds, mount, option, folder))
    }

    fn start_in(kinds: &'static [&'static str], mount: &str, option: &str, folder: &Path) -> Option<Namespace> {
        let as_root: &[&str] = if kinds.contains(&"--user") { &["--map-root-user"] } else { &[] };
        let script = format!("{mount} && echo mounted && exec cat");
        let holder = Command::new("unshare")
            .args(kinds)
            .args(as_root)
            .args(["sh", "-c", &script, "sh", option])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut namespace = Namespace { holder, kinds };
        let stdout = namespace.holder.stdout.as_mut().expect("the output is piped");
        let mut answer = String::new();
        BufReader::new(stdout).read_line(&mut answer).ok()?;
        (answer == "mounted\n").then_some(namespace)
    }

    /// Runs a line of shell inside, which must succeed.
    #[track_caller]
    pub(crate) fn shell(&self, line: &str) {
        finish(self.program("sh", &["-eu", "-c", line])).succeeded();
    }

    /// Runs `ml-app` inside; paths must be absolute.
    #[track_caller]
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Outcome {
        finish(self.program(ml_app(), args))
    }

    fn program<A: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, args: &[A]) -> Command {
        let mut command = Command::new("nsenter");
        let credentials: &[&str] = if self.kinds.contains(&"--user") { &["--preserve-credentials"] } else { &[] };
        command
            .args(self.kinds)
            .args(credentials)
            .arg("--target")
            .arg(self.holder.id().to_string())
            .arg(program.as_ref())
            .args(args);
        command.stdin(Stdio::null());
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // Nothing is left to undo when the wait fails: the mounts end with the process.
        let _ = self.holder.wait();
    }
}
