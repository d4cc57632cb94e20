//! Categories as features by their hash: nothing is learnt, and no category is unknown.

use serde::{Deserialize, Serialize};

use super::{Block, TransformContext, Transformer, wrong_block};
use crate::error::PredictError;
use crate::matrix::CsrBuilder;
use crate::spec::HashEncodeSpec;

/// Puts `column=category` of each column in one of some features, as scikit-learn's `FeatureHasher` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashEncoder {
    n_features: usize,
    signed: bool,
    columns: Vec<String>,
}

impl HashEncoder {
    /// Takes note of the names of the columns, which are part of what is hashed.
    pub(super) fn new(spec: &HashEncodeSpec, columns: &[String]) -> HashEncoder {
        HashEncoder { n_features: spec.n_features, signed: spec.signed, columns: columns.to_vec() }
    }

    pub(super) fn inconsistency(&self, n_inputs: usize) -> Option<String> {
        let n_columns = self.columns.len();
        let fits = n_columns == n_inputs && self.n_features > 0;
        (!fits).then(|| format!("{} hashed features of {n_columns} columns serve {n_inputs}", self.n_features))
    }

    /// Returns the feature of a token, and what is added to it.
    fn place(&self, token: &[u8]) -> (usize, f64) {
        let hash = murmur3(token) as i32;
        let feature = hash.unsigned_abs() as usize % self.n_features;
        (feature, if self.signed && hash < 0 { -1.0 } else { 1.0 })
    }
}

impl Transformer for HashEncoder {
    fn n_outputs(&self, _n_inputs: usize) -> usize {
        self.n_features
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        let columns = block.texts()?;
        if columns.len() != self.columns.len() {
            return Err(wrong_block("the same columns"));
        }
        let n_rows = columns.first().map_or(0, Vec::len);
        let mut features = CsrBuilder::new(self.n_features);
        let mut cells: Vec<(usize, f64)> = Vec::with_capacity(columns.len());
        let mut token = Vec::new();
        for row in 0..n_rows {
            cells.clear();
            for (column, name) in columns.iter().zip(&self.columns) {
                let Some(category) = &column[row] else { continue };
                token.clear();
                token.extend_from_slice(name.as_bytes());
                token.push(b'=');
                token.extend_from_slice(category.as_bytes());
                cells.push(self.place(&token));
            }
            cells.sort_unstable_by_key(|&(feature, _)| feature);
            for of_feature in cells.chunk_by(|left, right| left.0 == right.0) {
                features.push(of_feature[0].0, of_feature.iter().map(|(_, value)| value).sum());
            }
            features.end_row();
        }
        Ok(Block::Features(features.finish()))
    }
}

/// MurmurHash3 of 32 bits with seed 0.
///
/// Source: Appleby, *MurmurHash3* (2011), `MurmurHash3_x86_32`, which is in the public domain.
fn murmur3(bytes: &[u8]) -> u32 {
    let mix = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (words, rest) = bytes.as_chunks::<4>();
    let mut hash: u32 = 0;
    for word in words {
        hash = (hash ^ mix(u32::from_le_bytes(*word))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    hash ^= mix(u32::from_le_bytes(last));
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn hashes_are_the_published_ones() {
        for (text, expected) in [("", 0), ("a", 0x3c25_69b2), ("abcd", 0x43ed_676a), ("Hello, world!", 0xc036_3e43)] {
            assert_eq!(murmur3(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_missing_value_is_in_no_feature_and_those_that_meet_are_added() {
        let encoder = HashEncoder::new(&HashEncodeSpec { n_features: 1, signed: false }, &["a".into(), "b".into()]);
        let columns = vec![vec![Some(Cow::Borrowed("x")), None], vec![Some(Cow::Borrowed("y")), None]];
        let block = encoder.transform(Block::Texts(columns), &mut TransformContext::default()).unwrap();
        let Block::Features(features) = block else { panic!("not features") };
        assert_eq!(features.row(0), (&[0][..], &[2.0][..]));
        assert_eq!(features.row(1), (&[][..], &[][..]));
    }
}
