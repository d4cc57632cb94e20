//! `kill -9` at any moment, and two processes at once: nothing is lost, doubled or half there.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::harness::dump;
use crate::harness::outcome::Outcome;
use crate::harness::samples;
use crate::harness::workspace::Workspace;

const N_NOTES: usize = 10_000;

/// How often each of the two commands is killed, over as many data folders as that takes.
const N_KILLS: usize = 25;

/// How often a command is killed in one data folder at most, before it is left to get to its end.
const MAX_KILLS_PER_FOLDER: usize = 5;

const INGEST: &[&str] = &[
    "ingest",
    "notes.jsonl",
    "corrections.jsonl",
    "--data-type",
    "text",
    "--source-app",
    "tests",
    "--id-field",
    "id",
    "--time-field",
    "published_at",
    "--allow-rejected",
];
const SYNC: &[&str] = &["sync"];

/// Sound notes, and among them lines that are rejected and records that are quarantined.
fn notes_with_faults() -> String {
    let mut lines = String::new();
    for (index, line) in samples::notes(N_NOTES).lines().enumerate() {
        lines.push_str(line);
        lines.push('\n');
        let fault = match index % 100 {
            10 => "{ not json".to_owned(),
            20 => format!(r#"{{"id":"empty-{index}","text":"","published_at":"2025-04-01"}}"#),
            30 => {
                format!(r#"{{"id":"note-{index}","text":"what counts for note {index}","published_at":"2025-04-01"}}"#)
            }
            40 => format!(r#"{{"id":"none-{index}","published_at":"2025-04-01"}}"#),
            _ => continue,
        };
        lines.push_str(&fault);
        lines.push('\n');
    }
    lines
}

/// Every fifth note again, with other content that replaces the first.
fn corrections() -> String {
    samples::notes(N_NOTES)
        .lines()
        .step_by(5)
        .map(|line| line.replace("\"text\":\"", "\"text\":\"corrected: ") + "\n")
        .collect()
}

fn new_workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("notes.jsonl", notes_with_faults());
    workspace.write("corrections.jsonl", corrections());
    workspace
}

fn contents(workspace: &Workspace) -> BTreeMap<String, Vec<String>> {
    dump::dump(&workspace.path("ml-data"))
}

/// Runs a command that must succeed and returns how long it took.
fn timed(workspace: &Workspace, args: &[&str]) -> Duration {
    let start = Instant::now();
    workspace.run(args).succeeded();
    start.elapsed()
}

/// Starts a command, kills it after `delay`, and returns whether it was still at work then.
fn killed_after(workspace: &Workspace, args: &[&str], delay: Duration) -> bool {
    let log = fs::File::create(workspace.path("stderr.log")).expect("the file can be made");
    let mut command = workspace.command(args);
    let mut child = command.stdout(std::process::Stdio::null()).stderr(log).spawn().expect("the program starts");
    std::thread::sleep(delay);
    let was_running = child.try_wait().expect("the process can be looked at").is_none();
    child.kill().expect("a process of ours can be killed");
    let status = child.wait().expect("a process of ours can be waited for");
    if status.code().is_none() {
        return was_running;
    }
    let stderr = fs::read_to_string(workspace.path("stderr.log")).expect("the file can be read");
    assert!(status.success(), "after {delay:?}: {status}\n{stderr}");
    false
}

/// Kills and restarts a command at random moments, and lets it get to its end; returns how often it was killed.
fn run_through_kills(workspace: &Workspace, args: &[&str], whole: Duration, rng: &mut ChaCha8Rng) -> usize {
    for n_kills in 0..MAX_KILLS_PER_FOLDER {
        if !killed_after(workspace, args, whole.mul_f64(rng.random_range(0.0..1.0))) {
            return n_kills;
        }
    }
    workspace.run(args).succeeded();
    MAX_KILLS_PER_FOLDER
}

#[track_caller]
fn assert_contents(workspace: &Workspace, expected: &BTreeMap<String, Vec<String>>) {
    dump::assert_sound(&workspace.path("ml-data"));
    let found = contents(workspace);
    for (table, rows) in expected {
        let differing = rows.iter().zip(&found[table]).find(|(expected, found)| expected != found);
        let (n_found, n_expected) = (found[table].len(), rows.len());
        assert!(rows == &found[table], "table {table}: {n_found} rows, {n_expected} expected; {differing:?}");
    }
}

#[test]
fn ingest_killed_at_random_moments_ends_as_if_it_had_not_been() {
    let uninterrupted = new_workspace();
    let takes = timed(&uninterrupted, INGEST);
    uninterrupted.run(SYNC).succeeded();
    let expected = contents(&uninterrupted);
    let n_corrected = expected["text_corpus"].iter().filter(|row| row.contains("corrected: ")).count();
    assert_eq!(n_corrected, N_NOTES / 5);

    let mut rng = samples::seeded(2);
    let mut n_kills = 0;
    while n_kills < N_KILLS {
        let workspace = new_workspace();
        n_kills += run_through_kills(&workspace, INGEST, takes, &mut rng);
        workspace.run(SYNC).succeeded();
        assert_contents(&workspace, &expected);
    }
}

#[test]
fn sync_killed_at_random_moments_ends_as_if_it_had_not_been() {
    let ingested = new_workspace();
    ingested.run(INGEST).succeeded();
    let uninterrupted = Workspace::copy_of(&ingested);
    let takes = timed(&uninterrupted, SYNC);
    let expected = contents(&uninterrupted);
    assert_eq!((expected["global_ml_data"].len(), expected["quarantine"].len()), (N_NOTES, N_NOTES / 50));

    let mut rng = samples::seeded(3);
    let mut n_kills = 0;
    while n_kills < N_KILLS {
        let workspace = Workspace::copy_of(&ingested);
        n_kills += run_through_kills(&workspace, SYNC, takes, &mut rng);
        assert_contents(&workspace, &expected);
    }
}

#[test]
fn killed_between_ingest_and_sync_the_rows_are_the_same() {
    let uninterrupted = new_workspace();
    let ingest_takes = timed(&uninterrupted, INGEST);
    let sync_takes = timed(&uninterrupted, SYNC);
    let expected = contents(&uninterrupted);

    let workspace = new_workspace();
    let mut rng = samples::seeded(4);
    for _ in 0..4 {
        killed_after(&workspace, INGEST, ingest_takes.mul_f64(rng.random_range(0.0..1.0)));
        killed_after(&workspace, SYNC, sync_takes.mul_f64(rng.random_range(0.0..1.0)));
    }
    workspace.run(INGEST).succeeded();
    workspace.run(SYNC).succeeded();

    let found = contents(&workspace);
    for table in ["text_corpus", "global_ml_data", "quarantine_reasons"] {
        assert!(found[table] == expected[table], "table {table} differs");
    }
}

#[test]
fn two_processes_ingest_into_one_folder() {
    let workspace = Workspace::new();
    let all = samples::notes(N_NOTES);
    let lines: Vec<&str> = all.lines().collect();
    let (one, other) = lines.split_at(N_NOTES / 2);
    workspace.write("one.jsonl", one.join("\n"));
    workspace.write("other.jsonl", other.join("\n"));
    let start = |file: &str| {
        let args = ["ingest", file, "--data-type", "text", "--source-app", "tests", "--id-field", "id"];
        let mut command = workspace.command(&args);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().expect("the program starts")
    };

    let children = [start("one.jsonl"), start("other.jsonl")];

    for child in children {
        let output = child.wait_with_output().expect("the process ends");
        Outcome::new("ingest beside another".to_owned(), output).succeeded();
    }
    assert_eq!(workspace.count("text_corpus"), N_NOTES as u64);
    dump::assert_sound(&workspace.path("ml-data"));
    timed(&workspace, SYNC);
    assert_eq!(workspace.count("global_ml_data") + workspace.count("quarantine"), N_NOTES as u64);
}

#[test]
fn sync_beside_ingest_misses_nothing() {
    let workspace = new_workspace();
    let mut ingest = workspace.command(INGEST);
    let mut child = ingest
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = loop {
        workspace.run(SYNC).succeeded();
        if let Some(status) = child.try_wait().expect("the process can be looked at") {
            break status;
        }
    };
    assert!(status.success(), "{status}");
    workspace.run(SYNC).succeeded();

    let n_records = workspace.count("text_corpus");
    assert_eq!(workspace.count("global_ml_data") + workspace.count("quarantine"), n_records);
    let uninterrupted = new_workspace();
    uninterrupted.run(INGEST).succeeded();
    uninterrupted.run(SYNC).succeeded();
    assert!(contents(&workspace)["global_ml_data"] == contents(&uninterrupted)["global_ml_data"], "the rows differ");
}
