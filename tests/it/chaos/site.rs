//! Both stores of a test as the program reaches them: each through a proxy.

use std::process::Command;

use serde_json::Value;

use crate::harness::mongo::TestDatabase;
use crate::harness::proxy::{Direction, Proxy};
use crate::harness::sql_side::{SqlPlace, SqlSide};
use crate::harness::workspace::{Workspace, finish};

/// Timeouts that a test can wait for: a server that says nothing is given up after a moment.
const DOCUMENTS_TIMEOUTS: &str =
    "connect_timeout_ms: 2000, server_selection_timeout_ms: 2000, operation_timeout_ms: 2000";
const SQL_TIMEOUTS: &str = "connect_timeout_ms: 1500, transaction_timeout_ms: 3000";

/// Texts of one application may be there once.
const PIPELINE: &str =
    "data_types: { text: { source_apps: { chaos-once: { rules: [{ unique: { fields: text } }] } } } }\n";

/// A way from the program to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Documents,
    Sql,
}

/// Both stores, and a workspace in which the program knows them.
pub(super) struct Site<'a> {
    pub(super) database: &'a TestDatabase,
    pub(super) sql: SqlSide,
    /// Between the program and MongoDB.
    documents_link: Proxy,
    workspace: Workspace,
    place: SqlPlace,
}

impl<'a> Site<'a> {
    /// Makes a site with an empty SQL side.
    pub(super) fn new(database: &'a TestDatabase, place: &SqlPlace) -> Site<'a> {
        let workspace = Workspace::new();
        let sql = SqlSide::new(place, &workspace);
        let documents_link = Proxy::start(database.port());
        let documents = database.settings_through(documents_link.port(), DOCUMENTS_TIMEOUTS);
        workspace.write("config/database.yaml", documents + &sql.settings(SQL_TIMEOUTS));
        workspace.write("config/pipeline.yaml", PIPELINE);
        Site { database, sql, documents_link, workspace, place: place.clone() }
    }

    /// Makes another one for the same documents.
    pub(super) fn beside(&self) -> Site<'a> {
        Site::new(self.database, &self.place)
    }

    /// Returns the proxy on the way to a server.
    pub(super) fn link(&self, link: Link) -> &Proxy {
        match link {
            Link::Documents => &self.documents_link,
            Link::Sql => self.sql.link().expect("a server is reached over a link"),
        }
    }

    /// Returns the ways to the servers: SQL in a file needs none.
    pub(super) fn links(&self) -> Vec<Link> {
        let sql = self.sql.link().map(|_| Link::Sql);
        [Some(Link::Documents), sql].into_iter().flatten().collect()
    }

    /// Clears the proxies, each of them.
    pub(super) fn clear_links(&self) {
        self.links().into_iter().for_each(|link| self.link(link).clear());
    }

    /// Returns how much passed on each way since the proxies were cleared.
    pub(super) fn traffic(&self) -> Vec<(Link, Direction, u64)> {
        let both_ways = |link| [Direction::ToServer, Direction::ToProgram].map(|direction| (link, direction));
        let ways = self.links().into_iter().flat_map(both_ways);
        ways.map(|(link, direction)| (link, direction, self.link(link).n_bytes(direction))).collect()
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
