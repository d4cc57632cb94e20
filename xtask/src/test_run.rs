//! Runs all tests, with servers, and adds up what the test binaries report.

mod tally;

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

pub(crate) use self::tally::Summary;
use self::tally::Tally;
use crate::cargo::cargo;
use crate::services::{Missing, TestServices, none_missing};

/// Which tests to run; all of them by default.
#[derive(Args, Default)]
pub(crate) struct TestArgs {
    /// Only the tests of this package; may be given more than once.
    #[arg(short, long, value_name = "NAME")]
    package: Vec<String>,
    /// Only tests whose name contains this text.
    filter: Option<String>,
}

/// How a run of the tests went.
pub(crate) struct TestOutcome {
    /// The totals over all test binaries that came to their end.
    pub(crate) summary: Summary,
    /// The servers that the tests had to do without.
    pub(crate) missing: Vec<Missing>,
    status: ExitStatus,
}

impl TestOutcome {
    /// Returns an error unless every test passed, every test binary came to its end, and the servers that count were there.
    pub(crate) fn result(&self) -> Result<()> {
        none_missing(&self.missing)?;
        if self.summary.failed > 0 {
            bail!("failed tests: {}", self.summary.failed);
        }
        if !self.status.success() {
            bail!("the tests did not come to their end: `cargo test` ended with {}", self.status);
        }
        Ok(())
    }
}

/// The servers that were missing, then the totals as the last line.
impl fmt::Display for TestOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for missing in &self.missing {
            writeln!(f, "{missing}; tests that need it cannot pass")?;
        }
        write!(f, "{}", self.summary)
    }
}

/// Runs the tests and prints the totals as the last line; `false` when not all is well.
pub(crate) fn run_and_print(args: &TestArgs) -> Result<bool> {
    let outcome = run(args)?;
    let result = outcome.result();
    if let Err(err) = &result {
        println!("{err:#}");
    }
    println!("{outcome}");
    Ok(result.is_ok())
}

/// Runs the tests, passing on what they print.
pub(crate) fn run(args: &TestArgs) -> Result<TestOutcome> {
    let mut command = cargo(&["test", "--all-features", "--no-fail-fast"]);
    if args.package.is_empty() {
        command.arg("--workspace");
    }
    for package in &args.package {
        command.args(["--package", package]);
    }
    command.args(&args.filter);
    // A test that cannot run here says so in its output, which is only shown on demand.
    command.args(["--", "--show-output"]);

    let mut services = TestServices::start()?;
    services.introduce(&mut command);
    // The tests are a group of their own, so that all they start can be ended together.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().context("cannot start `cargo test`")?;
    services.watch_group(child.id())?;
    let stdout = child.stdout.take().context("`cargo test` has no standard output")?;
    let summary = pass_on(BufReader::new(stdout), std::io::stdout().lock())?;
    let status = child.wait()?;
    Ok(TestOutcome { summary, missing: services.stop(), status })
}

/// Copies the lines worth showing from `output` to `shown` as they come, and returns the totals.
fn pass_on(mut output: impl BufRead, mut shown: impl Write) -> Result<Summary> {
    let mut tally = Tally::default();
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes)? > 0 {
        let line = String::from_utf8_lossy(&bytes);
        if let Some(text) = tally.read_line(line.trim_end_matches(['\n', '\r'])) {
            writeln!(shown, "{text}")?;
        }
        bytes.clear();
    }
    Ok(tally.summary())
}
