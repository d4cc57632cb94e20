//! Training and scoring on tables, beside scikit-learn: the same rows, the same machine, by turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value as Json;

use crate::bench::memory::measure;
use crate::bench::python;
use crate::cargo::{cargo, read, root, run as run_command};

/// The sets, with the pipeline for each.
const SETS: [(&str, &str); 2] =
    [("adult-census", "adult-income.yaml"), ("king-county-sales", "king-county-boosting.yaml")];

/// How scikit-learn gets the features.
const VARIANTS: [&str; 2] = ["native", "one_hot"];

/// What to measure.
#[derive(Args)]
pub(crate) struct TabularArgs {
    /// The folder with the data sets; by default that of `ML_DATA_DIR`, or else `../shared/data`.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Measure this set alone.
    #[arg(long)]
    set: Option<String>,
    /// How often each program runs; figures are medians.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// How many threads each program may use; as many as there are processors by default.
    #[arg(long)]
    threads: Option<usize>,
}

/// The figures of the runs of one program.
#[derive(Default)]
struct Figures {
    runs: Vec<Run>,
}

struct Run {
    fit_seconds: f64,
    score_seconds: f64,
    process_seconds: f64,
    peak_bytes: Option<u64>,
    scores: Vec<(String, f64)>,
}

/// Measures every program on every set, by turns, and prints the figures.
pub(crate) fn run(args: &TabularArgs) -> Result<()> {
    let ours = build()?;
    let folder = root().join("benches/tabular");
    let python = python::provide("bench-tabular", &folder.join("requirements.txt"))?;
    let data = args.data.clone().or_else(|| std::env::var_os("ML_DATA_DIR").map(PathBuf::from));
    let data = data.unwrap_or_else(|| root().join("../shared/data"));
    let chosen = SETS.iter().filter(|(set, _)| args.set.as_deref().is_none_or(|chosen| chosen == *set));
    let chosen: Vec<_> = chosen.collect();
    if chosen.is_empty() {
        bail!("there is no set of that name; known are {}", SETS.map(|(set, _)| set).join(", "));
    }
    for &&(set, pipeline) in &chosen {
        let rows = data.join(set).join("data.csv.gz");
        if !rows.exists() {
            bail!("there is no {}: give the folder of the data sets with --data", rows.display());
        }
        let pipeline = root().join("config/pipelines").join(pipeline);
        println!("\n{set}, {} runs each by turns, load {} before", args.repeats, load());
        let mut all = [Figures::default(), Figures::default(), Figures::default()];
        for _ in 0..args.repeats {
            let [of_ours, of_python @ ..] = &mut all;
            let mut command = Command::new(&ours);
            command.arg(&pipeline).arg(&rows);
            of_ours.runs.push(run_once(args, command)?);
            for (variant, figures) in VARIANTS.iter().zip(of_python) {
                let mut command = python::script(&python, &folder.join("boosting.py"));
                command.arg(set).arg(&rows).arg(variant);
                figures.runs.push(run_once(args, command)?);
            }
        }
        print_figures(&all);
        println!("load {} after", load());
    }
    Ok(())
}

/// Builds the program and returns where it is.
fn build() -> Result<PathBuf> {
    run_command(&mut cargo(&["build", "--release", "--package", "ml-train", "--example", "tabular"]))?;
    let metadata = read(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Json = serde_json::from_str(&metadata).context("cannot read what `cargo metadata` wrote")?;
    let target = metadata["target_directory"].as_str().context("`cargo metadata` names no target folder")?;
    Ok(Path::new(target).join("release/examples").join(format!("tabular{}", std::env::consts::EXE_SUFFIX)))
}

/// Runs a program that writes its figures to the file that is its last argument.
fn run_once(args: &TabularArgs, mut command: Command) -> Result<Run> {
    let folder =
        tempfile::Builder::new().prefix("ml-app-bench-").tempdir().context("cannot make a temporary folder")?;
    let file = folder.path().join("figures.json");
    if let Some(threads) = args.threads {
        command.env("RAYON_NUM_THREADS", threads.to_string()).env("OMP_NUM_THREADS", threads.to_string());
    }
    let measurement = measure(command.arg(&file))?;
    let figures = fs::read_to_string(&file).context("a program wrote no figures")?;
    let figures: Json = serde_json::from_str(&figures).context("cannot read the figures of a program")?;
    let seconds = |key: &str| figures[key].as_f64().with_context(|| format!("a program tells no `{key}`"));
    let scores = figures["scores"].as_object().context("a program tells no scores")?;
    Ok(Run {
        fit_seconds: seconds("fit_seconds")?,
        score_seconds: seconds("score_seconds")?,
        process_seconds: measurement.duration.as_secs_f64(),
        peak_bytes: measurement.peak_bytes(),
        scores: scores.iter().filter_map(|(name, score)| Some((name.clone(), score.as_f64()?))).collect(),
    })
}

impl Figures {
    fn median(&self, of_run: impl Fn(&Run) -> f64) -> f64 {
        let mut values: Vec<f64> = self.runs.iter().map(of_run).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn seconds(&self) -> f64 {
        self.median(|run| run.fit_seconds + run.score_seconds)
    }

    fn peak_megabytes(&self) -> f64 {
        self.median(|run| run.peak_bytes.map_or(f64::NAN, |bytes| bytes as f64 / 1e6))
    }

    /// Returns the scores that scikit-learn's side tells too.
    fn scores(&self) -> String {
        let Some(run) = self.runs.first() else { return String::new() };
        let told = run.scores.iter().filter(|(name, _)| ["accuracy", "roc_auc", "r2"].contains(&name.as_str()));
        told.map(|(name, score)| format!("{name} {score:.4}")).collect::<Vec<_>>().join(", ")
    }
}

fn print_figures(all: &[Figures; 3]) {
    let heads = ["fit s", "score s", "both s", "process s", "peak MB"];
    println!("{:<22} {:>8} {:>8} {:>8} {:>10} {:>8}   scores", "", heads[0], heads[1], heads[2], heads[3], heads[4]);
    let names = ["ml-train", "scikit-learn native", "scikit-learn one_hot"];
    for (name, figures) in names.iter().zip(all) {
        println!(
            "{name:<22} {:>8.3} {:>8.3} {:>8.3} {:>10.3} {:>8.1}   {}",
            figures.median(|run| run.fit_seconds),
            figures.median(|run| run.score_seconds),
            figures.seconds(),
            figures.median(|run| run.process_seconds),
            figures.peak_megabytes(),
            figures.scores()
        );
    }
    let [ours, others @ ..] = all;
    for (name, other) in names[1..].iter().zip(others) {
        let time = ours.seconds() / other.seconds();
        let memory = ours.peak_megabytes() / other.peak_megabytes();
        println!("ratio to {name}: time {time:.3}, memory {memory:.3}");
    }
}

/// Returns how many programs want to run on this machine, where that can be told.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_medians() {
        let run = |seconds: f64| Run {
            fit_seconds: seconds,
            score_seconds: 1.0,
            process_seconds: seconds,
            peak_bytes: Some(2_000_000),
            scores: vec![("r2".to_owned(), 0.5), ("mae".to_owned(), 3.0)],
        };
        let figures = Figures { runs: vec![run(9.0), run(1.0), run(2.0)] };
        assert_eq!((figures.seconds(), figures.peak_megabytes()), (3.0, 2.0));
        assert_eq!(figures.scores(), "r2 0.5000");
    }
}
