//! `ml-app demo`: the whole loop on bundled data, without the network.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::harness::binary::ml_app;
use crate::harness::dump;
use crate::harness::outcome::Outcome;
use crate::harness::skip;
use crate::harness::workspace::{Workspace, finish};

/// A workspace in which the demo ran once, and what it said.
fn after_demo() -> &'static (Workspace, Outcome) {
    static DEMO: OnceLock<(Workspace, Outcome)> = OnceLock::new();
    DEMO.get_or_init(|| {
        let workspace = Workspace::new();
        let outcome = workspace.run(&["demo"]).succeeded();
        (workspace, outcome)
    })
}

#[test]
fn it_reports_every_step() {
    let (workspace, outcome) = after_demo();
    let report = &outcome.stdout;
    for word in
        ["records in", "validated", "held back", "models", "baseline", "published", "drift", "ml-data", "ml-app "]
    {
        assert!(report.to_lowercase().contains(word), "the report should speak of `{word}`:\n{report}");
    }
    // 12 shares of 951 days each, of which one bar is wrong at its source.
    assert!(report.contains("11,412") || report.contains("11412"), "{report}");
    assert_eq!(workspace.count("market_metrics"), 11_411);
    assert_eq!(workspace.count("market_data"), 11_412);
}

#[test]
fn what_is_broken_on_purpose_is_rejected_or_quarantined() {
    let (workspace, _) = after_demo();
    // 471 lines: 3 are not JSON, 1 repeats an id with other content, 17 break a rule.
    assert_eq!(workspace.count("global_ml_data") + workspace.count("quarantine"), 467 + 1);
    assert_eq!(workspace.count("global_ml_data"), 450);
    let quarantined = workspace.json(&["quarantine", "list"]).to_string();
    for needle in ["1582", "9999", "weather?"] {
        assert!(quarantined.contains(needle), "{quarantined}");
    }
}

#[test]
fn both_models_beat_their_baselines_on_held_out_rows() {
    let workspace = Workspace::new();
    let report = workspace.json(&["demo"]);
    let models = report["details"]["models"].as_array().expect("the report lists models");
    assert_eq!(models.len(), 2, "{report}");
    for model in models {
        let name = model["headline"].as_str().expect("a model has a headline figure");
        let trained = &model["trained"];
        let score = figure(&trained["metrics"][name]);
        assert_eq!(trained["scored_on"], "test");
        let baselines = trained["baselines"].as_array().expect("a model has baselines");
        assert!(!baselines.is_empty(), "{trained}");
        for baseline in baselines {
            let other = figure(&baseline["metrics"][name]);
            let is_better = if ["rmse", "mae"].contains(&name) { score < other } else { score > other };
            assert!(is_better, "{name} {score} against {baseline}");
        }
    }
}

fn figure(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("`{value}` is no figure"))
}

#[test]
fn a_second_run_says_that_there_is_nothing_to_do() {
    let (first, _) = after_demo();
    let workspace = Workspace::copy_of(first);
    let before = dump::dump(&workspace.path("ml-data"));
    let outcome = workspace.run(&["demo"]).succeeded();
    assert!(outcome.stdout.to_lowercase().contains("nothing"), "{}", outcome.shown());
    assert!(dump::dump(&workspace.path("ml-data")) == before, "a second demo must change nothing");
}

#[test]
fn it_needs_no_network() {
    let workspace = Workspace::new();
    let without_network = |args: &[&OsStr]| -> Option<Command> {
        let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
        let with = |way: &[&str], args: &[&OsStr]| {
            let args: Vec<&OsStr> = way.iter().map(AsRef::as_ref).chain(args.iter().copied()).collect();
            workspace.program("unshare", &args)
        };
        let way =
            ways.into_iter().find(|way| with(way, &["true".as_ref()]).status().is_ok_and(|status| status.success()))?;
        Some(with(way, args))
    };
    match without_network(&[ml_app().as_os_str(), "demo".as_ref()]) {
        Some(demo) => drop(finish(demo).succeeded()),
        None => skip("cannot take the network away"),
    }
}

#[test]
fn its_data_folder_is_usable() {
    let (first, _) = after_demo();
    let workspace = Workspace::copy_of(first);
    let models = workspace.json(&["models", "list"]);
    let datasets = workspace.json(&["dataset", "list"]);
    assert!(models.to_string().contains("news") && datasets.to_string().contains("news"), "{models}\n{datasets}");
    workspace.run(&["quarantine", "list"]).succeeded();
    workspace.run(&["sync"]).succeeded();
    workspace.run(&["publish"]).succeeded();
}

#[test]
fn the_commands_it_proposes_work() {
    let (first, outcome) = after_demo();
    let workspace = Workspace::copy_of(first);
    let next = outcome.stdout.lines().skip_while(|line| *line != "What to type next").skip(1);
    // Each line says what for, and after some blanks the command.
    let proposed: Vec<&str> =
        next.filter_map(|line| line.split_once("  ")).map(|(_, command)| command.trim()).collect();
    assert!(!proposed.is_empty(), "{}", outcome.shown());
    for command in proposed {
        assert!(command.contains("ml-app "), "{command}");
        finish(workspace.program("sh", &["-eu", "-c", command])).succeeded();
    }
}

#[test]
fn the_commands_it_proposes_name_the_program_and_folder_as_they_are_now() {
    let (first, _) = after_demo();
    let workspace = Workspace::copy_of(first);
    std::fs::rename(workspace.path("ml-data"), workspace.path("my data")).unwrap();
    std::fs::create_dir(workspace.path("bin")).unwrap();
    std::os::unix::fs::symlink(ml_app(), workspace.path("bin/ml-app")).unwrap();
    let again = workspace.program("sh", &["-eu", "-c", "bin/ml-app --data-dir 'my data' demo"]);
    let report = finish(again).succeeded().stdout;
    assert_eq!(report.matches("What to type next").count(), 1, "{report}");
    let (_, command) = report
        .lines()
        .filter_map(|line| line.split_once("  "))
        .find(|(purpose, _)| *purpose == "one model, whole")
        .expect("the report proposes to look at a model");
    assert!(command.trim().starts_with("bin/ml-app --data-dir 'my data' "), "{command}");
    finish(workspace.program("sh", &["-eu", "-c", command])).succeeded();
    assert!(!workspace.path("ml-data").exists(), "the folder of the first run is not made again");
}
