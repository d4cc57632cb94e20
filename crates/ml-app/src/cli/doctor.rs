//! `ml-app doctor`: how everything is that the configuration names, and what to do about it.

use anyhow::bail;
use serde::Serialize;

use crate::config::ConfigArgs;
use crate::doctor::{self, Finding, Thoroughness, Verdict};
use crate::output::{self, OutputFormat, Report};

/// Examines the configuration, the folders, both stores and the artifacts, and says what to do.
///
/// Nothing is changed. A server that is absent is waited for as long as its timeouts say, and the rest is examined all the
/// same. The exit code is 1 when something failed; warnings leave it at 0.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ml-app doctor\n  ml-app --profile mongodb doctor --output json\n  ml-app doctor --thorough      read every artifact and every index"
)]
pub(crate) struct Args {
    /// Compare every index with its table, and read every artifact instead of a sample
    #[arg(long)]
    thorough: bool,
}

#[derive(Debug, Serialize)]
struct Examined {
    n_ok: usize,
    n_warnings: usize,
    n_failures: usize,
    findings: Vec<Finding>,
}

impl Examined {
    fn of(findings: Vec<Finding>) -> Examined {
        let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
        let [n_ok, n_warnings, n_failures] = [Verdict::Ok, Verdict::Warning, Verdict::Failure].map(count);
        Examined { n_ok, n_warnings, n_failures, findings }
    }
}

impl Report for Examined {
    fn text(&self) -> String {
        let rows = self.findings.iter().map(|finding| {
            let found = match &finding.advice {
                Some(advice) => format!("{}\n→ {advice}", finding.message),
                None => finding.message.clone(),
            };
            vec![finding.verdict.to_string(), finding.subject.to_string(), finding.check.to_owned(), found]
        });
        let table = output::table(&["", "what", "check", "found, and → what to do"], rows, &[]);
        format!("{table}\n{} ok, {} warnings, {} failures", self.n_ok, self.n_warnings, self.n_failures)
    }
}

/// Runs the command.
pub(crate) async fn run(args: &Args, config: &ConfigArgs, output: OutputFormat) -> anyhow::Result<()> {
    let thoroughness = if args.thorough { Thoroughness::Thorough } else { Thoroughness::Usual };
    let examined = Examined::of(doctor::examine(config, thoroughness).await);
    output.print(&examined)?;
    match examined.n_failures {
        0 => Ok(()),
        1 => bail!("a check failed"),
        n => bail!("{n} checks failed"),
    }
}
