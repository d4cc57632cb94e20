//! From texts to weighted counts of terms.

mod sentiment;
mod stop_words;
mod tfidf;
mod tokenizer;
mod vocabulary;
mod written;

pub use sentiment::{COMPOUND_THRESHOLD, RatedWord, SentimentScorer, SentimentScores};
pub(crate) use tfidf::Document;
pub use tfidf::TfidfModel;
pub use tokenizer::{Tokenizer, Words};
pub(crate) use written::WrittenText;
