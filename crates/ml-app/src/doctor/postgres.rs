//! What facts about a PostgreSQL server mean.

use ml_store_sql::PostgresDiagnosis;

use super::finding::{Finding, Subject};
use super::space::size;

const SUBJECT: Subject = Subject::Sql;

/// The oldest series that its makers still mend.
const OLDEST_MAINTAINED: u32 = 14;

/// Judges the server.
pub(super) fn judge(facts: &PostgresDiagnosis) -> Vec<Finding> {
    let PostgresDiagnosis { server, database, schema, .. } = facts;
    let place = format!("PostgreSQL at {server}, database `{database}`, schema `{schema}`, {}", size(facts.size_bytes));
    vec![
        SUBJECT.ok("reachable", place),
        version(&facts.server_version),
        SUBJECT.round_trip(facts.round_trip_ms),
        SUBJECT.clock_skew(facts.clock_skew_ms),
        encryption(facts),
        permissions(facts),
        SUBJECT.migrations(&facts.pending_migrations),
    ]
}

fn version(version: &str) -> Finding {
    const CHECK: &str = "version";
    let series: Option<u32> =
        version.split(|c: char| !c.is_ascii_digit()).next().and_then(|number| number.parse().ok());
    if series.is_some_and(|series| series < OLDEST_MAINTAINED) {
        let message = format!("PostgreSQL {version}, which gets no fixes any more");
        return SUBJECT.warning(CHECK, message, format!("upgrade the server to {OLDEST_MAINTAINED} or later"));
    }
    SUBJECT.ok(CHECK, format!("PostgreSQL {version}"))
}

fn encryption(facts: &PostgresDiagnosis) -> Finding {
    const CHECK: &str = "encryption";
    if facts.is_encrypted {
        return SUBJECT.ok(CHECK, "the connection is encrypted");
    }
    if is_local(&facts.server) {
        return SUBJECT.ok(CHECK, "the connection is not encrypted, and does not leave this machine");
    }
    let advice =
        "switch `ssl` on in the server's configuration, and set `tls: { mode: verify_full }` in config/database.yaml";
    SUBJECT.warning(CHECK, "what is read and written crosses the network in clear", advice)
}

fn is_local(server: &str) -> bool {
    ["127.", "localhost:", "::1", "/"].iter().any(|prefix| server.starts_with(prefix))
}

fn permissions(facts: &PostgresDiagnosis) -> Finding {
    const CHECK: &str = "permissions";
    let PostgresDiagnosis { user, database, schema, .. } = facts;
    if !facts.takes_writes {
        let advice = "connect to the primary, or end `default_transaction_read_only`";
        return SUBJECT.failure(CHECK, "the server takes no writes", advice);
    }
    if !facts.permissions.write {
        let message = format!("the user `{user}` may not read and write every table of `{schema}`");
        let grant = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \"{schema}\" TO \"{user}\"");
        return SUBJECT.failure(CHECK, message, format!("let the owner run `{grant}`"));
    }
    if !facts.permissions.migrate {
        let message = format!("the user `{user}` may not make tables in `{schema}` of `{database}`");
        let grant = format!("GRANT USAGE, CREATE ON SCHEMA \"{schema}\" TO \"{user}\"");
        let advice = format!("let the owner run `{grant}`, which `ml-app migrate` needs, or migrate as the owner");
        return SUBJECT.warning(CHECK, message, advice);
    }
    SUBJECT.ok(CHECK, "the user may read, write and make tables")
}

#[cfg(test)]
mod tests {
    use ml_store_sql::PostgresPermissions;

    use super::super::finding::Verdict;
    use super::*;

    fn healthy() -> PostgresDiagnosis {
        PostgresDiagnosis {
            server: "db.example.com:5432".to_owned(),
            user: "ann".to_owned(),
            database: "ml".to_owned(),
            schema: "public".to_owned(),
            server_version: "17.2 (Debian 17.2-1)".to_owned(),
            size_bytes: 8 << 20,
            is_encrypted: true,
            takes_writes: true,
            permissions: PostgresPermissions { write: true, migrate: true },
            clock_skew_ms: 3,
            round_trip_ms: 1,
            pending_migrations: Vec::new(),
        }
    }

    /// Checks what is found in one respect, and that the rest is well.
    fn check(alter: fn(&mut PostgresDiagnosis), respect: &str, verdict: Verdict, message: &str) {
        let mut facts = healthy();
        alter(&mut facts);
        let findings = judge(&facts);
        for finding in &findings {
            let expected = if finding.check == respect { verdict } else { Verdict::Ok };
            assert_eq!(finding.verdict, expected, "{finding:?}");
        }
        let found = findings.iter().find(|finding| finding.check == respect).unwrap();
        assert!(found.message.contains(message), "{found:?}");
    }

    #[test]
    fn a_healthy_server() {
        check(|_| (), "reachable", Verdict::Ok, "db.example.com:5432, database `ml`, schema `public`, 8.0 MiB");
        check(|facts| facts.server_version = "18beta1".to_owned(), "version", Verdict::Ok, "18beta1");
        let at_home = |facts: &mut PostgresDiagnosis| {
            facts.is_encrypted = false;
            facts.server = "127.0.0.1:5432".to_owned();
        };
        check(at_home, "encryption", Verdict::Ok, "does not leave this machine");
    }

    #[test]
    fn every_fault_is_found() {
        check(|facts| facts.server_version = "12.9".to_owned(), "version", Verdict::Warning, "no fixes");
        check(|facts| facts.round_trip_ms = 400, "round trip", Verdict::Warning, "400 ms");
        check(|facts| facts.clock_skew_ms = -5_000, "clock", Verdict::Warning, "5000 ms behind");
        check(|facts| facts.is_encrypted = false, "encryption", Verdict::Warning, "in clear");
        check(|facts| facts.takes_writes = false, "permissions", Verdict::Failure, "takes no writes");
        check(|facts| facts.permissions.write = false, "permissions", Verdict::Failure, "every table of `public`");
        check(|facts| facts.permissions.migrate = false, "permissions", Verdict::Warning, "may not make tables");
        let pending = |facts: &mut PostgresDiagnosis| facts.pending_migrations = vec!["create_x".to_owned()];
        check(pending, "migrations", Verdict::Warning, "1 pending: create_x");
    }
}
