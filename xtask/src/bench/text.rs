//! Training and scoring on texts, beside scikit-learn: the same rows, the same settings, the same machine, by turns.

use std::process::Command;

use anyhow::Result;

use crate::bench::comparison::{ComparisonArgs, Contender, build_example};
use crate::bench::python;
use crate::cargo::root;

/// The sets, with the file and the pipeline of each.
const SETS: [(&str, &str, &str); 5] = [
    ("newsgroups20", "data.jsonl.gz", "newsgroups.yaml"),
    ("finance-tweets", "data.jsonl.gz", "finance-tweets.yaml"),
    ("sms-spam", "data.jsonl", "sms-spam.yaml"),
    ("hyperpartisan-news", "data.jsonl.gz", "hyperpartisan-news.yaml"),
    ("hyperpartisan-news", "data.jsonl.gz", "hyperpartisan-words.yaml"),
];

/// When scikit-learn's estimator stops: as its authors set it, or as the pipeline says.
const STOPS: [&str; 2] = ["default", "same"];

/// Measures both on every set, by turns, and prints the figures.
pub(crate) fn run(args: &ComparisonArgs) -> Result<()> {
    let ours = build_example("fit_and_score")?;
    let folder = root().join("benches/text");
    let python = python::provide("bench-text", &folder.join("requirements.txt"))?;
    for &(set, file, pipeline) in args.choose(&SETS, |(set, _, _)| set)? {
        let rows = args.file(set, file)?;
        let title = format!("{set} by {pipeline}");
        let pipeline = root().join("config/pipelines").join(pipeline);
        let of_ours = || {
            let mut command = Command::new(&ours);
            command.arg(&pipeline).arg(&rows);
            command
        };
        let of_python = |stop: &str| {
            let mut command = python::script(&python, &folder.join("text.py"));
            command.arg(&pipeline).arg(&rows).arg(stop);
            command
        };
        let mut contenders = vec![Contender::new("ml-train", of_ours)];
        for stop in STOPS {
            contenders.push(Contender::new(format!("scikit-learn, {stop} tolerance"), move || of_python(stop)));
        }
        args.run(&title, &mut contenders, &["accuracy", "f1_macro", "f1_spam"])?;
        args.run_threads(of_ours)?;
    }
    Ok(())
}
