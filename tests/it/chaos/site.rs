//! Both stores of a test as the program reaches them: each through a proxy.

use std::process::Command;

use serde_json::Value;

use crate::harness::mongo::TestDatabase;
use crate::harness::proxy::Proxy;
use crate::harness::sql_side::{SqlKind, SqlSide};
use crate::harness::workspace::{Workspace, finish};

/// Timeouts that a test can wait for: a server that says nothing is given up after a moment.
const TIMEOUTS: &str = "connect_timeout_ms: 2000, server_selection_timeout_ms: 2000, operation_timeout_ms: 2000";

/// Texts of one application may be there once.
const PIPELINE: &str =
    "data_types: { text: { source_apps: { chaos-once: { rules: [{ unique: { fields: text } }] } } } }\n";

/// A way from the program to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Documents,
}

/// Both stores, and a workspace in which the program knows them.
pub(super) struct Site<'a> {
    pub(super) database: &'a TestDatabase,
    pub(super) sql: SqlSide,
    /// Between the program and MongoDB.
    documents_link: Proxy,
    workspace: Workspace,
    kind: SqlKind,
}

impl<'a> Site<'a> {
    /// Makes a site with an empty SQL side.
    pub(super) fn new(database: &'a TestDatabase, kind: SqlKind) -> Site<'a> {
        let workspace = Workspace::new();
        let sql = SqlSide::new(kind, &workspace);
        let documents_link = Proxy::start(database.port());
        let documents = database.settings_through(documents_link.port(), TIMEOUTS);
        workspace.write("config/database.yaml", documents + &sql.settings());
        workspace.write("config/pipeline.yaml", PIPELINE);
        Site { database, sql, documents_link, workspace, kind }
    }

    /// Makes another one for the same documents.
    pub(super) fn beside(&self) -> Site<'a> {
        Site::new(self.database, self.kind)
    }

    /// Returns the proxy on the way to a server.
    pub(super) fn link(&self, link: Link) -> &Proxy {
        match link {
            Link::Documents => &self.documents_link,
        }
    }

    pub(super) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        self.workspace.command(args)
    }

    /// Runs a command that must succeed and returns its JSON document.
    #[track_caller]
    pub(super) fn json(&self, args: &[&str]) -> Value {
        finish(self.command(&[&["--output", "json"], args].concat())).succeeded().json()
    }

    pub(super) fn status(&self) -> Value {
        self.json(&["sync", "status"])
    }
}
