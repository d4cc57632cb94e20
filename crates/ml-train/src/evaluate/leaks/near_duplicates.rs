//! Texts that are nearly those of training rows: copies with another signature, quote or headline.
//!
//! A text is the set of its runs of three words, whatever their case and punctuation. Two are near when they share four fifths
//! of all runs that either has. Candidates come from minimum hashes in bands, and are then compared exactly.
//!
//! Source: Broder, *On the resemblance and containment of documents* (1997).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ml_core::table::{Column, ColumnValues, TableError};
use rayon::prelude::*;

use crate::model::TrainedModel;
use crate::random::SplitMix64;

use super::{Leak, LeakKind, LeakRows};

/// How many words a run has.
const RUN: usize = 3;

/// Shorter texts are alike by chance.
const MIN_WORDS: usize = 8;

/// How much of the runs of both is shared by texts that are near.
const NEAR: f64 = 0.8;

const N_BANDS: usize = 8;
const HASHES_PER_BAND: usize = 4;

/// How many texts of one band are compared at most.
const MAX_CANDIDATES: usize = 50;

/// At most so many training rows, and so many scored rows, are looked at: the first ones.
const MAX_ROWS: usize = 50_000;

/// Columns whose texts are shorter than that on average are categories.
const MIN_MEAN_CHARS: usize = 40;

/// Looks for scored rows among `scored` whose text is nearly that of a training row.
pub(super) fn find(model: &TrainedModel, rows: LeakRows<'_>, scored: &[usize]) -> Result<Option<Leak>, TableError> {
    let columns = text_columns(model, rows)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let train = sketches(&columns, &rows.train[..rows.train.len().min(MAX_ROWS)]);
    let scored = sketches(&columns, &scored[..scored.len().min(MAX_ROWS)]);
    let mut by_band: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
    for (place, sketch) in train.iter().enumerate() {
        for (band, &hash) in sketch.bands.iter().enumerate() {
            let places = by_band.entry((band, hash)).or_default();
            if places.len() < MAX_CANDIDATES {
                places.push(place);
            }
        }
    }
    let is_near = |sketch: &&Sketch| {
        let candidates = sketch.bands.iter().enumerate().filter_map(|(band, &hash)| by_band.get(&(band, hash)));
        candidates.flatten().any(|&place| sketch.resemblance(&train[place]) >= NEAR)
    };
    let n_rows = scored.par_iter().filter(is_near).count();
    if n_rows == 0 {
        return Ok(None);
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    Ok(Some(Leak {
        kind: LeakKind::NearDuplicateTexts,
        column: Some(names.join(", ")),
        n_rows,
        n_samples: scored.len(),
        message: format!(
            "{n_rows} of {} texts in `{}` are nearly those of rows that the model was fitted on; remove them, or divide the rows by what they have in common",
            scored.len(),
            names.join("`, `")
        ),
    }))
}

/// Returns the inputs that hold running text.
fn text_columns<'a>(model: &TrainedModel, rows: LeakRows<'a>) -> Result<Vec<&'a Column>, TableError> {
    let mut columns = Vec::new();
    for input in &model.signature.inputs {
        let column = rows.table.get(&input.name)?;
        let ColumnValues::Text(texts) = &column.values else { continue };
        let lengths = rows.scored.iter().filter_map(|&row| texts[row].as_ref().map(String::len));
        let (n_texts, n_chars) = lengths.fold((0, 0), |(n_texts, sum), length| (n_texts + 1, sum + length));
        if n_texts > 0 && n_chars >= MIN_MEAN_CHARS * n_texts {
            columns.push(column);
        }
    }
    Ok(columns)
}

/// A text as the hashes of its runs, ascending, and the least of them by band.
struct Sketch {
    runs: Vec<u64>,
    bands: Vec<u64>,
}

impl Sketch {
    /// Returns the share of the runs of either that both have.
    fn resemblance(&self, other: &Sketch) -> f64 {
        let (mut left, mut right) = (0, 0);
        let mut n_shared = 0;
        while left < self.runs.len() && right < other.runs.len() {
            match self.runs[left].cmp(&other.runs[right]) {
                std::cmp::Ordering::Less => left += 1,
                std::cmp::Ordering::Greater => right += 1,
                std::cmp::Ordering::Equal => {
                    n_shared += 1;
                    left += 1;
                    right += 1;
                }
            }
        }
        let n_either = self.runs.len() + other.runs.len() - n_shared;
        n_shared as f64 / n_either.max(1) as f64
    }
}

/// Returns the sketches of the texts that are long enough.
fn sketches(columns: &[&Column], rows: &[usize]) -> Vec<Sketch> {
    let mut random = SplitMix64::new(0, 0);
    let seeds: Vec<u64> = (0..N_BANDS * HASHES_PER_BAND).map(|_| random.next_u64()).collect();
    rows.par_iter().filter_map(|&row| sketch(columns, row, &seeds)).collect()
}

fn sketch(columns: &[&Column], row: usize, seeds: &[u64]) -> Option<Sketch> {
    let mut words: Vec<String> = Vec::new();
    for column in columns {
        if let ColumnValues::Text(texts) = &column.values
            && let Some(text) = &texts[row]
        {
            let found = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
            words.extend(found.map(str::to_lowercase));
        }
    }
    if words.len() < MIN_WORDS {
        return None;
    }
    let mut runs: Vec<u64> = words
        .windows(RUN)
        .map(|run| {
            let mut hasher = DefaultHasher::new();
            run.hash(&mut hasher);
            hasher.finish()
        })
        .collect();
    runs.sort_unstable();
    runs.dedup();
    let least = |seed: u64| runs.iter().map(|&run| mixed(run ^ seed)).min().unwrap_or(0);
    let least: Vec<u64> = seeds.iter().map(|&seed| least(seed)).collect();
    let bands = least
        .chunks(HASHES_PER_BAND)
        .map(|band| {
            let mut hasher = DefaultHasher::new();
            band.hash(&mut hasher);
            hasher.finish()
        })
        .collect();
    Some(Sketch { runs, bands })
}

/// Scatters the bits of a hash, as the last step of SplitMix64 does.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
