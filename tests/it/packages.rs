//! What is kept of a model version beside its model: the card, golden rows, and the profile of its inputs.

use crate::harness::trained::trained_workspace;

#[test]
fn a_version_has_a_card() {
    let workspace = trained_workspace();
    let card = workspace.run(&["models", "show", "notes@champion", "--card"]).succeeded().stdout;
    let dataset = workspace.json(&["dataset", "show", "notes@1"]);
    let hash = dataset["content_hash"].as_str().expect("a dataset has a content hash");
    for expected in [
        "# notes\n",
        "## Intended use\n",
        "| text | text | 0.0 % | ",
        &format!("`notes@1`, content hash `{hash}`"),
        "## Figures\n",
    ] {
        assert!(card.contains(expected), "{expected:?} is not in the card:\n{card}");
    }
    let as_json = workspace.json(&["models", "show", "notes@champion", "--card"]);
    assert_eq!(as_json["model"], "notes@1");
    assert_eq!(as_json["card"].as_str().map(str::trim_end), Some(card.trim_end()));
}

#[test]
fn the_profile_is_in_the_package_and_drift_is_measured_against_it() {
    let workspace = trained_workspace();
    assert!(workspace.json(&["models", "show", "notes@1"])["reference_profile"].is_null());
    let report = workspace.json(&["monitor", "report", "--model", "notes@1", "--dataset", "notes", "--split", "test"]);
    assert!(report["drift"]["columns"].as_array().is_some_and(|columns| !columns.is_empty()), "{report}");
}
