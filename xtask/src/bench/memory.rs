//! Runs a program and watches its memory from outside, through `/proc`; where there is none, nothing is measured.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::shown;

/// From one look at the memory to the next.
const INTERVAL: Duration = Duration::from_millis(20);

/// How long a program ran, and how much memory it had meanwhile.
pub(crate) struct Measurement {
    /// From its start to its end.
    pub(crate) duration: Duration,
    /// Its memory over time, oldest first.
    trace: Vec<Sample>,
}

/// The memory of a process at one time, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sample {
    at: Duration,
    resident_bytes: u64,
    peak_bytes: u64,
}

impl Measurement {
    /// Returns the most memory the program ever had, as the kernel keeps it.
    pub(crate) fn peak_bytes(&self) -> Option<u64> {
        self.trace.iter().map(|sample| sample.peak_bytes).max()
    }

    /// Returns the most memory the program was seen with in each quarter of its time.
    pub(crate) fn resident_bytes_by_quarter(&self) -> [Option<u64>; 4] {
        [0.0, 0.25, 0.5, 0.75].map(|from| {
            let quarter = self.duration.mul_f64(from)..=self.duration.mul_f64(from + 0.25);
            self.trace.iter().filter(|sample| quarter.contains(&sample.at)).map(|sample| sample.resident_bytes).max()
        })
    }
}

/// Runs `command` to its end; a failure is an error.
pub(crate) fn measure(command: &mut Command) -> Result<Measurement> {
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    let process_id = child.id();
    let watcher = thread::spawn(move || watch(process_id, start));
    let status = child.wait()?;
    let duration = start.elapsed();
    let trace = watcher.join().unwrap_or_default();
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(Measurement { duration, trace })
}

/// Looks at the process until it has ended.
fn watch(process_id: u32, start: Instant) -> Vec<Sample> {
    let mut trace = Vec::new();
    while let Some(sample) = look(process_id, start) {
        trace.push(sample);
        thread::sleep(INTERVAL);
    }
    trace
}

fn look(process_id: u32, start: Instant) -> Option<Sample> {
    let status = fs::read_to_string(format!("/proc/{process_id}/status")).ok()?;
    let (resident_bytes, peak_bytes) = (size_of(&status, "VmRSS:")?, size_of(&status, "VmHWM:")?);
    Some(Sample { at: start.elapsed(), resident_bytes, peak_bytes })
}

/// Returns a size in bytes from `/proc/…/status`, which states it in units of 1024.
fn size_of(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: u64, resident_bytes: u64) -> Sample {
        Sample { at: Duration::from_secs(seconds), resident_bytes, peak_bytes: resident_bytes + 1 }
    }

    #[test]
    fn sizes_are_read_from_the_status_of_a_process() {
        let status = "Name:\tml-app\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(size_of(status, "VmRSS:"), Some(1 << 20));
        assert_eq!(size_of(status, "VmHWM:"), Some(2 << 20));
        assert_eq!(size_of("Name:\tended\n", "VmRSS:"), None);
    }

    #[test]
    fn memory_is_read_off_the_trace_by_quarter() {
        let trace = vec![sample(1, 10), sample(3, 30), sample(4, 20), sample(14, 25), sample(16, 2)];
        let measurement = Measurement { duration: Duration::from_secs(16), trace };
        assert_eq!(measurement.peak_bytes(), Some(31));
        assert_eq!(measurement.resident_bytes_by_quarter(), [Some(30), Some(20), None, Some(25)]);
    }

    #[test]
    fn without_a_look_there_is_no_figure() {
        let measurement = Measurement { duration: Duration::ZERO, trace: Vec::new() };
        assert_eq!((measurement.peak_bytes(), measurement.resident_bytes_by_quarter()), (None, [None; 4]));
    }

    #[test]
    fn a_program_that_fails_is_an_error() {
        let err = measure(Command::new("sh").args(["-c", "exit 3"])).err().unwrap();
        assert!(err.to_string().contains("exit status: 3"), "{err}");
    }
}
