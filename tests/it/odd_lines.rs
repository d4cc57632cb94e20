//! JSON that nobody expects: whatever the record, no command panics and every record is accounted for.

use std::fmt::Write as _;

use crate::harness::workspace::Workspace;

/// Lines that are odd by themselves. Each gets an id where it is an object without one.
fn odd_lines() -> Vec<String> {
    let fixed = [
        "{}",
        "[]",
        "null",
        "true",
        "0",
        "\"text\"",
        "   ",
        "{\"id\":null,\"text\":null}",
        "{\"id\":\"\",\"text\":\"no id\"}",
        "{\"id\":{\"a\":1},\"text\":\"an object as id\"}",
        "{\"id\":[1,2],\"text\":\"a list as id\"}",
        "{\"id\":true,\"text\":\"a truth as id\"}",
        "{\"id\":1.5,\"text\":\"a fraction as id\"}",
        "{\"id\":\"a\\u0000b\",\"text\":\"a nul\\u0000 inside\"}",
        "{\"id\":\"../../etc/passwd\",\"text\":\"a path as id\"}",
        "{\"id\":\"'; DROP TABLE text_corpus; --\",\"text\":\"quotes ' \\\" ` in id\"}",
        "{\"id\":\"k1\",\"\":\"an empty key\",\"text\":\"x\"}",
        "{\"id\":\"k2\",\"🦀\":\"a crab\",\"ключ\":\"a key\",\"text\":\"emoji 👩‍👩‍👧‍👦 and RTL \\u202e\"}",
        "{\"id\":\"k3\",\"a.b\":1,\"a\":{\"b\":2},\"text\":\"dots in keys\"}",
        "{\"id\":\"k4\",\"text\":1,\"topic\":[],\"published_at\":{}}",
        "{\"id\":\"k5\",\"text\":[\"a\",\"b\"],\"length\":\"12\"}",
        "{\"id\":\"k6\",\"text\":\"twice\",\"text\":\"the same key\"}",
        "{\"id\":\"k7\",\"text\":\"\\ud800 half a surrogate\"}",
        "{\"id\":\"k8\",\"text\":\"\u{feff}a mark\",\"length\":-0.0}",
        "{\"id\":\"n1\",\"text\":\"numbers\",\"length\":18446744073709551615}",
        "{\"id\":\"n2\",\"text\":\"numbers\",\"length\":-9223372036854775808}",
        "{\"id\":\"n3\",\"text\":\"numbers\",\"length\":1e308}",
        "{\"id\":\"n4\",\"text\":\"numbers\",\"length\":1e-400}",
        "{\"id\":\"n5\",\"text\":\"numbers\",\"length\":123456789012345678901234567890}",
        "{\"id\":\"n6\",\"text\":\"numbers\",\"length\":1e999}",
        "{\"id\":\"t1\",\"text\":\"times\",\"published_at\":\"0000-00-00\"}",
        "{\"id\":\"t2\",\"text\":\"times\",\"published_at\":253402300799999}",
        "{\"id\":\"t3\",\"text\":\"times\",\"published_at\":-1e300}",
        "{\"id\":\"t4\",\"text\":\"times\",\"published_at\":\"+262143-01-01T00:00:00Z\"}",
        "{\"id\":\"t5\",\"text\":\"times\",\"published_at\":\"2016-12-31T23:59:60Z\"}",
        "{\"id\":\"t6\",\"text\":\"times\",\"published_at\":\"2025-03-30T02:30:00+25:00\"}",
        "{\"id\":\"split\",\"text\":\"names the platform uses\",\"event_time\":1,\"_id\":2,\"split\":\"nowhere\"}",
        "{\"id\":\"h1\",\"text\":\"<p>&#x110000;&#0;&nosuch;<!-- <b\"}",
        "{\"id\":\"h2\",\"text\":\"<script>\"}",
        "{\"id\":\"ok\",\"text\":\"one record is sound\",\"symbol\":\"A\",\"close\":1,\"user_id\":\"u\",\"item_id\":\"i\",\"action\":\"view\"}",
    ];
    let mut lines: Vec<String> = fixed.map(str::to_owned).to_vec();
    lines.push(format!("{{\"id\":\"deep\",\"text\":\"x\",\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100)));
    lines.push(format!("{{\"id\":\"deeper\",\"text\":\"x\",\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000)));
    lines.push(format!("{{\"id\":\"objects\",\"text\":\"x\",\"a\":{}1{}}}", "{\"a\":".repeat(90), "}".repeat(90)));
    lines.push(format!("{{\"id\":\"{}\",\"text\":\"a long id\"}}", "x".repeat(100_000)));
    lines.push(format!("{{\"id\":\"long-key\",\"{}\":1}}", "k".repeat(100_000)));
    lines.push(format!("{{\"id\":\"marks\",\"text\":\"z{}\"}}", "\u{301}".repeat(10_000)));
    let wide = (0..3000).fold(String::new(), |mut fields, index| {
        let _ = write!(fields, ",\"c{index}\":{index}");
        fields
    });
    lines.push(format!("{{\"id\":\"wide\",\"text\":\"x\"{wide}}}"));
    lines
}

/// Takes the odd lines round the loop as records of `data_type`; the tables must account for all that was accepted.
#[track_caller]
fn check(data_type: &str, collection: &str) {
    let workspace = Workspace::new();
    let lines = odd_lines();
    let n_blank = lines.iter().filter(|line| line.trim().is_empty()).count();
    workspace.write("odd.jsonl", lines.join("\n"));
    let ingest = ["ingest", "odd.jsonl", "--data-type", data_type, "--source-app", "tests", "--allow-rejected"];
    let with_fields = ["--id-field", "id", "--text-field", "text"];
    let report = workspace.json(&[&ingest[..], &with_fields].concat());
    let count = |name: &str| report[name].as_u64().expect("a count") as usize;
    let accounted = count("inserted") + count("unchanged") + count("changed") + count("rejected");
    assert_eq!(accounted, lines.len() - n_blank, "{report}");
    assert!(count("inserted") > 0, "{report}");
    let n_records = workspace.count(collection);

    workspace.run(&["sync"]).succeeded();
    let validated = ["global_ml_data", "market_metrics", "user_interactions", "ground_truth"];
    let n_rows: u64 = validated.iter().map(|table| workspace.count(table)).sum();
    assert_eq!(n_rows + workspace.count("quarantine"), n_records, "every record is a row or in quarantine");

    workspace.json(&["quarantine", "list", "--limit", "1000"]);
    workspace.json(&["quarantine", "replay"]);
    let made = workspace.run(&["dataset", "create", "odd", "--data-type", data_type, "--split", "random:80/20"]);
    assert!(matches!(made.code, Some(0 | 1)), "{}", made.shown());
    if made.code == Some(0) {
        workspace.run(&["dataset", "export", "odd", "--out", "odd.csv"]).succeeded();
        workspace.run(&["dataset", "export", "odd", "--out", "odd.parquet"]).succeeded();
    }
}

#[test]
fn as_text() {
    check("text", "text_corpus");
}

#[test]
fn as_social_posts() {
    check("social", "social_content");
}

#[test]
fn as_raw_market_data() {
    check("raw_market", "market_data");
}

#[test]
fn as_market_metrics() {
    check("market_metrics", "raw_records");
}

#[test]
fn as_user_interactions() {
    check("user_interactions", "raw_records");
}

#[test]
fn as_tabular_rows() {
    check("tabular", "raw_records");
}
