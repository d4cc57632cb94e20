//! From texts to weighted counts of terms.

mod characters;
mod counts;
mod lower;
mod murmur;
mod sentiment;
mod stem;
mod stop_words;
mod tally;
mod term_key;
mod terms;
mod tfidf;
mod tokenizer;
mod vocabulary;
mod weights;
mod wide;
mod word_runs;
mod written;

pub use sentiment::{COMPOUND_THRESHOLD, RatedWord, SentimentScorer, SentimentScores};
pub use stem::StemLanguage;
pub use tfidf::TfidfModel;
pub use tokenizer::{Tokenizer, Words};
pub(crate) use written::WrittenText;

/// A text as the parts it is joined from; missing parts are absent.
pub(crate) type Document<'a> = Vec<&'a str>;
