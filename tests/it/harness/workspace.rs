//! A scratch folder in which commands run, with the data folder `ml-data` inside.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::binary::{ml_app, workspace_root};
use super::dump;
use super::outcome::Outcome;

/// A scratch folder, removed when dropped.
#[derive(Debug)]
pub(crate) struct Workspace {
    folder: TempDir,
}

impl Workspace {
    pub(crate) fn new() -> Workspace {
        Workspace { folder: tempfile::tempdir().expect("the temporary folder can be written") }
    }

    /// Makes a workspace that begins with everything `other` has.
    pub(crate) fn copy_of(other: &Workspace) -> Workspace {
        let workspace = Workspace::new();
        copy_folder(other.folder.path(), workspace.folder.path());
        workspace
    }

    /// Returns the path of something in the folder.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
        fs::write(&path, content).expect("the file can be written");
        path
    }

    /// Returns a command that runs here, without settings from the environment.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        self.program(ml_app(), args)
    }

    /// Returns a command of any program that runs here, `ml-app` being on its path.
    pub(crate) fn program<A: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, args: &[A]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ML__") {
                command.env_remove(name);
            }
        }
        command.env_remove("RUST_LOG").env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Outcome {
        finish(self.command(args))
    }

    /// Runs a command that must succeed and returns its JSON document.
    #[track_caller]
    pub(crate) fn json<A: AsRef<OsStr>>(&self, args: &[A]) -> Value {
        let with_json = [OsStr::new("--output"), OsStr::new("json")];
        let args: Vec<&OsStr> = with_json.into_iter().chain(args.iter().map(AsRef::as_ref)).collect();
        self.run(&args).succeeded().json()
    }

    /// Runs a line of shell in which `ml-app` is the binary under test.
    #[track_caller]
    pub(crate) fn shell(&self, line: &str) -> Outcome {
        let mut command = self.program("sh", &["-eu", "-c", line]);
        let folder = ml_app().parent().expect("the binary lies in a folder");
        let old_path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&old_path));
        command.env("PATH", std::env::join_paths(folders).expect("the folders can be joined"));
        command.env("ML_DATA_DIR", data_sets());
        finish(command)
    }

    /// Returns the number of rows of a table or collection, 0 before it exists.
    pub(crate) fn count(&self, table: &str) -> u64 {
        dump::count(&self.path("ml-data"), table)
    }
}

/// Returns where the data sets for development are, if they are on this machine: `ML_DATA_DIR`, else beside the workspace.
pub(crate) fn data_sets() -> PathBuf {
    std::env::var_os("ML_DATA_DIR").map_or_else(|| workspace_root().join("../shared/data"), PathBuf::from)
}

/// Runs a prepared command to its end.
#[track_caller]
pub(crate) fn finish(mut command: Command) -> Outcome {
    let shown = format!("{command:?}");
    Outcome::new(shown, command.output().expect("the program starts"))
}

/// Copies what is in the folder `from` into the folder `to`.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).expect("the folder can be made");
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file can be copied");
        }
    }
}
