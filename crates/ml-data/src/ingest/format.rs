//! The format of an input: what was asked for, else what its name says, else what it begins with.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use memchr::memchr;
use serde::{Deserialize, Serialize};

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputFormat {
    /// One JSON object a line.
    Jsonl,
    /// One JSON array of objects, or objects after one another, over any number of lines.
    Json,
    /// A header and rows, separated by commas, semicolons, bars or tabs, whichever the header has most of.
    Csv,
    /// A header and rows, separated by tabs.
    Tsv,
    /// Apache Parquet.
    Parquet,
}

impl InputFormat {
    /// All formats.
    pub const ALL: [InputFormat; 5] =
        [InputFormat::Jsonl, InputFormat::Json, InputFormat::Csv, InputFormat::Tsv, InputFormat::Parquet];

    /// Returns the name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            InputFormat::Jsonl => "jsonl",
            InputFormat::Json => "json",
            InputFormat::Csv => "csv",
            InputFormat::Tsv => "tsv",
            InputFormat::Parquet => "parquet",
        }
    }

    /// Guesses the format from the `name` of an input and the `head` of its content, after decompression.
    pub(super) fn guess(name: &str, head: &[u8]) -> Option<InputFormat> {
        if head.starts_with(b"PAR1") {
            return Some(InputFormat::Parquet);
        }
        by_extension(name).or_else(|| by_content(head))
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a format: use jsonl, json, csv, tsv or parquet")]
pub struct UnknownFormat(String);

impl FromStr for InputFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<InputFormat, UnknownFormat> {
        let found = InputFormat::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// `.json` says too little: some write one object a line into it.
fn by_extension(name: &str) -> Option<InputFormat> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match Path::new(name).extension()?.to_str()? {
        "jsonl" | "ndjson" => Some(InputFormat::Jsonl),
        "csv" => Some(InputFormat::Csv),
        "tsv" | "tab" => Some(InputFormat::Tsv),
        "parquet" | "pq" => Some(InputFormat::Parquet),
        _ => None,
    }
}

fn by_content(head: &[u8]) -> Option<InputFormat> {
    let head = head.trim_ascii_start();
    let first_line = &head[..memchr(b'\n', head).unwrap_or(head.len())];
    match head.first()? {
        b'[' => Some(InputFormat::Json),
        b'{' => Some(if begins_a_longer_value(first_line) { InputFormat::Json } else { InputFormat::Jsonl }),
        _ if memchr(b'\t', first_line).is_some() => Some(InputFormat::Tsv),
        _ if first_line.iter().any(|byte| b",;|".contains(byte)) => Some(InputFormat::Csv),
        _ => None,
    }
}

/// Returns whether `line` is the beginning of a JSON value that goes on below.
fn begins_a_longer_value(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err_and(|error| error.is_eof())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, head: &str, expected: Option<InputFormat>) {
        assert_eq!(InputFormat::guess(name, head.as_bytes()), expected, "{name} {head:?}");
    }

    #[test]
    fn the_name_goes_before_the_content() {
        check("a/b.JSONL.gz", "[1]", Some(InputFormat::Jsonl));
        check("b.csv", "x", Some(InputFormat::Csv));
        check("b.tsv", "x", Some(InputFormat::Tsv));
        check("b.csv", "PAR1", Some(InputFormat::Parquet));
    }

    #[test]
    fn without_a_telling_name_the_content_decides() {
        check("-", " [\n", Some(InputFormat::Json));
        check("x.json", "{\"a\": 1}\n{\"a\": 2}\n", Some(InputFormat::Jsonl));
        check("x.json", "{\n  \"a\": 1\n}", Some(InputFormat::Json));
        check("-", "{\"a\": nul}\n", Some(InputFormat::Jsonl));
        check("x.txt", "a\tb,c\n", Some(InputFormat::Tsv));
        check("x", "a;b\n", Some(InputFormat::Csv));
        check("x", "hello\n", None);
    }

    #[test]
    fn names_are_read_back() {
        for format in InputFormat::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        assert!("xml".parse::<InputFormat>().is_err());
    }
}
