//! Models from elsewhere: imported as ONNX, and fitted by a program of the user's.

use std::path::PathBuf;
use std::process::Stdio;

use crate::harness::binary::workspace_root;
use crate::harness::dump::dump;
use crate::harness::outcome::Outcome;
use crate::harness::signal::interrupt;
use crate::harness::trained::trained_workspace;
use crate::harness::wait_until;
use crate::harness::workspace::Workspace;

/// An ONNX model that tells the notes of the tests apart; scikit-learn made it.
fn notes_onnx() -> PathBuf {
    workspace_root().join("crates/ml-train/tests/golden/onnx/notes.onnx")
}

fn import(workspace: &Workspace, more: &[&str]) -> Outcome {
    let file = notes_onnx().display().to_string();
    workspace.run(&[&["models", "import", &file], more].concat())
}

#[test]
fn an_onnx_model_is_imported_evaluated_and_scored_with() {
    let workspace = trained_workspace();
    import(&workspace, &[]).failed_saying(&["--name"]);
    import(&workspace, &["--name", "from-afar"]).failed_saying(&["--target"]);
    let named = ["--name", "from-afar", "--target", "topic"];
    import(&workspace, &named).succeeded().says(&["registered from-afar@1"]);
    import(&workspace, &named).succeeded().says(&["was there already: from-afar@1"]);

    let shown = workspace.json(&["models", "show", "from-afar"]);
    assert_eq!(shown["signature"]["inputs"][0]["name"], "text");
    let card = workspace.run(&["models", "show", "from-afar", "--card"]).succeeded().stdout;
    assert!(card.starts_with("# from-afar\n\nA `external` that predicts the category `topic`, one of 2"), "{card}");

    let evaluated = workspace.json(&["evaluate", "--model", "from-afar", "--dataset", "notes"]);
    assert!(evaluated["metrics"]["accuracy"].as_f64().is_some_and(|accuracy| accuracy > 0.95), "{evaluated}");
    is_reported_on(&workspace, "from-afar");
    let predict = ["predict", "--model", "from-afar", "--dataset", "notes", "--split", "test"];
    assert_eq!(workspace.json(&predict)["n_missing"], 0);
    workspace.run(&["monitor", "report", "--model", "from-afar", "--dataset", "notes"]).succeeded();
    workspace.run(&["models", "promote", "from-afar@1", "staging"]).succeeded();
}

/// Sees to it that everything that is found out of a model is found out of `model`, which no pipeline of this program fitted.
fn is_reported_on(workspace: &Workspace, model: &str) {
    let all = ["evaluate", "--model", model, "--dataset", "notes", "--slice-by", "text", "--report", "page.html"];
    let costs = ["--against", "notes", "--false-positive-cost", "5", "--false-negative-cost", "1"];
    let outcome = workspace.json(&[&all[..], &costs].concat());
    let importance = &outcome["study"]["importance"]["columns"][0];
    assert_eq!(importance["column"], "text", "{outcome}");
    assert!(importance["mean"].as_f64().is_some_and(|mean| mean > 0.2), "{importance}");
    assert!(
        outcome["study"]["versus"]["verdict"].is_string() && outcome["study"]["threshold"].is_object(),
        "{outcome}"
    );
    let page = std::fs::read_to_string(workspace.path("page.html")).expect("the page is written");
    assert!(page.contains("What matters"), "{page}");
    workspace
        .run(&["evaluate", "--model", model, "--dataset", "notes", "--learning-curve"])
        .failed_saying(&["was not fitted by this program", "leave it out"]);
}

#[test]
fn a_broken_onnx_file_is_told_as_one() {
    let workspace = trained_workspace();
    let whole = std::fs::read(notes_onnx()).expect("the sample is there");
    for content in [&b"junk"[..], b"", &whole[..whole.len() / 2]] {
        std::fs::write(workspace.path("broken.onnx"), content).expect("it is written");
        let outcome = workspace.run(&["models", "import", "broken.onnx", "--name", "broken", "--target", "topic"]);
        outcome.failed_saying(&["broken.onnx is no whole ONNX model", "export it again"]);
    }
}

#[test]
fn an_export_says_by_itself_what_an_onnx_model_must_be_told() {
    let workspace = trained_workspace();
    workspace.run(&["models", "export", "notes@1", "--out", "notes.bundle"]).succeeded();
    let args = ["models", "import", "notes.bundle", "--target", "topic"];
    workspace.run(&args).failed_saying(&["`--target`", "are for ONNX models"]);
}

/// Writes a pipeline whose model `script` fits.
fn pipeline(workspace: &Workspace, script: &str) {
    workspace.write("fit.sh", script);
    workspace.write(
        "external.yaml",
        "{version: 1, name: ours, task: classification, target: topic, seed: 3, features: [{columns: [text]}], estimator: \
         {kind: external, command: [sh, fit.sh], settings: {depth: 4}}}",
    );
}

const TRAIN: [&str; 5] = ["train", "--pipeline", "external.yaml", "--dataset", "notes"];

/// Returns whether a run of the workspace ended in `status`.
fn has_run(workspace: &Workspace, status: &str) -> bool {
    dump(&workspace.path("ml-data"))["runs"].iter().any(|run| run.contains(status))
}

#[test]
fn a_program_fits_a_model_that_is_evaluated_and_registered() {
    let workspace = trained_workspace();
    let script = format!(
        "set -e\necho fitting on $(wc -c < $ML_EXTERNAL_TRAIN) bytes\ngrep -q '\"depth\": 4' $ML_EXTERNAL_REQUEST\ngrep -q \
         '\"seed\": 3' $ML_EXTERNAL_REQUEST\ncp '{}' $ML_EXTERNAL_OUTPUT/model.onnx\n",
        notes_onnx().display()
    );
    pipeline(&workspace, &script);
    let outcome = workspace.run(&[&["--output", "json"], &TRAIN[..]].concat()).succeeded();
    let report = outcome.json();
    assert!(outcome.stderr.contains("fitting on "), "what the program prints is shown: {}", outcome.stderr);
    assert_eq!((&report["model"], &report["n_train"]), (&"ours@1".into(), &240.into()), "{report}");
    assert!(report["metrics"]["accuracy"].as_f64().is_some_and(|accuracy| accuracy > 0.95), "{report}");
    assert_eq!(report["baselines"][0]["name"], "majority_class");

    is_reported_on(&workspace, "ours");

    let again = workspace.json(&TRAIN);
    assert_eq!(again["artifact"], report["artifact"], "the same model of the same rows is the same package");
    let drift = workspace.json(&["monitor", "report", "--model", "ours", "--dataset", "notes", "--split", "test"]);
    assert!(drift["drift"]["columns"].as_array().is_some_and(|columns| !columns.is_empty()), "{drift}");
}

#[test]
fn a_program_that_fails_registers_nothing() {
    let workspace = trained_workspace();
    pipeline(&workspace, "echo no memory left >&2; exit 7");
    workspace.run(&TRAIN).failed_saying(&["no memory left", "`sh` did not fit a model", "7"]);
    workspace.run(&["models", "show", "ours"]).failed_saying(&["ours"]);
    assert!(has_run(&workspace, "failed") && !has_run(&workspace, "running"));
}

#[test]
fn ctrl_c_ends_the_program_with_what_it_started() {
    let workspace = trained_workspace();
    pipeline(&workspace, "sleep 600 & echo $! > started; wait");
    let mut command = workspace.command(&TRAIN);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    wait_until("the program of the user runs", || {
        let started = std::fs::read_to_string(workspace.path("started")).unwrap_or_default();
        if started.trim().is_empty() { Err("not yet".to_owned()) } else { Ok(()) }
    });
    let sleeper = std::fs::read_to_string(workspace.path("started")).expect("it was there just now");
    interrupt(child.id());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("the training was cancelled"), "{message}");
    wait_until("what it started is gone", || {
        match std::fs::read_to_string(format!("/proc/{}/cmdline", sleeper.trim())) {
            Ok(line) if line.contains("sleep") => Err("it is still there".to_owned()),
            _ => Ok(()),
        }
    });
    assert!(has_run(&workspace, "killed") && !has_run(&workspace, "running"));
}
