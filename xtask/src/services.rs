//! Database servers for the tests and for work at the desk.

mod desk;
mod install;
mod keeper;

use anyhow::{Result, bail};
use clap::Subcommand;
use xtask::servers::{Durability, Engine};

use self::keeper::{Keeper, Kept};
pub(crate) use self::keeper::{KeeperArgs, run as keep};

/// What to do with the servers at the desk.
#[derive(Subcommand)]
pub(crate) enum ServicesCommand {
    /// Start both servers, unless they run, and print the lines that name them to the tests.
    #[command(after_help = "Example: eval \"$(cargo xtask services up)\"")]
    Up {
        /// Let the servers sync to disk before they acknowledge, so that they may be killed.
        #[arg(long)]
        durable: bool,
    },
    /// Stop the servers that `up` has started, and remove their data.
    Down,
    /// Say which servers run; it fails unless both do.
    Status,
    /// Start servers for the process at the other end of standard input.
    #[command(hide = true)]
    Keep(KeeperArgs),
}

/// Runs one command; `false` when `status` finds that not both servers run.
pub(crate) fn run(command: ServicesCommand) -> Result<bool> {
    match command {
        ServicesCommand::Up { durable } => desk::up(durable)?,
        ServicesCommand::Down => desk::down()?,
        ServicesCommand::Status => return desk::status(),
        ServicesCommand::Keep(args) => keep(&args)?,
    }
    Ok(true)
}

/// The servers for one run of the tests; those started for it stop when this is dropped.
pub(crate) struct TestServices {
    keeper: Keeper,
    kept: Kept,
    missing: Vec<Missing>,
}

/// A server that the tests have to do without.
#[derive(Debug)]
pub(crate) struct Missing {
    engine: Engine,
    reason: String,
}

impl TestServices {
    /// Starts the servers that the environment does not name.
    pub(crate) fn start() -> Result<TestServices> {
        let mut missing = Vec::new();
        let mut wanted = Vec::new();
        for engine in Engine::ALL.into_iter().filter(|engine| !is_given(*engine)) {
            match install::ensure(engine) {
                Ok(()) => wanted.push(engine),
                Err(err) => missing.push(Missing { engine, reason: format!("{err:#}") }),
            }
        }
        let (keeper, mut kept) = Keeper::start(&wanted, Durability::Fast)?;
        missing.extend(kept.failures.drain(..).map(|(engine, reason)| Missing { engine, reason }));
        for fault in &missing {
            eprintln!("servers: {fault}");
        }
        Ok(TestServices { keeper, kept, missing })
    }

    /// Lets the tests that `command` runs find the servers, and leave nothing behind.
    pub(crate) fn introduce(&self, command: &mut std::process::Command) {
        command.envs(self.kept.servers.iter().map(|server| (server.engine.variable(), &server.url)));
        command.env("TMPDIR", self.kept.temp_folder());
    }

    /// Lets the processes of the tests, all in one group, end when this process does.
    pub(crate) fn watch_group(&mut self, group_id: u32) -> Result<()> {
        self.keeper.watch_group(group_id)
    }

    /// Stops the servers, and returns which ones there were none of.
    pub(crate) fn stop(self) -> Vec<Missing> {
        self.missing
    }
}

/// Both servers for one measurement; they stop when this is dropped.
pub(crate) struct BenchServices {
    _keeper: Keeper,
    kept: Kept,
}

impl BenchServices {
    /// Starts both servers, empty, whatever the environment names: what they do for durability is part of what is measured.
    pub(crate) fn start(durability: Durability) -> Result<BenchServices> {
        for engine in Engine::ALL {
            install::ensure(engine)?;
        }
        let (keeper, kept) = Keeper::start(&Engine::ALL, durability)?;
        if let Some((engine, reason)) = kept.failures.first() {
            bail!("no {engine} for the measurement: {reason}");
        }
        Ok(BenchServices { _keeper: keeper, kept })
    }

    /// Returns where clients find a server.
    pub(crate) fn url(&self, engine: Engine) -> &str {
        let server = self.kept.servers.iter().find(|server| server.engine == engine);
        &server.expect("both were started").url
    }

    /// Returns a folder that goes with the servers.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.kept.temp_folder()
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no {} for the tests: {}", self.engine, self.reason)
    }
}

/// Returns an error if a server was missing where that counts as a failure: in continuous integration.
pub(crate) fn none_missing(missing: &[Missing]) -> Result<()> {
    if missing.is_empty() || std::env::var_os("CI").is_none_or(|value| value != "true") {
        return Ok(());
    }
    let names: Vec<String> = missing.iter().map(|missing| missing.engine.to_string()).collect();
    bail!("missing with CI=true: {}", names.join(", "));
}

/// Returns whether the environment names a server, which is then used as it is.
fn is_given(engine: Engine) -> bool {
    std::env::var_os(engine.variable()).is_some_and(|url| !url.is_empty())
}
