//! From texts to weighted counts of terms.

mod sentiment;
mod stop_words;
mod tfidf;
mod tokenizer;
mod vocabulary;

pub use sentiment::{COMPOUND_THRESHOLD, RatedWord, SentimentScorer, SentimentScores};
pub use tfidf::TfidfModel;
pub use tokenizer::{Tokenizer, Words};
