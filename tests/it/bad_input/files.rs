//! Files that cannot be read, or not as what they are said to be.

use std::path::Path;

use crate::harness::outcome::Outcome;
use crate::harness::samples;
use crate::harness::workspace::Workspace;

fn ingest(workspace: &Workspace, file: impl AsRef<Path>) -> Outcome {
    let file = file.as_ref().to_str().expect("the path is UTF-8").to_owned();
    workspace.run(&["ingest", &file, "--data-type", "text", "--source-app", "tests", "--id-field", "id"])
}

/// A workspace with ten good records, which must be there, and alone, after whatever goes wrong.
fn with_ten_records() -> Workspace {
    let workspace = Workspace::new();
    let good = workspace.write("good.jsonl", samples::notes(10));
    ingest(&workspace, good).succeeded();
    workspace
}

/// Ingests `file`, which must fail with a message that has every one of `needles`, and add nothing.
#[track_caller]
fn check_refused(workspace: &Workspace, file: &str, needles: &[&str]) {
    let before = workspace.count("text_corpus");
    ingest(workspace, workspace.path(file)).failed_saying(needles);
    assert_eq!(workspace.count("text_corpus"), before);
}

#[test]
fn a_missing_file() {
    check_refused(&with_ten_records(), "absent.jsonl", &["absent.jsonl", "no such file"]);
}

#[test]
fn a_folder() {
    let workspace = with_ten_records();
    std::fs::create_dir(workspace.path("folder.jsonl")).unwrap();
    check_refused(&workspace, "folder.jsonl", &["folder.jsonl", "folder"]);
}

#[test]
fn an_empty_file() {
    let workspace = with_ten_records();
    workspace.write("empty.jsonl", "");
    check_refused(&workspace, "empty.jsonl", &["empty.jsonl", "empty"]);
}

#[test]
fn a_csv_of_headers_alone() {
    let workspace = with_ten_records();
    workspace.write("headers.csv", "id,text\n");
    ingest(&workspace, workspace.path("headers.csv")).succeeded();
    assert_eq!(workspace.count("text_corpus"), 10);
}

#[test]
fn a_binary_file() {
    let workspace = with_ten_records();
    let bytes: Vec<u8> = (0..20_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    workspace.write("photo.jsonl", bytes);
    check_refused(&workspace, "photo.jsonl", &["photo.jsonl"]);
}

#[test]
fn a_gzip_that_was_cut_off() {
    let workspace = with_ten_records();
    // The header of a gzip file and the first bytes of a stored block that promises more than there is.
    workspace.write("cut.jsonl.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 0xff, 0x0f, 0x00, 0xf0, b'{', b'"']);
    check_refused(&workspace, "cut.jsonl.gz", &["cut.jsonl.gz"]);
}

#[test]
fn a_parquet_file_that_is_none() {
    let workspace = with_ten_records();
    workspace.write("table.parquet", "PAR1 and no more");
    check_refused(&workspace, "table.parquet", &["table.parquet"]);
}

#[test]
fn a_glob_that_matches_nothing() {
    check_refused(&with_ten_records(), "none-*.jsonl", &["none-*.jsonl"]);
}

#[test]
fn a_bad_file_is_named_and_the_others_are_taken_and_reported() {
    let workspace = with_ten_records();
    workspace.write("more.jsonl", samples::notes(20));
    workspace.write("most.jsonl", samples::notes(50));
    let options = ["--data-type", "text", "--source-app", "tests", "--id-field", "id"];
    let ingest = |files: &[&str]| workspace.run(&[&["--output", "json", "ingest"], files, &options].concat());

    let report = ingest(&["more.jsonl", "absent.jsonl", "most.jsonl"]).failed_saying(&["absent.jsonl", "no such file"]);
    let report = report.json();
    assert_eq!((&report["inserted"], &report["unchanged"]), (&40.into(), &30.into()), "{report}");
    assert_eq!(workspace.count("text_corpus"), 50);

    workspace.write("empty.jsonl", "");
    let outcome = ingest(&["absent.jsonl", "more.jsonl", "empty.jsonl"]);
    let outcome = outcome.failed_saying(&["2 of 3 inputs", "absent.jsonl: no such file", "empty.jsonl is empty"]);
    assert_eq!(outcome.json()["unchanged"], 20);
}
