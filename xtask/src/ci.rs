//! Everything that must hold before a change is merged.

use crate::checks::FmtMode;
use crate::report::Report;
use crate::test_run::{Summary, TestArgs};
use crate::{checks, licences, test_run, tidy};

/// Runs every step in order, goes on after a failure, and ends with the table of steps and the totals of the tests.
pub(crate) fn run() -> bool {
    let mut report = Report::default();
    let mut tests = None;
    report.step("fmt", || checks::fmt(FmtMode::Check));
    report.step("tidy", tidy::check);
    report.step("lint", checks::lint);
    report.step("doc", checks::doc);
    report.step("test", || {
        let outcome = test_run::run(&TestArgs::default())?;
        tests.insert(outcome).result()
    });
    report.step("unused-deps", tidy::check_unused_dependencies);
    report.step("licences", licences::check);
    let totals = tests.map_or_else(|| Summary::default().to_string(), |outcome| outcome.to_string());
    println!("\n{report}\n{totals}");
    report.passed()
}
