//! What ingest takes: formats, ids, mappings, and the same input twice.

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use ml_core::record::Collection;
use ml_core::testkit::build::at;
use ml_data::ingest::{IngestReport, Input, InputFormat};

use crate::fixture::{Fixture, gzip, lines_of, mapped, request};

fn inserted(report: &IngestReport) -> u64 {
    assert_eq!(report.rejections, [], "nothing was to be rejected");
    report.inserted
}

/// Ingests `content` as tabular data and compares what is in the store with `expected`.
async fn check(name: &str, content: impl Into<Vec<u8>>, expected: &[Value]) {
    let fixture = Fixture::default();
    let report = fixture.ingest(name, content, &request("tabular")).await.unwrap();
    assert_eq!(inserted(&report), expected.len() as u64, "{name}");
    assert_eq!(fixture.contents(Collection::RawRecords).await, expected, "{name}");
}

#[tokio::test]
async fn every_format_gives_the_same_records() {
    let expected = [json!({"id": 1, "x": 1.5, "t": "a"}), json!({"id": 2, "x": null, "t": "007"})];
    let jsonl = "{\"id\": 1, \"x\": 1.5, \"t\": \"a\"}\r\n\n{\"id\": 2, \"x\": null, \"t\": \"007\"}";
    check("a.jsonl", jsonl, &expected).await;
    check("-", jsonl, &expected).await;
    check("a.jsonl", gzip(jsonl.as_bytes()), &expected).await;
    check("a.json", "[{\"id\":1,\"x\":1.5,\"t\":\"a\"},\n{\"id\":2,\"x\":null,\"t\":\"007\"}]", &expected).await;
    check("a.json", "{\n\"id\":1,\n\"x\":1.5,\"t\":\"a\"}\n{\"id\":2,\"x\":null,\"t\":\"007\"}", &expected).await;
    check("a.csv", "id,x,t\n1,1.5,a\n2,,007\n", &expected).await;
    check("a.csv", "\u{feff}id;x;t\r\n1;1.5;\"a\"\r\n2;;007", &expected).await;
    check("-", "id\tx\tt\n1\t1.5\ta\n2\t\t007\n", &expected).await;
    check("a.tsv.gz", gzip(b"id\tx\tt\n1\t1.5\ta\n2\t\t007\n"), &expected).await;
}

#[tokio::test]
async fn gzip_members_after_one_another_are_one_input() {
    let mut content = gzip(b"{\"id\":1}\n");
    content.extend(gzip(b"{\"id\":2}\n"));
    check("-", content, &[json!({"id": 1}), json!({"id": 2})]).await;
}

#[tokio::test]
async fn csv_cells_may_hold_line_ends_and_quotes() {
    let content = "id,t\n1,\"a\nb\"\n2,\"say \"\"x\"\", y\"\n";
    check("a.csv", content, &[json!({"id": 1, "t": "a\nb"}), json!({"id": 2, "t": "say \"x\", y"})]).await;
}

#[tokio::test]
async fn a_header_alone_is_no_record() {
    check("a.csv", "id,x\n", &[]).await;
}

#[tokio::test]
async fn rows_that_repeat_one_of_the_same_input_are_counted() {
    let fixture = Fixture::default();
    let content = "x,t\n1,a\n2,b\n1,a\n1,a\n3,c\n";
    let report = fixture.ingest("a.csv", content, &request("tabular")).await.unwrap();
    assert_eq!((report.inserted, report.unchanged, report.repeated), (3, 2, 2));
    let report = fixture.ingest("b.csv", "id,x\n1,1\n2,1\n2,1\n", &request("tabular")).await.unwrap();
    assert_eq!((report.inserted, report.unchanged, report.repeated), (2, 1, 1));
    let report = fixture.ingest("c.csv", "x,t\n1,a\n", &request("tabular")).await.unwrap();
    assert_eq!((report.inserted, report.unchanged, report.repeated), (0, 1, 0), "of another input it is no repetition");
}

#[tokio::test]
async fn the_same_input_twice_changes_nothing() {
    let fixture = Fixture::default();
    let content = "{\"id\": 1, \"a\": 1}\n{\"a\": 2}\n";
    let first = fixture.ingest("a.jsonl", content, &request("text")).await.unwrap();
    assert_eq!(inserted(&first), 2);
    let before = fixture.records(Collection::TextCorpus).await;
    let second = fixture.ingest("a.jsonl", content, &request("text")).await.unwrap();
    assert_eq!((second.inserted, second.unchanged, second.changed), (0, 2, 0));
    assert_eq!(fixture.records(Collection::TextCorpus).await, before);
}

#[tokio::test]
async fn a_known_id_with_other_content_is_changed() {
    let fixture = Fixture::default();
    fixture.ingest("-", "{\"id\": 1, \"a\": 1}", &request("text")).await.unwrap();
    let report = fixture.ingest("-", "{\"id\": 1, \"a\": 2}", &request("text")).await.unwrap();
    assert_eq!((report.inserted, report.unchanged, report.changed), (0, 0, 1));
    assert_eq!(fixture.contents(Collection::TextCorpus).await, [json!({"id": 1, "a": 2})]);
}

#[tokio::test]
async fn records_without_an_id_get_one_from_their_content() {
    let fixture = Fixture::default();
    let content = "{\"a\": 1}\n{\"a\": 2}\n{\"a\": 1}\n";
    let report = fixture.ingest("-", content, &request("tabular")).await.unwrap();
    assert_eq!((report.inserted, report.unchanged), (2, 1));
}

#[tokio::test]
async fn the_mapping_says_which_field_is_what() {
    let fixture = Fixture::default();
    let mapping = json!({
        "id": ["symbol", "day"], "text": "body", "event_time": "day", "source": "feed", "label": "mood"
    });
    let content = "symbol,day,body,feed,mood\nKO,2024-05-31,0012,wire,up\n";
    let report = fixture.ingest("a.csv", content, &mapped("text", mapping)).await.unwrap();
    assert_eq!(inserted(&report), 1);
    let record = fixture.records(Collection::TextCorpus).await.remove(0);
    assert_eq!(record.id.as_str(), "app:KO:2024-05-31");
    assert_eq!(record.source.as_deref(), Some("wire"));
    assert_eq!(record.scraped_at, Some(at("2024-05-31T00:00:00Z")));
    assert_eq!(record.raw_content["body"], json!("0012"), "a text column stays text");
    fixture.sync().await.unwrap();
    let row = fixture.rows().await.remove(0);
    assert_eq!(row.processed_content.as_deref(), Some("0012"));
    assert_eq!(row.features["label"], json!("up"));
    assert_eq!(row.event_time, at("2024-05-31T00:00:00Z"));
}

#[tokio::test]
async fn an_object_id_of_mongodb_is_an_id() {
    let fixture = Fixture::default();
    fixture.ingest("-", "{\"_id\": {\"$oid\": \"65f0\"}, \"source\": \" wire \"}", &request("text")).await.unwrap();
    let record = fixture.records(Collection::TextCorpus).await.remove(0);
    assert_eq!(record.id.as_str(), "app:65f0");
    assert_eq!(record.source.as_deref(), Some("wire"));
}

#[tokio::test]
async fn a_given_format_goes_before_everything() {
    let fixture = Fixture::default();
    let mut request = request("tabular");
    request.format = Some(InputFormat::Csv);
    fixture.ingest("odd.jsonl", "a,b\n1,2\n", &request).await.unwrap();
    assert_eq!(fixture.contents(Collection::RawRecords).await, [json!({"a": 1, "b": 2})]);
}

#[tokio::test]
async fn progress_is_told_after_every_batch() {
    let fixture = Fixture::default();
    let content = lines_of(12_000, |number| format!("{{\"id\": {number}}}"));
    let n_bytes = content.len() as u64;
    let told = std::sync::Mutex::new(Vec::new());
    let input = Input::stream("-", std::io::Cursor::new(content.into_bytes()));
    let observer = |progress| told.lock().unwrap().push(progress);
    let ingestor = fixture.ingestor();
    let report = ingestor.ingest(input, &request("tabular"), &observer, &CancellationToken::new()).await.unwrap();
    assert_eq!((report.inserted, report.bytes, report.cancelled), (12_000, n_bytes, false));
    let told = told.into_inner().unwrap();
    let counts: Vec<u64> = told.iter().map(|progress| progress.n_records).collect();
    assert_eq!(counts, [2_500, 5_000, 7_500, 10_000, 12_000]);
    assert_eq!(told.last().unwrap().bytes_read, n_bytes);
}

#[tokio::test]
async fn a_cancelled_ingest_keeps_whole_batches_and_can_be_repeated() {
    let fixture = Fixture::default();
    let content = lines_of(40_000, |number| format!("{{\"id\": {number}}}"));
    let cancel = CancellationToken::new();
    let input = Input::stream("-", std::io::Cursor::new(content.clone().into_bytes()));
    let report = fixture.ingestor().ingest(input, &request("tabular"), &|_| cancel.cancel(), &cancel).await.unwrap();
    assert!(report.cancelled);
    assert!(report.inserted >= 2_500 && report.inserted < 40_000, "{report}");
    assert_eq!(fixture.records(Collection::RawRecords).await.len() as u64, report.inserted);
    let again = fixture.ingest("-", content, &request("tabular")).await.unwrap();
    assert_eq!((again.unchanged, again.inserted), (report.inserted, 40_000 - report.inserted));
}

fn cell() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite() && number.fract() != 0.0).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-z\"',;\n\r\té ]{1,12}".prop_filter("no trimming", |text| text.trim() == text).prop_map(Value::from),
        "0[0-9]{1,4}".prop_map(Value::from),
    ]
}

fn as_csv(rows: &[(Value, Value)]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["id", "a", "b"]).unwrap();
    for ((a, b), id) in rows.iter().zip(0..) {
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        writer.write_record([id.to_string(), text(a), text(b)]).unwrap();
    }
    writer.into_inner().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn csv_and_json_lines_are_the_same_records(rows in prop::collection::vec((cell(), cell()), 1..20)) {
        let text_is_a_number = |value: &Value| value.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
        prop_assume!(!rows.iter().any(|(a, b)| [a, b].into_iter().any(|value| text_is_a_number(value) && !value.as_str().unwrap().starts_with('0'))));
        let jsonl: String = rows
            .iter()
            .zip(0..)
            .map(|((a, b), id)| json!({"id": id, "a": a, "b": b}).to_string() + "\n")
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::default();
            let of_csv = fixture.ingest("a.csv", as_csv(&rows), &request("tabular")).await.unwrap();
            assert_eq!(inserted(&of_csv), rows.len() as u64);
            let of_json = fixture.ingest("a.jsonl", jsonl, &request("tabular")).await.unwrap();
            assert_eq!((of_json.unchanged, of_json.changed), (rows.len() as u64, 0));
        });
    }
}
