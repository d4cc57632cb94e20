//! Folders: whether they are there, take files, and have room.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::finding::{Finding, Subject};
use super::space::Space;

/// Facts about a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FolderFacts {
    /// The folder.
    pub(super) path: PathBuf,
    /// What is there.
    pub(super) state: FolderState,
    /// The disk it is on, or would be.
    pub(super) space: Option<Space>,
}

/// What is in the place of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FolderState {
    /// Nothing yet.
    Absent {
        /// Why it cannot be made; absent where it can.
        refusal: Option<String>,
    },
    /// Something else.
    NoFolder,
    /// A folder.
    Present {
        /// Why it cannot be read; absent where it can.
        read_refusal: Option<String>,
        /// Why it takes no files; absent where it does.
        write_refusal: Option<String>,
        /// Whether any user of the machine may put files there.
        is_open_to_all: bool,
    },
}

impl FolderFacts {
    /// Looks at a folder. To see whether it takes files, a file is made there and removed.
    pub(super) fn gather(path: &Path) -> FolderFacts {
        let nearest = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
        let nearest = if nearest.as_os_str().is_empty() { Path::new(".") } else { nearest };
        let state = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => FolderState::Present {
                read_refusal: fs::read_dir(path).err().map(|err| err.to_string()),
                write_refusal: write_refusal(path),
                is_open_to_all: is_open_to_all(&metadata),
            },
            Ok(_) => FolderState::NoFolder,
            Err(_) if !nearest.is_dir() => FolderState::NoFolder,
            Err(_) => FolderState::Absent { refusal: write_refusal(nearest) },
        };
        FolderFacts { path: path.to_owned(), state, space: Space::at(nearest) }
    }

    /// Judges the data folder.
    pub(super) fn judge_as_data_folder(&self) -> Vec<Finding> {
        const SUBJECT: Subject = Subject::DataFolder;
        let path = self.path.display();
        let mut findings = vec![match &self.state {
            FolderState::Absent { refusal: None } => {
                SUBJECT.ok("exists", format!("{path} is not there yet: the first command that needs it makes it"))
            }
            FolderState::Absent { refusal: Some(refusal) } => SUBJECT.failure(
                "exists",
                format!("{path} is not there and cannot be made: {refusal}"),
                "make it for the user who runs ml-app, or name another in `data_dir` of config/settings.yaml",
            ),
            FolderState::NoFolder => SUBJECT.failure(
                "exists",
                format!("{path} is a file, or lies in one"),
                "name a folder in `data_dir` of config/settings.yaml, or move the file away",
            ),
            FolderState::Present { .. } => SUBJECT.ok("exists", path.to_string()),
        }];
        if let FolderState::Present { read_refusal, write_refusal, is_open_to_all } = &self.state {
            findings.push(match (read_refusal, write_refusal) {
                (Some(refusal), _) => SUBJECT.failure(
                    "permissions",
                    format!("it cannot be read: {refusal}"),
                    "let the user who runs ml-app read and write there",
                ),
                (None, Some(refusal)) => SUBJECT.failure(
                    "permissions",
                    format!("it cannot be written: {refusal}"),
                    "let the user who runs ml-app write there; until then only commands that read work",
                ),
                (None, None) if *is_open_to_all => SUBJECT.warning(
                    "permissions",
                    "every user of this machine can change what is in it",
                    format!("take that away with `chmod o-w {path}`"),
                ),
                (None, None) => SUBJECT.ok("permissions", "it can be read and written"),
            });
        }
        findings.extend(self.space.map(|space| space.judge(SUBJECT, &format!("in {path}"))));
        findings
    }

    /// Judges the folder for files that do not last, which few commands need.
    pub(super) fn judge_as_temporary_folder(&self) -> Vec<Finding> {
        const SUBJECT: Subject = Subject::TemporaryFolder;
        let path = self.path.display();
        let refusal = match &self.state {
            FolderState::Present { write_refusal: None, .. } => None,
            FolderState::Present { write_refusal: Some(refusal), .. } => Some(refusal.as_str()),
            FolderState::Absent { .. } | FolderState::NoFolder => Some("there is no such folder"),
        };
        let mut findings = vec![match refusal {
            None => SUBJECT.ok("permissions", format!("{path} takes files")),
            Some(refusal) => SUBJECT.warning(
                "permissions",
                format!("{path} takes no files: {refusal}"),
                "set TMPDIR to a folder that can be written",
            ),
        }];
        findings.extend(self.space.map(|space| space.judge(SUBJECT, &format!("in {path}"))));
        findings
    }
}

/// Makes a file and removes it, and returns why that does not work.
fn write_refusal(folder: &Path) -> Option<String> {
    let probe = folder.join(format!(".ml-app-doctor-{}", std::process::id()));
    match OpenOptions::new().write(true).create_new(true).open(&probe) {
        Ok(_) => fs::remove_file(&probe).err().map(|err| err.to_string()),
        Err(err) => Some(err.to_string()),
    }
}

#[cfg(unix)]
fn is_open_to_all(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    const WRITABLE_BY_OTHERS: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    metadata.permissions().mode() & (WRITABLE_BY_OTHERS | STICKY) == WRITABLE_BY_OTHERS
}

#[cfg(not(unix))]
fn is_open_to_all(_metadata: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn facts(state: FolderState) -> FolderFacts {
        FolderFacts { path: PathBuf::from("/srv/ml"), state, space: None }
    }

    fn present(read_refusal: Option<&str>, write_refusal: Option<&str>, is_open_to_all: bool) -> FolderState {
        let [read_refusal, write_refusal] = [read_refusal, write_refusal].map(|text| text.map(ToOwned::to_owned));
        FolderState::Present { read_refusal, write_refusal, is_open_to_all }
    }

    fn check(findings: &[Finding], verdict: Verdict, message: &str) {
        let last = findings.last().unwrap();
        assert_eq!(last.verdict, verdict, "{findings:?}");
        assert!(last.message.contains(message), "{findings:?}");
    }

    #[test]
    fn a_data_folder_has_to_be_one_that_can_be_written() {
        let judge = |state| facts(state).judge_as_data_folder();
        check(&judge(FolderState::Absent { refusal: None }), Verdict::Ok, "is not there yet");
        let refused = FolderState::Absent { refusal: Some("Permission denied".to_owned()) };
        check(&judge(refused), Verdict::Failure, "cannot be made: Permission denied");
        check(&judge(FolderState::NoFolder), Verdict::Failure, "is a file");
        check(&judge(present(None, None, false)), Verdict::Ok, "can be read and written");
        check(&judge(present(None, None, true)), Verdict::Warning, "every user of this machine");
        check(&judge(present(None, Some("Read-only file system"), false)), Verdict::Failure, "cannot be written");
        check(&judge(present(Some("denied"), Some("denied"), false)), Verdict::Failure, "cannot be read");
    }

    #[test]
    fn room_is_judged_too() {
        let space = Some(Space { free_bytes: 1, total_bytes: 10 });
        let facts = FolderFacts { space, ..facts(present(None, None, false)) };
        check(&facts.judge_as_data_folder(), Verdict::Failure, "1 B of 10 B");
        check(&facts.judge_as_temporary_folder(), Verdict::Failure, "1 B of 10 B");
    }

    #[test]
    fn a_temporary_folder_that_takes_no_files_is_a_warning() {
        let judge = |state| facts(state).judge_as_temporary_folder();
        check(&judge(present(None, None, true)), Verdict::Ok, "takes files");
        check(&judge(present(None, Some("denied"), false)), Verdict::Warning, "takes no files: denied");
        check(&judge(FolderState::NoFolder), Verdict::Warning, "there is no such folder");
    }

    #[test]
    fn real_folders_are_seen_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let state = |name: &str| FolderFacts::gather(&folder.path().join(name)).state;
        assert_eq!(state("."), present(None, None, false));
        assert_eq!(state("absent/deeper"), FolderState::Absent { refusal: None });
        fs::write(folder.path().join("file"), "").unwrap();
        assert_eq!(state("file"), FolderState::NoFolder);
        assert_eq!(state("file/deeper"), FolderState::NoFolder);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
