//! Term frequency times inverse document frequency, fitted in parallel with one result whatever the number of threads.

use std::borrow::Cow;
use std::cell::Cell;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Document;
use super::counts::{self, KeptTerm, Part, Rows, TermStatistics};
use super::murmur::{feature, murmur3};
use super::tally::Tally;
use super::terms::{TermReader, TermRoom};
use super::vocabulary::{Full, MAX_FREQUENT, Vocabulary};
use super::weights::TermWeights;
use crate::error::TrainError;
use crate::matrix::{CsrBuilder, CsrMatrix};
use crate::packed;
use crate::spec::{DocumentFrequency, HashSpec, MAX_HASHED_FEATURES, TfidfSpec};

/// How many bytes of text a thread weighs at a time. What is shorter in all is not worth another thread.
const BYTES_PER_PART: usize = 1 << 16;

/// A fitted vocabulary, or a hash in place of one, with the weight of each term.
///
/// The weight of a term in a document is its count there (or `1 + ln(count)`) times `ln((1 + n) / (1 + df)) + 1`, and the
/// weights of a document are scaled to length 1 (Euclidean): scikit-learn's `TfidfVectorizer` with smoothing. With a hash
/// it is scikit-learn's `HashingVectorizer` followed by its `TfidfTransformer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredModel")]
pub struct TfidfModel {
    spec: TfidfSpec,
    /// Sorted; empty where terms are hashed.
    vocabulary: Vocabulary,
    /// Empty where all terms weigh the same.
    #[serde(with = "packed::f64s")]
    inverse_document_frequencies: Vec<f64>,
}

/// A model as it is stored.
#[derive(Deserialize)]
struct StoredModel {
    spec: TfidfSpec,
    vocabulary: Vocabulary,
    #[serde(with = "packed::f64s")]
    inverse_document_frequencies: Vec<f64>,
}

impl From<StoredModel> for TfidfModel {
    fn from(stored: StoredModel) -> TfidfModel {
        TfidfModel::new(stored.spec, stored.vocabulary, stored.inverse_document_frequencies)
    }
}

impl TfidfModel {
    fn new(spec: TfidfSpec, mut vocabulary: Vocabulary, inverse_document_frequencies: Vec<f64>) -> TfidfModel {
        let n_terms = inverse_document_frequencies.len();
        if n_terms == vocabulary.len() && n_terms > 2 * MAX_FREQUENT {
            // The smaller its weight, the more documents have a term.
            let mut numbers: Vec<u32> = (0..n_terms as u32).collect();
            let weight = |number: &u32| inverse_document_frequencies[*number as usize];
            numbers.select_nth_unstable_by(MAX_FREQUENT, |left, right| weight(left).total_cmp(&weight(right)));
            vocabulary.favour(&numbers[..MAX_FREQUENT]);
        }
        TfidfModel { spec, vocabulary, inverse_document_frequencies }
    }

    /// Fits vocabulary and weights on `documents`, and returns with them what [`TfidfModel::transform`] gives for the same
    /// documents, at little more cost.
    ///
    /// # Errors
    /// [`TrainError::Data`] when no term is left, or when there are too many.
    pub(crate) fn fit(spec: &TfidfSpec, documents: &[Document<'_>]) -> Result<(TfidfModel, CsrMatrix), TrainError> {
        match spec.hash {
            Some(hash) => Ok(TfidfModel::fit_hashed(spec, hash, documents)),
            None => TfidfModel::fit_vocabulary(spec, documents),
        }
    }

    fn fit_vocabulary(spec: &TfidfSpec, documents: &[Document<'_>]) -> Result<(TfidfModel, CsrMatrix), TrainError> {
        let (parts, terms) = counts::count(spec, documents).map_err(too_long)?;
        let kept = select_terms(spec, documents.len(), &terms);
        if kept.is_empty() {
            return Err(TrainError::data(
                format!("no term is left of {} documents with {} terms", documents.len(), terms.len()),
                "give text with words, or loosen `min_df`, `max_df` and `stop_words`",
            ));
        }
        let n_documents = kept.iter().map(|term| term.statistics.n_documents);
        let inverse_document_frequencies = smooth_idf(spec, documents.len(), n_documents);
        let weights =
            TermWeights { spec, n_terms: kept.len(), inverse_document_frequencies: &inverse_document_frequencies };
        // One thread makes the vocabulary, which takes its time, while others weigh the terms, which does without it.
        let (vocabulary, matrix) = rayon::join(
            || terms.vocabulary_of(&kept),
            || {
                let columns = terms.columns(&kept, &parts);
                let weigh =
                    |(part, columns): (&Part, &Vec<u32>)| weights.weigh(&part.rows, |number| columns[number as usize]);
                let weighted: Vec<CsrMatrix> = parts.par_iter().zip(&columns).map(weigh).collect();
                CsrMatrix::concatenate(kept.len(), &weighted)
            },
        );
        let vocabulary = vocabulary.map_err(too_long)?;
        Ok((TfidfModel::new(spec.clone(), vocabulary, inverse_document_frequencies), matrix))
    }

    fn fit_hashed(spec: &TfidfSpec, hash: HashSpec, documents: &[Document<'_>]) -> (TfidfModel, CsrMatrix) {
        let mut model = TfidfModel {
            spec: spec.clone(),
            vocabulary: Vocabulary::default(),
            inverse_document_frequencies: Vec::new(),
        };
        let parts: Vec<Rows> = counts::parts_of(documents, BYTES_PER_PART)
            .into_par_iter()
            .map(|part| model.count(&documents[part]))
            .collect();
        if spec.idf {
            let mut n_documents = vec![0_u32; hash.features];
            for &(feature, _) in parts.iter().flat_map(Rows::iter).flatten() {
                n_documents[feature as usize] += 1;
            }
            model.inverse_document_frequencies = smooth_idf(spec, documents.len(), n_documents.into_iter());
        }
        let weighted: Vec<CsrMatrix> = parts.par_iter().map(|rows| model.weights().weigh_in_order(rows)).collect();
        let matrix = CsrMatrix::concatenate(model.n_terms(), &weighted);
        (model, matrix)
    }

    /// Returns the weights of the terms of `documents`; terms outside of the vocabulary do not count.
    pub(crate) fn transform(&self, documents: &[Document<'_>]) -> CsrMatrix {
        let parts = counts::parts_of(documents, BYTES_PER_PART);
        if parts.len() <= 1 {
            // Handing over to another thread takes longer than a text.
            return self.weigh(documents);
        }
        let weighted: Vec<CsrMatrix> = parts.into_par_iter().map(|part| self.weigh(&documents[part])).collect();
        CsrMatrix::concatenate(self.n_terms(), &weighted)
    }

    pub(super) fn spec(&self) -> &TfidfSpec {
        &self.spec
    }

    /// Returns the number of features.
    pub fn n_terms(&self) -> usize {
        self.spec.hash.map_or(self.vocabulary.len(), |hash| hash.features)
    }

    /// Returns the term at a column of the weights; for a hash, which several terms may have, its number.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn term(&self, column: usize) -> Cow<'_, str> {
        match self.spec.hash {
            Some(_) => Cow::Owned(format!("#{column}")),
            None => Cow::Borrowed(self.vocabulary.term(column as u32)),
        }
    }

    /// Returns the inverse document frequency of each term; none where all weigh the same.
    pub fn inverse_document_frequencies(&self) -> &[f64] {
        &self.inverse_document_frequencies
    }

    pub(crate) fn inconsistency(&self) -> Option<String> {
        if let Some(hash) = self.spec.hash
            && !(1..=MAX_HASHED_FEATURES).contains(&hash.features)
        {
            return Some(format!("terms are hashed to {} features", hash.features));
        }
        let n_weights = self.inverse_document_frequencies.len();
        let expected = if self.spec.idf { self.n_terms() } else { 0 };
        (n_weights != expected).then(|| format!("{} terms have {n_weights} weights", self.n_terms()))
    }

    fn weights(&self) -> TermWeights<'_> {
        TermWeights {
            spec: &self.spec,
            n_terms: self.n_terms(),
            inverse_document_frequencies: &self.inverse_document_frequencies,
        }
    }

    /// Weighs the terms of some documents.
    fn weigh(&self, documents: &[Document<'_>]) -> CsrMatrix {
        let weights = self.weights();
        let mut builder = CsrBuilder::new(self.n_terms());
        self.for_each_row(documents, |counts| weights.push_row(counts, &mut builder));
        builder.finish()
    }

    /// Counts the terms of some documents by the columns that they have.
    fn count(&self, documents: &[Document<'_>]) -> Rows {
        let mut rows = Rows::default();
        self.for_each_row(documents, |counts| {
            for &(column, count) in counts {
                rows.push(column, count);
            }
            rows.end_row();
        });
        rows
    }

    /// Calls `visit` with the counts of the terms of each document, by ascending column.
    fn for_each_row(&self, documents: &[Document<'_>], mut visit: impl FnMut(&[(u32, i32)])) {
        let mut room = ROOM.take();
        let Room { terms, columns, tally } = &mut room;
        tally.reserve(self.n_terms());
        let mut reader = TermReader::new(&self.spec, terms);
        let mut finder = self.vocabulary.finder();
        for document in documents {
            columns.clear();
            if let Some(hash) = self.spec.hash {
                // With the sign of each term in the last bit.
                reader.for_each(document, |term| {
                    let code = murmur3(term.as_str().as_bytes());
                    columns.push(feature(code, hash.features) << 1 | u32::from(hash.signed && code < 0));
                });
                visit(tally.add_up(columns.iter().map(|&code| (code >> 1, if code & 1 == 1 { -1 } else { 1 }))));
            } else {
                reader.for_each(document, |term| finder.find(term, columns));
                finder.finish(columns);
                visit(tally.add_up(columns.iter().map(|&column| (column, 1))));
            }
        }
        if documents.iter().flatten().map(|text| text.len()).sum::<usize>() <= MAX_BYTES_OF_ROOM {
            ROOM.set(room);
        }
    }
}

/// Room for the terms of a document.
#[derive(Default)]
struct Room {
    terms: TermRoom,
    /// The column of each term as often as it is there.
    columns: Vec<u32>,
    tally: Tally,
}

/// Room that was made for more text than this is given back.
const MAX_BYTES_OF_ROOM: usize = 1 << 20;

thread_local! {
    /// The room of the documents before: making it takes longer than a short text.
    static ROOM: Cell<Room> = Cell::default();
}

fn too_long(_: Full) -> TrainError {
    TrainError::data(
        "the distinct terms of the documents have more than 4 GiB of text",
        "use `hash`, or shorter `ngrams`",
    )
}

/// Returns the terms that are kept, in the order of their text.
fn select_terms<'t>(spec: &TfidfSpec, n_documents: usize, terms: &'t counts::Terms) -> Vec<KeptTerm<'t>> {
    let least = spec.min_df.to_documents(n_documents);
    let greatest = spec.max_df.to_documents(n_documents);
    let keep = |term: TermStatistics| (least..=greatest).contains(&f64::from(term.n_documents));
    let mut kept = terms.kept(keep);
    if let Some(max_features) = spec.max_features
        && kept.len() > max_features
    {
        kept.sort_by_key(|term| std::cmp::Reverse(term.statistics.n_occurrences));
        kept.truncate(max_features);
        counts::sort_by_text(&mut kept);
    }
    kept
}

/// Returns the weights of terms in so many of all documents; none where all weigh the same.
fn smooth_idf(spec: &TfidfSpec, n_documents: usize, with_term: impl Iterator<Item = u32>) -> Vec<f64> {
    if !spec.idf {
        return Vec::new();
    }
    with_term.map(|n_with_term| ((1 + n_documents) as f64 / (1.0 + f64::from(n_with_term))).ln() + 1.0).collect()
}

impl DocumentFrequency {
    fn to_documents(self, n_documents: usize) -> f64 {
        match self {
            DocumentFrequency::Count(count) => count as f64,
            DocumentFrequency::Share(share) => share * n_documents as f64,
        }
    }
}
