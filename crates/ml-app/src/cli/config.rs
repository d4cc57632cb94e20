//! `ml-app config`: the effective configuration.

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
}

impl Report for Checked {
    fn text(&self) -> String {
        if self.files.is_empty() {
            return "the configuration is sound: no files, built-in defaults".to_owned();
        }
        format!("the configuration is sound: {}", self.files.join(", "))
    }
}

/// Runs the command; a faulty configuration never gets here.
pub(crate) fn run(command: &Command, config: &Config, output: OutputFormat) -> anyhow::Result<()> {
    match command {
        Command::Show => output.print(&Values(config.masked()?)),
        Command::Check => {
            output.print(&Checked { files: config.files.iter().map(|file| file.display().to_string()).collect() })
        }
    }
}
