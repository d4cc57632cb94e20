//! How texts become weighted counts of terms.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fault::Fault;
use crate::text::StemLanguage;

/// The most features that terms can be hashed to.
pub(crate) const MAX_HASHED_FEATURES: usize = 1 << 24;

/// How texts become weighted counts of terms. The defaults are those of scikit-learn's `TfidfVectorizer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "these are the settings of a pipeline file, each on its own")]
pub struct TfidfSpec {
    /// What a term is made of.
    pub analyzer: Analyzer,
    /// The least and the greatest number of words, or of characters, in a term.
    pub ngrams: (usize, usize),
    /// Terms in fewer documents are left out.
    pub min_df: DocumentFrequency,
    /// Terms in more documents are left out.
    pub max_df: DocumentFrequency,
    /// Keeps only this many terms, those with the greatest counts over all documents; ties go to the first in sorted order.
    pub max_features: Option<usize>,
    /// Numbers terms by a hash of their text, instead of by a vocabulary.
    pub hash: Option<HashSpec>,
    /// Counts any number of times as once.
    pub binary: bool,
    /// Counts as `1 + ln(count)`.
    pub sublinear_tf: bool,
    /// Whether terms in few documents weigh more.
    pub idf: bool,
    /// What the weights of a document are scaled to.
    pub norm: Norm,
    /// Whether `News` and `news` are one word.
    pub lowercase: bool,
    /// Words that are left out.
    pub stop_words: StopWords,
    /// The language by whose rules words are cut to their stems, after stop words are left out.
    pub stem: Option<StemLanguage>,
}

/// What a term is made of, as scikit-learn's analyzers of the same names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Analyzer {
    /// Successive words of at least two characters.
    #[default]
    Word,
    /// Successive characters.
    Char,
    /// Successive characters of one word with a space before and after it.
    CharWb,
}

/// How terms are numbered by their hashes, as scikit-learn's `FeatureHasher` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HashSpec {
    /// The number of features.
    pub features: usize,
    /// Whether half of the terms count negatively, so that terms of one number cancel out rather than add up.
    pub signed: bool,
}

impl Default for HashSpec {
    fn default() -> HashSpec {
        HashSpec { features: 1 << 20, signed: true }
    }
}

/// What the weights of a document are scaled to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Length 1: their squares sum to 1.
    #[default]
    L2,
    /// Their absolute values sum to 1.
    L1,
    /// They stay as they are.
    None,
}

/// A number of documents, or a share of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DocumentFrequency {
    /// A whole number: so many documents.
    Count(u64),
    /// A fraction in `[0, 1]`: this share of the training documents.
    Share(f64),
}

/// Words that are left out: `none`, `english`, or a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StopWords {
    /// No word.
    #[default]
    None,
    /// scikit-learn's list of 318 English words.
    English,
    /// These words, sorted, each once.
    List(Vec<String>),
}

impl StopWords {
    /// Makes a list of `words`.
    pub fn list(words: impl IntoIterator<Item = String>) -> StopWords {
        let mut words: Vec<String> = words.into_iter().collect();
        words.sort_unstable();
        words.dedup();
        StopWords::List(words)
    }
}

impl Serialize for StopWords {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            StopWords::None => serializer.serialize_str("none"),
            StopWords::English => serializer.serialize_str("english"),
            StopWords::List(words) => words.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StopWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StopWords, D::Error> {
        deserializer.deserialize_any(StopWordsVisitor)
    }
}

struct StopWordsVisitor;

impl<'de> Visitor<'de> for StopWordsVisitor {
    type Value = StopWords;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`none`, `english` or a list of words")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<StopWords, E> {
        match name {
            "none" => Ok(StopWords::None),
            "english" => Ok(StopWords::English),
            _ => Err(E::custom(format!("unknown stop words `{name}`, expected `none`, `english` or a list of words"))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<StopWords, A::Error> {
        let mut words: Vec<String> = Vec::new();
        while let Some(word) = sequence.next_element()? {
            words.push(word);
        }
        Ok(StopWords::list(words))
    }
}

impl Default for TfidfSpec {
    fn default() -> TfidfSpec {
        TfidfSpec {
            analyzer: Analyzer::Word,
            ngrams: (1, 1),
            min_df: DocumentFrequency::Count(1),
            max_df: DocumentFrequency::Share(1.0),
            max_features: None,
            hash: None,
            binary: false,
            sublinear_tf: false,
            idf: true,
            norm: Norm::L2,
            lowercase: true,
            stop_words: StopWords::None,
            stem: None,
        }
    }
}

impl TfidfSpec {
    pub(super) fn faults(&self, key: &str, faults: &mut Vec<Fault>) {
        let mut fault = |setting: &str, message: &str| faults.push(Fault::new(format!("{key}.{setting}"), message));
        let (least, greatest) = self.ngrams;
        if least == 0 || least > greatest {
            let what = if self.analyzer == Analyzer::Word { "words" } else { "characters" };
            let message = format!(
                "[{least}, {greatest}] must be [least, greatest] numbers of {what}, at least 1, such as [1, 2]"
            );
            fault("ngrams", &message);
        }
        for (setting, frequency) in [("min_df", self.min_df), ("max_df", self.max_df)] {
            if matches!(frequency, DocumentFrequency::Share(share) if !(0.0..=1.0).contains(&share)) {
                fault(setting, "must be a whole number of documents, or a share between 0.0 and 1.0");
            }
        }
        if self.max_features == Some(0) {
            fault("max_features", "must be at least 1, or null for all");
        }
        if self.analyzer != Analyzer::Word {
            if self.stop_words != StopWords::None {
                fault("stop_words", "are for `analyzer: word` only: remove them");
            }
            if self.stem.is_some() {
                fault("stem", "is for `analyzer: word` only: remove it");
            }
        }
        if let Some(hash) = self.hash {
            self.hash_faults(hash, &mut fault);
        }
    }

    fn hash_faults(&self, hash: HashSpec, fault: &mut impl FnMut(&str, &str)) {
        if !(1..=MAX_HASHED_FEATURES).contains(&hash.features) {
            fault("hash.features", &format!("must be from 1 to {MAX_HASHED_FEATURES}, not {}", hash.features));
        }
        let defaults = TfidfSpec::default();
        for (setting, is_default) in [
            ("min_df", self.min_df == defaults.min_df),
            ("max_df", self.max_df == defaults.max_df),
            ("max_features", self.max_features.is_none()),
        ] {
            if !is_default {
                fault(setting, "needs a vocabulary, and with `hash` there is none: remove one of both");
            }
        }
        if hash.signed && self.sublinear_tf {
            fault(
                "sublinear_tf",
                "counts of signed hashes may be negative and have no logarithm: set `hash.signed: false`",
            );
        }
    }
}
