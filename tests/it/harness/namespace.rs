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
}

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
        let script = format!("{mount} && echo mounted && exec cat");
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script, "sh", option])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut answer = String::new();
        let stdout = holder.stdout.as_mut().expect("the output is piped");
        BufReader::new(stdout).read_line(&mut answer).ok()?;
        let namespace = Namespace { holder };
        (answer == "mounted\n").then_some(namespace)
    }

    /// Gives the file system in memory at `folder` another size.
    pub(crate) fn resize(&self, folder: &Path, size: &str) {
        let option = format!("remount,size={size}");
        let outcome = finish(self.program("mount", &[OsStr::new("-o"), option.as_ref(), folder.as_os_str()]));
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    }

    /// Runs `ml-app` inside; paths must be absolute.
    #[track_caller]
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Outcome {
        finish(self.program(ml_app(), args))
    }

    fn program<A: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, args: &[A]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("--mount").arg("--target").arg(self.holder.id().to_string()).arg(program.as_ref()).args(args);
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
