//! Where the sync is measured: both servers, a folder, the programs, and a database and schema for each side.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use xtask::servers::{Durability, Engine};

use crate::bench::{ingest, python};
use crate::cargo::{root, run};
use crate::services::BenchServices;

/// Who uses a database on MongoDB and a schema on PostgreSQL, both of one name and laid out alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The program.
    Ours,
    /// The Python scripts.
    Python,
    /// The bare `COPY`.
    Copy,
}

impl Side {
    /// Returns the name of the database and the schema.
    pub(super) fn database(self) -> &'static str {
        match self {
            Side::Ours => "bench",
            Side::Python => "bench_python",
            Side::Copy => "bench_copy",
        }
    }
}

/// Everything that a measurement needs.
pub(super) struct Site {
    services: BenchServices,
    folder: PathBuf,
    program: PathBuf,
    python: PathBuf,
}

impl Site {
    /// Builds the program, starts the servers, and lays out every side.
    pub(super) fn prepare(durability: Durability) -> Result<Site> {
        let program = ingest::build()?;
        let python = python::provide("bench-sync", &scripts().join("requirements.txt"))?;
        let services = BenchServices::start(durability)?;
        let site = Site { folder: services.folder(), services, program, python };
        for side in [Side::Ours, Side::Python, Side::Copy] {
            site.write_config(side)?;
            run(site.ml_app(side).arg("migrate").stdout(std::process::Stdio::null()))?;
        }
        Ok(site)
    }

    /// Returns a place for a file that goes with the servers.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns where MongoDB is.
    pub(super) fn mongodb_url(&self) -> &str {
        self.services.url(Engine::MongoDb)
    }

    /// Returns where PostgreSQL is.
    pub(super) fn postgres_url(&self) -> &str {
        self.services.url(Engine::Postgres)
    }

    /// Returns the program, configured for one side.
    pub(super) fn ml_app(&self, side: Side) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).arg("--config").arg(self.config(side));
        command
    }

    /// Returns one of the scripts.
    pub(super) fn script(&self, name: &str) -> Command {
        python::script(&self.python, &scripts().join(name))
    }

    /// Returns the script that looks at rows, for one of its commands.
    pub(super) fn rows(&self, command: &str) -> Command {
        let mut script = self.script("rows.py");
        script.args([command, self.postgres_url()]);
        script
    }

    /// Lets PostgreSQL write to disk what it owes, so that the next one does not pay for the one before.
    pub(super) fn settle(&self) -> Result<()> {
        run(&mut self.rows("checkpoint"))
    }

    fn config(&self, side: Side) -> PathBuf {
        self.path(side.database())
    }

    fn write_config(&self, side: Side) -> Result<()> {
        let (folder, name) = (self.config(side), side.database());
        let database = format!(
            "documents: {{ backend: mongodb, url: \"{}\", database: {name} }}\n\
             sql: {{ backend: postgres, url: \"{}\", schema: {name} }}\n",
            self.mongodb_url(),
            self.postgres_url()
        );
        let settings = format!("data_dir: {}\n", self.path("ml-data").display());
        let written = fs::create_dir_all(&folder)
            .and_then(|()| fs::write(folder.join("database.yaml"), database))
            .and_then(|()| fs::write(folder.join("settings.yaml"), settings))
            .and_then(|()| fs::copy(scripts().join("pipeline.yaml"), folder.join("pipeline.yaml")));
        written.map(drop).with_context(|| format!("cannot write to {}", folder.display()))
    }
}

/// Returns the folder of the scripts.
fn scripts() -> PathBuf {
    Path::new(root()).join("benches/sync")
}
