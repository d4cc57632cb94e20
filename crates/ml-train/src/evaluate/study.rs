//! Everything that is worth knowing about a model on some rows, in one go.

use ml_core::metrics::RankingCurve;
use ml_core::table::Table;
use serde::{Deserialize, Serialize};

use crate::error::EvaluateError;
use crate::model::TrainedModel;
use crate::progress::Progress;
use crate::random::SplitMix64;

use super::bootstrap::BootstrapOptions;
use super::calibration::Calibration;
use super::figures::{figures_of, primary_figure};
use super::importance::{Importance, ImportanceOptions, permutation_importance};
use super::leaks::{Leak, LeakRows, TimeOrder, find_leaks};
use super::learning_curve::{LearningCurve, check_is_fitted_here, learning_curve};
use super::measured::Measured;
use super::outcome::{Outcome, OutcomeValues};
use super::slices::{Slices, WorstSlices, slices_by, worst_slices};
use super::threshold::{Costs, ThresholdChoice, choose_threshold};
use super::versus::{Versus, compare_outcomes};
use super::{Evaluation, evaluate_rows};

/// The most points of a drawn curve, and of a drawn cloud.
const MAX_POINTS: usize = 400;

/// Of more classes, the curves of those with most rows are drawn.
const MAX_CURVES: usize = 8;

/// The rows that a model is studied on.
#[derive(Debug, Clone, Copy)]
pub struct StudyRows<'a> {
    /// All rows.
    pub table: &'a Table,
    /// Those that the model was fitted on, as far as they are known.
    pub train: &'a [usize],
    /// Those to choose a threshold by; may be empty.
    pub validation: &'a [usize],
    /// Those to judge the model by.
    pub scored: &'a [usize],
    /// How the rows were divided.
    pub time_order: TimeOrder,
}

/// What to find out besides the figures.
#[derive(Debug, Clone, Default)]
pub struct StudyOptions<'a> {
    /// The figure that slices, importance, the learning curve and comparisons are by; by default [`primary_figure`].
    pub figure: Option<String>,
    /// How intervals are drawn.
    pub bootstrap: BootstrapOptions,
    /// Columns to measure by.
    pub slice_by: Vec<String>,
    /// Columns that are never looked at for the worst slices, besides the target.
    pub not_sliced: Vec<String>,
    /// What mistakes cost, to choose a threshold by.
    pub costs: Option<Costs>,
    /// How to find out which columns matter.
    pub importance: Option<ImportanceOptions>,
    /// Whether to fit the pipeline on growing shares of the training rows.
    pub learning_curve: bool,
    /// The champion that the model challenges.
    pub champion: Option<&'a TrainedModel>,
}

/// A ranking of the rows by their score for one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassCurve {
    /// The class.
    pub class: String,
    /// Its counts from the highest score down, thinned.
    pub curve: RankingCurve,
}

/// What was found out about a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// The figures, per-class figures and the confusion matrix.
    pub evaluation: Evaluation,
    /// The figures with their intervals.
    pub measured: Measured,
    /// The figure that slices and comparisons are by.
    pub figure: String,
    /// What makes the figures doubtful.
    pub leaks: Vec<Leak>,
    /// Whether the probabilities can be believed, where there are any.
    pub calibration: Option<Calibration>,
    /// The rankings of the second of two classes, else of the largest ones.
    pub curves: Vec<ClassCurve>,
    /// Some truths and predictions of a regression, drawn at random.
    pub points: Vec<(f64, f64)>,
    /// The threshold of least cost.
    pub threshold: Option<ThresholdChoice>,
    /// The figures by the columns that were asked for.
    pub slices: Vec<Slices>,
    /// Where the model is worst.
    pub worst_slices: WorstSlices,
    /// Which columns matter.
    pub importance: Option<Importance>,
    /// Whether more rows would help.
    pub learning_curve: Option<LearningCurve>,
    /// The model as the challenger of a champion.
    pub versus: Option<Versus>,
}

/// Studies `model` on `rows`.
///
/// # Errors
/// [`EvaluateError`] when the rows cannot be scored or none has a truth, for a figure, column or class that is not there, and
/// when the caller asked to stop.
///
/// # Panics
/// If a row is not below [`Table::n_rows`].
pub fn study(
    model: &TrainedModel,
    rows: StudyRows<'_>,
    options: &StudyOptions<'_>,
    progress: &dyn Progress,
) -> Result<Study, EvaluateError> {
    if !model.spec.task.has_target() {
        return study_groups(model, rows, options);
    }
    let figure = figure_of(model, options)?;
    if options.learning_curve {
        // Before anything that takes its time.
        check_is_fitted_here(&model.spec)?;
    }
    let outcome = Outcome::of(model, rows.table, rows.scored)?;
    let bootstrap = &options.bootstrap;
    stop_if_cancelled(progress)?;
    let measured = Measured::of(&outcome, bootstrap)?;
    stop_if_cancelled(progress)?;

    let threshold = match &options.costs {
        Some(costs) => Some(threshold_of(model, rows, &outcome, costs, bootstrap)?),
        None => None,
    };
    let versus = match options.champion {
        Some(champion) => {
            let champion = Outcome::of(champion, rows.table, rows.scored)?;
            Some(compare_outcomes(&champion, &outcome, Some(figure), bootstrap)?)
        }
        None => None,
    };
    let mut slices = Vec::new();
    for column in &options.slice_by {
        slices.push(slices_by(&outcome, rows.table, rows.scored, column, figure, bootstrap)?);
        stop_if_cancelled(progress)?;
    }
    let mut not_sliced: Vec<&str> = options.not_sliced.iter().map(String::as_str).collect();
    not_sliced.push(&model.spec.target);
    let worst_slices = worst_slices(&outcome, rows.table, rows.scored, &not_sliced, bootstrap.confidence);
    let importance = match &options.importance {
        Some(options) => Some(permutation_importance(model, rows.table, rows.scored, figure, options, progress)?),
        None => None,
    };
    let learning_curve = if options.learning_curve {
        Some(learning_curve(&model.spec, rows.table, rows.train, rows.scored, figure, bootstrap, progress)?)
    } else {
        None
    };
    let leak_rows = LeakRows { table: rows.table, train: rows.train, scored: rows.scored, time_order: rows.time_order };
    Ok(Study {
        evaluation: Evaluation::of(model, &outcome)?,
        measured,
        figure: figure.to_owned(),
        leaks: find_leaks(model, leak_rows, &outcome)?,
        calibration: Calibration::of(&outcome)?,
        curves: curves(&outcome)?,
        points: points(&outcome, bootstrap.seed),
        threshold,
        slices,
        worst_slices,
        importance,
        learning_curve,
        versus,
    })
}

/// Studies groups that were found without a target, of which there are figures alone.
fn study_groups(model: &TrainedModel, rows: StudyRows<'_>, options: &StudyOptions<'_>) -> Result<Study, EvaluateError> {
    let asked = [
        (options.costs.is_some(), "a threshold of least cost"),
        (options.champion.is_some(), "a comparison with a champion"),
        (!options.slice_by.is_empty(), "figures by slice"),
        (options.importance.is_some(), "the importance of columns"),
        (options.learning_curve, "a learning curve"),
    ];
    if let Some((_, what)) = asked.iter().find(|(is_asked, _)| *is_asked) {
        return Err(EvaluateError::NotComparable {
            what: format!("{what} needs a target, and `{}` was fitted without one", model.spec.name),
            way_out: "leave it out".to_owned(),
        });
    }
    let evaluation = evaluate_rows(model, rows.table, rows.scored)?;
    Ok(Study {
        measured: Measured::without_intervals(&evaluation, &options.bootstrap),
        figure: primary_figure(model.spec.task).to_owned(),
        evaluation,
        leaks: Vec::new(),
        calibration: None,
        curves: Vec::new(),
        points: Vec::new(),
        threshold: None,
        slices: Vec::new(),
        worst_slices: WorstSlices::default(),
        importance: None,
        learning_curve: None,
        versus: None,
    })
}

fn stop_if_cancelled(progress: &dyn Progress) -> Result<(), EvaluateError> {
    if progress.is_cancelled() { Err(EvaluateError::Cancelled) } else { Ok(()) }
}

fn figure_of(model: &TrainedModel, options: &StudyOptions<'_>) -> Result<&'static str, EvaluateError> {
    let name = options.figure.as_deref().unwrap_or_else(|| primary_figure(model.spec.task));
    let of_task = || figures_of(model.spec.task);
    of_task().find(|figure| figure.name == name).map(|figure| figure.name).ok_or_else(|| {
        let names: Vec<&str> = of_task().map(|figure| figure.name).collect();
        EvaluateError::NotComparable {
            what: format!("there is no figure `{name}` of a {}", model.spec.task.name()),
            way_out: format!("the figures are {}", names.join(", ")),
        }
    })
}

/// Chooses on the validation rows where they are others than the scored ones and can be judged.
fn threshold_of(
    model: &TrainedModel,
    rows: StudyRows<'_>,
    outcome: &Outcome,
    costs: &Costs,
    bootstrap: &BootstrapOptions,
) -> Result<ThresholdChoice, EvaluateError> {
    if rows.validation.is_empty() || rows.validation == rows.scored {
        return choose_threshold(None, outcome, costs, model.decision, bootstrap);
    }
    match Outcome::of(model, rows.table, rows.validation) {
        Ok(validation) => choose_threshold(Some(&validation), outcome, costs, model.decision, bootstrap),
        Err(EvaluateError::NoRows { .. }) => choose_threshold(None, outcome, costs, model.decision, bootstrap),
        Err(err) => Err(err),
    }
}

fn curves(outcome: &Outcome) -> Result<Vec<ClassCurve>, EvaluateError> {
    let OutcomeValues::Classes(outcome) = &outcome.values else { return Ok(Vec::new()) };
    let mut classes: Vec<usize> = if outcome.n_known == 2 { vec![1] } else { (0..outcome.n_known).collect() };
    let n_rows = |class: usize| outcome.truth.iter().filter(|&&truth| truth == class).count();
    if classes.len() > MAX_CURVES {
        classes.sort_by_key(|&class| (std::cmp::Reverse(n_rows(class)), class));
        classes.truncate(MAX_CURVES);
    }
    let mut curves = Vec::new();
    for class in classes {
        let Some((truth, scores)) = outcome.ranking_of(class) else { continue };
        let curve = RankingCurve::new(&truth, &scores)?;
        if curve.n_positive > 0 && curve.n_negative > 0 {
            curves.push(ClassCurve { class: outcome.classes[class].clone(), curve: curve.thinned(MAX_POINTS) });
        }
    }
    Ok(curves)
}

fn points(outcome: &Outcome, seed: u64) -> Vec<(f64, f64)> {
    let OutcomeValues::Numbers(outcome) = &outcome.values else { return Vec::new() };
    let mut rows: Vec<usize> = (0..outcome.truth.len()).collect();
    if rows.len() > MAX_POINTS {
        SplitMix64::new(seed, 0).shuffle(&mut rows);
        rows.truncate(MAX_POINTS);
    }
    rows.into_iter().map(|row| (outcome.truth[row], outcome.predicted[row])).collect()
}
