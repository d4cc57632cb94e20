//! Tables of the page.

use std::fmt::Write as _;

use crate::chart::escape;

/// One cell.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    is_number: bool,
    class: &'static str,
}

impl Cell {
    pub(super) fn text(text: &str) -> Cell {
        Cell { text: text.to_owned(), is_number: false, class: "" }
    }

    pub(super) fn number(text: String) -> Cell {
        Cell { text, is_number: true, class: "" }
    }

    pub(super) fn of_class(self, class: &'static str) -> Cell {
        Cell { class, ..self }
    }

    fn class(&self) -> String {
        let number = if self.is_number { "number" } else { "" };
        let classes = format!("{number} {}", self.class);
        if classes.trim().is_empty() { String::new() } else { format!(" class=\"{}\"", classes.trim()) }
    }
}

/// Lays out rows under heads; a head stands as its column does.
pub(super) fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let rows: Vec<Vec<Cell>> = rows.into_iter().collect();
    let mut table = "<div class=\"scroll\"><table><thead><tr>".to_owned();
    for (column, head) in heads.iter().enumerate() {
        let is_number = rows.first().and_then(|row| row.get(column)).is_some_and(|cell| cell.is_number);
        let class = if is_number { " class=\"number\"" } else { "" };
        let _ = write!(table, "<th scope=\"col\"{class}>{}</th>", escape(head));
    }
    table.push_str("</tr></thead><tbody>");
    for row in &rows {
        table.push_str("<tr>");
        for cell in row {
            let _ = write!(table, "<td{}>{}</td>", cell.class(), escape(&cell.text));
        }
        table.push_str("</tr>");
    }
    table.push_str("</tbody></table></div>\n");
    table
}
