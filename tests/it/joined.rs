//! A dataset with feature sources from SQL and from the documents, in one command.

use serde_json::Value;

use crate::harness::workspace::Workspace;

const NEWS: &str = r#"{"id": "n1", "text": "up", "ticker": "AAPL", "published_at": "2024-03-04T12:00:00Z"}
{"id": "n2", "text": "down", "ticker": "MSFT", "published_at": "2024-03-04T12:00:00Z"}
{"id": "n3", "text": "flat", "ticker": "AAPL", "published_at": "2024-05-01T12:00:00Z"}
"#;

const PRICES: &str = r#"{"id": "p1", "symbol": "AAPL", "date": "2024-03-04", "close": 10}
{"id": "p2", "symbol": "AAPL", "date": "2024-03-05", "close": 99}
{"id": "p3", "symbol": "MSFT", "date": "2024-03-01", "close": 20}
"#;

const POSTS: &str = r#"{"id": "s1", "text": "fine", "symbol": "AAPL", "mood": "good", "posted_at": "2024-03-04T11:00:00Z"}
{"id": "s2", "text": "oh", "symbol": "AAPL", "mood": "awful", "posted_at": "2024-03-04T12:00:01Z"}
"#;

const JOINS: &str = "
- name: price
  table: market_metrics
  on: { left: ticker, right: symbol }
  columns: [close]
  ttl: 7d
- name: post
  collection: social_content
  data_type: social
  form: raw
  event_time: posted_at
  on: { left: ticker, right: symbol }
  columns: [mood]
  prefix: post_
";

#[test]
fn rows_get_the_latest_values_before_them_from_both_stores() {
    let workspace = Workspace::new();
    for (file, content, data_type) in
        [("news.jsonl", NEWS, "text"), ("prices.jsonl", PRICES, "raw_market"), ("posts.jsonl", POSTS, "social")]
    {
        workspace.write(file, content);
        workspace.run(&["ingest", file, "--data-type", data_type, "--source-app", "desk"]).succeeded();
    }
    workspace.run(&["sync"]).succeeded();
    workspace.write("joins.yaml", JOINS);

    let create = ["dataset", "create", "moves", "--data-type", "text", "--join", "joins.yaml"];
    workspace.run(&create).succeeded().says(&["rows found", "too old", "price.close", "post_mood"]);

    let shown = workspace.json(&["dataset", "show", "moves"]);
    let counts = |source: usize, name: &str| shown["joins"][source][name].as_u64().unwrap();
    assert_eq!((counts(0, "n_found"), counts(0, "n_too_old"), counts(0, "n_missing")), (2, 1, 0), "{shown}");
    assert_eq!((counts(1, "n_found"), counts(1, "n_too_old"), counts(1, "n_missing")), (2, 0, 1), "{shown}");
    workspace.run(&["dataset", "export", "moves", "--out", "moves.csv"]).succeeded();
    let csv = std::fs::read_to_string(workspace.path("moves.csv")).unwrap();
    let ends: Vec<&str> = csv
        .lines()
        .filter_map(|line| line.rsplit_once("AAPL,").or(line.rsplit_once("MSFT,")))
        .map(|(_, end)| end)
        .collect();
    assert_eq!(ends, ["10.0,good", "20.0,", ",awful"], "{csv}");

    let again = workspace.json(&create);
    assert_eq!((&again["version"], &again["content_hash"]), (&Value::from(1), &shown["content_hash"]));
}

#[test]
fn a_file_that_lists_no_feature_sources_says_why() {
    let workspace = Workspace::new();
    let create = ["dataset", "create", "moves", "--data-type", "text", "--join", "joins.yaml"];
    workspace.run(&create).failed_saying(&["cannot read joins.yaml"]);
    workspace.write("joins.yaml", "- { name: price, table: prices, on: { left: a, right: b } }");
    workspace
        .run(&create)
        .failed_saying(&["joins.yaml does not list feature sources", "there is no table `prices` to join"]);
    workspace.write("joins.yaml", "- { name: price, table: market_metrics, on: { left: a, right: b }, ttl: soon }");
    workspace.run(&create).failed_saying(&["`soon` is not a time to live"]);
}
