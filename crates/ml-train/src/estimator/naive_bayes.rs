//! Naive Bayes: features are independent of one another within a class.

mod complement;
mod gaussian;
mod multinomial;

pub use complement::ComplementNaiveBayes;
pub use gaussian::{GaussianNaiveBayes, GaussianPredictor};
pub(super) use multinomial::FeatureSums;
pub use multinomial::{MultinomialNaiveBayes, MultinomialPredictor};
