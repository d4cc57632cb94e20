//! Artifacts: whether the files that models and datasets refer to are there, and whole.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ml_core::dataset::DatasetStore;
use ml_core::digest::Digest;
use ml_core::error::StoreError;
use ml_core::model::{ModelStore, ModelVersion};
use ml_core::page::PageRequest;
use ml_registry::fs_artifacts::FsArtifacts;

use super::finding::{Finding, Subject};

const SUBJECT: Subject = Subject::Artifacts;

/// How many files are read to see whether they are whole, unless all are.
const SAMPLE_SIZE: usize = 16;

/// How many models are listed at a time.
const PAGE_SIZE: usize = 200;

/// How many faults are named.
const NAMED_FAULTS: usize = 5;

/// Who refers to each artifact, such as `model news@1`.
pub(super) type References = BTreeMap<Digest, String>;

/// Facts about the folder of the artifacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ArtifactFacts {
    /// The folder.
    pub(super) folder: PathBuf,
    /// How many files are referred to.
    pub(super) n_referenced: usize,
    /// Who refers to a file that is not there.
    pub(super) missing: Vec<String>,
    /// How many files were read.
    pub(super) n_read: usize,
    /// Who refers to a file that cannot be read or has other bytes, and why.
    pub(super) damaged: Vec<String>,
}

/// Lists what models and datasets refer to.
pub(super) async fn list_references(
    models: &dyn ModelStore,
    datasets: &dyn DatasetStore,
) -> Result<References, StoreError> {
    let mut references = References::new();
    for version in datasets.list(None).await? {
        references.insert(version.content.file.digest, format!("dataset {}", version.reference()));
    }
    let mut next = Some(PageRequest::first(PAGE_SIZE));
    while let Some(request) = next {
        let page = models.list(request).await?;
        for model in &page.items {
            for version in models.list_versions(&model.name).await? {
                add_parts(&mut references, &version);
            }
        }
        next = page.next_cursor.map(|cursor| PageRequest::first(PAGE_SIZE).after(cursor));
    }
    Ok(references)
}

fn add_parts(references: &mut References, version: &ModelVersion) {
    let content = &version.content;
    let parts = [
        ("model", content.artifact),
        ("reference profile of", content.reference_profile),
        ("pipeline of", content.lineage.pipeline),
    ];
    for (part, artifact) in parts {
        if let Some(artifact) = artifact {
            references.insert(artifact.digest, format!("{part} {}", version.reference()));
        }
    }
}

/// Looks for the files in `folder`, and reads a sample of them, or all; blocks meanwhile.
pub(super) fn gather(folder: &Path, references: &References, reads_all: bool) -> anyhow::Result<ArtifactFacts> {
    let mut facts =
        ArtifactFacts { folder: folder.to_owned(), n_referenced: references.len(), ..ArtifactFacts::default() };
    if !folder.is_dir() {
        facts.missing = references.values().cloned().collect();
        return Ok(facts);
    }
    let artifacts = FsArtifacts::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    let mut present = Vec::new();
    for (digest, reference) in references {
        match artifacts.path_of(digest).try_exists() {
            Ok(false) => facts.missing.push(reference.clone()),
            Ok(true) | Err(_) => present.push((digest, reference)),
        }
    }
    let step = if reads_all { 1 } else { present.len().div_ceil(SAMPLE_SIZE).max(1) };
    for (digest, reference) in present.into_iter().step_by(step) {
        facts.n_read += 1;
        if let Err(error) = read_whole(&artifacts, digest) {
            facts.damaged.push(format!("{reference}: {error:#}"));
        }
    }
    Ok(facts)
}

fn read_whole(artifacts: &FsArtifacts, digest: &Digest) -> anyhow::Result<()> {
    let mut reader = artifacts.open_read(digest)?;
    io::copy(&mut reader, &mut io::sink())?;
    Ok(())
}

impl ArtifactFacts {
    /// Judges whether what is referred to can be loaded.
    pub(super) fn judge(&self) -> Vec<Finding> {
        vec![self.judge_missing(), self.judge_damaged()]
    }

    fn judge_missing(&self) -> Finding {
        const CHECK: &str = "references";
        let (folder, n_referenced) = (self.folder.display(), self.n_referenced);
        if self.missing.is_empty() {
            return SUBJECT
                .ok(CHECK, format!("all {n_referenced} files that models and datasets need are in {folder}"));
        }
        let message =
            format!("{} of {n_referenced} files are not in {folder}: {}", self.missing.len(), named(&self.missing));
        SUBJECT.failure(CHECK, message, "restore the folder from a backup, or train and create again what is named")
    }

    fn judge_damaged(&self) -> Finding {
        const CHECK: &str = "integrity";
        if self.damaged.is_empty() {
            let of_all = if self.n_read + self.missing.len() < self.n_referenced { ", a sample" } else { "" };
            return SUBJECT.ok(CHECK, format!("{} files were read{of_all}: they have their digests", self.n_read));
        }
        let message =
            format!("{} of {} files that were read: {}", self.damaged.len(), self.n_read, named(&self.damaged));
        SUBJECT.failure(CHECK, message, "restore them from a backup, or train and create again what is named")
    }
}

fn named(faults: &[String]) -> String {
    let text = faults.iter().take(NAMED_FAULTS).cloned().collect::<Vec<_>>().join("; ");
    match faults.len().saturating_sub(NAMED_FAULTS) {
        0 => text,
        n_more => format!("{text}; and {n_more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn facts(missing: &[&str], damaged: &[&str]) -> ArtifactFacts {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        ArtifactFacts {
            folder: "/srv/ml/artifacts".into(),
            n_referenced: 9,
            missing: texts(missing),
            n_read: 4,
            damaged: texts(damaged),
        }
    }

    fn check(facts: &ArtifactFacts, verdicts: [Verdict; 2], message: &str) {
        let findings = facts.judge();
        assert_eq!(findings.iter().map(|finding| finding.verdict).collect::<Vec<_>>(), verdicts, "{findings:?}");
        assert!(findings.iter().any(|finding| finding.message.contains(message)), "{findings:?}");
    }

    #[test]
    fn what_is_missing_or_damaged_is_named() {
        check(&facts(&[], &[]), [Verdict::Ok, Verdict::Ok], "4 files were read, a sample");
        check(&facts(&["model a@1"], &[]), [Verdict::Failure, Verdict::Ok], "1 of 9 files are not in");
        check(&facts(&[], &["model a@1: other bytes"]), [Verdict::Ok, Verdict::Failure], "model a@1: other bytes");
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        check(&facts(&many, &[]), [Verdict::Failure, Verdict::Ok], "a; b; c; d; e; and 2 more");
    }

    #[test]
    fn files_are_looked_for_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = FsArtifacts::open(folder.path()).unwrap();
        let mut references = References::new();
        for number in 0..40 {
            let digest = Digest::of(format!("{number}").as_bytes());
            let path = artifacts.path_of(&digest);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if number != 7 {
                std::fs::write(path, if number == 8 { "damaged".to_owned() } else { format!("{number}") }).unwrap();
            }
            references.insert(digest, format!("model m@{number}"));
        }

        let all = gather(folder.path(), &references, true).unwrap();
        assert_eq!((all.n_referenced, all.n_read), (40, 39));
        assert_eq!(all.missing, ["model m@7"]);
        assert!(all.damaged.len() == 1 && all.damaged[0].starts_with("model m@8: "), "{all:?}");
        assert_eq!(gather(folder.path(), &references, false).unwrap().n_read, 13);
        let nowhere = gather(&folder.path().join("absent"), &references, false).unwrap();
        assert_eq!((nowhere.missing.len(), nowhere.n_read), (40, 0));
    }
}
