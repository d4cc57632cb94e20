//! The figures of an outcome by name, as [`ml_core::metrics::FIGURES`] lists them.

use std::collections::BTreeMap;

use ml_core::metrics::{
    ClassTotals, FIGURES, FigureInfo, FigureKind, MetricError, RankingCurve, Scores as ClassAverages, brier_score,
    brier_score_binary, expected_calibration_error, explained_variance, log_loss, max_error, mean_absolute_error,
    mean_absolute_percentage_error, median_absolute_error, pearson_r, r2_score, reliability_curve, roc_auc_binary,
    roc_auc_one_vs_rest, root_mean_squared_error,
};

use crate::spec::Task;

use super::calibration::{N_BINS, stated_probabilities};
use super::outcome::{ClassOutcome, NumberOutcome, Outcome, OutcomeValues};

/// The figures of some rows, and why others are not among them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// By name, all finite.
    pub by_name: BTreeMap<String, f64>,
    /// Why a figure is left out, a sentence each.
    pub notes: Vec<String>,
}

/// Returns the name of the figure that stands for all where one has to: `accuracy`, or `rmse` for numbers, `silhouette` for clusters and `anomaly_share`.
pub fn primary_figure(task: Task) -> &'static str {
    match task {
        Task::Classification => "accuracy",
        Task::Regression => "rmse",
        Task::Clustering => "silhouette",
        Task::Anomaly => "anomaly_share",
    }
}

/// Returns the figures that an evaluation for `task` may have.
pub fn figures_of(task: Task) -> impl Iterator<Item = &'static FigureInfo> {
    use FigureKind::{Anomalies, Classes, Clusters, Numbers, Probabilities, Ranking};
    let kinds: &[FigureKind] = match task {
        Task::Classification => &[Classes, Ranking, Probabilities],
        Task::Regression => &[Numbers],
        Task::Clustering => &[Clusters],
        Task::Anomaly => &[Anomalies],
    };
    FIGURES.iter().filter(|figure| figure.kinds.iter().any(|kind| kinds.contains(kind)))
}

/// Computes every figure that `outcome` has.
///
/// # Errors
/// [`MetricError`] for values that no figure can be made of.
pub fn figures(outcome: &Outcome) -> Result<Figures, MetricError> {
    let mut figures = Figures::default();
    match &outcome.values {
        OutcomeValues::Classes(outcome) => figures.add_classes(outcome)?,
        OutcomeValues::Numbers(outcome) => figures.add_numbers(outcome)?,
    }
    Ok(figures)
}

impl Figures {
    fn add_numbers(&mut self, outcome: &NumberOutcome) -> Result<(), MetricError> {
        let (truth, predicted) = (&outcome.truth, &outcome.predicted);
        self.add("mae", mean_absolute_error(truth, predicted)?);
        self.add("rmse", root_mean_squared_error(truth, predicted)?);
        self.add("mape", mean_absolute_percentage_error(truth, predicted)?);
        self.add("max_error", max_error(truth, predicted)?);
        self.add("median_absolute_error", median_absolute_error(truth, predicted)?);
        self.add_or_note("r2", r2_score(truth, predicted));
        if truth.len() > 1 {
            self.add("explained_variance", explained_variance(truth, predicted)?);
            self.add_or_note("pearson_r", pearson_r(truth, predicted));
        }
        Ok(())
    }

    fn add_classes(&mut self, outcome: &ClassOutcome) -> Result<(), MetricError> {
        let totals = ClassTotals::of(&outcome.truth, &outcome.predicted, outcome.classes.len())?;
        self.add("accuracy", totals.accuracy());
        self.add("balanced_accuracy", totals.balanced_accuracy());
        self.add("mcc", totals.matthews_correlation());
        if let Some(kappa) = totals.cohen_kappa() {
            self.add("cohen_kappa", kappa);
        }
        let averages = totals.averages();
        self.add_averages("macro", averages.macro_average);
        self.add_averages("micro", averages.micro_average);
        self.add_averages("weighted", averages.weighted_average);
        if !outcome.knows_all_classes() {
            let unknown = outcome.classes[outcome.n_known..].join("`, `");
            self.notes.push(format!(
                "the model does not know `{unknown}`: rows of it count as wrong, and `log_loss`, `roc_auc` and other figures of scores are left out"
            ));
            return Ok(());
        }
        self.add_probabilities(outcome)?;
        self.add_ranking(outcome)
    }

    fn add_probabilities(&mut self, outcome: &ClassOutcome) -> Result<(), MetricError> {
        let Some(probabilities) = outcome.probabilities() else { return Ok(()) };
        self.add("log_loss", log_loss(&outcome.truth, &probabilities.values, probabilities.n_classes)?);
        let (is_true, stated) = stated_probabilities(outcome, probabilities);
        let brier = match probabilities.n_classes {
            2 => brier_score_binary(&is_true, &stated)?,
            n_classes => brier_score(&outcome.truth, &probabilities.values, n_classes)?,
        };
        self.add("brier", brier);
        let bins = reliability_curve(&is_true, &stated, N_BINS)?;
        self.add("expected_calibration_error", expected_calibration_error(&bins));
        Ok(())
    }

    fn add_ranking(&mut self, outcome: &ClassOutcome) -> Result<(), MetricError> {
        let Some(scores) = &outcome.scores else { return Ok(()) };
        if scores.n_classes == 2 {
            let Some((truth, scores)) = outcome.ranking_of(1) else { return Ok(()) };
            self.add_or_note("roc_auc", roc_auc_binary(&truth, &scores));
            self.add_or_note("average_precision", RankingCurve::new(&truth, &scores)?.average_precision());
            return Ok(());
        }
        match roc_auc_one_vs_rest(&outcome.truth, &scores.values, scores.n_classes) {
            Ok(areas) => {
                self.add("roc_auc_ovr_macro", areas.macro_average);
                self.add("roc_auc_ovr_weighted", areas.weighted_average);
            }
            Err(err) => {
                self.notes.push(format!("no `roc_auc_ovr`: {err}"));
                return Ok(());
            }
        }
        let mut sum = 0.0;
        for class in 0..scores.n_classes {
            let Some((truth, scores)) = outcome.ranking_of(class) else { return Ok(()) };
            sum += RankingCurve::new(&truth, &scores)?.average_precision()?;
        }
        self.add("average_precision_macro", sum / scores.n_classes as f64);
        Ok(())
    }

    fn add_averages(&mut self, name: &str, averages: ClassAverages) {
        self.add(&format!("precision_{name}"), averages.precision);
        self.add(&format!("recall_{name}"), averages.recall);
        self.add(&format!("f1_{name}"), averages.f1);
    }

    fn add_or_note(&mut self, name: &str, value: Result<f64, MetricError>) {
        match value {
            Ok(value) => self.add(name, value),
            Err(err) => self.notes.push(format!("no `{name}`: {err}")),
        }
    }

    fn add(&mut self, name: &str, value: f64) {
        if value.is_finite() {
            self.by_name.insert(name.to_owned(), value);
        } else {
            self.notes.push(format!("no `{name}`: the numbers are too large for it"));
        }
    }
}
