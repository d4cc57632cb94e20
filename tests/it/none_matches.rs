//! Answers of commands that find nothing of what they were asked for, though there is something else.

use crate::harness::workspace::Workspace;

/// Three records that break a rule, one of them with a warning.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    let pipeline = "data_types:
  tabular:
    rules: [{ range: { fields: x, min: 0 } }, { range: { fields: y, min: 0, severity: warn } }]
    target: { table: global_ml_data }
";
    workspace.write("config/pipeline.yaml", pipeline);
    let records = "{\"id\":1,\"x\":-1}\n{\"id\":2,\"x\":-1}\n{\"id\":3,\"x\":-1}\n{\"id\":4,\"y\":-1}\n";
    workspace.write("records.jsonl", records);
    workspace.run(&["ingest", "records.jsonl", "--data-type", "tabular", "--source-app", "shop"]).succeeded();
    workspace.run(&["sync"]).succeeded();
    workspace
}

#[test]
fn a_filter_that_matches_nothing_is_told_from_an_empty_quarantine() {
    let workspace = workspace();
    let matches = "nothing in quarantine matches (3 records are there)";
    for filter in [["--rule", "nix"], ["--source-app", "nix"], ["--data-type", "nix"]] {
        for command in [&["quarantine", "list"][..], &["quarantine", "replay"], &["quarantine", "replay", "--dry-run"]]
        {
            workspace.run(&[command, &filter[..]].concat()).succeeded().says(&[matches]);
        }
    }
    workspace.run(&["sync", "warnings", "--rule", "nix"]).succeeded().says(&["no warning matches (1 record has one)"]);
    let empty = Workspace::new();
    empty.run(&["quarantine", "list", "--rule", "nix"]).succeeded().says(&["nothing is in quarantine"]);
    empty.run(&["quarantine", "replay"]).succeeded().says(&["nothing is in quarantine"]);
    empty.run(&["sync", "warnings", "--rule", "nix"]).succeeded().says(&["no record passed with a warning"]);
}

#[test]
fn no_more_are_shown_than_were_asked_for() {
    let workspace = workspace();
    for (limit, n_shown) in [("0", 0), ("2", 2)] {
        let listed = workspace.json(&["quarantine", "list", "--limit", limit]);
        assert_eq!((listed["total"].as_u64(), listed["records"].as_array().map(Vec::len)), (Some(3), Some(n_shown)));
    }
    workspace.run(&["quarantine", "list", "--limit", "0"]).succeeded().says(&["0 of 3 records"]);
    let listed = workspace.json(&["sync", "warnings", "--limit", "0"]);
    assert_eq!((listed["n_records"].as_u64(), listed["warnings"].as_array().map(Vec::len)), (Some(1), Some(0)));
}

#[test]
fn a_data_type_without_a_route_is_told_by_check_and_ingest() {
    let workspace = Workspace::new();
    workspace.write("config/pipeline.yaml", "data_types: { listing: { target: { table: global_ml_data } } }\n");
    workspace.write("records.jsonl", "{\"id\":1}\n");
    workspace
        .run(&["config", "check"])
        .succeeded()
        .says(&["warning: pipeline.data_types.listing", "routing.data_types"]);
    let ingest = ["ingest", "records.jsonl", "--data-type", "listing", "--source-app", "shop"];
    workspace.run(&ingest).failed_saying(&["`listing`", "routing.data_types", "database.yaml"]);
    let route = "routing: { data_types: { listing: { collection: raw_records, read_from: global_ml_data } } }\n";
    workspace.write("config/database.yaml", route);
    let checked = workspace.run(&["config", "check"]).succeeded();
    assert!(!checked.stdout.contains("warning"), "{}", checked.shown());
    workspace.run(&ingest).succeeded();
}

#[test]
fn a_table_that_is_not_there_is_told_with_the_place_of_the_rule() {
    let workspace = Workspace::new();
    let rule = "exists_in: { fields: x, table: nix, column: symbol }";
    let pipeline =
        format!("data_types: {{ tabular: {{ rules: [{{ {rule} }}], target: {{ table: global_ml_data }} }} }}\n");
    workspace.write("config/pipeline.yaml", pipeline);
    workspace.write("records.jsonl", "{\"id\":1,\"x\":\"a\"}\n");
    workspace.run(&["ingest", "records.jsonl", "--data-type", "tabular", "--source-app", "shop"]).succeeded();
    workspace.run(&["sync"]).failed_saying(&["data_types.tabular.rules[0]", "table `nix` not found"]);
}

#[test]
fn an_empty_join_file_is_refused() {
    let workspace = Workspace::new();
    for text in ["", "[]\n", "# price\n"] {
        workspace.write("joins.yaml", text);
        let create =
            ["dataset", "create", "d", "--data-type", "tabular", "--split", "random:80/20", "--join", "joins.yaml"];
        workspace.run(&create).failed_saying(&["joins.yaml names no feature source"]);
    }
}
