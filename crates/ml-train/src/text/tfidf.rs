//! Term frequency times inverse document frequency, fitted in parallel with one result whatever the number of threads.

use hashbrown::DefaultHashBuilder;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::tokenizer::{Tokenizer, Words};
use super::vocabulary::Vocabulary;
use crate::error::TrainError;
use crate::matrix::{CsrBuilder, CsrMatrix};
use crate::packed;
use crate::spec::{DocumentFrequency, TfidfSpec};

/// Documents are cut into parts of this size whatever the number of threads.
const DOCUMENTS_PER_PART: usize = 256;

/// A text as the parts it is joined from; missing parts are absent.
pub(crate) type Document<'a> = Vec<&'a str>;

/// A fitted vocabulary with the weight of each term.
///
/// The weight of a term in a document is its count there (or `1 + ln(count)`) times `ln((1 + n) / (1 + df)) + 1`, and the
/// weights of a document are scaled to length 1 (Euclidean): scikit-learn's `TfidfVectorizer` with smoothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TfidfModel {
    spec: TfidfSpec,
    /// Sorted.
    vocabulary: Vocabulary,
    #[serde(with = "packed::f64s")]
    inverse_document_frequencies: Vec<f64>,
}

/// The terms of some documents, numbered among themselves, and their counts.
struct Part {
    vocabulary: Vocabulary,
    /// Where the counts of each document end.
    ends: Vec<usize>,
    counts: Vec<(u32, u32)>,
}

/// A term of all documents.
struct TermStatistics {
    n_documents: u32,
    n_occurrences: u64,
}

impl TfidfModel {
    /// Fits vocabulary and weights on `documents`, and returns with them what [`TfidfModel::transform`] gives for the same
    /// documents, at little more cost.
    ///
    /// # Errors
    /// [`TrainError::Data`] when no term is left.
    pub(crate) fn fit(spec: &TfidfSpec, documents: &[Document<'_>]) -> Result<(TfidfModel, CsrMatrix), TrainError> {
        let hasher = DefaultHashBuilder::default();
        let parts: Vec<Part> =
            documents.par_chunks(DOCUMENTS_PER_PART).map(|part| Part::count(spec, part, hasher.clone())).collect();

        let (all_terms, statistics, renumberings) = merge(&parts, hasher);
        let kept = select_terms(spec, documents.len(), &all_terms, &statistics);
        if kept.is_empty() {
            return Err(TrainError::data(
                format!("no term is left of {} documents with {} terms", documents.len(), all_terms.len()),
                "give text with words, or loosen `min_df`, `max_df` and `stop_words`",
            ));
        }
        let model = TfidfModel {
            spec: spec.clone(),
            vocabulary: Vocabulary::from_distinct(kept.iter().map(|&number| all_terms.term(number))),
            inverse_document_frequencies: kept
                .iter()
                .map(|&number| smooth_idf(documents.len(), statistics[number as usize].n_documents))
                .collect(),
        };
        let mut columns = vec![None; all_terms.len()];
        for (column, &number) in kept.iter().enumerate() {
            columns[number as usize] = Some(column as u32);
        }
        let weighted: Vec<CsrMatrix> = parts
            .par_iter()
            .zip(&renumberings)
            .map(|(part, renumbering)| model.weigh(part, |number| columns[renumbering[number as usize] as usize]))
            .collect();
        let matrix = CsrMatrix::concatenate(model.n_terms(), &weighted);
        Ok((model, matrix))
    }

    /// Returns the weights of the terms of `documents`; terms outside of the vocabulary do not count.
    pub(crate) fn transform(&self, documents: &[Document<'_>]) -> CsrMatrix {
        let weighted: Vec<CsrMatrix> = documents
            .par_chunks(DOCUMENTS_PER_PART)
            .map(|documents| {
                let part = Part::count(&self.spec, documents, DefaultHashBuilder::default());
                let columns: Vec<Option<u32>> = (0..part.vocabulary.len() as u32)
                    .map(|number| self.vocabulary.find(part.vocabulary.term(number)))
                    .collect();
                self.weigh(&part, |number| columns[number as usize])
            })
            .collect();
        CsrMatrix::concatenate(self.n_terms(), &weighted)
    }

    pub(super) fn spec(&self) -> &TfidfSpec {
        &self.spec
    }

    /// Returns the number of terms.
    pub fn n_terms(&self) -> usize {
        self.vocabulary.len()
    }

    /// Returns the term at a column of the weights.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn term(&self, column: usize) -> &str {
        self.vocabulary.term(column as u32)
    }

    /// Returns the inverse document frequency of each term.
    pub fn inverse_document_frequencies(&self) -> &[f64] {
        &self.inverse_document_frequencies
    }

    pub(crate) fn inconsistency(&self) -> Option<String> {
        let n_weights = self.inverse_document_frequencies.len();
        (n_weights != self.n_terms()).then(|| format!("{} terms have {n_weights} weights", self.n_terms()))
    }

    fn weigh(&self, part: &Part, column_of: impl Fn(u32) -> Option<u32>) -> CsrMatrix {
        let mut builder = CsrBuilder::new(self.n_terms());
        builder.reserve(part.ends.len(), part.counts.len());
        let mut row: Vec<(u32, f64)> = Vec::new();
        let mut begin = 0;
        for &end in &part.ends {
            row.clear();
            for &(number, count) in &part.counts[begin..end] {
                if let Some(column) = column_of(number) {
                    row.push((column, self.weight(column, count)));
                }
            }
            row.sort_unstable_by_key(|&(column, _)| column);
            let length = row.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
            for &(column, weight) in &row {
                builder.push(column as usize, weight / length);
            }
            builder.end_row();
            begin = end;
        }
        builder.finish()
    }

    fn weight(&self, column: u32, count: u32) -> f64 {
        let count = f64::from(count);
        let frequency = if self.spec.sublinear_tf { 1.0 + count.ln() } else { count };
        frequency * self.inverse_document_frequencies[column as usize]
    }
}

impl Part {
    fn count(spec: &TfidfSpec, documents: &[Document<'_>], hasher: DefaultHashBuilder) -> Part {
        let tokenizer = Tokenizer::new(spec.lowercase, spec.stop_words);
        let mut part = Part { vocabulary: Vocabulary::with_hasher(hasher), ends: Vec::new(), counts: Vec::new() };
        let mut words = Words::default();
        // For each term, the place of its count in the current document, valid if it is not before the document's begin.
        let mut places: Vec<usize> = Vec::new();
        for document in documents {
            tokenizer.words(document.iter().copied(), &mut words);
            let begin = part.counts.len();
            for n_words in spec.ngrams.0..=spec.ngrams.1 {
                for term in words.terms(n_words) {
                    let number = part.vocabulary.insert(term);
                    if number as usize == places.len() {
                        places.push(part.counts.len());
                        part.counts.push((number, 1));
                    } else if places[number as usize] < begin {
                        places[number as usize] = part.counts.len();
                        part.counts.push((number, 1));
                    } else {
                        part.counts[places[number as usize]].1 += 1;
                    }
                }
            }
            part.ends.push(part.counts.len());
        }
        part
    }
}

/// Returns all terms, their statistics, and for each part the numbers that its terms have among all.
fn merge(parts: &[Part], hasher: DefaultHashBuilder) -> (Vocabulary, Vec<TermStatistics>, Vec<Vec<u32>>) {
    let mut all_terms = Vocabulary::with_hasher(hasher);
    let mut statistics: Vec<TermStatistics> = Vec::new();
    let mut renumberings = Vec::with_capacity(parts.len());
    for part in parts {
        let renumbering: Vec<u32> =
            (0..part.vocabulary.len() as u32).map(|number| all_terms.insert(part.vocabulary.term(number))).collect();
        statistics.resize_with(all_terms.len(), || TermStatistics { n_documents: 0, n_occurrences: 0 });
        for &(number, count) in &part.counts {
            let term = &mut statistics[renumbering[number as usize] as usize];
            term.n_documents += 1;
            term.n_occurrences += u64::from(count);
        }
        renumberings.push(renumbering);
    }
    (all_terms, statistics, renumberings)
}

/// Returns the numbers of the terms that are kept, sorted by term.
fn select_terms(spec: &TfidfSpec, n_documents: usize, terms: &Vocabulary, statistics: &[TermStatistics]) -> Vec<u32> {
    let least = spec.min_df.to_documents(n_documents);
    let greatest = spec.max_df.to_documents(n_documents);
    let mut kept: Vec<u32> = (0..terms.len() as u32)
        .filter(|&number| (least..=greatest).contains(&f64::from(statistics[number as usize].n_documents)))
        .collect();
    kept.par_sort_unstable_by(|&left, &right| terms.term(left).cmp(terms.term(right)));
    if let Some(max_features) = spec.max_features
        && kept.len() > max_features
    {
        kept.sort_by_key(|&number| std::cmp::Reverse(statistics[number as usize].n_occurrences));
        kept.truncate(max_features);
        kept.par_sort_unstable_by(|&left, &right| terms.term(left).cmp(terms.term(right)));
    }
    kept
}

fn smooth_idf(n_documents: usize, n_with_term: u32) -> f64 {
    ((1 + n_documents) as f64 / (1.0 + f64::from(n_with_term))).ln() + 1.0
}

impl DocumentFrequency {
    fn to_documents(self, n_documents: usize) -> f64 {
        match self {
            DocumentFrequency::Count(count) => count as f64,
            DocumentFrequency::Share(share) => share * n_documents as f64,
        }
    }
}
