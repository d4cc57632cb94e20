//! k-means: clusters around their means.
//!
//! Sources: Lloyd, *Least squares quantization in PCM* (1982); Arthur and Vassilvitskii, *k-means++: The advantages of careful
//! seeding* (2007), with the best of several draws as in scikit-learn.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::squared_distance;
use crate::error::{PredictError, TrainError};
use crate::estimator::dense::{dense_features, score_dense};
use crate::estimator::settings::{CLUSTERING, Faults};
use crate::estimator::{Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, TrainingData, check_width};
use crate::matrix::{DenseMatrix, FeatureMatrix};
use crate::packed;
use crate::progress::Progress;
use crate::random::SplitMix64;
use crate::spec::Task;

/// Settings of k-means. Features should be standardised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KMeans {
    /// How many clusters; fewer if there are fewer distinct rows.
    pub k: usize,
    /// How often it begins anew, of which the best is kept.
    pub n_starts: usize,
    /// The most passes over the rows of a start.
    pub max_iterations: usize,
    /// By how much, as a share of the mean variance of the features, the means may still move when it stops.
    pub tolerance: f64,
}

impl Default for KMeans {
    fn default() -> KMeans {
        KMeans { k: 8, n_starts: 10, max_iterations: 300, tolerance: 1e-4 }
    }
}

/// The means of the clusters, that of the largest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KMeansPredictor {
    n_features: usize,
    n_clusters: usize,
    /// Cluster by cluster.
    #[serde(with = "packed::f64s")]
    means: Vec<f64>,
}

/// Where a start came to.
struct Clustering {
    means: Vec<f64>,
    sizes: Vec<usize>,
    inertia: f64,
    converged: bool,
}

impl Estimator for KMeans {
    fn kind(&self) -> &'static str {
        KMeans::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        CLUSTERING
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default()
            .at_least("k", 1, self.k)
            .at_least("n_starts", 1, self.n_starts)
            .at_least("max_iterations", 1, self.max_iterations)
            .not_negative("tolerance", self.tolerance)
            .list()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let features = dense_features(self.kind(), data.features)?;
        let n_features = features.n_columns();
        let starts: Vec<Clustering> = (0..self.n_starts)
            .into_par_iter()
            .map(|start| {
                let clustering = self.start(&features, SplitMix64::new(data.seed, start as u64), progress)?;
                progress.advance(self.n_starts as u64);
                Ok(clustering)
            })
            .collect::<Result<_, TrainError>>()?;
        let best = starts.into_iter().reduce(|best, other| if other.inertia < best.inertia { other } else { best });
        let Some(best) = best.filter(|best| best.inertia.is_finite()) else {
            let reason = "the distances between rows are not finite: standardise the features".to_owned();
            return Err(TrainError::Fit { kind: self.kind(), reason });
        };
        let mut warnings = Vec::new();
        let n_clusters = best.sizes.len();
        if n_clusters < self.k {
            warnings.push(format!("`k` is {}, and there are {n_clusters} distinct rows: each is a cluster", self.k));
        }
        if !best.converged {
            let n_iterations = self.max_iterations;
            warnings.push(format!("`k_means` still moved after {n_iterations} iterations: raise `max_iterations`"));
        }
        let mut order: Vec<usize> = (0..n_clusters).collect();
        order.sort_by_key(|&cluster| std::cmp::Reverse(best.sizes[cluster]));
        let mean = |&cluster: &usize| &best.means[cluster * n_features..(cluster + 1) * n_features];
        let means = order.iter().flat_map(mean).copied().collect();
        let predictor = KMeansPredictor { n_features, n_clusters, means };
        Ok(Fitted { predictor: FittedPredictor::KMeans(predictor), warnings })
    }
}

impl KMeans {
    fn start(
        &self,
        features: &DenseMatrix,
        mut random: SplitMix64,
        progress: &dyn Progress,
    ) -> Result<Clustering, TrainError> {
        let n_features = features.n_columns();
        let mut means = draw_means(features, self.k, &mut random);
        let tolerance = self.tolerance * mean_variance(features);
        let mut converged = false;
        let mut labels = vec![usize::MAX; features.n_rows()];
        for _ in 0..self.max_iterations {
            if progress.is_cancelled() {
                return Err(TrainError::Cancelled);
            }
            let assigned: Vec<(usize, f64)> =
                (0..features.n_rows()).map(|row| nearest(&means, n_features, features.row(row))).collect();
            let is_same = assigned.iter().zip(&labels).all(|((label, _), before)| label == before);
            labels = assigned.iter().map(|(label, _)| *label).collect();
            let moved = move_means(features, &assigned, &mut means);
            if is_same || moved <= tolerance {
                converged = true;
                break;
            }
        }
        let mut sizes = vec![0; means.len() / n_features];
        let mut inertia = 0.0;
        for row in 0..features.n_rows() {
            let (cluster, distance) = nearest(&means, n_features, features.row(row));
            sizes[cluster] += 1;
            inertia += distance;
        }
        Ok(Clustering { means, sizes, inertia, converged })
    }
}

/// Returns the cluster whose mean is nearest, the first of equals, and the square of its distance.
fn nearest(means: &[f64], n_features: usize, cells: &[f64]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (cluster, mean) in means.chunks_exact(n_features).enumerate() {
        let distance = squared_distance(mean, cells);
        if distance < best.1 {
            best = (cluster, distance);
        }
    }
    best
}

/// Draws rows to begin with, each with a probability by its squared distance to those drawn before. No row is drawn twice.
fn draw_means(features: &DenseMatrix, k: usize, random: &mut SplitMix64) -> Vec<f64> {
    let n_rows = features.n_rows();
    let n_draws = 2 + (k as f64).ln() as usize;
    let first = features.row(random.below(n_rows));
    let mut means = first.to_vec();
    let mut distances: Vec<f64> = (0..n_rows).map(|row| squared_distance(features.row(row), first)).collect();
    while means.len() / features.n_columns() < k {
        let total: f64 = distances.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            break;
        }
        let draw = |random: &mut SplitMix64| {
            let mut left = random.unit() * total;
            let passed = |distance: &f64| {
                left -= distance;
                left < 0.0
            };
            // Rounding may leave the last row; one that was drawn before would be at a distance of 0.
            distances.iter().position(passed).unwrap_or_else(|| farthest(&distances))
        };
        let candidates: Vec<usize> = (0..n_draws).map(|_| draw(random)).collect();
        let with = |candidate: usize| -> Vec<f64> {
            let closer = |row: usize| squared_distance(features.row(row), features.row(candidate));
            (0..n_rows).map(|row| distances[row].min(closer(row))).collect()
        };
        let potentials = candidates.into_iter().map(|candidate| (candidate, with(candidate)));
        let sum = |distances: &[f64]| distances.iter().sum::<f64>();
        let best = potentials.reduce(|best, other| if sum(&other.1) < sum(&best.1) { other } else { best });
        let Some((candidate, closer)) = best else { break };
        means.extend_from_slice(features.row(candidate));
        distances = closer;
    }
    means
}

fn farthest(distances: &[f64]) -> usize {
    let mut best = 0;
    for (row, distance) in distances.iter().enumerate() {
        if *distance > distances[best] {
            best = row;
        }
    }
    best
}

/// Moves each mean to that of its rows, and returns the sum of the squares of how far. A cluster without rows takes the row
/// that is farthest from its mean.
fn move_means(features: &DenseMatrix, assigned: &[(usize, f64)], means: &mut [f64]) -> f64 {
    let n_features = features.n_columns();
    let mut sums = vec![0.0; means.len()];
    let mut counts = vec![0.0_f64; means.len() / n_features];
    let mut add = |row: usize, cluster: usize, sign: f64| {
        counts[cluster] += sign;
        let sums = &mut sums[cluster * n_features..(cluster + 1) * n_features];
        sums.iter_mut().zip(features.row(row)).for_each(|(sum, cell)| *sum += sign * cell);
    };
    for (row, (cluster, _)) in assigned.iter().enumerate() {
        add(row, *cluster, 1.0);
    }
    let mut has_rows = vec![false; means.len() / n_features];
    for (cluster, _) in assigned {
        has_rows[*cluster] = true;
    }
    let mut distances: Vec<f64> = assigned.iter().map(|(_, distance)| *distance).collect();
    for cluster in (0..has_rows.len()).filter(|&cluster| !has_rows[cluster]) {
        let row = farthest(&distances);
        distances[row] = 0.0;
        add(row, assigned[row].0, -1.0);
        add(row, cluster, 1.0);
    }
    let mut moved = 0.0;
    for (cluster, mean) in means.chunks_exact_mut(n_features).enumerate() {
        for (feature, value) in mean.iter_mut().enumerate() {
            let after =
                if counts[cluster] > 0.0 { sums[cluster * n_features + feature] / counts[cluster] } else { *value };
            moved += (after - *value) * (after - *value);
            *value = after;
        }
    }
    moved
}

fn mean_variance(features: &DenseMatrix) -> f64 {
    let (n_rows, n_features) = (features.n_rows() as f64, features.n_columns());
    let variance = |feature: usize| {
        let cells = || features.cells().iter().skip(feature).step_by(n_features);
        let mean = cells().sum::<f64>() / n_rows;
        cells().map(|cell| (cell - mean) * (cell - mean)).sum::<f64>() / n_rows
    };
    (0..n_features).map(variance).sum::<f64>() / n_features as f64
}

impl KMeansPredictor {
    /// Returns the means, cluster by cluster.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Returns the number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// Returns the distance to the mean of each cluster, less than 0 so that the nearest is the greatest.
    fn distances(&self, features: &FeatureMatrix) -> Result<Scores, PredictError> {
        check_width(self.n_features, features)?;
        let values = score_dense(features, self.n_clusters, |cells, outputs| {
            for (output, mean) in outputs.iter_mut().zip(self.means.chunks_exact(self.n_features)) {
                *output = -squared_distance(mean, cells).sqrt();
            }
        });
        Ok(Scores { n_classes: self.n_clusters, values })
    }

    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let fits = self.n_clusters == n_classes
            && n_classes > 0
            && self.n_features > 0
            && self.n_clusters.checked_mul(self.n_features) == Some(self.means.len())
            && self.means.iter().all(|mean| mean.is_finite());
        (!fits).then(|| format!("means of {} clusters serve {n_classes}", self.n_clusters))
    }
}

impl Predictor for KMeansPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        let distances = self.distances(features)?;
        Ok(Outputs::Classes(distances.best_classes()))
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        self.distances(features).map(Some)
    }
}
