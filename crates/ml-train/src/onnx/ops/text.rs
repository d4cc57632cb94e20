//! Texts to words, and words to weights.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::{Operator, Prepare, function, input};
use crate::onnx::error::OnnxError;
use crate::onnx::proto::Node;
use crate::onnx::tensor::{Data, Tensor, n_elements};

pub(super) fn find(name: &str) -> Option<Prepare> {
    match name {
        "StringNormalizer" => Some(string_normalizer),
        "TfIdfVectorizer" => Some(tfidf),
        _ => None,
    }
}

/// Changes the case of words and leaves out some of them; a list becomes a shorter one.
fn string_normalizer(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let change: fn(&str) -> String = match node.text("case_change_action").unwrap_or("NONE") {
        "NONE" => str::to_owned,
        "LOWER" => str::to_lowercase,
        "UPPER" => str::to_uppercase,
        other => return Err(OnnxError::Unsupported(format!("the change of case `{other}`"))),
    };
    let is_case_sensitive = node.integer("is_case_sensitive").unwrap_or(0) != 0;
    let form = move |text: &str| if is_case_sensitive { text.to_owned() } else { text.to_lowercase() };
    let stop_words: BTreeSet<String> = node.texts("stopwords").iter().map(|word| form(word)).collect();
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let kept = given.as_texts()?.iter().filter(|text| stop_words.is_empty() || !stop_words.contains(&form(text)));
        let texts: Vec<String> = kept.map(|text| change(text)).collect();
        if texts.len() == given.data.len() {
            return Tensor::texts(given.shape.clone(), texts);
        }
        // The standard keeps one empty text where nothing is left.
        let texts = if texts.is_empty() { vec![String::new()] } else { texts };
        let mut shape = given.shape.clone();
        shape.fill(1);
        if let Some(last) = shape.last_mut() {
            *last = texts.len();
        }
        Tensor::texts(shape, texts)
    }))
}

/// How texts are cut into words.
enum Cut {
    /// What the expression finds.
    Matches(Regex),
    /// What stands between the matches of the expression.
    Between(Regex),
}

/// Cuts each text into words and pads the lists to one length.
pub(super) fn tokenizer(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let expression = |pattern: &str| {
        Regex::new(pattern).map_err(|_| OnnxError::Unsupported(format!("the expression `{pattern}` to cut texts by")))
    };
    let separators = node.texts("separators");
    let cut = match node.text("tokenexp").filter(|pattern| !pattern.is_empty()) {
        Some(pattern) => Cut::Matches(expression(pattern)?),
        None if separators.is_empty() => {
            return Err(OnnxError::Inconsistent("a tokenizer does not say how to cut texts".to_owned()));
        }
        // An empty separator stands between any two characters.
        None if separators.iter().any(String::is_empty) => Cut::Matches(expression("(?s).")?),
        None => Cut::Between(expression(&separators.join("|"))?),
    };
    let marks = node.integer("mark").unwrap_or(0) != 0;
    let pad = node.text("pad_value").unwrap_or("#").to_owned();
    let least = usize::try_from(node.integer("mincharnum").unwrap_or(1)).unwrap_or(1);
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let mut lists: Vec<Vec<String>> = Vec::new();
        for text in given.as_texts()? {
            let words: Vec<&str> = match &cut {
                Cut::Matches(expression) => expression.find_iter(text).map(|found| found.as_str()).collect(),
                Cut::Between(expression) => expression.split(text).collect(),
            };
            let long = words.into_iter().filter(|word| word.chars().count() >= least.max(1));
            let mut words: Vec<String> = long.map(str::to_owned).collect();
            if marks {
                words.insert(0, "\u{2}".to_owned());
                words.push("\u{3}".to_owned());
            }
            lists.push(words);
        }
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        let shape = [given.shape.as_slice(), &[longest]].concat();
        n_elements(&shape)?;
        let mut texts = Vec::with_capacity(lists.len() * longest);
        for mut words in lists {
            words.resize(longest, pad.clone());
            texts.extend(words);
        }
        Tensor::texts(shape, texts)
    }))
}

/// The most columns of terms.
const MAX_TERMS: usize = 1 << 22;

/// How counts become weights.
#[derive(Debug, Clone, Copy)]
enum Weighting {
    Count,
    Presence,
    WeightedCount,
}

struct TfIdf {
    /// The output column of each sequence of words.
    columns: BTreeMap<Vec<String>, usize>,
    weights: Vec<f64>,
    weighting: Weighting,
    lengths: std::ops::RangeInclusive<usize>,
    /// How many words may be left out between two of a sequence.
    n_skips: usize,
    n_columns: usize,
}

fn tfidf(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let inconsistent = |message: &str| OnnxError::Inconsistent(message.to_owned());
    let size = |name: &str| usize::try_from(node.integer(name).unwrap_or(1)).unwrap_or(usize::MAX);
    let pool: Vec<String> = match node.texts("pool_strings") {
        [] => node.integers("pool_int64s").iter().map(i64::to_string).collect(),
        texts => texts.to_vec(),
    };
    let (begins, indices) = (node.indices("ngram_counts")?, node.indices("ngram_indexes")?);
    let mut columns = BTreeMap::new();
    let mut next_index = indices.iter();
    for (position, &begin) in begins.iter().enumerate() {
        let end = begins.get(position + 1).copied().unwrap_or(pool.len());
        let sequences = pool.get(begin..end).ok_or_else(|| inconsistent("the pool of n-grams is cut short"))?;
        for sequence in sequences.chunks(position + 1) {
            let index = next_index.next().ok_or_else(|| inconsistent("an n-gram has no column"))?;
            columns.insert(sequence.to_vec(), *index);
        }
    }
    let n_columns = indices.iter().max().map_or(0, |index| index.saturating_add(1));
    if n_columns > MAX_TERMS {
        return Err(OnnxError::Unsupported(format!("{n_columns} terms, which are more than {MAX_TERMS}")));
    }
    let weighting = match node.text("mode").unwrap_or("TF") {
        "TF" => Weighting::Count,
        "IDF" => Weighting::Presence,
        "TFIDF" => Weighting::WeightedCount,
        other => return Err(OnnxError::Unsupported(format!("the weighting `{other}`"))),
    };
    let mut weights = vec![1.0; n_columns];
    for (&index, &weight) in indices.iter().zip(node.floats("weights")) {
        weights[index] = weight;
    }
    let lengths = size("min_gram_length").max(1)..=size("max_gram_length").min(begins.len());
    let n_skips = usize::try_from(node.integer("max_skip_count").unwrap_or(0)).unwrap_or(0).min(16);
    Ok(Box::new(TfIdf { columns, weights, weighting, lengths, n_skips, n_columns }))
}

impl Operator for TfIdf {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>, OnnxError> {
        let given = input(inputs, 0)?;
        let (n_rows, n_words) = match given.shape[..] {
            [n_words] => (1, n_words),
            [n_rows, n_words] => (n_rows, n_words),
            _ => return Err(OnnxError::Inconsistent(format!("words have the shape {:?}", given.shape))),
        };
        let words: Vec<String> = match &given.data {
            Data::Texts(texts) => texts.clone(),
            Data::Numbers(_, numbers) => numbers.iter().map(|&number| (number as i64).to_string()).collect(),
        };
        let row_shape = if given.shape.len() == 1 { vec![self.n_columns] } else { vec![n_rows, self.n_columns] };
        let mut values = vec![0.0; n_elements(&row_shape)?];
        for row in 0..n_rows {
            let words = &words[row * n_words..(row + 1) * n_words];
            self.count(words, &mut values[row * self.n_columns..(row + 1) * self.n_columns]);
        }
        Ok(vec![Tensor::floats(row_shape, values)?])
    }
}

impl TfIdf {
    fn count(&self, words: &[String], counts: &mut [f64]) {
        for length in self.lengths.clone() {
            // Single words have nothing to skip between them, and are counted once.
            let n_skips = if length == 1 { 0 } else { self.n_skips };
            for apart in 1..=n_skips + 1 {
                let span = (length - 1) * apart + 1;
                for begin in 0..(words.len() + 1).saturating_sub(span) {
                    let sequence: Vec<String> = words[begin..begin + span].iter().step_by(apart).cloned().collect();
                    if let Some(&column) = self.columns.get(&sequence) {
                        counts[column] += 1.0;
                    }
                }
            }
        }
        for (count, weight) in counts.iter_mut().zip(&self.weights) {
            *count = match self.weighting {
                Weighting::Count => *count,
                Weighting::Presence => {
                    if *count > 0.0 {
                        *weight
                    } else {
                        0.0
                    }
                }
                Weighting::WeightedCount => *count * weight,
            };
        }
    }
}
