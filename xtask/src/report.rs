//! Steps in order, each with its outcome and wall time.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What became of the steps so far; its `Display` is the closing table.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<StepOutcome>,
}

struct StepOutcome {
    name: &'static str,
    passed: bool,
    duration: Duration,
}

impl Report {
    /// Does `work` as the step `name`, and prints the name before and the outcome and time after.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        println!("== {name}");
        let start = Instant::now();
        let outcome = work();
        let duration = start.elapsed();
        match &outcome {
            Ok(()) => println!("== {name}: ok in {}", seconds(duration)),
            Err(err) => println!("{err:#}\n== {name}: FAILED in {}", seconds(duration)),
        }
        self.steps.push(StepOutcome { name, passed: outcome.is_ok(), duration });
    }

    /// Returns whether every step passed.
    pub(crate) fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.passed)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut total = Duration::ZERO;
        for step in &self.steps {
            let outcome = if step.passed { "ok" } else { "FAILED" };
            writeln!(f, "{:<12} {outcome:<7} {:>9}", step.name, seconds(step.duration))?;
            total += step.duration;
        }
        let outcome = if self.passed() { "ok" } else { "FAILED" };
        write!(f, "{:<12} {outcome:<7} {:>9}", "all", seconds(total))
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn one_failed_step_fails_the_report_and_the_later_steps_still_run() {
        let mut report = Report::default();
        let mut later_ran = false;
        report.step("first", || bail!("broken"));
        report.step("second", || {
            later_ran = true;
            Ok(())
        });

        assert!(later_ran);
        assert!(!report.passed());
        let table = report.to_string();
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
        assert_eq!(rows, [["first", "FAILED"], ["second", "ok"], ["all", "FAILED"]]);
    }
}
