//! What facts about a SQLite file mean.

use ml_store_sql::SqliteDiagnosis;

use super::finding::{Finding, Subject};
use super::space::size;

/// A log that is larger was not folded back for long, or someone still reads what was before it.
const LONG_LOG_BYTES: u64 = 512 * 1024 * 1024;

/// Judges the file of a store.
pub(super) fn judge(subject: Subject, facts: &SqliteDiagnosis) -> Vec<Finding> {
    let (path, bytes) = (facts.path.display(), size(facts.size_bytes));
    vec![
        subject.ok("reachable", format!("SQLite file {path}, {bytes}")),
        subject.ok("version", format!("SQLite {}, built in", facts.sqlite_version)),
        permissions(subject, facts),
        subject.migrations(&facts.pending_migrations),
        integrity(subject, facts),
        log(subject, facts),
    ]
}

fn permissions(subject: Subject, facts: &SqliteDiagnosis) -> Finding {
    const CHECK: &str = "permissions";
    if facts.may_write {
        return subject.ok(CHECK, "it can be read and written");
    }
    let advice = "let the user who runs ml-app write the file and its folder; until then only commands that read work";
    subject.failure(CHECK, "it can be read and not written", advice)
}

fn integrity(subject: Subject, facts: &SqliteDiagnosis) -> Finding {
    const CHECK: &str = "integrity";
    if facts.faults.is_empty() {
        return subject.ok(CHECK, format!("every page is sound, looked at in {} ms", facts.check_ms));
    }
    let (path, faults) = (facts.path.display(), facts.faults.join("; ").replace('\n', " "));
    let advice = format!(
        "stop writing, keep a copy of {path} and restore the last backup; `sqlite3 {path} .recover` saves what can be saved"
    );
    subject.failure(CHECK, format!("the file is damaged: {faults}"), advice)
}

fn log(subject: Subject, facts: &SqliteDiagnosis) -> Finding {
    const CHECK: &str = "log";
    if !facts.may_write {
        return subject.ok(CHECK, format!("read as it is ({})", facts.journal_mode));
    }
    if facts.journal_mode != "wal" {
        let message = format!("the file is in mode `{}`, not `wal`", facts.journal_mode);
        let advice =
            "keep the data folder on a local disk: a shared one cannot have the log that readers and writers need";
        return subject.warning(CHECK, message, advice);
    }
    let message = format!("{} wait in the log", size(facts.log_bytes));
    if facts.log_bytes <= LONG_LOG_BYTES {
        return subject.ok(CHECK, message);
    }
    subject.warning(
        CHECK,
        message,
        "end the program that has been reading the file for long, so that the log can be folded back",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn healthy() -> SqliteDiagnosis {
        SqliteDiagnosis {
            path: "/srv/ml/ml.sqlite".into(),
            sqlite_version: "3.50.0".to_owned(),
            size_bytes: 4096,
            reusable_bytes: 0,
            log_bytes: 0,
            journal_mode: "wal".to_owned(),
            may_write: true,
            faults: Vec::new(),
            check_ms: 3,
            pending_migrations: Vec::new(),
        }
    }

    /// Checks what is found in one respect, and that the rest is well.
    fn check(facts: &SqliteDiagnosis, respect: &str, verdict: Verdict, message: &str) {
        let findings = judge(Subject::Sql, facts);
        for finding in &findings {
            let expected = if finding.check == respect { verdict } else { Verdict::Ok };
            assert_eq!(finding.verdict, expected, "{finding:?}");
        }
        let found = findings.iter().find(|finding| finding.check == respect).unwrap();
        assert!(found.message.contains(message), "{found:?}");
    }

    #[test]
    fn a_healthy_file() {
        check(&healthy(), "reachable", Verdict::Ok, "/srv/ml/ml.sqlite, 4.0 KiB");
        check(&healthy(), "integrity", Verdict::Ok, "3 ms");
    }

    #[test]
    fn every_fault_is_found() {
        let facts = SqliteDiagnosis { may_write: false, journal_mode: "off".to_owned(), ..healthy() };
        check(&facts, "permissions", Verdict::Failure, "not written");
        let facts = SqliteDiagnosis { pending_migrations: vec!["create_x".to_owned()], ..healthy() };
        check(&facts, "migrations", Verdict::Warning, "1 pending: create_x");
        let facts = SqliteDiagnosis { faults: vec!["row 7\nmissing".to_owned(), "page 3".to_owned()], ..healthy() };
        check(&facts, "integrity", Verdict::Failure, "row 7 missing; page 3");
        let facts = SqliteDiagnosis { journal_mode: "delete".to_owned(), ..healthy() };
        check(&facts, "log", Verdict::Warning, "in mode `delete`");
        let facts = SqliteDiagnosis { log_bytes: LONG_LOG_BYTES + 1, ..healthy() };
        check(&facts, "log", Verdict::Warning, "512.0 MiB wait");
    }
}
