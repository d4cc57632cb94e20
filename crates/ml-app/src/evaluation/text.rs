//! An evaluation as text and tables for a terminal.

use std::fmt::Write as _;

use ml_train::evaluate::measured::Measured;
use ml_train::evaluate::slices::{Slices, WorstSlices};
use ml_train::evaluate::study::Study;
use ml_train::evaluate::threshold::ThresholdChoice;
use ml_train::evaluate::versus::{PairedTest, Versus};

use crate::output::{self, Report, count, figure};

use super::{EvaluateReport, drawn_text, interval_text};

/// With more classes, only the JSON has all of them.
const MAX_CLASSES: usize = 30;

impl Report for EvaluateReport {
    fn text(&self) -> String {
        let study = &self.study;
        let mut heading = vec![
            ("model", self.model.clone()),
            ("scored on", format!("{} rows of {}, split {}", count(self.n_samples), self.dataset, self.split)),
        ];
        heading.extend(self.counted.pairs());
        if let Some(against) = &self.against {
            heading.push(("against", against.clone()));
        }
        let mut text = output::pairs(heading);
        for leak in &study.leaks {
            let _ = write!(text, "\nwarning: {}", leak.message);
        }
        for note in &study.measured.notes {
            let _ = write!(text, "\nnote: {note}");
        }
        let mut section = |title: &str, body: String| {
            let _ = write!(text, "\n{}{body}", if title.is_empty() { String::new() } else { format!("\n{title}\n") });
        };
        if let Some(versus) = &study.versus {
            section("", versus_text(versus, &self.model, self.against.as_deref().unwrap_or("the champion")));
        }
        section("", figures_text(&study.measured));
        section("", drawn_text(&study.measured));
        if !study.measured.classes.is_empty() && study.measured.classes.len() <= MAX_CLASSES {
            section("by class", classes_text(&study.measured));
        }
        if let Some(threshold) = &study.threshold {
            section("threshold of least cost", threshold_text(threshold));
        }
        for slices in &study.slices {
            section(&format!("by {}", slices.column), slices_text(slices));
        }
        section("where it is worst", worst_text(&study.worst_slices));
        add_columns(study, &mut section);
        text
    }
}

fn add_columns(study: &Study, section: &mut impl FnMut(&str, String)) {
    if let Some(importance) = &study.importance {
        let rows = importance
            .columns
            .iter()
            .map(|column| vec![column.column.clone(), figure(column.mean), figure(column.spread)]);
        let table = output::table(&["column", "loss without it", "spread"], rows, &[1, 2]);
        let title = format!("what matters, by {} on {} rows", importance.figure, count(importance.n_samples as u64));
        section(&title, table);
    }
    if let Some(curve) = &study.learning_curve {
        let value = |measured: &Option<ml_train::evaluate::measured::MeasuredFigure>| {
            measured.as_ref().map_or_else(|| "-".to_owned(), |measured| figure(measured.value))
        };
        let rows = curve.points.iter().map(|point| {
            vec![
                count(point.n_train as u64),
                value(&point.on_train),
                value(&point.on_scored),
                interval_text(point.on_scored.and_then(|measured| measured.interval)),
                point.note.clone().unwrap_or_default(),
            ]
        });
        let heads = ["fitted on", "on these rows", "on the scored rows", "interval", ""];
        section(
            &format!("{} by the number of training rows", curve.figure),
            output::table(&heads, rows, &[0, 1, 2, 3]),
        );
    }
}

fn figures_text(measured: &Measured) -> String {
    let rows = measured.figures.iter().map(|(name, measured)| {
        vec![name.clone(), figure(measured.value), interval_text(measured.interval), count(measured.n_samples as u64)]
    });
    output::table(&["figure", "value", "interval", "rows"], rows, &[1, 2, 3])
}

fn classes_text(measured: &Measured) -> String {
    let rows = measured.classes.iter().map(|class| {
        vec![
            class.label.clone(),
            count(class.recall.n_samples as u64),
            figure(class.precision.value),
            figure(class.recall.value),
            figure(class.f1.value),
            interval_text(class.f1.interval),
        ]
    });
    output::table(&["class", "rows", "precision", "recall", "f1", "interval of f1"], rows, &[1, 2, 3, 4, 5])
}

/// Says in one sentence who is better.
pub(super) fn verdict_text(versus: &Versus, challenger: &str, champion: &str) -> String {
    use ml_train::evaluate::versus::Verdict;
    let decided_by = versus.figures.get(&versus.decided_by);
    let test = match decided_by.map(|figure| figure.test) {
        Some(PairedTest::McNemar) => "McNemar's test, mid-p",
        _ => "paired bootstrap",
    };
    let p_value = decided_by.map_or(1.0, |figure| figure.p_value);
    let what = match versus.verdict {
        Verdict::ChallengerBetter => format!("{challenger} is better than {champion}"),
        Verdict::ChampionBetter => format!("{champion} is better than {challenger}"),
        Verdict::NoSignificantDifference => format!("no significant difference between {challenger} and {champion}"),
    };
    format!(
        "{what} by {} on {} rows (p = {}, {test})",
        versus.decided_by,
        count(versus.n_samples as u64),
        figure(p_value)
    )
}

fn versus_text(versus: &Versus, challenger: &str, champion: &str) -> String {
    let rows = versus.figures.iter().map(|(name, versus)| {
        vec![
            name.clone(),
            figure(versus.champion),
            figure(versus.challenger),
            figure(versus.difference),
            interval_text(versus.interval),
            figure(versus.p_value),
            versus.verdict.description().to_owned(),
        ]
    });
    let heads = ["figure", champion, challenger, "difference", "interval", "p", ""];
    let table = output::table(&heads, rows, &[1, 2, 3, 4, 5]);
    format!("\n{}\n{table}", verdict_text(versus, challenger, champion))
}

fn threshold_text(choice: &ThresholdChoice) -> String {
    let rows = [("as the model predicts", &choice.usual), ("of least cost", &choice.chosen)].map(|(name, at)| {
        vec![
            name.to_owned(),
            figure(at.threshold),
            count(at.true_positives),
            count(at.false_positives),
            count(at.false_negatives),
            figure(at.cost_per_row),
        ]
    });
    let heads = ["threshold", "value", "found", "false alarms", "missed", "cost per row"];
    format!("{}\n{}", output::table(&heads, rows, &[1, 2, 3, 4, 5]), threshold_sentence(choice))
}

/// Says what a threshold saves, and what it was chosen on.
pub(super) fn threshold_sentence(choice: &ThresholdChoice) -> String {
    let chosen_on = if choice.is_judged_elsewhere {
        format!("chosen on {} validation rows", count(choice.n_chosen_on as u64))
    } else {
        "chosen on the very rows it is judged on, for there are no validation rows: the saving is flattered".to_owned()
    };
    let theoretical = choice.theoretical.map_or_else(String::new, |theoretical| {
        format!("; for probabilities that can be believed it would be {}", figure(theoretical))
    });
    format!(
        "take rows with a score for `{}` of at least {} for it: saves {} per row ({}), {chosen_on}{theoretical}; \
         `decision: {{ positive: {:?}, threshold: {} }}` in the pipeline file has the model predict so",
        choice.positive,
        figure(choice.chosen.threshold),
        figure(choice.saving_per_row),
        interval_text(choice.saving_interval),
        choice.positive,
        choice.chosen.threshold,
    )
}

fn slices_text(slices: &Slices) -> String {
    let rows = slices.slices.iter().map(|slice| {
        let value = slice.metrics.get(&slices.figure);
        vec![
            slice.label.clone(),
            count(slice.n_samples as u64),
            value.map_or_else(|| "-".to_owned(), |value| figure(*value)),
            interval_text(slice.interval),
            slice.difference.map_or_else(|| "-".to_owned(), figure),
            interval_text(slice.difference_interval),
        ]
    });
    let heads = [slices.column.as_str(), "rows", &slices.figure, "interval", "against the rest", "interval"];
    output::table(&heads, rows, &[1, 2, 3, 4, 5])
}

/// Says how much was looked at for the worst slices.
pub(super) fn looked_at(worst: &WorstSlices) -> String {
    format!(
        "{} {} and {} {} of them with at least {} rows were looked at",
        count(worst.n_single as u64),
        if worst.n_single == 1 { "slice" } else { "slices" },
        count(worst.n_pairs as u64),
        if worst.n_pairs == 1 { "pair" } else { "pairs" },
        count(worst.min_samples as u64)
    )
}

fn worst_text(worst: &WorstSlices) -> String {
    if worst.slices.is_empty() {
        return format!("nowhere worse than elsewhere beyond chance; {}", looked_at(worst));
    }
    let rows = worst.slices.iter().map(|slice| {
        vec![
            conditions_text(&slice.conditions),
            count(slice.n_samples as u64),
            figure(slice.loss),
            figure(slice.loss_elsewhere),
            format!("{} to {}", figure(slice.low), figure(slice.high)),
        ]
    });
    let heads = ["where", "rows", worst.loss.as_str(), "elsewhere", "difference"];
    format!(
        "{}\n{}; the intervals are corrected for that",
        output::table(&heads, rows, &[1, 2, 3, 4]),
        looked_at(worst)
    )
}

/// Writes conditions, such as `language = fr and source = web`.
pub(super) fn conditions_text(conditions: &[(String, String)]) -> String {
    conditions.iter().map(|(column, value)| format!("{column}: {value}")).collect::<Vec<_>>().join(" and ")
}
