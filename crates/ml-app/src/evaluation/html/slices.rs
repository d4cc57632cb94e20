//! Slices on the page: the worst ones, and those that were asked for.

use std::fmt::Write as _;

use ml_train::evaluate::slices::Slices;

use crate::chart::{Bar, BarChart, escape};
use crate::evaluation::text::{conditions_text, looked_at};
use crate::evaluation::{EvaluateReport, interval_text};
use crate::output::{count, figure};

use super::capitalised;
use super::table::{Cell, table};

/// Where the model is worse than elsewhere.
pub(super) fn worst(report: &EvaluateReport) -> String {
    let worst = &report.study.worst_slices;
    let looked_at = looked_at(worst);
    if worst.slices.is_empty() {
        return format!(
            "<h2>Where it is worst</h2>\n<p>Nowhere worse than elsewhere beyond chance. <span class=\"muted\">{}.</span></p>\n",
            capitalised(&looked_at)
        );
    }
    let rows = worst.slices.iter().map(|slice| {
        vec![
            Cell::text(&conditions_text(&slice.conditions)),
            Cell::number(count(slice.n_samples as u64)),
            Cell::number(figure(slice.loss)),
            Cell::number(figure(slice.loss_elsewhere)),
            Cell::number(figure(slice.difference)),
            Cell::number(format!("{} to {}", figure(slice.low), figure(slice.high))),
        ]
    });
    let heads = ["where", "rows", worst.loss.as_str(), "elsewhere", "difference", "interval"];
    format!(
        "<h2>Where it is worst</h2>\n{}<p class=\"muted\">{}; the intervals are so wide that all of them hold together.</p>\n",
        table(&heads, rows),
        capitalised(&looked_at)
    )
}

/// The figures by each column that was asked for.
pub(super) fn asked_for(report: &EvaluateReport) -> String {
    let mut sections = String::new();
    for slices in &report.study.slices {
        let _ = write!(
            sections,
            "<h2>By {}</h2>\n<div class=\"card\">{}</div>\n{}",
            escape(&slices.column),
            chart(slices),
            slice_table(slices)
        );
    }
    sections
}

fn chart(slices: &Slices) -> String {
    let bars = slices.slices.iter().filter_map(|slice| {
        let value = *slice.metrics.get(&slices.figure)?;
        Some(Bar {
            name: slice.label.clone(),
            value,
            reach: slice.interval.map(|interval| (interval.low, interval.high)),
            note: figure(value),
        })
    });
    let title = format!("{} by {}", slices.figure, slices.column);
    BarChart { title, mark: slices.overall, bars: bars.collect() }.svg()
}

fn slice_table(slices: &Slices) -> String {
    let rows = slices.slices.iter().map(|slice| {
        let value = slice.metrics.get(&slices.figure);
        vec![
            Cell::text(&slice.label),
            Cell::number(count(slice.n_samples as u64)),
            Cell::number(value.map_or_else(|| "-".to_owned(), |value| figure(*value))),
            Cell::number(interval_text(slice.interval)),
            Cell::number(slice.difference.map_or_else(|| "-".to_owned(), figure)),
            Cell::number(interval_text(slice.difference_interval)),
        ]
    });
    table(&[&slices.column, "rows", &slices.figure, "interval", "against the rest", "interval"], rows)
}
