//! Servers for work at the desk: they go on until they are told to stop.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use xtask::servers::{Durability, Engine, cache_folder, is_running_in, stop_running_in};

use super::install;
use super::keeper::{Keeper, Kept};

/// The servers that were started, as the next command finds them in the cache.
#[derive(Debug, Serialize, Deserialize)]
struct Desk {
    durability: Durability,
    kept: Kept,
}

/// Starts both servers unless they run, and prints where they are in the form of a shell.
pub(super) fn up(durable: bool) -> Result<()> {
    let durability = if durable { Durability::Durable } else { Durability::Fast };
    let desk = match Desk::load()? {
        Some(desk) if desk.is_up() && desk.durability == durability => desk,
        Some(desk) if desk.is_up() => {
            bail!("{} servers are running; stop them first with `cargo xtask services down`", desk.durability)
        }
        rest => {
            // What is left of an earlier time, perhaps before the machine was started anew.
            if let Some(rest) = rest {
                rest.stop()?;
            }
            Desk::start(durability)?
        }
    };
    for server in &desk.kept.servers {
        println!("export {}='{}'", server.engine.variable(), server.url);
    }
    Ok(())
}

/// Stops the servers and removes their data.
pub(super) fn down() -> Result<()> {
    let Some(desk) = Desk::load()? else {
        println!("no servers are running");
        return Ok(());
    };
    desk.stop()?;
    println!("stopped");
    Ok(())
}

/// Says which servers run; `false` unless both do.
pub(super) fn status() -> Result<bool> {
    let desk = Desk::load()?;
    for engine in Engine::ALL {
        let running = desk.as_ref().and_then(|desk| Some((desk, desk.running_url(engine)?)));
        match running {
            Some((desk, url)) => println!("{engine:<10} running ({}) at {url}", desk.durability),
            None => println!("{engine:<10} not running"),
        }
    }
    Ok(desk.is_some_and(|desk| desk.is_up()))
}

impl Desk {
    fn start(durability: Durability) -> Result<Desk> {
        for engine in Engine::ALL {
            install::ensure(engine)?;
        }
        let kept = Keeper::start_detached(&Engine::ALL, durability)?;
        let desk = Desk { durability, kept };
        let text = serde_json::to_string_pretty(&desk)?;
        let path = state_file()?;
        let written = fs::create_dir_all(path.parent().unwrap_or(&path)).and_then(|()| fs::write(&path, text));
        if let Err(err) = written {
            desk.stop()?;
            return Err(err).with_context(|| format!("cannot write {}", path.display()));
        }
        if let Some((engine, reason)) = desk.kept.failures.first() {
            let message = format!("cannot start {engine}: {reason}");
            desk.stop()?;
            bail!(message);
        }
        Ok(desk)
    }

    fn load() -> Result<Option<Desk>> {
        let path = state_file()?;
        match fs::read(&path) {
            Ok(text) => {
                let desk = serde_json::from_slice(&text);
                desk.map(Some).with_context(|| format!("{} cannot be read; remove it", path.display()))
            }
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn is_up(&self) -> bool {
        Engine::ALL.iter().all(|engine| self.running_url(*engine).is_some())
    }

    fn running_url(&self, engine: Engine) -> Option<&str> {
        let server = self.kept.servers.iter().find(|server| server.engine == engine)?;
        is_running_in(&self.kept.folder, server.process_id).then_some(&server.url)
    }

    /// Stops what still runs, and forgets all of it.
    fn stop(&self) -> Result<()> {
        for server in &self.kept.servers {
            stop_running_in(&self.kept.folder, server.process_id)?;
        }
        remove(&self.kept.folder, |path| fs::remove_dir_all(path))?;
        remove(&state_file()?, |path| fs::remove_file(path))
    }
}

/// Removes `path` if it is there.
fn remove(path: &Path, how: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    match how(path) {
        Err(err) if err.kind() != ErrorKind::NotFound => {
            Err(err).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn state_file() -> Result<PathBuf> {
    Ok(cache_folder()?.join("services.json"))
}
