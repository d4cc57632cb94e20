//! Standard output, standard error, exit codes and signals, as scripts rely on them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::outcome::Outcome;
use crate::harness::samples;
use crate::harness::signal::interrupt;
use crate::harness::trained::{N_NOTES, trained_workspace};
use crate::harness::wait_until;
use crate::harness::workspace::{Workspace, finish};

#[test]
fn every_command_gives_one_json_document() {
    let workspace = trained_workspace();
    let commands = [
        "config show",
        "config check",
        "doctor",
        "prune --dry-run",
        "migrate",
        "migrate --check",
        "ingest notes.jsonl --data-type text --source-app tests --id-field id --time-field published_at",
        "sync",
        "sync status",
        "sync warnings",
        "sync infer --data-type text",
        "quarantine list",
        "quarantine replay --dry-run",
        "quarantine replay",
        "dataset create again --data-type text --split time:80/20",
        "dataset list",
        "dataset show notes",
        "dataset export notes --out notes.csv",
        "dataset export notes --out notes.parquet",
        "train --pipeline notes.yaml --dataset notes",
        "train --pipeline notes.yaml --dataset notes --no-register",
        "evaluate --model notes --dataset notes",
        "models list",
        "models list notes",
        "models show notes@1",
        "models show notes@1 --card",
        "models alias notes@1 candidate",
        "models promote notes@1 staging",
        "models promote notes@candidate production",
        "models compare notes@1 notes@2",
        "models export notes --out notes.bundle",
        "models import notes.bundle --name copied",
        "models alias notes candidate --remove",
        "predict --model notes@champion --input notes.jsonl",
        "predict --model notes@champion --input notes.jsonl --out predictions.jsonl",
        "predict --model notes@champion --dataset notes --split test",
        "publish",
        "monitor report --model notes@champion",
        "monitor drift --model notes@champion",
        "monitor quality --model notes@champion --dataset notes",
    ];
    for command in commands {
        let args: Vec<&str> = ["--output", "json"].into_iter().chain(command.split(' ')).collect();
        let document = workspace.run(&args).succeeded().json();
        assert!(document.is_object() || document.is_array(), "{command}: {document}");
    }
}

#[test]
fn an_error_leaves_standard_output_to_json_readers() {
    let workspace = trained_workspace();
    let outcome = workspace.run(&["--output", "json", "models", "show", "nothing-like-it"]).failed_saying(&[]);
    assert_eq!(outcome.stdout, "", "an error belongs on standard error");
    assert!(outcome.stderr.starts_with("error: "), "{}", outcome.shown());

    workspace.write("cut.jsonl", "{\n");
    let ingest = ["--output", "json", "ingest", "cut.jsonl", "--data-type", "text", "--source-app", "tests"];
    let report = workspace.run(&ingest).failed_saying(&["error: "]).json();
    assert_eq!(report["rejected"], 1);
}

#[test]
fn figures_agree_between_commands() {
    let workspace = trained_workspace();
    let trained = workspace.json(&["train", "--pipeline", "notes.yaml", "--dataset", "notes"]);
    let evaluated = workspace.json(&["evaluate", "--model", "notes", "--dataset", "notes", "--split", "test"]);
    assert_eq!(trained["metrics"]["accuracy"], evaluated["metrics"]["accuracy"]);
    assert!(trained["metrics"]["accuracy"].as_f64().is_some_and(|accuracy| accuracy > 0.9), "{trained}");
    let baseline = &trained["baselines"][0]["metrics"]["accuracy"];
    assert!(baseline.as_f64().is_some_and(|accuracy| accuracy < 0.6), "{trained}");
}

#[test]
fn figures_of_a_model_are_listed_once_however_often_it_was_scored() {
    let workspace = trained_workspace();
    workspace.run(&["evaluate", "--model", "notes", "--dataset", "notes"]).succeeded();
    workspace.run(&["evaluate", "--model", "notes", "--dataset", "notes", "--split", "train"]).succeeded();
    let shown = workspace.run(&["models", "show", "notes"]).succeeded();
    assert_eq!(shown.stdout.matches(" accuracy ").count(), 2, "{}", shown.shown());
    let history = workspace.json(&["models", "show", "notes"]);
    assert_eq!(history["performance"].as_array().map(Vec::len), Some(3), "{history}");
}

#[test]
fn predictions_come_in_the_order_of_the_file() {
    let workspace = trained_workspace();
    let outcome = workspace.run(&["predict", "--model", "notes@champion", "--input", "notes.jsonl"]).succeeded();
    let lines: Vec<Value> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), N_NOTES);
    for (index, line) in lines.iter().enumerate() {
        let expected = if index % 2 == 0 { "sport" } else { "energy" };
        let id = line["record_id"].as_str().expect("a prediction names its record");
        assert!(id.ends_with(&format!("note-{index}")), "{line}");
        assert!(line["value"] == expected || index >= 10, "{line}");
    }
}

#[test]
fn a_report_without_live_figures_says_why() {
    let workspace = trained_workspace();
    let report = ["monitor", "report", "--model", "notes"];
    workspace.run(&report).succeeded().says(&["no live figures", "no prediction", "ml-app publish"]);
    workspace.run(&["publish"]).succeeded();
    workspace.run(&report).succeeded().says(&["no live figures", "truth is not known", "60", "ground_truth"]);
}

#[test]
fn publishing_twice_changes_nothing() {
    let workspace = trained_workspace();
    let first = workspace.json(&["publish"]);
    let n_predictions = workspace.count("predictions");
    assert_eq!(n_predictions, N_NOTES as u64 / 5, "{first}");
    assert_eq!(first["delivered"]["predictions"], n_predictions);
    assert_eq!(workspace.json(&["publish"])["outbox"]["pending"], 0);
    workspace.run(&["predict", "--model", "notes@champion", "--dataset", "notes", "--split", "test"]).succeeded();
    workspace.run(&["publish"]).succeeded();
    assert_eq!(workspace.count("predictions"), n_predictions);
}

/// Returns the names of the subcommands that a help text lists.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    names.filter(|name| name != "help").collect()
}

/// Checks the help of a command and of every command below it; returns how many commands that are.
fn check_help(workspace: &Workspace, path: &[String]) -> usize {
    let with = |option: &str| [path, &[option.to_owned()]].concat();
    let help = workspace.run(&with("--help")).succeeded();
    workspace.run(&with("-h")).succeeded();
    let below = subcommands(&help.stdout);
    if below.is_empty() {
        assert!(help.stdout.contains("Examples"), "{}", help.shown());
        assert!(help.stdout.contains(&format!("ml-app {}", path.join(" "))), "{}", help.shown());
    }
    1 + below.iter().map(|name| check_help(workspace, &[path, std::slice::from_ref(name)].concat())).sum::<usize>()
}

#[test]
fn every_command_has_help_with_an_example() {
    let n_commands = check_help(&Workspace::new(), &[]);
    assert!(n_commands > 25, "only {n_commands} commands were found");
}

#[test]
fn help_of_a_command_needs_no_sound_configuration() {
    let workspace = Workspace::new();
    workspace.write("config/settings.yaml", "no_such_key: 1\n");
    workspace.run(&["help", "ingest"]).succeeded();
    workspace.run(&["--version"]).succeeded();
    assert!(!workspace.path("ml-data").exists());
}

#[test]
fn piped_work_shows_no_progress() {
    let workspace = Workspace::new();
    workspace.write("notes.jsonl", samples::notes(2000));
    workspace.write("notes.yaml", include_str!("fixtures/notes.yaml"));
    for command in [
        "ingest notes.jsonl --data-type text --source-app tests --id-field id",
        "sync",
        "dataset create notes --data-type text --split random:80/20",
        "train --pipeline notes.yaml --dataset notes",
        "predict --model notes --dataset notes",
        "publish",
    ] {
        let outcome = workspace.run(&command.split(' ').collect::<Vec<_>>()).succeeded();
        assert_eq!(outcome.stderr, "", "{command}");
        assert!(!outcome.stdout.contains(['\r', '\u{1b}']), "{}", outcome.shown());
    }
}

#[test]
fn log_lines_go_to_standard_error_as_asked() {
    let workspace = trained_workspace();
    let outcome = workspace.run(&["-vv", "--log-format", "json", "--output", "json", "sync"]).succeeded();
    outcome.json();
    assert_ne!(outcome.stderr, "", "-vv logs what is done");
    for line in outcome.stderr.lines() {
        let entry: Value = serde_json::from_str(line).expect("each log line is JSON");
        assert!(entry["level"].is_string(), "{line}");
    }
}

#[test]
fn the_last_error_is_a_log_line_where_those_are_json() {
    let workspace = trained_workspace();
    let outcome = workspace.run(&["--log-format", "json", "models", "show", "nobody"]).failed_saying(&["nobody"]);
    let last = outcome.stderr.lines().last().expect("there is an error");
    let entry: Value = serde_json::from_str(last).expect("it is JSON");
    assert_eq!(entry["level"], "ERROR");
    assert!(entry["fields"]["message"].as_str().is_some_and(|message| message.contains("nobody")), "{entry}");
}

/// Runs a command whose reader goes away at once.
fn run_without_reader(mut command: Command) -> Outcome {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    drop(child.stdout.take());
    Outcome::new(format!("{command:?}"), child.wait_with_output().expect("the process ends"))
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let workspace = trained_workspace();
    for command in
        ["predict --model notes --input notes.jsonl", "models list", "config show", "dataset show notes", "--help"]
    {
        for output in ["table", "json"] {
            let args: Vec<&str> = ["--output", output].into_iter().chain(command.split(' ')).collect();
            let outcome = run_without_reader(workspace.command(&args)).succeeded();
            assert_eq!(outcome.stderr, "", "{command}");
        }
    }
    let head = workspace.shell("ml-app predict --model notes --input notes.jsonl | head -n 1").succeeded();
    assert_eq!(head.stdout.lines().count(), 1);
}

#[test]
fn a_full_device_for_the_result_is_an_error() {
    let workspace = trained_workspace();
    let line = "ml-app models list > /dev/full";
    workspace.shell(line).failed_saying(&["cannot write"]);
}

#[test]
fn ctrl_c_during_ingest_keeps_whole_batches_and_says_so() {
    let workspace = Workspace::new();
    let ingest =
        ["ingest", "-", "--format", "jsonl", "--data-type", "text", "--source-app", "tests", "--id-field", "id"];
    let mut command = workspace.command(&ingest);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    // An input without end: only the interrupt ends the command, and a closed pipe ends the writer.
    let writer = std::thread::spawn(move || {
        for index in 0_u64.. {
            let line = format!("{{\"id\":\"{index}\",\"text\":\"the text of note {index} goes on and on\"}}\n");
            if stdin.write_all(line.as_bytes()).is_err() {
                return index;
            }
        }
        unreachable!("the numbers do not end")
    });
    wait_until("records are in the store", || match workspace.count("text_corpus") {
        0 => Err("no record".to_owned()),
        n_records => Ok(n_records),
    });

    interrupt(child.id());

    let output = child.wait_with_output().expect("the process ends");
    let n_written = writer.join().expect("the writer ends");
    let outcome = Outcome::new("ingest, interrupted".to_owned(), output).failed_saying(&["kept"]);
    let n_kept = workspace.count("text_corpus");
    assert!(n_kept > 0 && n_kept <= n_written, "{n_kept} of {n_written}");
    let said = format!("{}{}", outcome.stdout, outcome.stderr).replace(',', "");
    assert!(said.contains(&n_kept.to_string()), "it should say that {n_kept} were kept:\n{}", outcome.shown());
    crate::harness::dump::assert_sound(&workspace.path("ml-data"));
}

#[test]
fn ctrl_c_is_heard_while_nothing_comes_in() {
    let workspace = Workspace::new();
    let ingest =
        ["ingest", "-", "--format", "jsonl", "--data-type", "text", "--source-app", "tests", "--id-field", "id"];
    let mut command = workspace.command(&ingest);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let stdin = child.stdin.take().expect("standard input is piped");
    wait_until("the stores are open", || {
        if workspace.path("ml-data").is_dir() { Ok(()) } else { Err("no data folder".to_owned()) }
    });
    // The handler may not be in place yet when the folder is: a second press ends the process whatever it does.
    let status = wait_until("the process ended", || {
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
        child.try_wait().expect("the process can be looked at").ok_or_else(|| "running".to_owned())
    });
    drop(stdin);
    assert_ne!(status.code(), Some(0));
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let workspace = Workspace::new();
    workspace.write("notes.jsonl", samples::notes(50));
    let ingest = "ingest - --format jsonl --data-type text --source-app tests --id-field id";
    let shell = format!("cat notes.jsonl | ml-app --output json {ingest}");
    assert_eq!(workspace.shell(&shell).succeeded().json()["inserted"], 50);
    let gzipped = format!("gzip -c notes.jsonl | ml-app --output json {ingest}");
    assert_eq!(workspace.shell(&gzipped).succeeded().json()["unchanged"], 50);
    finish(workspace.command(&ingest.split(' ').collect::<Vec<_>>())).failed_saying(&["empty"]);
}
