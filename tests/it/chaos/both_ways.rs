//! Both directions at once: documents are synced to SQL and predictions are published from SQL, and either process is killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mongodb::bson::{Document, doc};
use rand::Rng as _;
use serde_json::Value;

use super::churn::Churn;
use super::points;
use super::process::Process;
use super::site::Site;
use super::verdict;
use crate::harness::mongo::TestDatabase;
use crate::harness::samples::{self, seeded};
use crate::harness::sql_side::SqlPlace;

const N_NOTES: usize = 100;
const N_DOCUMENTS: usize = 60;
const N_CHANGES: usize = 12;

const SET_UP: [&str; 4] = [
    "ingest notes.jsonl --data-type text --source-app tests --id-field id --time-field published_at",
    "sync",
    "dataset create notes --data-type text --source-app tests --split stratified:topic:50/50 --seed 7",
    "train --pipeline notes.yaml --dataset notes --alias champion",
];
const PREDICT: &[&str] = &["predict", "--model", "notes@champion", "--dataset", "notes"];
const PUBLISH: &[&str] = &["publish"];
const SYNC: &[&str] = &["sync", "--follow"];

/// How long each command takes when nothing is in its way.
struct Usual {
    predict: Duration,
    publish: Duration,
}

fn check(place: &SqlPlace, seed: u64) {
    let Some(database) = TestDatabase::new() else { return };
    let site = Site::new(&database, place);
    set_up(&site);
    let mut churn = Churn::begin(&database, seed, N_DOCUMENTS);
    let usual = Usual { predict: timed(&site, PREDICT), publish: timed(&site, PUBLISH) };
    let mut rng = seeded(seed);
    let mut n_killed = [0; 3];
    for round in 0..points::BOTH_WAYS.count(place) {
        let delays = [usual.predict, usual.publish].map(|usual| usual.mul_f64(rng.random_range(0.0..1.2)));
        let context = format!("{place:?}, seed {seed}, round {round}, predict and publish killed after {delays:?}");
        // What is gone is delivered again, because it is scored again.
        database.delete("predictions", doc! {});
        let sync = Process::start(&site, SYNC);
        std::thread::scope(|scope| {
            scope.spawn(|| churn.take(N_CHANGES));
            for (index, args) in [PREDICT, PUBLISH].into_iter().enumerate() {
                let process = Process::start(&site, args);
                n_killed[index] += usize::from(process.killed_after(delays[index], || false, &context));
            }
        });
        n_killed[2] += usize::from(sync.kill(&context));
    }
    for args in [PREDICT, PUBLISH, PUBLISH, &["sync"]] {
        site.json(args);
    }
    let context = format!("{place:?}, seed {seed}, after {n_killed:?} kills of predict, publish and sync");
    check_published(&site, &context);
    verdict::check(&site, &churn, &context);
}

fn set_up(site: &Site<'_>) {
    site.workspace().write("notes.jsonl", samples::notes(N_NOTES));
    site.workspace().write("notes.yaml", include_str!("../fixtures/notes.yaml"));
    for command in SET_UP {
        site.json(&command.split(' ').collect::<Vec<_>>());
    }
}

fn timed(site: &Site<'_>, args: &[&str]) -> Duration {
    let start = Instant::now();
    site.json(args);
    start.elapsed()
}

/// Every publication is a document once, and says what was put.
fn check_published(site: &Site<'_>, context: &str) {
    let mut entries = BTreeMap::new();
    for row in site.sql.select("SELECT id, body, delivered_at FROM outbox WHERE kind = 'predictions'") {
        let [id, body, delivered_at]: [String; 3] = row.try_into().expect("three columns were asked for");
        assert_ne!(delivered_at, "null", "{context}: `{id}` still waits");
        let body: Value = serde_json::from_str(&body).expect("a body is JSON");
        entries.insert(id, essence_of_entry(&body));
    }
    assert_eq!(entries.len(), N_NOTES, "{context}");
    let documents: BTreeMap<String, String> =
        site.database.list("predictions", Document::new()).iter().map(essence_of_document).collect();
    assert_eq!(documents, entries, "{context}");
    assert_eq!(site.database.count("predictions", doc! {}), entries.len() as u64, "{context}");
}

fn essence_of_entry(body: &Value) -> String {
    format!("{} {}", body["record_id"], body["value"])
}

fn essence_of_document(document: &Document) -> (String, String) {
    let text = |field: &str| document.get_str(field).expect("a prediction has texts");
    (text("_id").to_owned(), format!("{:?} {:?}", text("record_id"), text("value")))
}

#[test]
fn both_directions_at_once_on_sqlite() {
    check(&SqlPlace::Sqlite, 60);
}

#[test]
fn both_directions_at_once_on_postgres() {
    let Some(place) = SqlPlace::postgres() else { return };
    check(&place, 61);
}
