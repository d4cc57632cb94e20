//! Whether both stores agree: by id and hash, nothing twice, quarantine exact, counts that add up, and the rows of a sync that
//! nothing interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use mongodb::bson::{Bson, doc};
use serde_json::Value;

use super::churn::Churn;
use super::documents::{COLLECTIONS, Sort};
use super::process::Process;
use super::site::Site;
use crate::harness::wait_until;

/// The tables that a sync fills, each with the columns that the documents decide.
const TABLES: &[(&str, &str)] = &[
    (
        "global_ml_data",
        "id, source_app, data_type, processed_content, features, event_time, raw_id, content_hash, schema_version",
    ),
    ("market_metrics", "id, source_app, symbol, event_time, open, high, low, close, volume, raw_id, content_hash"),
    ("user_interactions", "id, source_app, user_id, item_id, action, value, event_time, raw_id, content_hash"),
    ("quarantine", "collection, raw_id, data_type, source_app, reasons"),
    ("quarantine_reasons", "collection, raw_id, place, rule, field"),
    ("unique_keys", "scope, key, collection, raw_id"),
];

/// Where the rows of each collection are.
const ROW_TABLES: [(&str, &str); 3] =
    [("text_corpus", "global_ml_data"), ("market_data", "market_metrics"), ("raw_records", "user_interactions")];

type Key = (String, String);

/// Checks everything after a last sync; `context` says which run it was.
pub(super) fn check(site: &Site<'_>, churn: &Churn<'_>, context: &str) {
    check_documents(site, churn, context);
    check_outcomes(site, churn, context);
    check_rows(site, churn, context);
    check_history(site, context);
    check_counts(site, context);
    check_against_uninterrupted(site, context);
}

/// Returns what SQL has of every document that is there, as the lineage says: content hash and outcome.
fn outcomes(site: &Site<'_>) -> BTreeMap<Key, (String, String)> {
    let query = "SELECT collection, raw_id, content_hash, outcome FROM record_lineage WHERE outcome <> 'deleted'";
    let rows = site.sql.select(query).into_iter();
    rows.map(|row| {
        let [collection, id, hash, outcome]: [String; 4] = row.try_into().expect("four columns were asked for");
        ((collection, id), (hash, outcome))
    })
    .collect()
}

/// Returns the outcome that every document must have; that of one that cannot be read has a hash of its own making.
fn expected_outcomes(churn: &Churn<'_>) -> BTreeMap<Key, (Option<String>, String)> {
    let mut expected = BTreeMap::new();
    for (collection, id, version) in churn.documents() {
        let (hash, outcome) = match version.sort {
            Sort::Sound => (Some(version.content_hash.clone()), "written"),
            Sort::Faulty => (Some(version.content_hash.clone()), "quarantined"),
            Sort::Unreadable => (None, "quarantined"),
            Sort::Published => continue,
        };
        expected.insert((collection.to_owned(), id.to_owned()), (hash, outcome.to_owned()));
    }
    expected
}

/// Waits until a sync that follows has carried everything over.
#[track_caller]
pub(super) fn wait_until_agreed(site: &Site<'_>, churn: &Churn<'_>, process: &mut Process, context: &str) {
    wait_until(&format!("both sides agree ({context})"), || {
        process.assert_at_work(context);
        difference(site, churn).map_or(Ok(()), |difference| Err(format!("{difference}\n{}", process.said())))
    });
}

/// Tells what still differs between the documents and SQL.
fn difference(site: &Site<'_>, churn: &Churn<'_>) -> Option<String> {
    let (found, expected) = (outcomes(site), expected_outcomes(churn));
    for (key, (hash, outcome)) in &expected {
        let agrees = found.get(key).is_some_and(|(found_hash, found_outcome)| {
            found_outcome == outcome && hash.as_ref().is_none_or(|hash| hash == found_hash)
        });
        if !agrees {
            return Some(format!("{key:?} is {:?} and should be {:?}", found.get(key), (hash, outcome)));
        }
    }
    let surplus = found.iter().find(|(key, _)| !expected.contains_key(key))?;
    Some(format!("{surplus:?} should be gone"))
}

/// The documents are what the test believes they are; otherwise it is wrong about everything else.
fn check_documents(site: &Site<'_>, churn: &Churn<'_>, context: &str) {
    let mut found = BTreeSet::new();
    for collection in COLLECTIONS {
        for document in site.database.list(collection, doc! { "content_hash": 1 }) {
            let id = match document.get("_id") {
                Some(Bson::ObjectId(id)) => id.to_hex(),
                id => id.and_then(Bson::as_str).unwrap_or_default().to_owned(),
            };
            found.insert((collection, id, document.get_str("content_hash").ok().map(str::to_owned)));
        }
    }
    let expected = churn.documents().map(|(collection, id, version)| {
        let content_hash = version.document.get_str("content_hash").ok().map(str::to_owned);
        (collection, id.to_owned(), content_hash)
    });
    assert_same(found, expected, "the documents", context);
}

fn check_outcomes(site: &Site<'_>, churn: &Churn<'_>, context: &str) {
    if let Some(difference) = difference(site, churn) {
        panic!("{context}: {difference}");
    }
}

/// Each sound document has one row, each that waits is in quarantine once, and there is nothing else.
fn check_rows(site: &Site<'_>, churn: &Churn<'_>, context: &str) {
    let of = |collection: &str, wanted: &[Sort]| -> Vec<String> {
        let documents =
            churn.documents().filter(|(of, _, version)| *of == collection && wanted.contains(&version.sort));
        documents.map(|(_, id, _)| id.to_owned()).collect()
    };
    for (collection, table) in ROW_TABLES {
        let rows = site.sql.texts(&format!("SELECT raw_id FROM {table}"));
        assert_same(rows, of(collection, &[Sort::Sound]), &format!("the rows of {table}"), context);
        let waiting = site.sql.texts(&format!("SELECT raw_id FROM quarantine WHERE collection = '{collection}'"));
        let expected = of(collection, &[Sort::Faulty, Sort::Unreadable]);
        assert_same(waiting, expected, &format!("the quarantine of {collection}"), context);
    }
    let texts: BTreeSet<String> = site.sql.texts("SELECT processed_content FROM global_ml_data").into_iter().collect();
    for (collection, id, version) in churn.documents() {
        let is_ours = version.document.get_str("source_app").is_ok_and(|source_app| source_app == "chaos");
        if collection == "text_corpus" && version.sort == Sort::Sound && is_ours {
            let text = format!("note {}", version.content_hash);
            assert!(texts.contains(&text), "{context}: `{id}` has not the content of its newest version");
        }
    }
}

/// Of any row, two versions were never current at once.
fn check_history(site: &Site<'_>, context: &str) {
    let query =
        "SELECT table_name, id, created_at, superseded_at FROM superseded_rows ORDER BY table_name, id, created_at";
    let mut versions: BTreeMap<Key, Vec<(String, String)>> = BTreeMap::new();
    for row in site.sql.select(query) {
        let [table, id, from, to]: [String; 4] = row.try_into().expect("four columns were asked for");
        versions.entry((table, id)).or_default().push((from, to));
    }
    for (_, table) in ROW_TABLES {
        for row in site.sql.select(&format!("SELECT id, created_at FROM {table}")) {
            let [id, from]: [String; 2] = row.try_into().expect("two columns were asked for");
            versions.entry((table.to_owned(), id)).or_default().push((from, "now".to_owned()));
        }
    }
    for (row, versions) in versions {
        for pair in versions.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{context}: {row:?} had two versions at once: {pair:?}");
        }
    }
}

fn check_counts(site: &Site<'_>, context: &str) {
    let query = "SELECT collection, n_read, n_written, n_unchanged, n_quarantined, n_deleted FROM sync_checkpoints";
    for row in site.sql.select(query) {
        let counts: Vec<u64> = row[1..].iter().map(|count| count.parse().expect("a count is a number")).collect();
        assert_eq!(counts[0], counts[1..].iter().sum::<u64>(), "{context}: the counts of {} do not add up", row[0]);
    }
    let status = site.status();
    assert_eq!(status["adds_up"], true, "{context}: {status}");
    for collection in status["collections"].as_array().expect("there is a list") {
        let name = collection["collection"].as_str().expect("a collection has a name");
        let waiting = site.sql.texts(&format!("SELECT raw_id FROM quarantine WHERE collection = '{name}'"));
        assert_eq!(collection["in_quarantine"], waiting.len() as u64, "{context}: {status}");
        assert_eq!(collection["lag_events"], 0, "{context}: {status}");
    }
    // Who asks again gets nothing.
    let again = site.json(&["sync"]);
    let read: u64 = again["collections"].as_object().expect("there is a map").values().map(n_read).sum();
    assert_eq!(read, 0, "{context}: {again}");
}

fn n_read(counts: &Value) -> u64 {
    counts["read"].as_u64().expect("a count is a number")
}

/// A sync that nothing interrupts makes the same of the documents as they are now.
fn check_against_uninterrupted(site: &Site<'_>, context: &str) {
    let uninterrupted = site.beside();
    uninterrupted.json(&["sync"]);
    for (table, columns) in TABLES {
        let query = format!("SELECT {columns} FROM {table}");
        let [found, expected] = [site, &uninterrupted].map(|site| site.sql.select(&query));
        assert_same(found, expected, &format!("the table {table}"), context);
    }
    assert_same(outcomes(site), outcomes(&uninterrupted), "the lineage", context);
}

/// Compares lists that are too long to be shown whole, in any order; what is there twice counts twice.
#[track_caller]
fn assert_same<T: Debug>(
    found: impl IntoIterator<Item = T>,
    expected: impl IntoIterator<Item = T>,
    what: &str,
    context: &str,
) {
    let mut surplus: BTreeMap<String, i64> = BTreeMap::new();
    found.into_iter().for_each(|item| *surplus.entry(format!("{item:?}")).or_default() += 1);
    expected.into_iter().for_each(|item| *surplus.entry(format!("{item:?}")).or_default() -= 1);
    surplus.retain(|_, n_surplus| *n_surplus != 0);
    let differing: Vec<_> = surplus.iter().take(8).collect();
    assert!(
        surplus.is_empty(),
        "{context}: {what} differ in {} items, such as (-1 is missing) {differing:#?}",
        surplus.len()
    );
}
