//! What a command prints: one JSON document, or text and tables for people.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::Context as _;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::logging::LogFormat;

/// The form of a result on standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    /// Text and tables.
    #[default]
    Table,
    /// One JSON document and nothing else.
    Json,
}

/// A result of a command that can be shown to a person.
pub(crate) trait Report: Serialize {
    /// Returns the text for people, without a final line break.
    fn text(&self) -> String;
}

impl OutputFormat {
    /// Prints `report` on standard output. A reader that went away, as in `| head`, is not an error.
    pub(crate) fn print(self, report: &impl Report) -> anyhow::Result<()> {
        let text = match self {
            OutputFormat::Table => report.text(),
            OutputFormat::Json => serde_json::to_string_pretty(report).context("cannot write the result as JSON")?,
        };
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write the result"),
            _ => Ok(()),
        }
    }
}

/// Prints an error with its causes on standard error, each cause once, with the way out when there is one; as a log line where
/// those are for machines.
#[expect(clippy::print_stderr, reason = "this is the one boundary where an error meets a person")]
pub(crate) fn eprint_error(error: &anyhow::Error, log_format: LogFormat) {
    let text = in_one_line(error);
    // Logging may be told to leave errors out; why the program failed is said all the same.
    if log_format == LogFormat::Json && tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!("{text}");
    } else {
        eprintln!("error: {text}");
    }
}

/// Returns an error with its causes, each cause once.
pub(crate) fn in_one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    let mut last = String::new();
    for cause in error.chain() {
        let message = cause.to_string();
        if message == last || text.ends_with(&message) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&message);
        last = message;
    }
    text
}

/// Lays out rows under headers; columns named in `right` are aligned right.
pub(crate) fn table(headers: &[&str], rows: impl IntoIterator<Item = Vec<String>>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headers.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for &index in right {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// Lays out names and values, one pair a line, the values under one another.
pub(crate) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<_> = pairs.into_iter().collect();
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in pairs {
        let _ = writeln!(text, "{name:width$}  {value}");
    }
    text.truncate(text.trim_end().len());
    text
}

/// Writes a count with thousands apart: `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a figure with four significant decimals, or in scientific form where it is very small or large.
pub(crate) fn figure(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e6).contains(&size) { format!("{value:.4}") } else { format!("{value:.3e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_with_thousands_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn pairs_stand_under_one_another() {
        assert_eq!(pairs([("a", "1".to_owned()), ("long", "2".to_owned())]), "a     1\nlong  2");
    }

    #[test]
    fn small_figures_keep_their_digits() {
        assert_eq!(figure(0.91234), "0.9123");
        assert_eq!(figure(0.000_012_34), "1.234e-5");
    }
}
