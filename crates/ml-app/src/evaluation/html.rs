//! An evaluation as one page of HTML that needs nothing else: no script, no font, no network; light and dark.

mod charts;
mod classes;
mod slices;
mod table;

use std::fmt::Write as _;

use ml_core::metrics::{Better, find_figure};
use ml_train::spec::Task;

use crate::chart::escape;
use crate::counted::unknown_text;
use crate::output::{count, figure};

use super::text::{threshold_sentence, verdict_text};
use super::{EvaluateReport, drawn_text, interval_text};
use table::{Cell, table};

const STYLE: &str = include_str!("html/style.css");

/// Returns the page.
pub(crate) fn page(report: &EvaluateReport) -> String {
    let title = format!("{} on {}, {}", report.model, report.dataset, report.split);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escape(&title)
    );
    for section in [
        header(report),
        tiles(report),
        warnings(report),
        versus(report),
        figures(report),
        classes::section(report),
        charts::section(report),
        threshold(report),
        slices::worst(report),
        slices::asked_for(report),
        charts::importance(report),
        charts::learning_curve(report),
    ] {
        page.push_str(&section);
    }
    let _ = write!(
        page,
        "<footer><p>{}.</p><p>Written by ml-app {}.</p></footer>\n</main>\n</body>\n</html>\n",
        prose(&drawn_text(&report.study.measured)),
        crate::training::APP_VERSION
    );
    page
}

fn header(report: &EvaluateReport) -> String {
    let evaluation = &report.study.evaluation;
    let mut left_out = String::new();
    let counted = &report.counted;
    for (n_rows, what) in
        [(counted.n_without_target, "without a truth"), (counted.n_without_prediction, "without a prediction")]
    {
        if n_rows > 0 {
            let _ = write!(left_out, ", {} {what} left out", count(n_rows));
        }
    }
    let task = if report.task == Task::Classification {
        format!("classification into {} classes", evaluation.classes.len())
    } else {
        report.task.name().to_owned()
    };
    format!(
        "<header><h1>{}</h1><p class=\"sub\">{} by {}, scored on {} rows of {}, split {}{left_out} · {}</p></header>\n",
        escape(&report.model),
        capitalised(&task),
        escape(&evaluation.estimator),
        count(report.n_samples),
        escape(&report.dataset),
        report.split,
        report.evaluated_at.format("%F %H:%M UTC")
    )
}

/// The figures to look at first.
fn tiles(report: &EvaluateReport) -> String {
    let wanted: &[&str] = if report.task == Task::Classification {
        &["accuracy", "f1_macro", "roc_auc", "roc_auc_ovr_macro", "log_loss", "mcc"]
    } else {
        &["r2", "rmse", "mae", "median_absolute_error"]
    };
    let measured = &report.study.measured;
    let mut tiles = "<div class=\"tiles\">".to_owned();
    let found = wanted.iter().filter_map(|name| Some((name, measured.figures.get(*name)?)));
    for (name, value) in found.take(4) {
        let reach = value.interval.map_or_else(String::new, |interval| interval_text(Some(interval)));
        let _ = write!(
            tiles,
            "<div class=\"tile\"><div class=\"name\">{name}</div><div class=\"value\">{}</div><div class=\"reach\">{reach}</div></div>",
            figure(value.value)
        );
    }
    tiles.push_str("</div>\n");
    tiles
}

fn warnings(report: &EvaluateReport) -> String {
    let leaks = report.study.leaks.iter().map(|leak| leak.message.as_str());
    let unknown = unknown_text(&report.counted.unknown_categories);
    let mut warnings = String::new();
    for message in leaks.chain(report.study.measured.notes.iter().map(String::as_str)).chain(unknown.as_deref()) {
        let _ = writeln!(warnings, "<p class=\"warning\">{}</p>", prose(message));
    }
    warnings
}

fn versus(report: &EvaluateReport) -> String {
    let (Some(versus), Some(against)) = (&report.study.versus, &report.against) else { return String::new() };
    let rows = versus.figures.iter().map(|(name, compared)| {
        let gain = find_figure(name).map_or(0.0, |info| info.gain(compared.challenger, compared.champion));
        let is_sure = compared.interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0);
        let class = match (is_sure, gain > 0.0) {
            (false, _) => "",
            (true, true) => "good",
            (true, false) => "bad",
        };
        vec![
            Cell::text(name),
            Cell::number(figure(compared.champion)),
            Cell::number(figure(compared.challenger)),
            Cell::number(figure(compared.difference)).of_class(class),
            Cell::number(interval_text(compared.interval)),
            Cell::number(figure(compared.p_value)),
            Cell::text(compared.verdict.description()),
        ]
    });
    let heads = ["figure", against, &report.model, "difference", "interval", "p", ""];
    let mcnemar = versus.mcnemar.map_or_else(String::new, |counts| {
        format!(
            "<p>Both are right in {} rows and wrong in {}; {} alone is right in {}, {} alone in {}.</p>",
            count(counts.both_right),
            count(counts.both_wrong),
            escape(against),
            count(counts.champion_only),
            escape(&report.model),
            count(counts.challenger_only)
        )
    });
    format!(
        "<h2>Against {}</h2>\n<p class=\"verdict\">{}</p>\n{mcnemar}{}<p class=\"muted\">Only {} was chosen to decide before looking; of many figures, one may differ by chance.</p>\n",
        escape(against),
        prose(&verdict_text(versus, &format!("`{}`", report.model), &format!("`{against}`"))),
        table(&heads, rows),
        versus.decided_by
    )
}

fn figures(report: &EvaluateReport) -> String {
    let rows = report.study.measured.figures.iter().map(|(name, measured)| {
        let info = find_figure(name);
        let better = match info.map(|info| info.better) {
            Some(Better::Higher) => "; higher is better",
            Some(Better::Lower) => "; lower is better",
            Some(Better::Neither) | None => "",
        };
        vec![
            Cell::text(name),
            Cell::number(figure(measured.value)),
            Cell::number(interval_text(measured.interval)),
            Cell::number(count(measured.n_samples as u64)),
            Cell::text(&format!("{}{better}", info.map_or("", |info| info.meaning))).of_class("meaning"),
        ]
    });
    format!("<h2>Figures</h2>\n{}", table(&["figure", "value", "interval", "rows", "what it says"], rows))
}

fn threshold(report: &EvaluateReport) -> String {
    let Some(choice) = &report.study.threshold else { return String::new() };
    let rows = [("as the model predicts", &choice.usual), ("of least cost", &choice.chosen)].map(|(name, at)| {
        vec![
            Cell::text(name),
            Cell::number(figure(at.threshold)),
            Cell::number(count(at.true_positives)),
            Cell::number(count(at.false_positives)),
            Cell::number(count(at.false_negatives)),
            Cell::number(count(at.true_negatives)),
            Cell::number(figure(at.cost_per_row)),
        ]
    });
    let heads = ["threshold", "value", "found", "false alarms", "missed", "rightly left", "cost per row"];
    format!(
        "<h2>Threshold of least cost</h2>\n<p>A false alarm costs {}, a missed row of {} costs {}.</p>\n{}<p>{}.</p>\n{}",
        figure(choice.costs.false_positive),
        escape(&choice.positive),
        figure(choice.costs.false_negative),
        table(&heads, rows),
        prose(&threshold_sentence(choice)),
        charts::costs(choice)
    )
}

/// Returns a sentence as markup: its first letter large, unless it begins with a name, and what is in code marks as code.
fn prose(text: &str) -> String {
    let mut markup = String::new();
    let capitalised = capitalised(text);
    let parts: Vec<&str> = capitalised.split('`').collect();
    for (index, part) in parts.iter().enumerate() {
        let part = escape(part);
        // A mark that is not closed stands for itself.
        let is_code = index % 2 == 1 && index + 1 < parts.len();
        let _ = match (is_code, index % 2 == 1) {
            (true, _) => write!(markup, "<code>{part}</code>"),
            (false, true) => write!(markup, "`{part}"),
            (false, false) => write!(markup, "{part}"),
        };
    }
    markup
}

/// Returns a sentence with its first letter large.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    // What begins in code marks is a name, and stays as it is.
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
