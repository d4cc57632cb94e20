//! Chance that does not depend on the order of rows: a hash of seed and key.

use ml_core::digest::DigestWriter;

/// Returns a whole number that is uniform over all `u64` and fixed by seed and key.
pub(super) fn rank_of(seed: u64, key: &str) -> u64 {
    let mut writer = DigestWriter::new();
    writer.update(&seed.to_le_bytes());
    writer.update(key.as_bytes());
    let digest = writer.finish();
    let first = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    u64::from_le_bytes(*first)
}

/// Returns a number that is uniform over `[0, 1)` and fixed by seed and key.
pub(super) fn position_of(seed: u64, key: &str) -> f64 {
    // The upper 53 bits, so that every value is exact.
    (rank_of(seed, key) >> 11) as f64 / (1u64 << 53) as f64
}
