//! Several programs that do the same on the same data, each in a process of its own, by turns.
//!
//! A program is given a file as its last argument and writes its figures there: seconds of the parts, and scores.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value as Json;

use crate::bench::memory::measure;
use crate::cargo::{cargo, read, root, run as run_command};

/// What to measure, and how.
#[derive(Args)]
pub(crate) struct ComparisonArgs {
    /// The folder with the data sets; by default that of `ML_DATA_DIR`, or else `../shared/data`.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Measure this set alone.
    #[arg(long)]
    pub(crate) set: Option<String>,
    /// How often each program runs; figures are medians.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// How many threads each program may use; as many as there are processors by default.
    #[arg(long)]
    threads: Option<usize>,
}

/// A program with the figures of its runs.
pub(crate) struct Contender<'a> {
    name: String,
    command: Box<dyn Fn() -> Command + 'a>,
    runs: Vec<Run>,
}

struct Run {
    fit_seconds: f64,
    score_seconds: f64,
    process_seconds: f64,
    peak_bytes: Option<u64>,
    scores: Vec<(String, f64)>,
}

impl ComparisonArgs {
    /// Returns the sets that are to be measured, of those there are.
    pub(crate) fn choose<'s, S>(&self, sets: &'s [S], name: impl Fn(&S) -> &str) -> Result<Vec<&'s S>> {
        let is_chosen = |set: &&S| self.set.as_deref().is_none_or(|chosen| chosen == name(set));
        let chosen: Vec<&S> = sets.iter().filter(is_chosen).collect();
        if chosen.is_empty() {
            let known: Vec<&str> = sets.iter().map(&name).collect();
            bail!("there is no set of that name; known are {}", known.join(", "));
        }
        Ok(chosen)
    }

    /// Returns where a file of a data set is.
    pub(crate) fn file(&self, set: &str, file: &str) -> Result<PathBuf> {
        let folder = self.data.clone().or_else(|| std::env::var_os("ML_DATA_DIR").map(PathBuf::from));
        let path = folder.unwrap_or_else(|| root().join("../shared/data")).join(set).join(file);
        if !path.exists() {
            bail!("there is no {}: give the folder of the data sets with --data", path.display());
        }
        Ok(path)
    }

    /// Runs the programs by turns, and prints the figures of each and how the first compares with the others.
    pub(crate) fn run(&self, title: &str, contenders: &mut [Contender<'_>], scores: &[&str]) -> Result<()> {
        println!("\n{title}, {} runs each by turns, load {} before", self.repeats, load());
        for _ in 0..self.repeats {
            for contender in contenders.iter_mut() {
                contender.runs.push(run_once((contender.command)(), self.threads)?);
            }
        }
        print_figures(contenders, scores);
        println!("load {} after", load());
        Ok(())
    }

    /// Runs our program with one thread and with two by turns, and prints how many times as fast it is with two. Says
    /// nothing where the number of threads was chosen, or where there is one processor.
    pub(crate) fn run_threads<'a>(&self, command: impl Fn() -> Command + 'a) -> Result<()> {
        if self.threads.is_some() || available_parallelism().map_or(1, NonZero::get) < 2 {
            return Ok(());
        }
        let with_threads = |threads: &'static str| {
            let command = &command;
            move || {
                let mut command = command();
                command.env("RAYON_NUM_THREADS", threads);
                command
            }
        };
        let mut one = Contender::new("1 thread", with_threads("1"));
        let mut two = Contender::new("2 threads", with_threads("2"));
        for _ in 0..self.repeats {
            for contender in [&mut one, &mut two] {
                contender.runs.push(run_once((contender.command)(), None)?);
            }
        }
        println!("{}", speed_up(&one, &two));
        Ok(())
    }
}

/// Builds an example of ml-train and returns where it is.
pub(crate) fn build_example(name: &str) -> Result<PathBuf> {
    run_command(&mut cargo(&["build", "--release", "--package", "ml-train", "--example", name]))?;
    let metadata = read(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Json = serde_json::from_str(&metadata).context("cannot read what `cargo metadata` wrote")?;
    let target = metadata["target_directory"].as_str().context("`cargo metadata` names no target folder")?;
    Ok(Path::new(target).join("release/examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// Runs a program that writes its figures to the file that is its last argument.
fn run_once(mut command: Command, threads: Option<usize>) -> Result<Run> {
    let folder =
        tempfile::Builder::new().prefix("ml-app-bench-").tempdir().context("cannot make a temporary folder")?;
    let file = folder.path().join("figures.json");
    if let Some(threads) = threads {
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

impl<'a> Contender<'a> {
    /// Makes a contender without figures, and with what makes its command.
    pub(crate) fn new(name: impl Into<String>, command: impl Fn() -> Command + 'a) -> Contender<'a> {
        Contender { name: name.into(), command: Box::new(command), runs: Vec::new() }
    }

    fn median(&self, of_run: impl Fn(&Run) -> f64) -> f64 {
        let mut values: Vec<f64> = self.runs.iter().map(of_run).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn fit_seconds(&self) -> f64 {
        self.median(|run| run.fit_seconds)
    }

    fn score_seconds(&self) -> f64 {
        self.median(|run| run.score_seconds)
    }

    fn seconds(&self) -> f64 {
        self.median(|run| run.fit_seconds + run.score_seconds)
    }

    fn peak_megabytes(&self) -> f64 {
        self.median(|run| run.peak_bytes.map_or(f64::NAN, |bytes| bytes as f64 / 1e6))
    }

    /// Returns the scores called `names`, in that order, as far as it tells them.
    fn scores(&self, names: &[&str]) -> String {
        let Some(run) = self.runs.first() else { return String::new() };
        let told = names.iter().filter_map(|name| run.scores.iter().find(|(told, _)| told == name));
        told.map(|(name, score)| format!("{name} {score:.4}")).collect::<Vec<_>>().join(", ")
    }
}

/// Says how many times as fast one is as the other.
fn speed_up(slower: &Contender<'_>, faster: &Contender<'_>) -> String {
    format!(
        "from {} to {}: {:.2} times as fast (fit {:.2}, score {:.2})",
        slower.name,
        faster.name,
        slower.seconds() / faster.seconds(),
        slower.fit_seconds() / faster.fit_seconds(),
        slower.score_seconds() / faster.score_seconds()
    )
}

fn print_figures(contenders: &[Contender<'_>], scores: &[&str]) {
    let heads = ["fit s", "score s", "both s", "process s", "peak MB"];
    let width = contenders.iter().map(|contender| contender.name.len()).max().unwrap_or(0);
    println!(
        "{:<width$} {:>8} {:>8} {:>8} {:>10} {:>8}   scores",
        "", heads[0], heads[1], heads[2], heads[3], heads[4]
    );
    for contender in contenders {
        println!(
            "{:<width$} {:>8.3} {:>8.3} {:>8.3} {:>10.3} {:>8.1}   {}",
            contender.name,
            contender.fit_seconds(),
            contender.score_seconds(),
            contender.seconds(),
            contender.median(|run| run.process_seconds),
            contender.peak_megabytes(),
            contender.scores(scores)
        );
    }
    let Some((ours, others)) = contenders.split_first() else { return };
    for other in others {
        println!(
            "ratio to {}: time {:.3} (fit {:.3}, score {:.3}), memory {:.3}",
            other.name,
            ours.seconds() / other.seconds(),
            ours.fit_seconds() / other.fit_seconds(),
            ours.score_seconds() / other.score_seconds(),
            ours.peak_megabytes() / other.peak_megabytes()
        );
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

    fn run(seconds: f64) -> Run {
        Run {
            fit_seconds: seconds,
            score_seconds: 1.0,
            process_seconds: seconds,
            peak_bytes: Some(2_000_000),
            scores: vec![("mae".to_owned(), 3.0), ("r2".to_owned(), 0.5)],
        }
    }

    #[test]
    fn figures_are_medians() {
        let mut contender = Contender::new("ours", || Command::new("true"));
        contender.runs = vec![run(9.0), run(1.0), run(2.0)];
        assert_eq!((contender.seconds(), contender.peak_megabytes()), (3.0, 2.0));
        assert_eq!(contender.scores(&["accuracy", "r2"]), "r2 0.5000");
    }

    #[test]
    fn more_threads_are_compared_with_fewer() {
        let with = |name: &str, seconds: f64| {
            let mut contender = Contender::new(name, || Command::new("true"));
            contender.runs = vec![run(seconds)];
            contender
        };
        let (one, two) = (with("1 thread", 3.0), with("2 threads", 1.0));
        let expected = "from 1 thread to 2 threads: 2.00 times as fast (fit 3.00, score 1.00)";
        assert_eq!(speed_up(&one, &two), expected);
    }
}
