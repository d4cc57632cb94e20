//! Synthetic records of about 300 bytes: an id, times, text, numbers, a category and a truth value.

use std::io::{self, Write};

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat};

/// 2024-01-01T00:00:00Z, the time of the first record.
const FIRST_EVENT_SECONDS: i64 = 1_704_067_200;
/// From one record to the next.
const EVENT_STEP_SECONDS: i64 = 7;

const SOURCES: [&str; 4] = ["warehouse-north", "warehouse-south", "shop", "returns"];
const CATEGORIES: [&str; 5] = ["garden", "kitchen", "office", "sport", "travel"];
const WORDS: [&str; 32] = [
    "arrived", "blue", "box", "broken", "cheap", "clean", "customer", "delivery", "early", "exchange", "fine", "green",
    "heavy", "item", "label", "late", "light", "order", "packed", "paid", "quick", "receipt", "refund", "repair",
    "sealed", "second", "small", "sturdy", "summer", "torn", "weekly", "wooden",
];

/// Makes records one after the other; the same seed gives the same bytes.
pub(crate) struct RecordGenerator {
    random: SplitMix64,
}

impl RecordGenerator {
    /// Starts at the first record of `seed`.
    pub(crate) fn new(seed: u64) -> RecordGenerator {
        RecordGenerator { random: SplitMix64(seed) }
    }

    /// Writes `n_records` JSON lines.
    pub(crate) fn write(&mut self, n_records: u64, out: &mut impl Write) -> Result<()> {
        (0..n_records).try_for_each(|number| self.write_record(number, out)).context("cannot write the records")
    }

    fn write_record(&mut self, number: u64, out: &mut impl Write) -> io::Result<()> {
        let event_seconds = FIRST_EVENT_SECONDS + EVENT_STEP_SECONDS * number as i64;
        let lead_seconds = self.random.below(86_400) as i64;
        write!(out, r#"{{"id":"order-{number:010}","event_time":"{}""#, instant(event_seconds))?;
        write!(out, r#","ordered_at":"{}""#, instant(event_seconds - lead_seconds))?;
        write!(out, r#","source":"{}","category":"{}""#, self.pick(&SOURCES), self.pick(&CATEGORIES))?;
        write!(out, r#","price":{}.{:02}"#, self.random.below(500), self.random.below(100))?;
        write!(out, r#","quantity":{},"rating":{}"#, self.random.below(20) + 1, self.random.below(6))?;
        write!(out, r#","weight_kg":0.{:06}"#, self.random.below(1_000_000))?;
        write!(out, r#","returned":{},"note":""#, self.random.below(10) == 0)?;
        for position in 0..self.random.below(7) + 11 {
            let space = if position == 0 { "" } else { " " };
            write!(out, "{space}{}", self.pick(&WORDS))?;
        }
        writeln!(out, r#""}}"#)
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.random.below(choices.len() as u64) as usize]
    }
}

fn instant(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A small generator of good enough numbers, whose output never changes with a library.
///
/// Source: Steele, Lea and Flood, *Fast splittable pseudorandom number generators* (2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Returns a number in `0..end`; the bias is far below what a benchmark could notice.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    fn records(seed: u64, n_records: u64) -> String {
        let mut out = Vec::new();
        RecordGenerator::new(seed).write(n_records, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_generator_agrees_with_its_source() {
        // The first outputs of the reference implementation in C for the seed 1234567.
        let mut random = SplitMix64(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        assert_eq!(records(7, 100), records(7, 100));
        assert_ne!(records(7, 100), records(8, 100));
    }

    #[test]
    fn records_are_json_with_distinct_ids_and_about_300_bytes() {
        let text = records(1, 1000);
        let parsed: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: HashSet<&str> = parsed.iter().map(|record| record["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 1000);
        assert_eq!(parsed[1]["event_time"], "2024-01-01T00:00:07Z");
        let mean_bytes = text.len() / 1000;
        assert!((280..=320).contains(&mean_bytes), "{mean_bytes}");
    }
}
