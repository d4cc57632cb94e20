//! From texts to weighted counts of terms.

mod stop_words;
mod tfidf;
mod tokenizer;
mod vocabulary;

pub use tfidf::TfidfModel;
pub use tokenizer::{Tokenizer, Words};
