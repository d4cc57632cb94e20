//! The hash by which scikit-learn numbers terms.

/// MurmurHash3 of 32 bits with seed 0, as a signed number.
///
/// Source: Austin Appleby, *MurmurHash3* (2011, public domain), `MurmurHash3_x86_32`.
pub(super) fn murmur3(bytes: &[u8]) -> i32 {
    let mut hash: u32 = 0;
    let (blocks, tail) = bytes.as_chunks::<4>();
    for block in blocks {
        hash = (hash ^ scrambled(u32::from_le_bytes(*block))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !tail.is_empty() {
        let last = tail.iter().rev().fold(0, |last, &byte| last << 8 | u32::from(byte));
        hash ^= scrambled(last);
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)).cast_signed()
}

fn scrambled(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

/// Returns the feature, below `n_features`, that a term of a given hash counts for.
pub(super) fn feature(hash: i32, n_features: usize) -> u32 {
    (hash.unsigned_abs() as usize % n_features) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scikit-learn's `murmurhash3_32(…, seed=0)`.
    #[test]
    fn hashes_are_those_of_scikit_learn() {
        for (text, hash) in MURMUR_SAMPLES {
            assert_eq!(murmur3(text.as_bytes()), hash, "{text}");
        }
    }

    const MURMUR_SAMPLES: [(&str, i32); 6] = [
        ("", 0),
        ("a", 1_009_084_850),
        ("ab", -1_681_926_305),
        ("abc", -1_277_324_294),
        ("abcd", 1_139_631_978),
        ("Straße und mehr", 610_438_101),
    ];

    #[test]
    fn the_least_hash_has_a_feature_too() {
        assert_eq!(feature(i32::MIN, 1 << 20), 0);
        assert_eq!(feature(-5, 4), 1);
    }
}
