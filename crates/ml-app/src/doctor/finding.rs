//! What a check found, in one form for every store, folder and file.

use std::fmt;

use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and may not go on to.
    Warning,
    /// Something does not work.
    Failure,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failure => "FAILURE",
        })
    }
}

/// What was examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Subject {
    /// Files, variables and flags.
    Configuration,
    /// The folder of the embedded stores and the artifacts.
    DataFolder,
    /// The folder for files that do not last.
    TemporaryFolder,
    /// The document store.
    Documents,
    /// The SQL store.
    Sql,
    /// Models and datasets, as files.
    Artifacts,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Subject::Configuration => "configuration",
            Subject::DataFolder => "data folder",
            Subject::TemporaryFolder => "temporary folder",
            Subject::Documents => "documents",
            Subject::Sql => "sql",
            Subject::Artifacts => "artifacts",
        })
    }
}

/// What one check of something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What was examined.
    pub(crate) subject: Subject,
    /// In which respect, such as `version`.
    pub(crate) check: &'static str,
    /// How that is.
    pub(crate) verdict: Verdict,
    /// What was found.
    pub(crate) message: String,
    /// What to do; absent when there is nothing to do.
    pub(crate) advice: Option<String>,
}

impl Subject {
    /// Finds that all is well.
    pub(crate) fn ok(self, check: &'static str, message: impl Into<String>) -> Finding {
        Finding { subject: self, check, verdict: Verdict::Ok, message: message.into(), advice: None }
    }

    /// Finds what works, and may not go on to unless something is done.
    pub(crate) fn warning(self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Finding {
        let advice = Some(advice.into());
        Finding { subject: self, check, verdict: Verdict::Warning, message: message.into(), advice }
    }

    /// Finds what does not work until something is done.
    pub(crate) fn failure(self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Finding {
        let advice = Some(advice.into());
        Finding { subject: self, check, verdict: Verdict::Failure, message: message.into(), advice }
    }

    /// Finds pending migrations, or none.
    pub(crate) fn migrations(self, pending: &[String]) -> Finding {
        const CHECK: &str = "migrations";
        if pending.is_empty() {
            return self.ok(CHECK, "all are applied");
        }
        let message = format!("{} pending: {}", pending.len(), pending.join(", "));
        self.warning(
            CHECK,
            message,
            "apply them with `ml-app migrate`; the next command that opens the store does so too",
        )
    }
}

/// How far two clocks may be apart before the order of records suffers, in milliseconds.
const MOST_SKEW_MS: i64 = 1_000;

/// How long an answer may take before that slows everything down, in milliseconds.
const MOST_ROUND_TRIP_MS: u64 = 100;

impl Subject {
    /// Judges how far the clock of a server is ahead of ours.
    pub(crate) fn clock_skew(self, ahead_ms: i64) -> Finding {
        const CHECK: &str = "clock";
        let direction = if ahead_ms < 0 { "behind" } else { "ahead of" };
        let message = format!("the server's is {} ms {direction} ours", ahead_ms.unsigned_abs());
        if ahead_ms.abs() <= MOST_SKEW_MS {
            return self.ok(CHECK, message);
        }
        self.warning(CHECK, message, "set both clocks by NTP: records are ordered by the time of their ingest")
    }

    /// Judges how long a server takes to answer.
    pub(crate) fn round_trip(self, milliseconds: u64) -> Finding {
        const CHECK: &str = "round trip";
        let message = format!("{milliseconds} ms");
        if milliseconds <= MOST_ROUND_TRIP_MS {
            return self.ok(CHECK, message);
        }
        self.warning(CHECK, message, "run ml-app nearer to the server: every batch waits for several answers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(finding: &Finding, verdict: Verdict, message: &str) {
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert!(finding.message.contains(message), "{finding:?}");
        assert_eq!(finding.advice.is_none(), verdict == Verdict::Ok, "{finding:?}");
    }

    #[test]
    fn pending_migrations_are_named() {
        check(&Subject::Sql.migrations(&[]), Verdict::Ok, "all are applied");
        let pending = ["create_a".to_owned(), "create_b".to_owned()];
        check(&Subject::Sql.migrations(&pending), Verdict::Warning, "2 pending: create_a, create_b");
    }

    #[test]
    fn clocks_may_differ_a_little() {
        check(&Subject::Documents.clock_skew(0), Verdict::Ok, "0 ms ahead of ours");
        check(&Subject::Documents.clock_skew(-1_000), Verdict::Ok, "1000 ms behind ours");
        check(&Subject::Documents.clock_skew(1_001), Verdict::Warning, "1001 ms ahead of");
        check(&Subject::Documents.clock_skew(-90_000), Verdict::Warning, "90000 ms behind");
        check(&Subject::Documents.clock_skew(i64::MAX), Verdict::Warning, "ahead of");
    }

    #[test]
    fn answers_are_to_come_soon() {
        check(&Subject::Documents.round_trip(100), Verdict::Ok, "100 ms");
        check(&Subject::Documents.round_trip(101), Verdict::Warning, "101 ms");
    }
}
