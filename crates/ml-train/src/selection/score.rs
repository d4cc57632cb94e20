//! What candidates are compared by.

use ml_core::metrics::Better;

use crate::spec::Task;

/// A figure of an evaluation, and which of two values of it is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// The name of the figure.
    pub name: &'static str,
    /// Which way is better.
    pub better: Better,
}

const fn greater(name: &'static str) -> Score {
    Score { name, better: Better::Higher }
}

const fn less(name: &'static str) -> Score {
    Score { name, better: Better::Lower }
}

/// The first is the one that counts where none is named.
const CLASSIFICATION: [Score; 14] = [
    greater("accuracy"),
    greater("f1_macro"),
    greater("f1_micro"),
    greater("f1_weighted"),
    greater("precision_macro"),
    greater("precision_micro"),
    greater("precision_weighted"),
    greater("recall_macro"),
    greater("recall_micro"),
    greater("recall_weighted"),
    greater("roc_auc"),
    greater("roc_auc_ovr_macro"),
    greater("roc_auc_ovr_weighted"),
    less("log_loss"),
];

const REGRESSION: [Score; 4] = [greater("r2"), less("rmse"), less("mae"), less("mape")];

const CLUSTERING: [Score; 3] = [greater("silhouette"), less("inertia"), greater("adjusted_rand")];

/// All of them need a column of the truth.
const ANOMALY: [Score; 5] =
    [greater("roc_auc"), greater("f1"), greater("precision"), greater("recall"), greater("accuracy")];

impl Score {
    /// Returns the scores for `task`, the one that counts where none is named first.
    pub fn of_task(task: Task) -> &'static [Score] {
        match task {
            Task::Classification => &CLASSIFICATION,
            Task::Regression => &REGRESSION,
            Task::Clustering => &CLUSTERING,
            Task::Anomaly => &ANOMALY,
        }
    }

    /// Returns the score of `task` that is called `name`.
    pub fn find(task: Task, name: &str) -> Option<Score> {
        Score::of_task(task).iter().copied().find(|score| score.name == name)
    }

    /// Returns whether `left` is better than `right`.
    pub fn is_better(self, left: f64, right: f64) -> bool {
        self.better.is_better(left, right)
    }
}
