//! Reads the output of Rust's test harness and adds up the totals.
//!
//! The harness knows passed, failed and ignored. A test that finds out by itself that it cannot run here (a data set or a
//! server is missing) prints a line that begins with `skipped: ` and returns; the harness counts it as passed, the tally
//! as skipped.

use std::fmt;

/// The totals over some test binaries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Tests that ran and passed.
    pub(crate) passed: u64,
    /// Tests that ran and failed.
    pub(crate) failed: u64,
    /// Tests that could not run here.
    pub(crate) skipped: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Which part of a test binary's output is being read.
#[derive(Debug, Default, PartialEq)]
enum Section {
    /// One line per test as it ends.
    #[default]
    Progress,
    /// What the passed tests printed.
    Successes,
    /// What the failed tests printed.
    Failures,
}

/// Follows the output line by line.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    summary: Summary,
    section: Section,
    /// The passed test whose output is being read, until it has said that it was skipped.
    test: Option<String>,
    /// Tests of the current binary that said so.
    n_skipped: u64,
}

impl Tally {
    /// Takes the next line and returns what to show of it: the output of passed tests is left out, but for why they skipped.
    pub(crate) fn read_line(&mut self, line: &str) -> Option<String> {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.end_binary(counts);
            return Some(line.to_owned());
        }
        match line {
            "failures:" => self.section = Section::Failures,
            "successes:" if self.section != Section::Failures => self.section = Section::Successes,
            _ => {}
        }
        if self.section != Section::Successes {
            return Some(line.to_owned());
        }
        if let Some(test) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.test = Some(test.to_owned());
            return None;
        }
        let reason = line.strip_prefix("skipped: ")?;
        let test = self.test.take()?;
        self.n_skipped += 1;
        Some(format!("skipped {test}: {reason}"))
    }

    /// Returns the totals of the binaries that came to their end.
    pub(crate) fn summary(&self) -> Summary {
        self.summary
    }

    fn end_binary(&mut self, counts: &str) {
        self.summary.passed += count_of(counts, "passed").saturating_sub(self.n_skipped);
        self.summary.failed += count_of(counts, "failed");
        self.summary.skipped += count_of(counts, "ignored") + self.n_skipped;
        self.section = Section::Progress;
        self.test = None;
        self.n_skipped = 0;
    }
}

/// Returns the number before `what` in `ok. 3 passed; 0 failed; …`.
fn count_of(counts: &str, what: &str) -> u64 {
    let words: Vec<&str> = counts.split([' ', ';']).filter(|word| !word.is_empty()).collect();
    let pair = words.windows(2).find(|pair| pair[1] == what);
    pair.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `output` and returns the totals with the lines that are shown.
    fn read(output: &str) -> (String, Vec<String>) {
        let mut tally = Tally::default();
        let shown = output.lines().filter_map(|line| tally.read_line(line)).collect();
        (tally.summary().to_string(), shown)
    }

    #[test]
    fn the_totals_of_all_binaries_are_added_up() {
        let (summary, shown) = read(
            "running 2 tests\n\
             test a ... ok\n\
             test b ... ignored\n\
             test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             running 3 tests\n\
             test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.20s\n",
        );
        assert_eq!(summary, "2 passed, 2 failed, 1 skipped");
        assert_eq!(shown.len(), 6, "{shown:?}");
    }

    #[test]
    fn a_test_that_says_it_skipped_did_not_pass() {
        let (summary, shown) = read(
            "test a ... ok\n\
             test b ... ok\n\
             \n\
             successes:\n\
             \n\
             ---- a stdout ----\n\
             some output\n\
             \n\
             ---- b stdout ----\n\
             skipped: no ../shared/data\n\
             skipped: said twice\n\
             \n\
             successes:\n    \
                 a\n    \
                 b\n\
             \n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        );
        assert_eq!(summary, "1 passed, 0 failed, 1 skipped");
        assert_eq!(shown[3], "skipped b: no ../shared/data");
        assert_eq!(shown.len(), 5, "{shown:?}");
    }

    #[test]
    fn what_a_failed_test_printed_is_shown_whole() {
        let (summary, shown) = read(
            "successes:\n\
             successes:\n    \
                 fine\n\
             failures:\n\
             ---- broken stdout ----\n\
             skipped: not really\n\
             assertion failed\n\
             failures:\n    \
                 broken\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        );
        assert_eq!(summary, "1 passed, 1 failed, 0 skipped");
        assert!(shown.contains(&"assertion failed".to_owned()), "{shown:?}");
    }

    #[test]
    fn a_binary_that_dies_counts_nothing() {
        let (summary, _) = read("running 2 tests\ntest a ... ok\n");
        assert_eq!(summary, "0 passed, 0 failed, 0 skipped");
    }
}
