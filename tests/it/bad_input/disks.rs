//! A full disk and a read-only folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::dump;
use crate::harness::namespace::Namespace;
use crate::harness::samples;
use crate::harness::skip;
use crate::harness::trained::trained_workspace;
use crate::harness::workspace::{Workspace, finish};

const N_NOTES: usize = 20_000;

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

fn ingest_args<'a>(data_folder: &'a Path, file: &'a Path) -> Vec<&'a str> {
    let options = ["--data-type", "text", "--source-app", "tests", "--id-field", "id"];
    ["--data-dir", text(data_folder), "ingest", text(file)].into_iter().chain(options).collect()
}

#[test]
fn a_full_disk_loses_nothing_that_was_kept_and_more_room_heals_it() {
    let workspace = Workspace::new();
    let disk = workspace.path("disk");
    fs::create_dir(&disk).unwrap();
    let Some(namespace) = Namespace::with_small_disk(&disk, "64m") else {
        return skip("cannot make a small file system");
    };
    let first = workspace.write("first.jsonl", samples::notes(500));
    let all = workspace.write("all.jsonl", samples::notes(N_NOTES));
    let data_folder = disk.join("ml-data");
    let ballast = disk.join("ballast");
    namespace.shell(&format!("head -c 60M /dev/zero > {}", text(&ballast)));
    namespace.run(&ingest_args(&data_folder, &first)).succeeded();

    namespace.run(&ingest_args(&data_folder, &all)).failed_saying(&["no space left", "free some space"]);

    namespace.shell(&format!("rm {}", text(&ballast)));
    let healed =
        namespace.run(&[&["--output", "json"], &ingest_args(&data_folder, &all)[..]].concat()).succeeded().json();
    let [inserted, unchanged] = ["inserted", "unchanged"].map(|name| healed[name].as_u64().expect("a count"));
    assert!(unchanged >= 500 && inserted > 0, "{healed}");
    assert_eq!(inserted + unchanged, N_NOTES as u64, "{healed}");
    namespace.run(&["--data-dir", text(&data_folder), "sync"]).succeeded();
}

#[test]
fn a_disk_that_is_full_to_the_brim_stops_every_command_that_writes() {
    let workspace = Workspace::new();
    let disk = workspace.path("disk");
    fs::create_dir(&disk).unwrap();
    let Some(namespace) = Namespace::with_small_disk(&disk, "64m") else {
        return skip("cannot make a small file system");
    };
    let notes = workspace.write("notes.jsonl", samples::notes(2000));
    let pipeline = workspace.write("notes.yaml", include_str!("../fixtures/notes.yaml"));
    let data_folder = disk.join("ml-data");
    let ballast = disk.join("ballast");
    let fill = format!("cat /dev/zero > {0} 2> {0}.log || true", text(&ballast));
    let empty = format!("rm {}", text(&ballast));
    namespace.run(&ingest_args(&data_folder, &notes)).succeeded();
    let commands: [&[&str]; 4] = [
        &["sync"],
        &["dataset", "create", "notes", "--data-type", "text", "--split", "random:80/20"],
        &["train", "--pipeline", text(&pipeline), "--dataset", "notes"],
        &["predict", "--model", "notes@1", "--dataset", "notes"],
    ];
    for command in commands {
        let args = [&["--data-dir", text(&data_folder)], command].concat();
        namespace.shell(&fill);
        namespace.run(&args).failed_saying(&["no space left", "free some space"]);
        namespace.shell(&empty);
        namespace.run(&args).succeeded();
    }
}

#[test]
fn a_full_disk_while_training_registers_nothing() {
    let workspace = trained_workspace();
    let limited = |blocks: &str, args: &str| {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {args}");
        let binary = text(crate::harness::binary::ml_app());
        finish(workspace.program("sh", &["-c", &script, binary]))
    };
    let train = "train --pipeline notes.yaml --dataset notes --model other";
    // Blocks are 512 bytes: no file may grow at all.
    limited("1", train).failed_saying(&["error: "]);
    assert_eq!(workspace.count("model_versions"), 1);
    dump::assert_sound(&workspace.path("ml-data"));

    limited("unlimited", train).succeeded();
    assert_eq!(workspace.count("model_versions"), 2);
}

/// Returns every file below `folder` with its bytes.
fn files_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).expect("the file can be read");
                files.push((path, bytes));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_read_only_data_folder_is_said_to_be_one() {
    let workspace = trained_workspace();
    let data_folder = workspace.path("ml-data");
    let more = workspace.write("more.jsonl", samples::notes(400));
    let pipeline = workspace.path("notes.yaml");
    let before = files_of(&data_folder);
    let Some(namespace) = Namespace::with_read_only(&data_folder) else {
        return skip("cannot make a read-only file system");
    };

    namespace.run(&ingest_args(&data_folder, &more)).failed_saying(&["read-only", "write permission"]);
    let at = ["--data-dir", text(&data_folder)];
    let train = ["train", "--pipeline", text(&pipeline), "--dataset", "notes"];
    namespace.run(&[&at[..], &train].concat()).failed_saying(&["read-only"]);

    assert!(files_of(&data_folder) == before, "a read-only folder must stay as it was");
}

#[test]
fn a_read_only_data_folder_can_be_read() {
    let workspace = trained_workspace();
    let data_folder = workspace.path("ml-data");
    let notes = workspace.path("notes.jsonl");
    let before = files_of(&data_folder);
    let Some(namespace) = Namespace::with_read_only(&data_folder) else {
        return skip("cannot make a read-only file system");
    };
    let run = |command: &str| {
        let args: Vec<&str> = ["--data-dir", text(&data_folder)].into_iter().chain(command.split(' ')).collect();
        namespace.run(&args)
    };
    for command in [
        "config show",
        "migrate --check",
        "sync status",
        "quarantine list",
        "dataset list",
        "dataset show notes",
        "models list",
        "models show notes@champion",
        "monitor report --model notes",
        &format!("predict --model notes --input {}", text(&notes)),
    ] {
        run(command).succeeded();
    }
    for command in ["predict --model notes --dataset notes", "models alias notes@1 other"] {
        run(command).failed_saying(&["read-only", "write permission"]);
    }
    assert!(files_of(&data_folder) == before, "a read-only folder must stay as it was");
}

#[test]
fn a_data_folder_that_cannot_be_made_is_named() {
    let workspace = Workspace::new();
    let parent = workspace.path("parent");
    fs::create_dir(&parent).unwrap();
    let notes = workspace.write("notes.jsonl", samples::notes(5));
    let Some(namespace) = Namespace::with_read_only(&parent) else {
        return skip("cannot make a read-only file system");
    };
    let data_folder = parent.join("ml-data");
    namespace.run(&ingest_args(&data_folder, &notes)).failed_saying(&["read-only", text(&data_folder)]);
}

#[test]
fn a_file_in_place_of_the_data_folder_is_named() {
    let workspace = Workspace::new();
    let notes = workspace.write("notes.jsonl", samples::notes(5));
    let file = workspace.write("ml-data", "not a folder");
    workspace.run(&ingest_args(&file, &notes)).failed_saying(&["ml-data"]);
    assert_eq!(fs::read_to_string(file).unwrap(), "not a folder");
}

#[test]
fn a_database_that_is_none_is_named() {
    let workspace = trained_workspace();
    workspace.write("ml-data/documents.sqlite", "this is no database at all, it only has the name of one".repeat(200));
    let notes = workspace.path("notes.jsonl");
    let outcome = workspace.run(&ingest_args(Path::new("ml-data"), &notes));
    outcome.failed_saying(&["documents.sqlite"]);
}
