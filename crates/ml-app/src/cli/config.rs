//! `ml-app config`: the effective configuration.

use std::fmt::Write as _;

use clap::Subcommand;
use serde::Serialize;

use crate::config::Config;
use crate::output::{OutputFormat, Report};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints every value in force, with secrets masked
    #[command(
        after_help = "Examples:\n  ml-app config show\n  ML__SETTINGS__USER=ana ml-app config show --output json"
    )]
    Show,
    /// Checks every value and says which files were read
    #[command(
        after_help = "Examples:\n  ml-app config check\n  ml-app --config /etc/ml-app --profile production config check"
    )]
    Check,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Values(serde_json::Value);

impl Report for Values {
    fn text(&self) -> String {
        serde_yaml_ng::to_string(&self.0).unwrap_or_default().trim_end().to_owned()
    }
}

#[derive(Debug, Serialize)]
struct Checked {
    files: Vec<String>,
    warnings: Vec<String>,
}

impl Report for Checked {
    fn text(&self) -> String {
        let files = match &self.files[..] {
            [] => "no files, built-in defaults".to_owned(),
            files => files.join(", "),
        };
        let mut text = format!("the configuration is sound: {files}");
        for warning in &self.warnings {
            let _ = write!(text, "\nwarning: {warning}");
        }
        text
    }
}

/// Runs the command; a faulty configuration never gets here.
pub(crate) fn run(command: &Command, config: &Config, output: OutputFormat) -> anyhow::Result<()> {
    match command {
        Command::Show => output.print(&Values(config.masked()?)),
        Command::Check => {
            let files = config.files.iter().map(|file| file.display().to_string()).collect();
            output.print(&Checked { files, warnings: config.doubts() })
        }
    }
}
