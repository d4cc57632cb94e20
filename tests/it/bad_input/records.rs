//! Lines and fields that are wrong inside files that are right: each is reported with its number, the good ones are kept.

use serde_json::Value;

use crate::harness::outcome::Outcome;
use crate::harness::workspace::Workspace;

/// Ingests lines of text records and returns what it said.
fn ingest(workspace: &Workspace, name: &str, content: impl AsRef<[u8]>) -> Outcome {
    workspace.write(name, content);
    let options = ["--data-type", "text", "--source-app", "tests", "--id-field", "id", "--output", "json"];
    let args: Vec<&str> = ["ingest", name].into_iter().chain(options).collect();
    workspace.run(&args)
}

/// Ingests `content`, of which `rejected_line` must be the only one that is rejected, for a reason that has `needle`.
#[track_caller]
fn check_one_rejected(
    name: &str,
    content: impl AsRef<[u8]>,
    rejected_line: u64,
    needle: &str,
    n_kept: u64,
) -> Workspace {
    let workspace = Workspace::new();
    let outcome = ingest(&workspace, name, content).failed_saying(&[needle]);
    let report = outcome.json();
    assert_eq!(report["rejected"], 1, "{report}");
    let rejections = report["rejections"].as_array().expect("rejections are listed");
    assert_eq!(rejections[0]["line"], rejected_line, "{report}");
    let reason = rejections[0]["reason"].as_str().expect("a rejection has a reason");
    assert!(reason.to_lowercase().contains(needle), "`{reason}` should say `{needle}`");
    assert_eq!(workspace.count("text_corpus"), n_kept);
    workspace
}

fn note(id: u32, text: &str) -> String {
    format!("{{\"id\":\"{id}\",\"text\":\"{text}\"}}\n")
}

#[test]
fn a_line_that_is_not_json() {
    let lines = note(1, "one") + "{\"id\": \"2\", \"text\": \n" + &note(3, "three");
    check_one_rejected("cut.jsonl", lines, 2, "json", 2);
}

#[test]
fn a_line_that_is_no_object() {
    let lines = note(1, "one") + "[1, 2]\n" + &note(3, "three");
    check_one_rejected("array.jsonl", lines, 2, "object", 2);
}

#[test]
fn a_single_line_of_fifty_megabytes() {
    let lines = note(1, "one") + &note(2, &"x".repeat(50 << 20)) + &note(3, "three");
    check_one_rejected("long.jsonl", lines, 2, "long", 2);
}

#[test]
fn a_file_that_is_one_line_of_fifty_megabytes() {
    let workspace = Workspace::new();
    ingest(&workspace, "long.jsonl", note(1, &"x".repeat(50 << 20))).failed_saying(&["long.jsonl"]);
    assert_eq!(workspace.count("text_corpus"), 0);
}

#[test]
fn invalid_utf_8() {
    let mut lines = note(1, "one").into_bytes();
    lines.extend_from_slice(b"{\"id\":\"2\",\"text\":\"caf\xe9\"}\n");
    lines.extend_from_slice(note(3, "three").as_bytes());
    check_one_rejected("latin1.jsonl", lines, 2, "utf-8", 2);
}

#[test]
fn invalid_utf_8_in_csv() {
    check_one_rejected("latin1.csv", b"id,text\n1,one\n2,caf\xe9\n3,three\n", 3, "utf-8", 2);
}

#[test]
fn nan_is_no_number() {
    let lines = note(1, "one") + "{\"id\":\"2\",\"text\":\"two\",\"score\":NaN}\n" + &note(3, "three");
    check_one_rejected("nan.jsonl", lines, 2, "`nan` is not a finite number", 2);
}

#[test]
fn infinity_is_no_number() {
    let lines = note(1, "one") + "{\"id\":\"2\",\"text\":\"two\",\"score\":-Infinity}\n" + &note(3, "three");
    check_one_rejected("infinity.jsonl", lines, 2, "`-infinity` is not a finite number", 2);
}

#[test]
fn a_number_too_large_for_a_float() {
    let lines = note(1, "one") + "{\"id\":\"2\",\"text\":\"two\",\"score\":1e999}\n" + &note(3, "three");
    check_one_rejected("large.jsonl", lines, 2, "`1e999` is not a finite number", 2);
}

#[test]
fn a_record_without_its_id() {
    let lines = note(1, "one") + "{\"text\":\"two\"}\n" + &note(3, "three");
    check_one_rejected("no-id.jsonl", lines, 2, "`id`", 2);
}

#[test]
fn a_csv_with_ragged_rows() {
    check_one_rejected("ragged.csv", "id,text,topic\n1,one,a\n2,two\n3,three,c\n", 3, "2 cells", 2);
    check_one_rejected("wide.csv", "id,text,topic\n1,one,a\n2,two,b,x,y\n3,three,c\n", 3, "5 cells", 2);
}

#[test]
fn rejected_lines_are_fine_when_allowed() {
    let workspace = Workspace::new();
    workspace.write("cut.jsonl", note(1, "one") + "{\n");
    let args =
        ["ingest", "cut.jsonl", "--data-type", "text", "--source-app", "tests", "--id-field", "id", "--allow-rejected"];
    let report = workspace.json(&args);
    assert_eq!((&report["inserted"], &report["rejected"]), (&Value::from(1), &Value::from(1)));
}

#[test]
fn the_last_of_two_contents_of_an_id_counts() {
    let workspace = Workspace::new();
    let lines = note(1, "a first text of some length") + &note(2, "another text of some length");
    let report = ingest(&workspace, "one.jsonl", lines).succeeded().json();
    assert_eq!(report["inserted"], 2);

    let lines = note(1, "a first text of some length") + &note(2, "now it says something else");
    let report = ingest(&workspace, "two.jsonl", lines).json();

    assert_eq!((&report["unchanged"], &report["changed"], &report["inserted"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(workspace.count("text_corpus"), 2);
}

#[test]
fn two_contents_of_an_id_in_one_file_are_told() {
    let lines = note(1, "a first text of some length") + &note(1, "now it says something else");
    check_one_rejected("twice.jsonl", lines, 2, "line 1", 1);
}

/// Three bars of raw prices, the one in the middle dated `date` and closing at `close`.
fn bars(date: &str, close: &str) -> String {
    let bar = |date: &str, close: &str| format!("ACME,{date},10,12,9,{close},1000\n");
    let header = "symbol,date,open,high,low,close,volume\n";
    [header, &bar("2025-03-03", "11"), &bar(date, close), &bar("2025-03-05", "11")].concat()
}

const INGEST_BARS: &[&str] = &["ingest", "bars.csv", "--data-type", "raw_market", "--source-app", "tests"];

#[test]
fn prices_that_are_no_finite_numbers() {
    for close in ["NaN", "inf", "-Infinity", "1e999"] {
        let workspace = Workspace::new();
        workspace.write("bars.csv", bars("2025-03-04", close));
        workspace.run(INGEST_BARS).failed_saying(&["bars.csv:3:", &format!("`{close}` is not a finite number")]);
        workspace.run(&["sync"]).succeeded();
        assert_eq!((workspace.count("market_metrics"), workspace.count("quarantine")), (2, 0));
    }
}

#[test]
fn prices_that_are_words() {
    let workspace = Workspace::new();
    workspace.write("bars.csv", bars("2025-03-04", "n/a"));
    workspace.run(INGEST_BARS).succeeded();
    workspace.run(&["sync"]).succeeded();
    assert_eq!((workspace.count("market_metrics"), workspace.count("quarantine")), (2, 1));
    workspace.run(&["quarantine", "list"]).succeeded().says(&["close", "n/a"]);
}

const IMPOSSIBLE_DATES: [&str; 4] = ["1582-10-10", "9999-12-31", "2025-02-30", "tomorrow"];

#[test]
fn dates_that_cannot_be_kept_are_rejected_where_the_time_is_named() {
    for date in IMPOSSIBLE_DATES {
        let workspace = Workspace::new();
        workspace.write("bars.csv", bars(date, "11"));
        let with_time = [INGEST_BARS, &["--time-field", "date"]].concat();
        workspace.run(&with_time).failed_saying(&["bars.csv:3:", "`date`", date]);
        assert_eq!(workspace.count("market_data"), 2);
    }
}

#[test]
fn dates_that_cannot_be_kept_are_quarantined_otherwise() {
    for date in IMPOSSIBLE_DATES {
        let workspace = Workspace::new();
        workspace.write("bars.csv", bars(date, "11"));
        workspace.run(INGEST_BARS).succeeded();
        workspace.run(&["sync"]).succeeded();
        assert_eq!((workspace.count("market_metrics"), workspace.count("quarantine")), (2, 1), "{date}");
        workspace.run(&["quarantine", "list"]).succeeded().says(&["event_time", date]);
    }
}

#[test]
fn an_unknown_data_type_is_answered_with_the_known_ones() {
    let workspace = Workspace::new();
    workspace.write("a.jsonl", note(1, "one"));
    let args = ["ingest", "a.jsonl", "--data-type", "txet", "--source-app", "tests"];
    workspace.run(&args).failed_saying(&["`txet`", "text", "social", "raw_market", "tabular"]);
    assert_eq!(workspace.count("text_corpus"), 0);
}
