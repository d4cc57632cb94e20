//! What facts about a MongoDB server mean.

use ml_store_mongo::{Diagnosis, Topology};

use super::finding::{Finding, Subject};
use super::space::Space;

const SUBJECT: Subject = Subject::Documents;

/// The oldest series that its maker still mends.
const OLDEST_MAINTAINED: u32 = 7;

/// Judges the server; `wants_streams` is whether the configuration lets change streams be used.
pub(super) fn judge(facts: &Diagnosis, wants_streams: bool) -> Vec<Finding> {
    let mut findings = vec![
        SUBJECT.ok("reachable", format!("MongoDB at {}, database `{}`", facts.servers, facts.database)),
        version(&facts.server_version),
        SUBJECT.round_trip(facts.round_trip_ms),
        SUBJECT.clock_skew(facts.clock_skew_ms),
        permissions(facts),
        SUBJECT.migrations(&facts.pending_migrations),
        replica_set(&facts.topology),
        change_streams(facts, wants_streams),
    ];
    findings.extend(facts.disk.map(|disk| {
        let space = Space { free_bytes: disk.free_bytes, total_bytes: disk.total_bytes };
        space.judge(SUBJECT, "on the disk of the MongoDB server")
    }));
    findings
}

fn version(version: &str) -> Finding {
    const CHECK: &str = "version";
    let series: Option<u32> = version.split('.').next().and_then(|number| number.parse().ok());
    if series.is_some_and(|series| series < OLDEST_MAINTAINED) {
        let message = format!("MongoDB {version}, which gets no fixes any more");
        return SUBJECT.warning(CHECK, message, format!("upgrade the server to {OLDEST_MAINTAINED}.0 or later"));
    }
    SUBJECT.ok(CHECK, format!("MongoDB {version}"))
}

fn permissions(facts: &Diagnosis) -> Finding {
    const CHECK: &str = "permissions";
    let (database, may) = (&facts.database, facts.permissions);
    if !may.read || !may.write {
        let missing = if may.read { "change" } else { "read" };
        let message = format!("the user may not {missing} documents of `{database}`");
        return SUBJECT.failure(CHECK, message, format!("grant it the role `readWrite` on `{database}`"));
    }
    if !may.list_indexes || may.create_indexes == Some(false) {
        let message = format!("the user may not see or make indexes of `{database}`");
        let advice = format!("grant it the role `dbAdmin` on `{database}`, which `ml-app migrate` needs");
        return SUBJECT.warning(CHECK, message, advice);
    }
    SUBJECT.ok(
        CHECK,
        match may.create_indexes {
            Some(_) => "the user may read, write and make indexes",
            None => "the user may read and write; whether it may make indexes, the first `ml-app migrate` shows",
        },
    )
}

fn replica_set(topology: &Topology) -> Finding {
    const CHECK: &str = "replica set";
    match topology {
        Topology::ReplicaSet(name) => SUBJECT.ok(CHECK, format!("a member of `{name}`")),
        Topology::Sharded => SUBJECT.ok(CHECK, "a router of a sharded cluster"),
        Topology::Standalone => SUBJECT.warning(
            CHECK,
            "the server is on its own: it tells of no changes, and deletions are not seen",
            "start it with `--replSet rs0` and run `rs.initiate()` once; a set of one member will do",
        ),
    }
}

fn change_streams(facts: &Diagnosis, wants_streams: bool) -> Finding {
    const CHECK: &str = "change streams";
    if facts.has_change_streams {
        return SUBJECT.ok(CHECK, "the server tells of changes by itself");
    }
    let message = "the server is polled, a few seconds behind; deletions are not seen";
    if !wants_streams {
        return SUBJECT.warning(CHECK, message, "set `change_streams: true` in config/database.yaml");
    }
    let advice = match facts.topology {
        Topology::Standalone => "make the server a member of a replica set".to_owned(),
        _ => format!("grant the user `changeStream` and `find` on `{}`, as the role `readWrite` does", facts.database),
    };
    SUBJECT.warning(CHECK, message, advice)
}

#[cfg(test)]
mod tests {
    use ml_store_mongo::{Permissions, ServerDisk};

    use super::super::finding::Verdict;
    use super::*;

    fn healthy() -> Diagnosis {
        Diagnosis {
            servers: "h:27017".to_owned(),
            database: "ml_app".to_owned(),
            server_version: "8.0.4".to_owned(),
            topology: Topology::ReplicaSet("rs0".to_owned()),
            has_change_streams: true,
            permissions: Permissions { read: true, write: true, list_indexes: true, create_indexes: Some(true) },
            disk: Some(ServerDisk { total_bytes: 1 << 40, free_bytes: 1 << 39 }),
            clock_skew_ms: 3,
            round_trip_ms: 1,
            pending_migrations: Vec::new(),
        }
    }

    /// Checks what is found in one respect, and that the rest is well.
    fn check(facts: &Diagnosis, respect: &str, verdict: Verdict, message: &str) {
        let findings = judge(facts, true);
        for finding in &findings {
            let expected = if finding.check == respect { verdict } else { Verdict::Ok };
            assert_eq!(finding.verdict, expected, "{finding:?}");
        }
        let found = findings.iter().find(|finding| finding.check == respect).unwrap();
        assert!(found.message.contains(message), "{found:?}");
    }

    #[test]
    fn a_healthy_server() {
        check(&healthy(), "reachable", Verdict::Ok, "MongoDB at h:27017, database `ml_app`");
        let untried = Permissions { create_indexes: None, ..healthy().permissions };
        check(&Diagnosis { permissions: untried, ..healthy() }, "permissions", Verdict::Ok, "the first");
        check(&Diagnosis { topology: Topology::Sharded, ..healthy() }, "replica set", Verdict::Ok, "router");
        check(&Diagnosis { server_version: "unknown".to_owned(), ..healthy() }, "version", Verdict::Ok, "unknown");
        let silent = judge(&Diagnosis { disk: None, ..healthy() }, true);
        assert!(silent.iter().all(|finding| finding.check != "free space"), "{silent:?}");
    }

    #[test]
    fn every_fault_is_found() {
        let faulty = |alter: fn(&mut Diagnosis)| {
            let mut facts = healthy();
            alter(&mut facts);
            facts
        };
        check(&faulty(|facts| facts.server_version = "4.4.29".to_owned()), "version", Verdict::Warning, "no fixes");
        check(&faulty(|facts| facts.round_trip_ms = 400), "round trip", Verdict::Warning, "400 ms");
        check(&faulty(|facts| facts.clock_skew_ms = -5_000), "clock", Verdict::Warning, "5000 ms behind");
        check(&faulty(|facts| facts.permissions.read = false), "permissions", Verdict::Failure, "may not read");
        check(&faulty(|facts| facts.permissions.write = false), "permissions", Verdict::Failure, "may not change");
        check(&faulty(|facts| facts.permissions.list_indexes = false), "permissions", Verdict::Warning, "indexes");
        check(
            &faulty(|facts| facts.permissions.create_indexes = Some(false)),
            "permissions",
            Verdict::Warning,
            "indexes",
        );
        let pending = faulty(|facts| facts.pending_migrations = vec!["create_x".to_owned()]);
        check(&pending, "migrations", Verdict::Warning, "1 pending: create_x");
        check(&faulty(|facts| facts.topology = Topology::Standalone), "replica set", Verdict::Warning, "on its own");
        check(&faulty(|facts| facts.has_change_streams = false), "change streams", Verdict::Warning, "polled");
        let full = faulty(|facts| facts.disk = Some(ServerDisk { total_bytes: 1 << 40, free_bytes: 1 << 20 }));
        check(&full, "free space", Verdict::Failure, "1.0 MiB of 1.0 TiB");
    }

    #[test]
    fn why_there_are_no_streams_decides_what_to_do() {
        let advice = |topology, wants_streams| {
            let facts = Diagnosis { has_change_streams: false, topology, ..healthy() };
            change_streams(&facts, wants_streams).advice.unwrap()
        };
        assert!(advice(Topology::Standalone, true).contains("replica set"));
        assert!(advice(Topology::Sharded, true).contains("readWrite"));
        assert!(advice(Topology::Sharded, false).contains("change_streams: true"));
    }
}
