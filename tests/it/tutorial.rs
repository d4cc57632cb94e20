//! `docs/tutorial.md`, command by command, on the data sets it speaks of.

use std::fs;

use crate::harness::binary::workspace_root;
use crate::harness::skip;
use crate::harness::workspace::{Workspace, data_sets};

/// One command of the tutorial and what the page shows of its output.
#[derive(Debug)]
struct Step {
    command: String,
    shown: Vec<String>,
}

/// Returns the steps of every ```console block, in order.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            add_line(&mut steps, line);
        }
    }
    steps
}

fn add_line(steps: &mut Vec<Step>, line: &str) {
    if let Some(command) = line.strip_prefix("$ ") {
        steps.push(Step { command: command.to_owned(), shown: Vec::new() });
        return;
    }
    let step = steps.last_mut().expect("a block begins with a command");
    match step.command.strip_suffix('\\') {
        Some(begun) => step.command = format!("{begun}{}", line.trim_start()),
        None => step.shown.push(line.to_owned()),
    }
}

/// Whether `line` is what the page shows; `[..]` on the page stands for anything, runs of blanks for one.
fn agrees(shown: &str, line: &str) -> bool {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = squeeze(line);
    let mut rest = line.as_str();
    let shown = squeeze(shown);
    let mut parts = shown.split("[..]");
    let Some(after_start) = parts.next().and_then(|start| rest.strip_prefix(start.trim_end())) else {
        return false;
    };
    rest = after_start;
    let mut open_end = false;
    for part in parts.map(str::trim) {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        open_end = part.is_empty();
    }
    open_end || rest.is_empty()
}

/// Checks that the lines the page shows are in the output, in order; `...` stands for any lines.
#[track_caller]
fn check_shown(step: &Step, output: &str) {
    let mut lines = output.lines();
    for shown in step.shown.iter().filter(|shown| shown.trim() != "...") {
        let found = lines.by_ref().any(|line| agrees(shown, line));
        assert!(found, "`{}` should show `{shown}`, but it shows:\n{output}", step.command);
    }
}

/// A workspace with the pipelines of the repository, as after `git clone`.
fn clone() -> Workspace {
    let workspace = Workspace::new();
    let pipelines = workspace_root().join("config/pipelines");
    for entry in fs::read_dir(pipelines).expect("the pipelines are there") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a pipeline has a name");
        workspace.write(&format!("config/pipelines/{name}"), fs::read(&path).expect("the pipeline can be read"));
    }
    workspace
}

fn figure(workspace: &Workspace, model: &str, dataset: &str, name: &str) -> f64 {
    let report = workspace.json(&["evaluate", "--model", model, "--dataset", dataset, "--split", "test"]);
    report["metrics"][name].as_f64().unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[test]
fn loop_on_real_data() {
    if !data_sets().join("newsgroups20").is_dir() {
        return skip("no ../shared/data");
    }
    let page = fs::read_to_string(workspace_root().join("docs/tutorial.md")).expect("the tutorial is there");
    let workspace = clone();
    let steps = steps(&page);
    assert!(steps.len() > 15, "the tutorial has only {} commands", steps.len());
    for step in &steps {
        let outcome = workspace.shell(&step.command);
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
        check_shown(step, &outcome.stdout);
    }

    let newsgroups = figure(&workspace, "newsgroups", "newsgroups", "accuracy");
    let sms_spam = figure(&workspace, "sms-spam", "sms-spam", "accuracy");
    let king_county = figure(&workspace, "king-county-price", "king-county", "r2");
    assert!(newsgroups >= 0.78, "newsgroups20: accuracy {newsgroups}");
    assert!(sms_spam >= 0.975, "sms-spam: accuracy {sms_spam}");
    assert!(king_county >= 0.85, "king-county-sales: R² {king_county}");
}

#[test]
fn every_command_of_the_tutorial_is_one_of_the_binary() {
    let page = fs::read_to_string(workspace_root().join("docs/tutorial.md")).expect("the tutorial is there");
    let workspace = Workspace::new();
    for step in steps(&page) {
        for part in step.command.split(" | ").filter_map(|part| part.strip_prefix("ml-app ")) {
            let name = part.split(' ').next().expect("a command has a name");
            workspace.run(&[name, "--help"]).succeeded();
        }
    }
}

#[test]
fn pages_are_compared_by_words() {
    assert!(agrees("accuracy [..] 0.8", "accuracy   0.79 0.8"));
    assert!(agrees("rows  3", "rows 3"));
    assert!(agrees("run [..]", "run 0199"));
    assert!(!agrees("rows 3", "rows 31"));
    assert!(!agrees("[..] 0.8", "accuracy 0.79"));
}
