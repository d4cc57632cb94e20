//! How good groups are that were found without a target: by the distances between rows, and beside a column that says what
//! they are, where the data have one called like the predictions.

use std::collections::{BTreeMap, BTreeSet};

use ml_core::metrics::{ConfusionMatrix, roc_auc_binary};
use ml_core::table::Table;
use rayon::prelude::*;

use super::{ClassEvaluation, Evaluation};
use crate::error::EvaluateError;
use crate::matrix::{DenseMatrix, FeatureMatrix};
use crate::model::TrainedModel;
use crate::predict::{PredictedValues, Predictions};
use crate::spec::Task;

/// The silhouette compares every row with every other one: more rows than these are not looked at.
const MAX_SILHOUETTE_ROWS: usize = 5000;

/// What DBSCAN calls rows that are in no cluster.
const NOISE: &str = "noise";

/// Evaluates a model of a task without target on the rows of `table` at `rows`.
pub(super) fn evaluate(model: &TrainedModel, table: &Table, rows: &[usize]) -> Result<Evaluation, EvaluateError> {
    let features = model.preprocess(table, rows)?.matrix;
    judge(model, &model.predict_rows(table, rows)?, &features, table, rows)
}

/// Evaluates predictions of the rows of `table` at `rows`; `features` has a row for each that is predicted.
pub(crate) fn judge(
    model: &TrainedModel,
    predictions: &Predictions,
    features: &FeatureMatrix,
    table: &Table,
    rows: &[usize],
) -> Result<Evaluation, EvaluateError> {
    let samples: Vec<usize> = (0..rows.len()).filter(|row| !predictions.missing.contains_key(row)).collect();
    let target = &model.spec.target;
    if samples.is_empty() {
        let reason = predictions.missing.values().next().map_or("there is no row", String::as_str).to_owned();
        return Err(EvaluateError::NoRows { n_rows: rows.len(), target: target.clone(), reason });
    }
    let truth = table.find(target).map(|column| {
        let texts = column.as_texts();
        rows.iter().map(|&row| texts[row].as_deref().map(str::to_owned)).collect::<Vec<_>>()
    });
    let n_without_target =
        truth.as_ref().map_or(rows.len(), |truth| truth.iter().filter(|text| text.is_none()).count());
    let mut evaluation = Evaluation {
        estimator: model.spec.estimator.kind().to_owned(),
        task: model.spec.task,
        n_samples: samples.len(),
        n_without_target,
        n_without_prediction: predictions.missing.len(),
        unknown_categories: predictions.unknown_categories.clone(),
        metrics: BTreeMap::new(),
        classes: Vec::new(),
        confusion_matrix: Vec::new(),
        notes: Vec::new(),
    };
    let truth = truth.unwrap_or_else(|| vec![None; rows.len()]);
    if model.spec.task == Task::Anomaly {
        evaluation.add_anomalies(predictions, &samples, &truth)?;
    } else {
        evaluation.add_clusters(model, predictions, &samples, features);
        evaluation.add_agreement(predictions, &samples, &truth);
    }
    Ok(evaluation)
}

/// Returns the predicted group of a sample.
fn group(predictions: &Predictions, row: usize) -> usize {
    match &predictions.values {
        PredictedValues::Classes(classes) => classes[row].unwrap_or_default(),
        PredictedValues::Numbers(_) => 0,
    }
}

impl Evaluation {
    /// `features` has a row for each of `samples`.
    fn add_clusters(
        &mut self,
        model: &TrainedModel,
        predictions: &Predictions,
        samples: &[usize],
        features: &FeatureMatrix,
    ) {
        let noise = predictions.classes.iter().position(|class| class == NOISE);
        let groups: Vec<usize> = samples.iter().map(|&row| group(predictions, row)).collect();
        let clustered: Vec<usize> = (0..groups.len()).filter(|&sample| Some(groups[sample]) != noise).collect();
        let n_clusters = clustered.iter().map(|&sample| groups[sample]).collect::<BTreeSet<_>>().len();
        self.metrics.insert("n_clusters".to_owned(), n_clusters as f64);
        if noise.is_some() {
            let share = (groups.len() - clustered.len()) as f64 / groups.len() as f64;
            self.metrics.insert("noise_share".to_owned(), share);
        }
        if let Ok(Some(distances)) = model.predictor.as_predictor().decision_scores(features) {
            // The score of a row's cluster is the distance to its mean, less than 0.
            let squares = groups.iter().enumerate().map(|(sample, &group)| distances.row(sample)[group].powi(2));
            self.metrics.insert("inertia".to_owned(), squares.sum());
        }
        let step = clustered.len().div_ceil(MAX_SILHOUETTE_ROWS).max(1);
        let looked_at: Vec<usize> = clustered.iter().copied().step_by(step).collect();
        if step > 1 {
            let (n_looked_at, n_all) = (looked_at.len(), clustered.len());
            self.notes.push(format!("`silhouette` is of {n_looked_at} of {n_all} rows, every {step}th of them"));
        }
        let of_looked_at: Vec<usize> = looked_at.iter().map(|&sample| groups[sample]).collect();
        let silhouette = match features.take(&looked_at).to_dense() {
            Ok(rows) => silhouette(&rows, &of_looked_at),
            Err(_) => None,
        };
        match silhouette {
            Some(silhouette) => {
                self.metrics.insert("silhouette".to_owned(), silhouette);
            }
            None => self.notes.push("no `silhouette`: it needs at least two clusters, and fewer than rows".to_owned()),
        }
    }

    fn add_agreement(&mut self, predictions: &Predictions, samples: &[usize], truth: &[Option<String>]) {
        let known: Vec<usize> = samples.iter().copied().filter(|&row| truth[row].is_some()).collect();
        if known.is_empty() {
            return;
        }
        let labels: BTreeSet<&str> = known.iter().filter_map(|&row| truth[row].as_deref()).collect();
        let index_of: BTreeMap<&str, usize> =
            labels.into_iter().enumerate().map(|(index, label)| (label, index)).collect();
        let truth: Vec<usize> = known.iter().filter_map(|&row| index_of.get(truth[row].as_deref()?).copied()).collect();
        let found: Vec<usize> = known.iter().map(|&row| group(predictions, row)).collect();
        self.metrics.insert("adjusted_rand".to_owned(), adjusted_rand(&truth, &found));
    }

    fn add_anomalies(
        &mut self,
        predictions: &Predictions,
        samples: &[usize],
        truth: &[Option<String>],
    ) -> Result<(), EvaluateError> {
        let n_anomalies = samples.iter().filter(|&&row| group(predictions, row) == 1).count();
        self.metrics.insert("anomaly_share".to_owned(), n_anomalies as f64 / samples.len() as f64);
        let known: Vec<(usize, bool)> =
            samples.iter().filter_map(|&row| Some((row, is_anomaly(truth[row].as_deref()?)?))).collect();
        let n_unread = samples.iter().filter(|&&row| truth[row].is_some()).count() - known.len();
        if n_unread > 0 {
            self.notes.push(format!(
                "{n_unread} values of the truth are neither `anomaly`, `true`, `1` or `yes` nor `normal`, `false`, `0` or `no`"
            ));
        }
        if known.is_empty() {
            return Ok(());
        }
        let truth: Vec<usize> = known.iter().map(|(_, is_anomaly)| usize::from(*is_anomaly)).collect();
        let found: Vec<usize> = known.iter().map(|(row, _)| group(predictions, *row)).collect();
        let matrix = ConfusionMatrix::new(&truth, &found, 2)?;
        self.metrics.insert("accuracy".to_owned(), matrix.accuracy());
        for (label, class) in predictions.classes.iter().zip(matrix.per_class()) {
            let scores = &class.scores;
            if label == "anomaly" {
                let figures = [("precision", scores.precision), ("recall", scores.recall), ("f1", scores.f1)];
                self.metrics.extend(figures.map(|(name, value)| (name.to_owned(), value)));
            }
            self.classes.push(ClassEvaluation {
                label: label.clone(),
                precision: scores.precision,
                recall: scores.recall,
                f1: scores.f1,
                support: class.support,
            });
        }
        self.confusion_matrix = matrix.rows().map(<[u64]>::to_vec).collect();
        if let Some(scores) = predictions.class_scores() {
            let truth: Vec<bool> = known.iter().map(|(_, is_anomaly)| *is_anomaly).collect();
            let scores: Vec<f64> = known.iter().map(|(row, _)| scores.row(*row)[1]).collect();
            match roc_auc_binary(&truth, &scores) {
                Ok(area) => {
                    self.metrics.insert("roc_auc".to_owned(), area);
                }
                Err(err) => self.notes.push(format!("no `roc_auc`: {err}")),
            }
        }
        Ok(())
    }
}

fn is_anomaly(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "anomaly" | "true" | "1" | "yes" => Some(true),
        "normal" | "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// Mean over the rows of `(b − a) / max(a, b)`: `a` is the mean distance to the other rows of its group, `b` the least of those
/// to the rows of another group. Between −1 and 1, and 0 for a group of one row. `None` unless there are at least two groups,
/// and fewer than rows.
///
/// Source: Rousseeuw, *Silhouettes: a graphical aid to the interpretation and validation of cluster analysis* (1987).
fn silhouette(rows: &DenseMatrix, groups: &[usize]) -> Option<f64> {
    let n_groups = groups.iter().max()? + 1;
    let mut sizes = vec![0_usize; n_groups];
    for &group in groups {
        sizes[group] += 1;
    }
    let n_filled = sizes.iter().filter(|size| **size > 0).count();
    if n_filled < 2 || n_filled >= groups.len() {
        return None;
    }
    let of_row = |row: usize| {
        let mut sums = vec![0.0; n_groups];
        for (other, &group) in groups.iter().enumerate() {
            let cells = rows.row(row).iter().zip(rows.row(other));
            sums[group] += cells.map(|(left, right)| (left - right) * (left - right)).sum::<f64>().sqrt();
        }
        let own = groups[row];
        if sizes[own] < 2 {
            return 0.0;
        }
        let inside = sums[own] / (sizes[own] - 1) as f64;
        let others = (0..n_groups).filter(|&group| group != own && sizes[group] > 0);
        let outside = others.map(|group| sums[group] / sizes[group] as f64).fold(f64::INFINITY, f64::min);
        let greatest = inside.max(outside);
        if greatest > 0.0 { (outside - inside) / greatest } else { 0.0 }
    };
    let each: Vec<f64> = (0..groups.len()).into_par_iter().map(of_row).collect();
    Some(each.iter().sum::<f64>() / each.len() as f64)
}

/// How far two groupings agree about which rows belong together: 1 if they do, about 0 for groups drawn by chance.
///
/// Source: Hubert and Arabie, *Comparing partitions* (1985).
fn adjusted_rand(left: &[usize], right: &[usize]) -> f64 {
    let mut both: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    let (mut of_left, mut of_right): (BTreeMap<usize, u64>, BTreeMap<usize, u64>) = Default::default();
    for (&left, &right) in left.iter().zip(right) {
        *both.entry((left, right)).or_default() += 1;
        *of_left.entry(left).or_default() += 1;
        *of_right.entry(right).or_default() += 1;
    }
    let pairs = |count: u64| (count as f64) * (count as f64 - 1.0) / 2.0;
    let together: f64 = both.values().map(|&count| pairs(count)).sum();
    let (in_left, in_right): (f64, f64) =
        (of_left.values().map(|&count| pairs(count)).sum(), of_right.values().map(|&count| pairs(count)).sum());
    let all = pairs(left.len() as u64);
    let expected = if all > 0.0 { in_left * in_right / all } else { 0.0 };
    let most = f64::midpoint(in_left, in_right);
    // Both put all rows in one group, or each in one of its own.
    if most == expected { 1.0 } else { (together - expected) / (most - expected) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are scikit-learn's `silhouette_score` and `adjusted_rand_score`.
    #[test]
    fn figures_are_those_of_scikit_learn() {
        let rows = DenseMatrix::new(5, 1, vec![0.0, 1.0, 5.0, 6.0, 20.0]);
        let found = silhouette(&rows, &[0, 0, 1, 1, 2]).unwrap();
        assert!((found - SILHOUETTE).abs() < 1e-12, "{found}");
        let found = adjusted_rand(&[0, 0, 1, 1, 2, 2], &[0, 0, 1, 2, 2, 2]);
        assert!((found - ADJUSTED_RAND).abs() < 1e-12, "{found}");
    }

    const SILHOUETTE: f64 = 0.638_383_838_383_838_4;
    const ADJUSTED_RAND: f64 = 0.444_444_444_444_444_4;

    #[test]
    fn groupings_without_a_choice_agree() {
        assert_eq!(adjusted_rand(&[0, 0], &[3, 3]), 1.0);
        assert_eq!(adjusted_rand(&[0], &[1]), 1.0);
        let rows = DenseMatrix::new(2, 1, vec![0.0, 1.0]);
        assert_eq!(silhouette(&rows, &[0, 0]), None);
        assert_eq!(silhouette(&rows, &[0, 1]), None);
    }
}
