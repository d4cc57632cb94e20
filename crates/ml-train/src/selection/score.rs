//! What candidates are compared by: any figure of an evaluation of which one way is better.

use ml_core::metrics::{Better, FigureInfo};

use crate::evaluate::figures::figures_of;
use crate::spec::Task;

/// Returns the figures that candidates for `task` can be compared by.
pub(super) fn scores_of(task: Task) -> impl Iterator<Item = &'static FigureInfo> {
    figures_of(task).filter(|figure| figure.better != Better::Neither)
}

/// Returns the name of the one that counts where none is named. That of anomalies needs a column of the truth.
pub(super) fn default_score(task: Task) -> &'static str {
    match task {
        Task::Classification => "accuracy",
        Task::Regression => "r2",
        Task::Clustering => "silhouette",
        Task::Anomaly => "roc_auc",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_has_figures_and_its_default_is_one_of_them() {
        for task in [Task::Classification, Task::Regression, Task::Clustering, Task::Anomaly] {
            let names: Vec<&str> = scores_of(task).map(|figure| figure.name).collect();
            assert!(names.contains(&default_score(task)), "{names:?}");
            assert!(!names.contains(&"n_clusters") && !names.contains(&"anomaly_share"), "{names:?}");
        }
        assert!(scores_of(Task::Classification).any(|figure| figure.name == "mcc"));
        assert!(scores_of(Task::Anomaly).any(|figure| figure.name == "accuracy"));
    }
}
