//! Signals to processes, and what can be known about one that is not a child.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

/// A server that has not stopped after this long is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// Processes of a group that have not ended after this long are killed.
const GROUP_PATIENCE: Duration = Duration::from_secs(3);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Asks a server to stop in good order and waits for it; one that does not is killed.
pub(super) fn stop(server: &mut Child) -> Result<()> {
    if server.try_wait()?.is_some() {
        return Ok(());
    }
    signal(server.id(), Signal::INT)?;
    if poll(STOP_PATIENCE, || Ok(server.try_wait()?.is_some()))? {
        return Ok(());
    }
    kill_with_children(server)
}

/// Kills a server and the processes it has started, without a chance to do anything more.
pub(super) fn kill_with_children(server: &mut Child) -> Result<()> {
    if server.try_wait()?.is_some() {
        return Ok(());
    }
    let children = kill_all(server.id())?;
    server.wait()?;
    // One that was forked just now may still hold the port.
    if !poll(GROUP_PATIENCE, || Ok(children.iter().all(|child| command_line(*child).is_none())))? {
        bail!("what process {} has started does not stop", server.id());
    }
    Ok(())
}

/// Kills a process and those it has started, and returns the latter, which may take a moment to end.
fn kill_all(process_id: u32) -> Result<Vec<u32>> {
    // Held still, it starts no further process while those it has are looked up.
    signal(process_id, Signal::STOP)?;
    let children = children_of(process_id);
    signal(process_id, Signal::KILL)?;
    for &child in &children {
        signal(child, Signal::KILL)?;
    }
    Ok(children)
}

/// Returns whether the process is there and works in `folder`; its id alone may by now be that of another.
pub fn is_running_in(folder: &Path, process_id: u32) -> bool {
    command_line(process_id).is_some_and(|line| line.contains(&*folder.to_string_lossy()))
}

/// Stops a server that another process has started in `folder`; one that does not stop is killed. `false` when it was not there.
///
/// # Errors
/// Returns an error when it does not stop.
pub fn stop_running_in(folder: &Path, process_id: u32) -> Result<bool> {
    if !is_running_in(folder, process_id) {
        return Ok(false);
    }
    signal(process_id, Signal::INT)?;
    let is_gone = || Ok(!is_running_in(folder, process_id));
    if !poll(STOP_PATIENCE, is_gone)? {
        kill_all(process_id)?;
        if !poll(GROUP_PATIENCE, is_gone)? {
            bail!("process {process_id} does not stop; end it with `kill -9 {process_id}`");
        }
    }
    Ok(true)
}

/// Ends all processes of a group: asks them, waits a little, and kills those that are left.
///
/// # Errors
/// Returns an error when the operating system refuses.
pub fn end_group(group_id: u32) -> Result<()> {
    let group = pid(group_id)?;
    for signal in [Signal::TERM, Signal::KILL] {
        match kill_process_group(group, signal) {
            Ok(()) => {}
            Err(Errno::SRCH) => return Ok(()),
            Err(err) => return Err(err).with_context(|| format!("cannot end the process group {group_id}")),
        }
        if poll(GROUP_PATIENCE, || Ok(test_kill_process_group(group).is_err()))? {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends `signal`; that the process has ended meanwhile is no error.
fn signal(process_id: u32, signal: Signal) -> Result<()> {
    match kill_process(pid(process_id)?, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(err) => Err(err).with_context(|| format!("cannot send a signal to process {process_id}")),
    }
}

fn pid(process_id: u32) -> Result<Pid> {
    i32::try_from(process_id).ok().and_then(Pid::from_raw).with_context(|| format!("{process_id} is no process id"))
}

/// Asks again and again until `is_done`; `false` when `patience` is over.
fn poll(patience: Duration, mut is_done: impl FnMut() -> Result<bool>) -> Result<bool> {
    let deadline = Instant::now() + patience;
    while !is_done()? {
        if Instant::now() > deadline {
            return Ok(false);
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(true)
}

/// Returns the processes that `parent` has started; none where there is no `/proc`.
fn children_of(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent_of = |id: &u32| parent_in(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?);
    ids.filter(|id| parent_of(id) == Some(parent)).collect()
}

/// Returns the parent from `/proc/…/stat`: the second field after the name, which stands in brackets and may contain anything.
fn parent_in(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Returns the command line of a process; `None` for one that has ended, waited for or not.
fn command_line(process_id: u32) -> Option<String> {
    if let Ok(words) = fs::read(format!("/proc/{process_id}/cmdline")) {
        return Some(String::from_utf8_lossy(&words).replace('\0', " ")).filter(|line| !line.is_empty());
    }
    if Path::new("/proc/self/cmdline").exists() {
        return None;
    }
    let output = Command::new("ps").args(["-o", "command=", "-p", &process_id.to_string()]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::Stdio;

    use super::*;

    fn a_shell(script: &str, argument: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script, argument]).stdin(Stdio::piped()).process_group(0).spawn().unwrap()
    }

    #[test]
    fn the_parent_is_found_behind_an_odd_name() {
        assert_eq!(parent_in("42 (sh) S 7 42 1 0"), Some(7));
        assert_eq!(parent_in("42 (a) b (c)) R 8 42 1 0"), Some(8));
        assert_eq!(parent_in("gone"), None);
    }

    #[test]
    fn a_process_is_known_by_its_folder_until_it_ends() {
        let mut shell = a_shell("read line", "/some/folder");
        let process_id = shell.id();
        // For an instant after its start, its command line is not there yet.
        assert!(poll(STOP_PATIENCE, || Ok(is_running_in(Path::new("/some/folder"), process_id))).unwrap());
        assert!(!is_running_in(Path::new("/another"), process_id));

        shell.kill().unwrap();
        // It has ended, though no one has waited for it yet.
        assert!(poll(STOP_PATIENCE, || Ok(!is_running_in(Path::new("/some/folder"), process_id))).unwrap());
        shell.wait().unwrap();
        assert!(!is_running_in(Path::new("/some/folder"), process_id));
    }

    #[test]
    fn a_group_ends_with_those_that_do_not_listen() {
        let mut shell = a_shell("trap '' TERM; exec 3<&0; cat <&3 & cat <&3 & wait", "group");
        let group_id = shell.id();
        let _open = shell.stdin.take();
        assert!(poll(STOP_PATIENCE, || Ok(children_of(group_id).len() == 2)).unwrap());
        // Until someone waits for it, the shell counts as one of the group.
        let waiting = std::thread::spawn(move || shell.wait().unwrap());
        end_group(group_id).unwrap();
        assert!(!waiting.join().unwrap().success());
        assert!(poll(STOP_PATIENCE, || Ok(children_of(group_id).is_empty())).unwrap());
        end_group(group_id).unwrap();
    }
}
