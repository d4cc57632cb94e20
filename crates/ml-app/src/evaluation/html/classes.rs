//! Classes and the confusion matrix on the page.

use std::fmt::Write as _;

use crate::chart::escape;
use crate::evaluation::{EvaluateReport, interval_text};
use crate::output::{count, figure};

use super::table::{Cell, table};

/// A matrix of more classes cannot be read.
const MAX_CLASSES_OF_MATRIX: usize = 25;

/// The figures of each class and which class is taken for which; nothing for a regression.
pub(super) fn section(report: &EvaluateReport) -> String {
    let classes = &report.study.measured.classes;
    if classes.is_empty() {
        return String::new();
    }
    let rows = classes.iter().map(|class| {
        vec![
            Cell::text(&class.label),
            Cell::number(count(class.recall.n_samples as u64)),
            Cell::number(figure(class.precision.value)),
            Cell::number(interval_text(class.precision.interval)),
            Cell::number(figure(class.recall.value)),
            Cell::number(interval_text(class.recall.interval)),
            Cell::number(figure(class.f1.value)),
            Cell::number(interval_text(class.f1.interval)),
        ]
    });
    let heads = ["class", "rows", "precision", "interval", "recall", "interval", "f1", "interval"];
    format!("<h2>Classes</h2>\n{}{}", table(&heads, rows), matrix(report))
}

fn matrix(report: &EvaluateReport) -> String {
    let evaluation = &report.study.evaluation;
    let labels: Vec<&str> = evaluation.classes.iter().map(|class| class.label.as_str()).collect();
    if labels.len() > MAX_CLASSES_OF_MATRIX {
        return format!(
            "<p class=\"muted\">The confusion matrix of {} classes is in the JSON of this evaluation.</p>\n",
            labels.len()
        );
    }
    let mut matrix =
        "<h2>Which class is taken for which</h2>\n<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>true, then predicted</th>"
            .to_owned();
    for label in &labels {
        let _ = write!(matrix, "<th scope=\"col\">{}</th>", escape(label));
    }
    matrix.push_str("</tr></thead><tbody>");
    for (truth, counts) in evaluation.confusion_matrix.iter().enumerate() {
        let _ = write!(matrix, "<tr><th scope=\"row\">{}</th>", escape(labels.get(truth).copied().unwrap_or_default()));
        let of_class: u64 = counts.iter().sum();
        for (predicted, &n_rows) in counts.iter().enumerate() {
            // The share of the true class, as the strength of the colour.
            let strength = if of_class == 0 { 0.0 } else { 0.5 * n_rows as f64 / of_class as f64 };
            let class = if truth == predicted { " class=\"right\"" } else { "" };
            let _ =
                write!(matrix, "<td{class}><i style=\"opacity:{strength:.3}\"></i><span>{}</span></td>", count(n_rows));
        }
        matrix.push_str("</tr>");
    }
    matrix.push_str("</tbody></table></div>\n");
    matrix
}
