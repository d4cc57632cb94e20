//! Training and scoring on tables, beside scikit-learn: the same rows, the same machine, by turns.

use std::process::Command;

use anyhow::Result;

use crate::bench::comparison::{ComparisonArgs, Contender, build_example};
use crate::bench::python;
use crate::cargo::root;

/// The sets, with the pipeline for each.
const SETS: [(&str, &str); 2] =
    [("adult-census", "adult-income.yaml"), ("king-county-sales", "king-county-boosting.yaml")];

/// How scikit-learn gets the features.
const VARIANTS: [&str; 2] = ["native", "one_hot"];

/// Measures every program on every set, by turns, and prints the figures.
pub(crate) fn run(args: &ComparisonArgs) -> Result<()> {
    let ours = build_example("fit_and_score")?;
    let folder = root().join("benches/tabular");
    let python = python::provide("bench-tabular", &folder.join("requirements.txt"))?;
    for &(set, pipeline) in args.choose(&SETS, |(set, _)| set)? {
        let rows = args.file(set, "data.csv.gz")?;
        let pipeline = root().join("config/pipelines").join(pipeline);
        let of_ours = || {
            let mut command = Command::new(&ours);
            command.arg(&pipeline).arg(&rows);
            command
        };
        let of_python = |variant: &str| {
            let mut command = python::script(&python, &folder.join("boosting.py"));
            command.arg(set).arg(&rows).arg(variant);
            command
        };
        let mut contenders = vec![Contender::new("ml-train", of_ours)];
        for variant in VARIANTS {
            contenders.push(Contender::new(format!("scikit-learn {variant}"), move || of_python(variant)));
        }
        args.run(set, &mut contenders, &["accuracy", "roc_auc", "r2"])?;
        args.run_threads(of_ours)?;
    }
    Ok(())
}
