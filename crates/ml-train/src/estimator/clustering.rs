//! Estimators that group rows without being told how.

mod dbscan;
mod k_means;

pub use dbscan::{Dbscan, DbscanPredictor};
pub use k_means::{KMeans, KMeansPredictor};

/// Returns the square of the Euclidean distance.
fn squared_distance(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (left - right) * (left - right)).sum()
}
