//! How long after its insert a record is a committed row, while `ml-app sync --follow` runs.

use std::fs;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;

use super::site::{Side, Site};
use crate::cargo::{run, shown};

/// What is inserted meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) per_second: u32,
    pub(super) seconds: u32,
}

/// Measures it, and prints the figures.
pub(super) fn measure(site: &Site, load: Load) -> Result<()> {
    let file = site.path("latency.json");
    let (rate, seconds) = (load.per_second.to_string(), load.seconds.to_string());
    let following =
        Following::start(site.ml_app(Side::Ours).args(["sync", "--follow", "--collection", "raw_records"]))?;
    let mut command = site.script("latency.py");
    command.args([site.mongodb_url(), Side::Ours.database(), site.postgres_url(), Side::Ours.database()]);
    run(command.args([&rate, &seconds]).arg(&file))?;
    following.stop()?;
    let figures = fs::read_to_string(&file).context("the script wrote no figures")?;
    print_figures(&serde_json::from_str(&figures).context("cannot read the figures of the script")?);
    Ok(())
}

/// A program that runs until it is interrupted.
struct Following {
    process: Child,
    shown: String,
}

impl Following {
    fn start(command: &mut Command) -> Result<Following> {
        let process = command.stdout(Stdio::null()).spawn();
        let shown = shown(command);
        Ok(Following { process: process.with_context(|| format!("cannot start {shown}"))?, shown })
    }

    /// Interrupts it as Ctrl-C does, and waits for its end.
    fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.process), Signal::INT)?;
        let status = self.process.wait()?;
        anyhow::ensure!(status.success(), "{} ended with {status}", self.shown);
        Ok(())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // Where it was stopped there is nothing left to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn print_figures(figures: &Json) {
    let number = |path: &str| figures.pointer(path).and_then(Json::as_f64).unwrap_or(f64::NAN);
    println!(
        "\nfrom MongoDB to a committed row, {:.0} records at {:.0} inserts/s (goal: p99 below 250 ms)",
        number("/n_records"),
        number("/rate")
    );
    for (name, key) in [("from the insert", "from_insert"), ("from its answer", "from_acknowledgement")] {
        let of = |share: &str| number(&format!("/{key}/{share}"));
        println!(
            "{name}: p50 {:.0} ms, p90 {:.0} ms, p99 {:.0} ms, at most {:.0} ms",
            of("p50"),
            of("p90"),
            of("p99"),
            of("max")
        );
    }
}
