//! What each figure of an evaluation is called, what it says, and whether a higher or a lower one is better.

use serde::{Deserialize, Serialize};

/// Which way a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// It says what there is, which is neither good nor bad.
    Neither,
}

impl Better {
    /// Returns whether `left` is better than `right`; `NaN` never is.
    pub fn is_better(self, left: f64, right: f64) -> bool {
        match self {
            Better::Higher => left > right,
            Better::Lower => left < right,
            Better::Neither => false,
        }
    }
}

/// What a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureKind {
    /// Predicted classes.
    Classes,
    /// Scores of classes, whose order alone counts.
    Ranking,
    /// Probabilities of classes.
    Probabilities,
    /// Predicted numbers.
    Numbers,
    /// Rows in clusters.
    Clusters,
    /// Rows told from the others as anomalies.
    Anomalies,
}

/// A figure that evaluations have, by its name in reports, stores and options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FigureInfo {
    /// The name, such as `f1_macro`.
    pub name: &'static str,
    /// What it is of; some are of several things.
    pub kinds: &'static [FigureKind],
    /// Which way it is better.
    pub better: Better,
    /// What it says, in a few words.
    pub meaning: &'static str,
}

const fn higher(name: &'static str, kinds: &'static [FigureKind], meaning: &'static str) -> FigureInfo {
    FigureInfo { name, kinds, better: Better::Higher, meaning }
}

const fn lower(name: &'static str, kinds: &'static [FigureKind], meaning: &'static str) -> FigureInfo {
    FigureInfo { name, kinds, better: Better::Lower, meaning }
}

const fn neither(name: &'static str, kinds: &'static [FigureKind], meaning: &'static str) -> FigureInfo {
    FigureInfo { name, kinds, better: Better::Neither, meaning }
}

use FigureKind::{Anomalies, Classes, Clusters, Numbers, Probabilities, Ranking};

/// Every figure, those of classes first. Reports, searches and options know no other.
pub const FIGURES: &[FigureInfo] = &[
    higher("accuracy", &[Classes, Anomalies], "share of rows that are right"),
    higher("balanced_accuracy", &[Classes], "mean of recall over the classes"),
    higher("cohen_kappa", &[Classes], "agreement beyond chance"),
    higher("f1_macro", &[Classes], "F1, every class counting the same"),
    higher("f1_micro", &[Classes], "F1 of all rows together, which is accuracy"),
    higher("f1_weighted", &[Classes], "F1, classes counting by their rows"),
    higher("mcc", &[Classes], "correlation of truth and prediction"),
    higher("precision_macro", &[Classes], "how often a predicted class is right, every class counting the same"),
    higher("precision_micro", &[Classes], "precision of all rows together, which is accuracy"),
    higher("precision_weighted", &[Classes], "precision, classes counting by their rows"),
    higher("recall_macro", &[Classes], "how much of a class is found, every class counting the same"),
    higher("recall_micro", &[Classes], "recall of all rows together, which is accuracy"),
    higher("recall_weighted", &[Classes], "recall, classes counting by their rows, which is accuracy"),
    higher("average_precision", &[Ranking], "mean precision down the ranking, of the second class"),
    higher("average_precision_macro", &[Ranking], "mean precision down the ranking, mean over the classes"),
    higher("roc_auc", &[Ranking, Anomalies], "chance that a row of the second class ranks above one of the first"),
    higher("roc_auc_ovr_macro", &[Ranking], "ROC AUC of each class against the rest, mean over the classes"),
    higher("roc_auc_ovr_weighted", &[Ranking], "ROC AUC of each class against the rest, by their rows"),
    lower("brier", &[Probabilities], "mean squared distance of probabilities from what happened"),
    lower("expected_calibration_error", &[Probabilities], "how far probabilities are from observed shares"),
    lower("log_loss", &[Probabilities], "mean negative logarithm of the probability of the truth"),
    higher("explained_variance", &[Numbers], "share of the variance explained, a constant error aside"),
    lower("mae", &[Numbers], "mean absolute error"),
    lower("mape", &[Numbers], "mean absolute error as a share of the truth"),
    lower("max_error", &[Numbers], "largest absolute error"),
    lower("median_absolute_error", &[Numbers], "median of the absolute errors"),
    higher("pearson_r", &[Numbers], "linear correlation of truth and prediction"),
    higher("r2", &[Numbers], "share of the variance explained"),
    lower("rmse", &[Numbers], "root of the mean squared error"),
    higher("adjusted_rand", &[Clusters], "agreement of clusters and truth beyond chance"),
    lower("inertia", &[Clusters], "sum of the squared distances of rows to the mean of their cluster"),
    neither("n_clusters", &[Clusters], "how many clusters there are"),
    neither("noise_share", &[Clusters], "share of rows in no cluster"),
    higher("silhouette", &[Clusters], "how much nearer rows are to their own cluster than to the next"),
    neither("anomaly_share", &[Anomalies], "share of rows that are taken for anomalies"),
    higher("f1", &[Anomalies], "F1 of anomalies"),
    higher("precision", &[Anomalies], "how often what is taken for an anomaly is one"),
    higher("recall", &[Anomalies], "how many of the anomalies are found"),
];

/// Returns the figure called `name`, if there is one.
pub fn find_figure(name: &str) -> Option<&'static FigureInfo> {
    FIGURES.iter().find(|figure| figure.name == name)
}

impl FigureInfo {
    /// Returns whether `left` is better than `right`; `NaN` never is.
    pub fn is_better(&self, left: f64, right: f64) -> bool {
        self.better.is_better(left, right)
    }

    /// Returns by how much `left` is better than `right`; negative when it is worse, 0 for a figure that is neither good nor bad.
    pub fn gain(&self, left: f64, right: f64) -> f64 {
        match self.better {
            Better::Higher => left - right,
            Better::Lower => right - left,
            Better::Neither => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_found_by_its_name_alone() {
        for figure in FIGURES {
            assert_eq!(FIGURES.iter().filter(|other| other.name == figure.name).count(), 1, "{}", figure.name);
            assert_eq!(find_figure(figure.name), Some(figure));
        }
        assert_eq!(find_figure("accuracies"), None);
    }

    #[test]
    fn a_lower_error_is_a_gain() {
        let rmse = find_figure("rmse").unwrap();
        assert!(rmse.is_better(1.0, 2.0) && !rmse.is_better(f64::NAN, 2.0));
        assert_eq!(rmse.gain(1.0, 3.0), 2.0);
        assert_eq!(find_figure("r2").unwrap().gain(1.0, 3.0), -2.0);
        let n_clusters = find_figure("n_clusters").unwrap();
        assert!(!n_clusters.is_better(1.0, 2.0) && !n_clusters.is_better(2.0, 1.0));
        assert_eq!(n_clusters.gain(1.0, 3.0), 0.0);
    }
}
