//! Documents scored where they are, by a word list and by a trained model with the words that spoke for its predictions.

use mongodb::bson::doc;
use serde_json::{Value, json};

use crate::harness::mongo::TestDatabase;
use crate::harness::samples;
use crate::harness::workspace::Workspace;

const POSTS: &str = r#"{"id": "1", "text": "What a GREAT day, I love it!", "likes": 1}
{"id": "2", "text": "The worst service ever. Awful.", "likes": 2}
{"id": "3", "text": "The table is in the room", "likes": 3}
{"id": "4", "likes": 4}
"#;
const INGEST: [&str; 6] = ["ingest", "posts.jsonl", "--data-type", "social", "--source-app", "tests"];
const SCORE: [&str; 5] = ["predict", "--scorer", "vader", "--collection", "social_content"];

fn counts(report: &Value) -> [u64; 3] {
    ["scored", "unchanged", "without_prediction"].map(|count| report[count].as_u64().expect("a count"))
}

/// Ingests posts, scores them, changes one text and something else of another post, and scores them again.
fn score_and_change(workspace: &Workspace) {
    workspace.write("posts.jsonl", POSTS);
    workspace.run(&INGEST).succeeded();
    assert_eq!(counts(&workspace.json(&SCORE)), [3, 0, 1]);
    assert_eq!(counts(&workspace.json(&SCORE)), [0, 3, 1]);

    let changed = POSTS
        .replace("The table is in the room", "The table is a horrible mess")
        .replace("\"likes\": 1", "\"likes\": 9");
    workspace.write("posts.jsonl", changed);
    workspace.run(&INGEST).succeeded();
    let report = workspace.json(&SCORE);
    assert_eq!(counts(&report), [1, 2, 1]);
    assert_eq!(report["scorer"], "vader 3.3.2");
    let outcome = workspace.run(&SCORE).succeeded();
    assert!(outcome.stdout.contains("0 documents scored with vader 3.3.2, 3 unchanged"), "{}", outcome.shown());
    assert_eq!(counts(&workspace.json(&[&SCORE[..], &["--again"]].concat())), [3, 0, 1]);
}

#[test]
fn only_documents_whose_text_changed_are_scored_again() {
    let workspace = Workspace::new();
    score_and_change(&workspace);
    assert_eq!(workspace.count("predictions"), 4, "each document has one, beside it at once");
    assert_eq!(workspace.count("outbox"), 0);
}

#[test]
fn documents_on_mongodb_are_scored_beside_themselves() {
    let Some(database) = TestDatabase::new() else { return };
    score_and_change(&database.workspace());
    let found = database.find("predictions", doc! { "details.document.id": "tests:3" });
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].get_str("value").unwrap(), "negative");
    assert_eq!(found[0].get_str("model_name").unwrap(), "builtin.vader");
    let missing = database.find("predictions", doc! { "details.missing": "no text in `text`" });
    assert_eq!(missing.len(), 1);
}

#[test]
fn rows_of_a_file_are_scored_by_the_word_list() {
    let workspace = Workspace::new();
    workspace.write("posts.jsonl", POSTS);
    let report = workspace.json(&["predict", "--scorer", "vader", "--input", "posts.jsonl", "--explain", "2"]);
    let predictions = report["predictions"].as_array().expect("a list");
    let values: Vec<Value> = predictions.iter().map(|prediction| prediction["value"].clone()).collect();
    assert_eq!(Value::from(values), json!(["positive", "negative", "neutral", null]));
    assert_eq!(predictions[0]["details"]["explanation"]["words"][0]["word"], "GREAT");
    assert_eq!(predictions[0]["details"]["scores"]["compound"], 0.884);
}

#[test]
fn a_model_tells_the_words_that_spoke_for_its_predictions() {
    let workspace = Workspace::new();
    workspace.write("notes.jsonl", samples::notes(200));
    workspace.write("pipeline.yaml", include_str!("fixtures/notes.yaml"));
    let ingest = ["ingest", "notes.jsonl", "--data-type", "text", "--source-app", "tests", "--id-field", "id"];
    workspace.run(&ingest).succeeded();
    workspace.run(&["sync"]).succeeded();
    workspace.run(&["dataset", "create", "notes", "--data-type", "text", "--split", "random:80/20"]).succeeded();
    workspace.run(&["train", "--pipeline", "pipeline.yaml", "--dataset", "notes", "--alias", "champion"]).succeeded();

    let score = ["predict", "--model", "notes@champion", "--collection", "text_corpus", "--explain", "3"];
    assert_eq!(counts(&workspace.json(&score)), [200, 0, 0]);
    assert_eq!(counts(&workspace.json(&score)), [0, 200, 0]);

    workspace.write("new.jsonl", "{\"text\": \"The STRIKER and the keeper, a goal; the grid\"}\n");
    let report = workspace.json(&["predict", "--model", "notes@champion", "--input", "new.jsonl", "--explain", "4"]);
    let prediction = &report["predictions"][0];
    assert_eq!(prediction["value"], "sport");
    let explanation = &prediction["details"]["explanation"];
    let towards = explanation["towards"].as_array().expect("a list");
    assert!(towards.iter().any(|term| term["term"] == "striker" && term["as_written"] == "STRIKER"), "{explanation}");
    assert_eq!(explanation["against"][0]["term"], "grid");
}

#[test]
fn models_that_cannot_be_explained_by_words_say_so() {
    let workspace = Workspace::new();
    workspace.write("notes.jsonl", samples::notes(60));
    let trees = include_str!("fixtures/notes.yaml")
        .replace("linear_svm", "decision_tree")
        .replace("[tfidf]", "[{tfidf: {max_features: 50}}]");
    workspace.write("pipeline.yaml", trees);
    let ingest = ["ingest", "notes.jsonl", "--data-type", "text", "--source-app", "tests", "--id-field", "id"];
    workspace.run(&ingest).succeeded();
    workspace.run(&["sync"]).succeeded();
    workspace.run(&["dataset", "create", "notes", "--data-type", "text", "--split", "random:80/20"]).succeeded();
    workspace.run(&["train", "--pipeline", "pipeline.yaml", "--dataset", "notes", "--alias", "champion"]).succeeded();
    workspace
        .run(&["predict", "--model", "notes@champion", "--collection", "text_corpus", "--explain", "3"])
        .failed_saying(&["--explain does not go with notes@1", "`decision_tree` cannot be explained by words"]);
    workspace.run(&["predict", "--collection", "text_corpus"]).misused_saying(&["--model", "--scorer"]);
}
