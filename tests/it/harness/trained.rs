//! A workspace that has been round the loop once: notes, their dataset and a model. Made once and copied.

use std::sync::OnceLock;

use super::samples;
use super::workspace::Workspace;

/// How many notes the workspace has.
pub(crate) const N_NOTES: usize = 300;

/// Returns a workspace with `N_NOTES` notes in the stores, the dataset `notes` and the model `notes`, version 1, alias `champion`.
pub(crate) fn trained_workspace() -> Workspace {
    static TEMPLATE: OnceLock<Workspace> = OnceLock::new();
    Workspace::copy_of(TEMPLATE.get_or_init(train))
}

fn train() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("notes.jsonl", samples::notes(N_NOTES));
    workspace.write("notes.yaml", include_str!("../fixtures/notes.yaml"));
    let commands = [
        "ingest notes.jsonl --data-type text --source-app tests --id-field id --time-field published_at",
        "sync",
        "dataset create notes --data-type text --split stratified:topic:80/20 --seed 7",
        "train --pipeline notes.yaml --dataset notes --alias champion",
        "predict --model notes@champion --dataset notes --split test",
    ];
    for command in commands {
        workspace.run(&command.split(' ').collect::<Vec<_>>()).succeeded();
    }
    workspace
}
