//! `docs/tutorial.md`, command by command, on the data sets it speaks of.

use std::fs;

use crate::harness::binary::workspace_root;
use crate::harness::skip;
use crate::harness::workspace::{Workspace, copy_folder, data_sets};

/// One thing the tutorial has its reader do.
#[derive(Debug)]
enum Step {
    /// A file to write: a block that is headed by its language and the name of the file.
    File { name: String, content: String },
    /// A command of a `console` block, and what the page shows of its output.
    Command { line: String, shown: Vec<String> },
}

/// Returns the steps of the page, in order.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block: Option<&str> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(_), Some(_)) => block = None,
            (Some(heading), None) => {
                block = Some(heading);
                if let Some((_, name)) = heading.split_once(' ') {
                    steps.push(Step::File { name: name.to_owned(), content: String::new() });
                }
            }
            (None, Some(heading)) if heading == "console" || heading.contains(' ') => add_line(&mut steps, line),
            _ => {}
        }
    }
    steps
}

fn add_line(steps: &mut Vec<Step>, text: &str) {
    match steps.last_mut() {
        Some(Step::File { content, .. }) if !text.starts_with("$ ") => {
            content.push_str(text);
            content.push('\n');
        }
        Some(Step::Command { line, .. }) if line.ends_with('\\') => {
            line.pop();
            line.push_str(text.trim_start());
        }
        Some(Step::Command { shown, .. }) if !text.starts_with("$ ") => shown.push(text.to_owned()),
        _ => {
            let line = text.strip_prefix("$ ").expect("a console block begins with a command").to_owned();
            steps.push(Step::Command { line, shown: Vec::new() });
        }
    }
}

/// Does what the page says, and checks that it sees what the page shows.
#[track_caller]
fn follow(workspace: &Workspace, step: &Step) {
    match step {
        Step::File { name, content } => {
            workspace.write(name, content);
        }
        Step::Command { line, shown } => {
            let outcome = workspace.shell(line).succeeded();
            check_shown(line, shown, &outcome.stdout);
        }
    }
}

/// Whether `line` is what the page shows; `[..]` on the page stands for anything, runs of blanks for one.
fn agrees(shown: &str, line: &str) -> bool {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (shown, line) = (squeeze(shown), squeeze(line));
    let parts: Vec<&str> = shown.split("[..]").map(str::trim).collect();
    let [first, middle @ .., last] = &parts[..] else { return line == shown };
    let Some(mut rest) = line.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

/// Checks that the lines the page shows are in the output, in order; `...` stands for any lines.
#[track_caller]
fn check_shown(command: &str, shown: &[String], output: &str) {
    let mut lines = output.lines();
    for shown in shown.iter().filter(|shown| shown.trim() != "...") {
        let found = lines.by_ref().any(|line| agrees(shown, line));
        assert!(found, "`{command}` should show `{shown}`, but it shows:\n{output}");
    }
}

/// A workspace with the configuration of the repository, as after `git clone`.
fn clone() -> Workspace {
    let workspace = Workspace::new();
    let config = workspace.path("config");
    fs::create_dir(&config).expect("the folder can be made");
    copy_folder(&workspace_root().join("config"), &config);
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
    assert!(steps.len() > 15, "the tutorial has only {} steps", steps.len());
    for step in &steps {
        follow(&workspace, step);
    }

    let newsgroups = figure(&workspace, "newsgroups", "newsgroups", "accuracy");
    let sms_spam = figure(&workspace, "sms-spam", "sms-spam", "accuracy");
    let king_county = figure(&workspace, "king-county-price", "king-county", "r2");
    assert!(newsgroups >= 0.78, "newsgroups20: accuracy {newsgroups}");
    assert!(sms_spam >= 0.975, "sms-spam: accuracy {sms_spam}");
    assert!(king_county >= 0.85, "king-county-sales: R² {king_county}");
}

#[test]
fn the_part_about_your_own_csv_needs_no_data_sets() {
    let page = fs::read_to_string(workspace_root().join("docs/tutorial.md")).expect("the tutorial is there");
    let (_, part) = page.split_once("\n## Your own CSV\n").expect("the tutorial has that part");
    let workspace = clone();
    let steps = steps(part);
    assert!(steps.len() > 10, "the part has only {} steps", steps.len());
    for step in &steps {
        follow(&workspace, step);
    }
}

#[test]
fn pages_are_compared_by_words() {
    assert!(agrees("accuracy [..] 0.8", "accuracy   0.79 0.8"));
    assert!(agrees("rows  3", "rows 3"));
    assert!(agrees("run [..]", "run 0199"));
    assert!(!agrees("rows 3", "rows 31"));
    assert!(agrees("a [..] b [..] b", "a b b b"));
    assert!(!agrees("[..] 0.8", "accuracy 0.79"));
    assert!(!agrees("a [..] b [..] c", "a x c"));
}
