//! Promises that hold all the way round: forms of files, as-of reads, following, replay, and models that travel.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::outcome::Outcome;
use crate::harness::samples;
use crate::harness::signal::interrupt;
use crate::harness::trained::trained_workspace;
use crate::harness::wait_until;
use crate::harness::workspace::Workspace;

const NOTES: &[&str] =
    &["--data-type", "text", "--source-app", "tests", "--id-field", "id", "--time-field", "published_at"];

fn ingest(workspace: &Workspace, file: &str) -> Value {
    workspace.json(&[&["ingest", file], NOTES].concat())
}

/// Writes notes as rows whose cells are separated by `delimiter`; none of them needs quotes.
fn rows(notes: &[Value], delimiter: &str) -> String {
    let columns = ["id", "topic", "text", "length", "published_at"];
    let mut text = columns.join(delimiter) + "\n";
    for note in notes {
        let cells = columns.map(|column| note[column].as_str().map_or_else(|| note[column].to_string(), str::to_owned));
        text.push_str(&(cells.join(delimiter) + "\n"));
    }
    text
}

#[test]
fn the_form_of_the_file_does_not_matter() {
    let workspace = Workspace::new();
    let lines = samples::notes(50);
    let notes: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("a note is JSON")).collect();
    workspace.write("notes.jsonl", &lines);
    workspace.write("notes.json", json!(notes).to_string());
    workspace.write("pretty.json", serde_json::to_string_pretty(&notes).expect("notes print"));
    workspace.write("notes.csv", rows(&notes, ","));
    workspace.write("semicolons.csv", rows(&notes, ";"));
    workspace.write("windows.csv", rows(&notes, ",").replace('\n', "\r\n"));
    workspace.write("marked.csv", format!("\u{feff}{}", rows(&notes, ",")));
    workspace.write("notes.tsv", rows(&notes, "\t"));
    workspace.shell("gzip -k notes.jsonl notes.csv").succeeded();

    assert_eq!(ingest(&workspace, "notes.jsonl")["inserted"], 50);
    for file in [
        "notes.json",
        "pretty.json",
        "notes.csv",
        "semicolons.csv",
        "windows.csv",
        "marked.csv",
        "notes.tsv",
        "notes.jsonl.gz",
        "notes.csv.gz",
    ] {
        assert_eq!(ingest(&workspace, file)["unchanged"], 50, "{file}");
    }
    assert_eq!(workspace.count("text_corpus"), 50);
}

#[test]
fn parquet_goes_out_and_comes_in() {
    let workspace = trained_workspace();
    workspace.run(&["dataset", "export", "notes", "--out", "notes.parquet"]).succeeded();
    let args = ["ingest", "notes.parquet", "--data-type", "tabular", "--source-app", "again", "--id-field", "id"];
    let report = workspace.json(&args);
    assert_eq!((&report["inserted"], &report["rejected"]), (&300.into(), &0.into()), "{report}");
}

#[test]
fn a_glob_takes_every_file_that_fits() {
    let workspace = Workspace::new();
    let lines = samples::notes(30);
    let lines: Vec<&str> = lines.lines().collect();
    for (index, part) in lines.chunks(10).enumerate() {
        workspace.write(&format!("parts/part-{index}.jsonl"), part.join("\n"));
    }
    assert_eq!(ingest(&workspace, "parts/part-*.jsonl")["inserted"], 30);
}

#[test]
fn a_read_as_of_then_does_not_change() {
    let workspace = trained_workspace();
    let first = workspace.json(&["dataset", "show", "notes@1"]);
    let as_of = first["as_of"].as_str().expect("a version says as of when it is");
    let changed = samples::notes(40).replace("\"text\":\"", "\"text\":\"later: ");
    workspace.write("later.jsonl", changed);
    assert_eq!(ingest(&workspace, "later.jsonl")["changed"], 40);
    workspace.run(&["sync"]).succeeded();

    let create =
        ["dataset", "create", "notes", "--data-type", "text", "--split", "stratified:topic:80/20", "--seed", "7"];
    let now = workspace.json(&create);
    let then = workspace.json(&[&create[..], &["--as-of", as_of]].concat());

    assert_ne!(now["content_hash"], first["content_hash"]);
    assert_eq!(then["content_hash"], first["content_hash"]);
    let old = workspace.json(&["dataset", "show", "notes@1"]);
    assert_eq!(old, first, "a version never changes");
}

#[test]
fn following_brings_what_comes_later() {
    let workspace = Workspace::new();
    workspace.write("first.jsonl", samples::notes(20));
    workspace.write("second.jsonl", samples::notes(60));
    ingest(&workspace, "first.jsonl");
    let mut command = workspace.command(&["sync", "--follow", "--interval", "1"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let rows_are = |n_rows: u64| {
        wait_until("the rows are in SQL", || match workspace.count("global_ml_data") {
            n_found if n_found == n_rows => Ok(()),
            n_found => Err(format!("{n_found} rows")),
        });
    };

    rows_are(20);
    ingest(&workspace, "second.jsonl");
    rows_are(60);

    interrupt(child.id());
    let output = child.wait_with_output().expect("the process ends");
    Outcome::new("sync --follow, interrupted".to_owned(), output).succeeded();
}

const STRICT: &str = "data_types:
  text:
    source_apps:
      tests:
        rules:
          - allowed: { fields: topic, values: [sport] }
";

#[test]
fn what_a_wrong_rule_held_back_is_replayed_when_it_is_mended() {
    let workspace = Workspace::new();
    workspace.write("config/pipeline.yaml", STRICT);
    workspace.write("notes.jsonl", samples::notes(40));
    ingest(&workspace, "notes.jsonl");
    workspace.run(&["sync"]).succeeded();
    assert_eq!((workspace.count("global_ml_data"), workspace.count("quarantine")), (20, 20));

    let held_back = workspace.run(&["quarantine", "list"]).succeeded();
    assert!(held_back.stdout.contains("topic: "), "a reason names its field:\n{}", held_back.shown());

    workspace.write("config/pipeline.yaml", STRICT.replace("[sport]", "[sport, energy]"));
    let tried = workspace.json(&["quarantine", "replay", "--dry-run"]);
    assert_eq!((&tried["judged"], &tried["passed"]), (&20.into(), &20.into()), "{tried}");
    assert_eq!((workspace.count("global_ml_data"), workspace.count("quarantine")), (20, 20));

    workspace.run(&["quarantine", "replay"]).succeeded();
    assert_eq!((workspace.count("global_ml_data"), workspace.count("quarantine")), (40, 0));
}

#[test]
fn rows_of_a_file_are_scored_in_the_form_that_sync_gives_to_records() {
    let workspace = trained_workspace();
    let text = "the striker &amp; keeper held a league <b>cup</b> near the stadium";
    let plain = "the striker & keeper held a league cup near the stadium";
    workspace.write("plain.jsonl", json!({"id": "a", "text": plain, "length": 9}).to_string());
    let as_sent = json!({"id": "a", "body": text.replace(' ', "  "), "length": 9});
    workspace.write("as-sent.jsonl", as_sent.to_string());
    let score = |data_folder: &str, file: &str| {
        workspace.run(&["--data-dir", data_folder, "predict", "--model", "notes@1", "--input", file])
    };
    let details = |outcome: &Outcome| outcome.json()["details"].clone();

    let plain = score("ml-data", "plain.jsonl").succeeded();
    let normalised = score("ml-data", "as-sent.jsonl").succeeded();
    assert_eq!(details(&normalised), details(&plain));

    workspace.run(&["models", "export", "notes@1", "--out", "notes.bundle"]).succeeded();
    workspace.run(&["--data-dir", "elsewhere", "models", "import", "notes.bundle"]).succeeded();
    score("elsewhere", "plain.jsonl").succeeded().says(&["scored as they are", "`notes@1`", "not in this store"]);
}

#[test]
fn an_imported_model_answers_as_the_exported_one() {
    let workspace = trained_workspace();
    workspace.run(&["models", "export", "notes@champion", "--out", "notes.bundle"]).succeeded();
    let answers = |data_folder: &str| -> Vec<Value> {
        let predict = ["--data-dir", data_folder, "predict", "--model", "notes@1", "--input", "notes.jsonl"];
        let report = workspace.json(&predict);
        let predictions = report["predictions"].as_array().expect("predictions are listed");
        predictions.iter().map(|prediction| json!([prediction["value"], prediction["details"]])).collect()
    };

    workspace.run(&["--data-dir", "elsewhere", "models", "import", "notes.bundle"]).succeeded();

    assert_eq!(answers("elsewhere"), answers("ml-data"));
}
