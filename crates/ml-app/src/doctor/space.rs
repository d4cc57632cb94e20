//! How much room there is on a disk.

use std::path::Path;

use super::finding::{Finding, Subject};

const MIB: u64 = 1024 * 1024;

/// With less than this a batch or two may not fit.
const FAILS_BELOW_BYTES: u64 = 64 * MIB;

/// With less than this it is time to do something.
const WARNS_BELOW_BYTES: u64 = 1024 * MIB;

/// The room on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Space {
    /// What is left for us.
    pub(super) free_bytes: u64,
    /// What it holds in all.
    pub(super) total_bytes: u64,
}

impl Space {
    /// Asks the disk that `path` is on; absent where the system does not tell.
    #[cfg(unix)]
    pub(super) fn at(path: &Path) -> Option<Space> {
        let disk = rustix::fs::statvfs(path).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Some(Space { free_bytes: bytes(disk.f_bavail), total_bytes: bytes(disk.f_blocks) })
    }

    /// Asks the disk that `path` is on; absent where the system does not tell.
    #[cfg(not(unix))]
    pub(super) fn at(_path: &Path) -> Option<Space> {
        None
    }

    /// Judges whether there is enough of it; `place` says where.
    pub(super) fn judge(self, subject: Subject, place: &str) -> Finding {
        const CHECK: &str = "free space";
        let message = format!("{} of {} are free", size(self.free_bytes), size(self.total_bytes));
        let advice = format!("make room {place}, before writing stops");
        match self.free_bytes {
            free if free < FAILS_BELOW_BYTES => subject.failure(CHECK, message, advice),
            free if free < WARNS_BELOW_BYTES => subject.warning(CHECK, message, advice),
            _ => subject.ok(CHECK, message),
        }
    }
}

/// Writes a number of bytes in the unit that fits.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn check(free_mib: u64, verdict: Verdict) {
        let space = Space { free_bytes: free_mib * MIB, total_bytes: 100 * 1024 * MIB };
        let finding = space.judge(Subject::DataFolder, "in /srv/ml");
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert!(finding.advice.is_none_or(|advice| advice.contains("/srv/ml")));
    }

    #[test]
    fn little_room_is_told_in_time() {
        check(0, Verdict::Failure);
        check(63, Verdict::Failure);
        check(64, Verdict::Warning);
        check(1023, Verdict::Warning);
        check(1024, Verdict::Ok);
    }

    #[test]
    fn sizes_have_fitting_units() {
        assert_eq!([0, 1023, 1024, 1_572_864].map(size), ["0 B", "1023 B", "1.0 KiB", "1.5 MiB"]);
        assert_eq!(size(u64::MAX), "16777216.0 TiB");
    }

    #[cfg(unix)]
    #[test]
    fn a_disk_tells_its_room() {
        let space = Space::at(&std::env::temp_dir()).unwrap();
        assert!(space.total_bytes >= space.free_bytes && space.total_bytes > 0, "{space:?}");
        assert_eq!(Space::at(Path::new("/no/such/folder")), None);
    }
}
