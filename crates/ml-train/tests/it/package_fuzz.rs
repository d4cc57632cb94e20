//! Bytes that are not a package, or no longer one: read as an error, without a panic and without taking memory for what is not
//! there. The folder `fuzz` of this crate has the same for `cargo fuzz`.

use std::sync::LazyLock;

use ml_train::package::{Package, Papers};
use proptest::prelude::*;

use crate::package::{fruit, fruit_package};
use crate::stored::{HEADER_BYTES, sealed};

static CONTENT: LazyLock<Vec<u8>> = LazyLock::new(|| fruit_package()[HEADER_BYTES..].to_vec());

/// Heads of MessagePack values that promise more than any package has: arrays, maps, texts and blocks of 4 GiB, and 64 KiB.
const HOSTILE_HEADS: [&[u8]; 8] = [
    &[0xdd, 0xff, 0xff, 0xff, 0xff],
    &[0xdf, 0xff, 0xff, 0xff, 0xff],
    &[0xdb, 0xff, 0xff, 0xff, 0xff],
    &[0xc6, 0xff, 0xff, 0xff, 0xff],
    &[0xc9, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xdc, 0xff, 0xff],
    &[0xde, 0xff, 0xff],
    &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
];

/// Reads `bytes` in every way; what loads must predict or say why not.
fn read(bytes: &[u8]) {
    let _ = Papers::from_bytes(bytes);
    if let Ok(package) = Package::from_bytes(bytes) {
        let _ = package.model.predict(&fruit());
    }
}

/// The most address space this process had, in KiB, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[test]
fn a_promise_of_more_than_there_is_takes_no_memory() {
    let before = peak_kib();
    for position in 0..CONTENT.len().min(400) {
        for head in HOSTILE_HEADS {
            let mut content = CONTENT.clone();
            content.splice(position..=position, head.iter().copied());
            read(&sealed(&content));
        }
    }
    for length in [u64::MAX, 1 << 40, 1 << 32] {
        let mut bytes = sealed(&CONTENT);
        bytes[10..18].copy_from_slice(&length.to_le_bytes());
        assert!(Package::from_bytes(&bytes).is_err());
    }
    if let (Some(before), Some(after)) = (before, peak_kib()) {
        // Other tests run beside this one and take some; one honoured promise would be 4 GiB.
        assert!(after - before < 3 << 20, "the address space grew by {} KiB", after - before);
    }
}

#[test]
fn deep_nesting_is_refused() {
    for nested in [0x91, 0x81] {
        let content = vec![nested; 1 << 20];
        assert!(Package::from_bytes(&sealed(&content)).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn truncated_packages_are_refused(index in any::<prop::sample::Index>()) {
        let bytes = sealed(&CONTENT);
        prop_assert!(Package::from_bytes(&bytes[..index.index(bytes.len())]).is_err());
        prop_assert!(Package::from_bytes(&sealed(&CONTENT[..index.index(CONTENT.len())])).is_err());
    }

    #[test]
    fn tampered_content_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of((any::<prop::sample::Index>(), 0_usize..40)),
        head in prop::option::of((any::<prop::sample::Index>(), 0..HOSTILE_HEADS.len())),
    ) {
        let mut content = CONTENT.clone();
        for (index, byte) in changes {
            let index = index.index(content.len());
            content[index] = byte;
        }
        if let Some((index, length)) = cut {
            let begin = index.index(content.len());
            content.drain(begin..(begin + length).min(content.len()));
        }
        if let Some((index, head)) = head {
            let position = index.index(content.len().max(1));
            content.splice(position..position, HOSTILE_HEADS[head].iter().copied());
        }
        read(&sealed(&content));
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
        read(&sealed(&bytes));
    }
}
