//! A process of its own that starts the servers for the tests, and stops them when the one that wanted them has gone.
//!
//! It sees that end as the end of its standard input. So the servers stop whatever that end is: success, failure, a
//! panic, Ctrl-C or `kill -9`; and nothing in the rest of this program needs to know about signals.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};
use xtask::servers::{Durability, Engine, Installation, Server, end_group, new_scratch_folder};

/// What the keeper is told on its command line.
#[derive(Args)]
pub(crate) struct KeeperArgs {
    /// Which servers to start.
    engines: Vec<String>,
    /// Let the servers sync to disk.
    #[arg(long)]
    durable: bool,
    /// Leave the servers running and end.
    #[arg(long)]
    detach: bool,
}

/// What the keeper has done, as it writes to standard output.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The folder with everything of the servers.
    pub(crate) folder: PathBuf,
    /// The servers that run.
    pub(crate) servers: Vec<KeptServer>,
    /// Those that did not start, with the reason.
    pub(crate) failures: Vec<(Engine, String)>,
}

/// One running server.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptServer {
    pub(crate) engine: Engine,
    pub(crate) url: String,
    pub(crate) process_id: u32,
}

impl Kept {
    /// The folder for what the tests leave behind when they are killed.
    pub(crate) fn temp_folder(&self) -> PathBuf {
        self.folder.join("tmp")
    }
}

/// The other end: a running keeper, which stops its servers when this is dropped.
pub(crate) struct Keeper {
    process: Child,
    stdin: Option<ChildStdin>,
}

impl Keeper {
    /// Starts a keeper, and returns it with what it has done.
    pub(crate) fn start(engines: &[Engine], durability: Durability) -> Result<(Keeper, Kept)> {
        let mut command = command(engines, durability)?;
        let mut process = command.stdin(Stdio::piped()).spawn().context("cannot start a keeper of servers")?;
        let stdin = process.stdin.take();
        let mut keeper = Keeper { process, stdin };
        let kept = keeper.read()?;
        Ok((keeper, kept))
    }

    /// Starts servers that go on without a keeper.
    pub(crate) fn start_detached(engines: &[Engine], durability: Durability) -> Result<Kept> {
        let mut command = command(engines, durability)?;
        command.arg("--detach").stdin(Stdio::null());
        let process = command.spawn().context("cannot start the servers")?;
        Keeper { process, stdin: None }.read()
    }

    /// Lets the processes of a group end together with the servers.
    pub(crate) fn watch_group(&mut self, group_id: u32) -> Result<()> {
        let stdin = self.stdin.as_mut().context("the keeper listens")?;
        writeln!(stdin, "{group_id}").context("the keeper of the servers has ended")
    }

    fn read(&mut self) -> Result<Kept> {
        let stdout = self.process.stdout.as_mut().context("the keeper has an output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        serde_json::from_str(&line).context("the keeper of the servers ended early")
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // What could fail here has been said by the keeper itself.
        let _ = self.process.wait();
    }
}

/// Returns the command for a keeper that Ctrl-C does not reach.
fn command(engines: &[Engine], durability: Durability) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command.args(["services", "keep"]).args(engines.iter().map(Engine::to_string));
    command.stdout(Stdio::piped()).process_group(0);
    if durability == Durability::Durable {
        command.arg("--durable");
    }
    Ok(command)
}

/// Does the work of a keeper.
pub(crate) fn run(args: &KeeperArgs) -> Result<()> {
    let durability = if args.durable { Durability::Durable } else { Durability::Fast };
    let scratch = new_scratch_folder()?;
    let mut servers = Vec::new();
    let mut kept = Kept { folder: scratch.path().to_owned(), servers: Vec::new(), failures: Vec::new() };
    fs::create_dir(kept.temp_folder())?;
    fs::set_permissions(kept.temp_folder(), fs::Permissions::from_mode(0o1777))?;
    for engine in Engine::ALL.into_iter().filter(|engine| args.engines.contains(&engine.to_string())) {
        let installation = Installation::find(engine).with_context(|| format!("{engine} has gone"));
        match installation.and_then(|found| Server::start_in(scratch.path(), found, durability)) {
            Ok(server) => {
                kept.servers.push(KeptServer { engine, url: server.url(), process_id: server.process_id() });
                servers.push(server);
            }
            Err(err) => kept.failures.push((engine, format!("{err:#}"))),
        }
    }
    let report = serde_json::to_string(&kept)?;
    let is_told = writeln!(std::io::stdout(), "{report}").is_ok();
    if args.detach && is_told {
        servers.into_iter().for_each(Server::leave_running);
        let _ = scratch.keep();
        return Ok(());
    }
    for group_id in read_groups(std::io::stdin().lock()) {
        end_group(group_id)?;
    }
    Ok(())
}

/// Returns the groups to end, one a line, when there is nothing more to read.
fn read_groups(input: impl BufRead) -> Vec<u32> {
    input.lines().map_while(Result::ok).filter_map(|line| line.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_are_read_to_the_end() {
        assert_eq!(read_groups("12\n\nnone\n7\n".as_bytes()), [12, 7]);
        assert_eq!(read_groups("".as_bytes()), [0; 0]);
    }
}
