//! What ingest does not take: lines, each with its reason, and whole inputs.

use std::error::Error as _;

use serde_json::json;

use ml_core::record::Collection;
use ml_data::ingest::{IngestError, IngestRequest, expand_path};

use crate::fixture::{Fixture, gzip, lines_of, mapped, request};

/// Ingests `content` and compares line and reason of every rejection; `n_kept` records are kept.
async fn check(name: &str, content: impl Into<Vec<u8>>, request: IngestRequest, n_kept: u64, expected: &[(u64, &str)]) {
    let fixture = Fixture::default();
    let report = fixture.ingest(name, content, &request).await.unwrap();
    let found: Vec<(u64, String)> =
        report.rejections.iter().map(|rejection| (rejection.line, rejection.reason.to_string())).collect();
    let found: Vec<(u64, &str)> = found.iter().map(|(line, reason)| (*line, reason.as_str())).collect();
    assert_eq!(found, expected, "{name}");
    assert_eq!((report.inserted, report.rejected), (n_kept, expected.len() as u64), "{name}");
}

#[tokio::test]
async fn lines_that_are_no_json_object_stop_nothing() {
    let content =
        "{\"id\": 1}\n{\"id\": 2,}\n[3]\n4\n{\"id\": NaN}\n{\"a\": -Infinity}\n{\"a\": 1e999}\n{\"id\": 9}\nx\n";
    let no_number = |field, number| {
        format!("field `{field}`: `{number}` is not a finite number: leave the field out, or write null")
    };
    check(
        "a.jsonl",
        content,
        request("text"),
        2,
        &[
            (2, "not JSON, column 10: trailing comma"),
            (3, "a list, not an object with fields"),
            (4, "a number, not an object with fields"),
            (5, &no_number("id", "NaN")),
            (6, &no_number("a", "-Infinity")),
            (7, &no_number("a", "1e999")),
            (9, "not JSON, column 1: expected value"),
        ],
    )
    .await;
}

#[tokio::test]
async fn invalid_utf_8_says_which_byte() {
    let content = b"{\"id\": 1}\n{\"a\": \"caf\xe9\"}\n{\"id\": 2}\n".to_vec();
    check("a.jsonl", content, request("text"), 2, &[(2, "not UTF-8, byte 11: save the file as UTF-8")]).await;
}

#[tokio::test]
async fn a_line_that_is_too_long_is_passed_over() {
    let long = format!("{{\"id\": 1}}\n{{\"a\": \"{}\"}}\n{{\"id\": 2}}\n", "x".repeat(3_000_000));
    let request = IngestRequest { max_line_bytes: 1_000_000, ..request("text") };
    let reason = "longer than the 1000000 bytes that are accepted (raise max_line_bytes)";
    check("a.jsonl", long, request, 2, &[(2, reason)]).await;
}

#[tokio::test]
async fn ids_must_be_ids() {
    let long = "x".repeat(600);
    let content = format!(
        "{{\"key\": \"a\"}}\n{{\"k\": 1}}\n{{\"key\": \" \"}}\n{{\"key\": [1]}}\n{{\"key\": \"a\\u0000b\"}}\n{{\"key\": \"{long}\"}}\n"
    );
    check(
        "a.jsonl",
        content,
        mapped("text", json!({"id": "key"})),
        1,
        &[
            (2, "no id: field `key` is missing or blank"),
            (3, "no id: field `key` is missing or blank"),
            (4, "no id: field `key` is neither text nor a number"),
            (5, "record id `app:a\\0b` has a control character in it"),
            (6, "record id is 604 bytes long, at most 512 are accepted"),
        ],
    )
    .await;
}

#[tokio::test]
async fn mapped_times_must_be_plausible() {
    let content = "{\"id\":1,\"at\":\"2024-05-31\"}\n{\"id\":2,\"at\":\"soon\"}\n{\"id\":3,\"at\":\"1582-10-15\"}\n\
                   {\"id\":4,\"at\":\"9999-12-31T00:00:00Z\"}\n{\"id\":5}\n";
    check("a.jsonl", content, mapped("text", json!({"event_time": "at"})), 2, &[
        (2, "field `at`: `soon` is not a date or time that is understood, such as 2024-05-31 or 2024-05-31T08:30:00Z"),
        (3, "field `at`: `1582-10-15` is outside the accepted years 1700 to 2199"),
        (4, "field `at`: `9999-12-31T00:00:00Z` is outside the accepted years 1700 to 2199"),
    ])
    .await;
}

#[tokio::test]
async fn the_first_of_one_id_with_two_contents_is_kept() {
    let fixture = Fixture::default();
    let content = "{\"id\": \"a\", \"x\": 1}\n{\"id\": \"a\", \"x\": 1}\n{\"id\": \"a\", \"x\": 2}\n";
    let report = fixture.ingest("a.jsonl", content, &request("text")).await.unwrap();
    assert_eq!((report.inserted, report.unchanged, report.changed, report.rejected), (1, 1, 0, 1));
    let reason = report.rejections[0].to_string();
    assert_eq!(reason, "a.jsonl:3: id `a` stands on line 1 already, with other content; the first is kept");
    assert_eq!(fixture.contents(Collection::TextCorpus).await, [json!({"id": "a", "x": 1})]);
}

#[tokio::test]
async fn rows_must_fit_the_header() {
    let content = "id,x\n1,2\n2\n\n3,4,5\n4,NaN\n5,6\n";
    check(
        "a.csv",
        content,
        request("tabular"),
        2,
        &[
            (3, "1 cells, the header has 2"),
            (5, "3 cells, the header has 2"),
            (6, "field `x`: `NaN` is not a finite number: leave the field out, or write null"),
        ],
    )
    .await;
    check("a.csv", "id,x\n1,2\n2,\"open\n3,4\n", request("tabular"), 1, &[(3, "a quoted cell is not closed")]).await;
}

#[tokio::test]
async fn an_array_may_have_broken_elements_and_no_end() {
    check(
        "a.json",
        "[{\"id\": 1},\n{\"id\": nul},\n7,\n{\"id\": 2}]",
        request("text"),
        2,
        &[(2, "not JSON, column 11: expected ident"), (3, "a number, not an object with fields")],
    )
    .await;
    let open = "the JSON array is not closed: the input is cut off";
    check("a.json", "[{\"id\": 1},\n{\"id\": 2", request("text"), 1, &[(2, open)]).await;
    check("a.json", "[{\"id\": 1}]\n{\"id\": 2}", request("text"), 1, &[(2, "text after the end of the JSON array")])
        .await;
}

#[tokio::test]
async fn only_the_first_rejections_are_kept_and_all_are_counted() {
    let fixture = Fixture::default();
    let report = fixture.ingest("a.jsonl", "x\n".repeat(12_000), &request("text")).await.unwrap();
    assert_eq!((report.rejected, report.rejections.len()), (12_000, 100));
}

/// Ingests an input that is unfit as a whole and returns the error.
async fn refused(name: &str, content: impl Into<Vec<u8>>) -> IngestError {
    Fixture::default().ingest(name, content, &request("text")).await.unwrap_err()
}

#[tokio::test]
async fn inputs_that_hold_no_records_are_refused() {
    let expected = [
        ("empty", Vec::new(), "empty is empty"),
        ("e.gz", gzip(b""), "e.gz is empty"),
        ("b.jsonl", b"\x01\0\x02".to_vec(), "b.jsonl is a binary file: JSON, CSV or Parquet is needed, plain or gzip"),
        ("a.zip", b"PK\x03\x04..".to_vec(), "a.zip is a ZIP archive (or an Excel file): unpack it, or save it as CSV"),
        ("u.csv", b"\xff\xfea\0".to_vec(), "u.csv is text in UTF-16: save it as UTF-8"),
        (
            "note",
            b"hello\n".to_vec(),
            "cannot tell the format of note: say it with --format: jsonl, json, csv, tsv or parquet",
        ),
        ("d.csv", b"a,b,a\n1,2,3\n".to_vec(), "the header of d.csv names column `a` twice"),
        ("n.csv", b"\n1,2\n".to_vec(), "the header of n.csv is blank: the first line must name the columns"),
    ];
    for (name, content, message) in expected {
        assert_eq!(refused(name, content).await.to_string(), message);
    }
    let err = refused("p.parquet", b"PAR1 and no more".to_vec()).await;
    assert_eq!(
        err.to_string(),
        "p.parquet cannot be read as Parquet; before that: 0 inserted, 0 unchanged, 0 changed, 0 rejected"
    );
}

#[tokio::test]
async fn a_mapped_column_must_be_in_the_header() {
    let request = mapped("text", json!({"text": "body"}));
    let err = Fixture::default().ingest("a.csv", "id,x\n1,2\n", &request).await.unwrap_err();
    assert_eq!(err.to_string(), "the header of a.csv has no column `body`; the columns are `id`, `x`");
}

#[tokio::test]
async fn folders_and_absent_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::default();
    let err = fixture.ingest_file(folder.path(), &request("text")).await.unwrap_err();
    assert!(matches!(err, IngestError::Directory { .. }), "{err}");
    let err = fixture.ingest_file(folder.path().join("absent"), &request("text")).await.unwrap_err();
    assert!(matches!(err, IngestError::Open { .. }), "{err}");
    let pattern = format!("{}/*.csv", folder.path().display());
    assert!(matches!(expand_path(&pattern), Err(IngestError::Pattern { .. })));
    std::fs::write(folder.path().join("b.csv"), "x").unwrap();
    std::fs::write(folder.path().join("a.csv"), "x").unwrap();
    assert_eq!(expand_path(&pattern).unwrap(), [folder.path().join("a.csv"), folder.path().join("b.csv")]);
}

#[tokio::test]
async fn a_truncated_archive_keeps_what_came_before() {
    let lines = lines_of(60_000, |number| format!("{{\"id\": {number}, \"x\": \"{}\"}}", number * 7919));
    let whole = gzip(lines.as_bytes());
    let fixture = Fixture::default();
    let err = fixture.ingest("a.jsonl.gz", &whole[..whole.len() / 2], &request("text")).await.unwrap_err();
    let IngestError::Read { line, report, .. } = &err else { panic!("{err:?}") };
    assert!(report.inserted > 10_000, "{err}");
    assert_eq!(*line, report.inserted + 1);
    assert!(err.to_string().starts_with(&format!("a.jsonl.gz cannot be read on from line {line}")), "{err}");
    assert!(err.source().is_some());
    assert_eq!(fixture.records(Collection::TextCorpus).await.len() as u64, report.inserted);
}

#[tokio::test]
async fn an_unknown_data_type_is_refused_before_anything_is_read() {
    let err = Fixture::default().ingest("-", "{}", &request("txt")).await.unwrap_err();
    assert!(err.to_string().starts_with("unknown data type `txt`, did you mean `text`?"), "{err}");
}
