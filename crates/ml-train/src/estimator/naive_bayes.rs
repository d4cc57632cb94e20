//! Naive Bayes: features are independent of one another within a class.

mod gaussian;
mod multinomial;

pub use gaussian::{GaussianNaiveBayes, GaussianPredictor};
pub use multinomial::{MultinomialNaiveBayes, MultinomialPredictor};
