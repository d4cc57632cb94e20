//! Charts of the page.

use std::fmt::Write as _;

use ml_train::evaluate::calibration::Calibration;
use ml_train::evaluate::measured::MeasuredFigure;
use ml_train::evaluate::study::Study;
use ml_train::evaluate::threshold::ThresholdChoice;

use crate::chart::{Bar, BarChart, LineChart, Mark, Series, escape};
use crate::evaluation::{EvaluateReport, interval_text};
use crate::output::{count, figure};

use super::table::{Cell, table};

/// The curves of a classification, or the cloud of a regression.
pub(super) fn section(report: &EvaluateReport) -> String {
    let study = &report.study;
    let mut charts: Vec<(String, LineChart)> = Vec::new();
    if !study.curves.is_empty() {
        charts.push(("ROC: found rows of the class against false alarms".to_owned(), roc(study)));
        charts.push(("Precision over recall".to_owned(), precision_recall(study)));
    }
    if let Some(calibration) = &study.calibration {
        charts.push(("Reliability: what happens when a probability is given".to_owned(), reliability(calibration)));
    }
    if !study.points.is_empty() {
        charts.push(("Predicted over true".to_owned(), predicted_over_true(&study.points)));
        charts.push(("Error over true".to_owned(), error_over_true(&study.points)));
    }
    if charts.is_empty() {
        return String::new();
    }
    let mut section = "<h2>Curves</h2>\n<div class=\"charts\">".to_owned();
    for (title, chart) in &charts {
        let _ =
            write!(section, "<div class=\"card\"><h3>{}</h3>{}{}</div>", escape(title), chart.svg(), chart.legend());
    }
    section.push_str("</div>\n");
    let (n_curves, n_classes) = (study.curves.len(), study.evaluation.classes.len());
    if n_curves > 1 && n_curves < n_classes {
        let drawn = format!("Curves of {n_curves} of {n_classes} classes are drawn, those with most rows.");
        let _ = writeln!(section, "<p class=\"muted\">{drawn}</p>");
    }
    if !study.points.is_empty() && (study.points.len() as u64) < report.n_samples {
        let _ = writeln!(section, "<p class=\"muted\">{} rows drawn at random are shown.</p>", study.points.len());
    }
    section
}

fn share_chart(title: &str, x_label: &str, y_label: &str, series: Vec<Series>) -> LineChart {
    LineChart {
        title: title.to_owned(),
        x_label: x_label.to_owned(),
        y_label: y_label.to_owned(),
        x_range: Some((0.0, 1.0)),
        y_range: Some((0.0, 1.0)),
        series,
    }
}

fn series(name: &str, points: Vec<(f64, f64)>, mark: Mark) -> Series {
    Series { name: name.to_owned(), points, band: Vec::new(), mark }
}

fn roc(study: &Study) -> LineChart {
    let mut drawn = vec![series("chance", vec![(0.0, 0.0), (1.0, 1.0)], Mark::Guide)];
    for ranked in &study.curves {
        let curve = &ranked.curve;
        let points =
            curve.points.iter().map(|point| (curve.false_positive_rate(point), curve.true_positive_rate(point)));
        drawn.push(series(&ranked.class, std::iter::once((0.0, 0.0)).chain(points).collect(), Mark::Line));
    }
    share_chart("ROC curve", "false positive rate", "true positive rate", drawn)
}

fn precision_recall(study: &Study) -> LineChart {
    let mut drawn = Vec::new();
    for ranked in &study.curves {
        let curve = &ranked.curve;
        let points = curve.points.iter().map(|point| (curve.true_positive_rate(point), point.precision()));
        drawn.push(series(&ranked.class, points.collect(), Mark::Line));
    }
    if let [only] = study.curves.as_slice() {
        let share = only.curve.n_positive as f64 / (only.curve.n_positive + only.curve.n_negative) as f64;
        drawn.push(series("chance", vec![(0.0, share), (1.0, share)], Mark::Guide));
    }
    share_chart("Precision-recall curve", "recall", "precision", drawn)
}

fn reliability(calibration: &Calibration) -> LineChart {
    let points = calibration.bins.iter().map(|bin| (bin.mean_probability, bin.observed_share)).collect();
    let of = calibration.class.as_deref().unwrap_or("the likeliest class");
    let drawn =
        vec![series("perfect", vec![(0.0, 0.0), (1.0, 1.0)], Mark::Guide), series("model", points, Mark::LineAndDots)];
    share_chart("Reliability curve", &format!("probability of {of}"), "share that came true", drawn)
}

fn predicted_over_true(points: &[(f64, f64)]) -> LineChart {
    let all = points.iter().flat_map(|point| [point.0, point.1]);
    let (low, high) =
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    LineChart {
        title: "Predicted over true values".to_owned(),
        x_label: "true".to_owned(),
        y_label: "predicted".to_owned(),
        x_range: Some((low, high)),
        y_range: Some((low, high)),
        series: vec![
            series("perfect", vec![(low, low), (high, high)], Mark::Guide),
            series("row", points.to_vec(), Mark::Dots),
        ],
    }
}

fn error_over_true(points: &[(f64, f64)]) -> LineChart {
    let ends = points.iter().map(|point| point.0);
    let (low, high) =
        ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    LineChart {
        title: "Error over true values".to_owned(),
        x_label: "true".to_owned(),
        y_label: "predicted − true".to_owned(),
        x_range: None,
        y_range: None,
        series: vec![
            series("none", vec![(low, 0.0), (high, 0.0)], Mark::Guide),
            series("row", points.iter().map(|&(truth, predicted)| (truth, predicted - truth)).collect(), Mark::Dots),
        ],
    }
}

/// The mean cost by threshold.
pub(super) fn costs(choice: &ThresholdChoice) -> String {
    let finite: Vec<(f64, f64)> = choice.curve.iter().copied().filter(|point| point.0.is_finite()).collect();
    let chosen = choice.chosen.threshold;
    let highest = finite.iter().map(|point| point.1).fold(0.0, f64::max);
    let chart = LineChart {
        title: "Mean cost of a row by threshold".to_owned(),
        x_label: format!("least score taken for {}", choice.positive),
        y_label: "cost per row".to_owned(),
        x_range: None,
        y_range: Some((0.0, highest)),
        series: vec![
            series("cost", finite, Mark::Line),
            series("chosen", vec![(chosen, 0.0), (chosen, highest)], Mark::Guide),
        ],
    };
    format!("<div class=\"charts\"><div class=\"card\"><h3>Cost by threshold</h3>{}</div></div>\n", chart.svg())
}

/// Which columns matter.
pub(super) fn importance(report: &EvaluateReport) -> String {
    let Some(importance) = &report.study.importance else { return String::new() };
    if importance.columns.is_empty() {
        return String::new();
    }
    let bars = importance.columns.iter().map(|column| Bar {
        name: column.column.clone(),
        value: column.mean,
        reach: Some((column.mean - column.spread, column.mean + column.spread)),
        note: figure(column.mean),
    });
    let chart = BarChart { title: "Importance of columns".to_owned(), mark: None, bars: bars.collect() };
    let n_repeats = importance.columns[0].repeats.len();
    format!(
        "<h2>What matters</h2>\n<p>By how much {} becomes worse when the values of a column are dealt out anew among {} rows: mean and standard deviation of {n_repeats} times. A column that another one repeats seems not to matter.</p>\n<div class=\"card\">{}</div>\n",
        importance.figure,
        count(importance.n_samples as u64),
        chart.svg()
    )
}

/// Whether more rows would help.
pub(super) fn learning_curve(report: &EvaluateReport) -> String {
    let Some(curve) = &report.study.learning_curve else { return String::new() };
    let drawn = |name: &str, of: fn(&ml_train::evaluate::learning_curve::LearningPoint) -> Option<MeasuredFigure>| {
        let points = curve.points.iter().filter_map(|point| Some((point.n_train as f64, of(point)?)));
        let points: Vec<(f64, MeasuredFigure)> = points.collect();
        let has_bands = points.iter().all(|(_, measured)| measured.interval.is_some());
        let band = points.iter().filter_map(|(_, measured)| measured.interval);
        Series {
            name: name.to_owned(),
            band: if has_bands { band.map(|interval| (interval.low, interval.high)).collect() } else { Vec::new() },
            points: points.iter().map(|(n_train, measured)| (*n_train, measured.value)).collect(),
            mark: Mark::LineAndDots,
        }
    };
    let chart = LineChart {
        title: format!("{} by the number of training rows", curve.figure),
        x_label: "rows fitted on".to_owned(),
        y_label: curve.figure.clone(),
        x_range: None,
        y_range: None,
        series: vec![
            drawn("on the scored rows", |point| point.on_scored),
            drawn("on the rows fitted on", |point| point.on_train),
        ],
    };
    let rows = curve.points.iter().map(|point| {
        let value = |measured: Option<MeasuredFigure>| {
            Cell::number(measured.map_or_else(|| "-".to_owned(), |measured| figure(measured.value)))
        };
        vec![
            Cell::number(count(point.n_train as u64)),
            value(point.on_train),
            value(point.on_scored),
            Cell::number(interval_text(point.on_scored.and_then(|measured| measured.interval))),
            Cell::text(point.note.as_deref().unwrap_or_default()),
        ]
    });
    let heads = ["fitted on", "on these rows", "on the scored rows", "interval", ""];
    format!(
        "<h2>Would more rows help?</h2>\n<div class=\"charts\"><div class=\"card\"><h3>{} by the number of training rows</h3>{}{}</div></div>\n{}",
        curve.figure,
        chart.svg(),
        chart.legend(),
        table(&heads, rows)
    )
}
