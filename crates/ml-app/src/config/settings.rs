//! Section `settings`: folders, who is at work, and how sync goes about it.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// General settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where the embedded stores and the artifacts are.
    pub(crate) data_dir: PathBuf,
    /// Who registers models and starts runs.
    pub(crate) user: String,
    /// How records go between the stores.
    pub(crate) sync: SyncSettings,
}

/// How records go between the stores.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncSettings {
    /// How many records are judged and committed at a time.
    pub(crate) batch_size: usize,
    /// Larger records wait in quarantine, without their content.
    pub(crate) max_record_bytes: usize,
    /// For how long a store that does not answer is waited for.
    pub(crate) patience_seconds: u64,
    /// The same, while following until Ctrl-C.
    pub(crate) patience_seconds_while_following: u64,
}

const BATCH_SIZES: RangeInclusive<usize> = 1..=100_000;
const RECORD_BYTES: RangeInclusive<usize> = 1_024..=1_073_741_824;
const PATIENCE_SECONDS: RangeInclusive<u64> = 0..=604_800;

impl Settings {
    /// Returns what the types cannot say.
    pub(crate) fn faults(&self) -> Vec<String> {
        let sync = &self.sync;
        let faults = [
            out_of_range("batch_size", sync.batch_size, &BATCH_SIZES),
            out_of_range("max_record_bytes", sync.max_record_bytes, &RECORD_BYTES),
            out_of_range("patience_seconds", sync.patience_seconds, &PATIENCE_SECONDS),
            out_of_range("patience_seconds_while_following", sync.patience_seconds_while_following, &PATIENCE_SECONDS),
        ];
        faults.into_iter().flatten().collect()
    }
}

impl SyncSettings {
    /// Returns for how long a store that does not answer is waited for.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_seconds)
    }

    /// Returns the same, while following.
    pub(crate) fn patience_while_following(&self) -> Duration {
        Duration::from_secs(self.patience_seconds_while_following)
    }
}

fn out_of_range<T: PartialOrd + std::fmt::Display>(key: &str, value: T, range: &RangeInclusive<T>) -> Option<String> {
    let (least, most) = (range.start(), range.end());
    let fault = || format!("settings.sync.{key} is {value}, and has to be from {least} to {most}");
    (!range.contains(&value)).then(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_out_of_range_is_named() {
        let sound = SyncSettings {
            batch_size: 1,
            max_record_bytes: 1_024,
            patience_seconds: 0,
            patience_seconds_while_following: 604_800,
        };
        let settings = |sync| Settings { data_dir: PathBuf::new(), user: String::new(), sync };
        assert_eq!(settings(sound).faults(), Vec::<String>::new());
        let unsound = SyncSettings {
            batch_size: 0,
            max_record_bytes: 10,
            patience_seconds: 604_801,
            patience_seconds_while_following: u64::MAX,
        };
        let faults = settings(unsound).faults();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert_eq!(faults[0], "settings.sync.batch_size is 0, and has to be from 1 to 100000");
    }
}
