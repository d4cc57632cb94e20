//! DBSCAN: clusters are what dense rows reach from one to the next; rows that none of them reaches are noise.
//!
//! Source: Ester et al., *A density-based algorithm for discovering clusters* (1996).

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
use crate::spec::Task;

/// Every row is compared with every other one: with more rows that would take hours.
const MAX_ROWS: usize = 100_000;

/// Settings of DBSCAN. Features should be standardised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dbscan {
    /// Up to which Euclidean distance rows are neighbours.
    pub eps: f64,
    /// How many neighbours, itself included, make a row dense.
    pub min_samples: usize,
}

impl Default for Dbscan {
    fn default() -> Dbscan {
        Dbscan { eps: 0.5, min_samples: 5 }
    }
}

/// The dense rows with their clusters. A row is in the first cluster that has a dense row as near as `eps`, else noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DbscanPredictor {
    n_features: usize,
    n_clusters: usize,
    eps: f64,
    /// Row by row.
    #[serde(with = "packed::f64s")]
    cells: Vec<f64>,
    #[serde(with = "packed::u32s")]
    clusters: Vec<u32>,
}

impl Estimator for Dbscan {
    fn kind(&self) -> &'static str {
        Dbscan::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        CLUSTERING
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default().positive("eps", self.eps).at_least("min_samples", 1, self.min_samples).list()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let features = dense_features(self.kind(), data.features)?;
        let n_rows = features.n_rows();
        if n_rows > MAX_ROWS {
            let what = format!("`{}` compares every row with every other, and there are {n_rows}", self.kind());
            return Err(TrainError::data(what, format!("give a sample of at most {MAX_ROWS}, or use `k_means`")));
        }
        let core = self.dense_rows(&features, progress)?;
        let clusters = self.grow(&features, &core, progress)?;
        let n_clusters = clusters.iter().max().map_or(0, |last| *last as usize + 1);
        let mut warnings = Vec::new();
        if n_clusters == 0 {
            warnings.push(format!(
                "every row is noise: none has {} neighbours within {}; raise `eps`, or lower `min_samples`",
                self.min_samples, self.eps
            ));
        }
        let predictor = DbscanPredictor {
            n_features: features.n_columns(),
            n_clusters,
            eps: self.eps,
            cells: core.iter().flat_map(|&row| features.row(row)).copied().collect(),
            clusters,
        };
        Ok(Fitted { predictor: FittedPredictor::Dbscan(predictor), warnings })
    }
}

impl Dbscan {
    fn are_neighbours(&self, features: &DenseMatrix, left: usize, right: usize) -> bool {
        squared_distance(features.row(left), features.row(right)) <= self.eps * self.eps
    }

    /// Returns the rows with neighbours enough.
    fn dense_rows(&self, features: &DenseMatrix, progress: &dyn Progress) -> Result<Vec<usize>, TrainError> {
        let n_rows = features.n_rows();
        let is_dense = |row: usize| {
            if progress.is_cancelled() {
                return Err(TrainError::Cancelled);
            }
            let neighbours = (0..n_rows).filter(|&other| self.are_neighbours(features, row, other));
            let is_dense = neighbours.take(self.min_samples).count() == self.min_samples;
            progress.advance(n_rows as u64);
            Ok(is_dense.then_some(row))
        };
        let rows: Vec<Option<usize>> = (0..n_rows).into_par_iter().map(is_dense).collect::<Result<_, _>>()?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// Returns the cluster of each dense row; clusters count in the order of their first rows.
    fn grow(&self, features: &DenseMatrix, core: &[usize], progress: &dyn Progress) -> Result<Vec<u32>, TrainError> {
        let mut clusters = vec![u32::MAX; core.len()];
        let mut outside: Vec<usize> = (0..core.len()).collect();
        let mut cluster = 0;
        while let Some(&first) = outside.first() {
            let mut reached = vec![first];
            outside.remove(0);
            while let Some(row) = reached.pop() {
                if progress.is_cancelled() {
                    return Err(TrainError::Cancelled);
                }
                clusters[row] = cluster;
                let is_near = |&other: &usize| self.are_neighbours(features, core[row], core[other]);
                let (near, far): (Vec<usize>, Vec<usize>) = outside.into_iter().partition(is_near);
                reached.extend(near);
                outside = far;
            }
            cluster += 1;
        }
        Ok(clusters)
    }
}

impl DbscanPredictor {
    /// Returns the number of clusters; noise is none.
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let fits = self.n_clusters + 1 == n_classes
            && self.n_features > 0
            && self.eps > 0.0
            && self.clusters.len().checked_mul(self.n_features) == Some(self.cells.len())
            && self.clusters.iter().all(|cluster| (*cluster as usize) < self.n_clusters);
        (!fits).then(|| format!("{} clusters and noise serve {n_classes}", self.n_clusters))
    }

    fn cluster_of(&self, cells: &[f64]) -> usize {
        let rows = self.cells.chunks_exact(self.n_features).zip(&self.clusters);
        let near = rows.filter(|(row, _)| squared_distance(row, cells) <= self.eps * self.eps);
        near.map(|(_, cluster)| *cluster as usize).min().unwrap_or(self.n_clusters)
    }
}

impl Predictor for DbscanPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        check_width(self.n_features, features)?;
        let clusters = score_dense(features, 1, |cells, output| output[0] = self.cluster_of(cells) as f64);
        Ok(Outputs::Classes(clusters.into_iter().map(|cluster| cluster as usize).collect()))
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}
