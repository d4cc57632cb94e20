//! What `sync infer` proposes for each built-in data type: the configuration is sound, and syncs the records it was made from.

use serde_json::json;

use crate::harness::workspace::Workspace;

/// Ingests 40 records as `data_type`, puts the proposal for them into the configuration, and syncs them by it.
#[track_caller]
fn check(data_type: &str, fields: &str, of_app: &[&str]) {
    let workspace = Workspace::new();
    let lines: Vec<String> = (0..40)
        .map(|n| fields.replace('N', &n.to_string()).replace("DAY", &format!("2024-05-{:02}", n % 28 + 1)))
        .collect();
    workspace.write("records.jsonl", lines.join("\n"));
    let from = ["--data-type", data_type, "--source-app", "shop"];
    workspace.run(&[&["ingest", "records.jsonl"], &from[..]].concat()).succeeded();
    let proposed = workspace.run(&[&["sync", "infer", "--data-type", data_type], of_app].concat()).succeeded();
    workspace.write("config/pipeline.yaml", &proposed.stdout);
    workspace.run(&["config", "check"]).succeeded();
    let report = workspace.json(&["sync"]);
    let counts = report["collections"].as_object().expect("counts by collection").values();
    let sum = |name: &str| counts.clone().map(|counts| counts[name].as_u64().expect("a count")).sum::<u64>();
    assert_eq!((sum("written"), sum("quarantined")), (40, 0), "{data_type}: {report}\n{}", proposed.stdout);
}

#[test]
fn what_is_proposed_is_accepted_and_syncs_its_own_records() {
    let bar = json!({"symbol": "KO", "day": "DAY", "close": "1.N", "note": "x N"}).to_string();
    let event = json!({"who": "u-N", "what": "i-N", "stars": "4", "day": "DAY"}).to_string();
    let truth = json!({"about": "text:N", "is": "up", "day": "DAY"}).to_string();
    let text =
        json!({"headline": "Rates N", "words": "Rates rise again after N months of rest", "day": "DAY"}).to_string();
    for (data_type, fields) in [
        ("raw_market", &bar),
        ("market_metrics", &bar),
        ("user_interactions", &event),
        ("ground_truth", &truth),
        ("tabular", &event),
        ("text", &text),
        ("social", &text),
    ] {
        check(data_type, fields, &[]);
    }
    check("raw_market", &bar, &["--source-app", "shop"]);
}
