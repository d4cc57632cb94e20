//! Finds the cell that makes a column unfit, so that a message can point at it.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use ml_core::table::{Column, ColumnValues, Table};

/// The column that names the rows of a dataset, where a table has it.
const ID_COLUMN: &str = "id";

/// How much of a text is shown.
const MAX_SHOWN_CHARS: usize = 40;

/// A row as people find it again: by its number, from 1, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowName {
    number: usize,
    id: Option<String>,
}

impl RowName {
    /// Names the row of `table` at `row`.
    pub(crate) fn of(table: &Table, row: usize) -> RowName {
        let id = table.find(ID_COLUMN).and_then(|ids| ids.as_texts()[row].as_deref().map(str::to_owned));
        RowName { number: row + 1, id }
    }
}

impl fmt::Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "row {} (id `{id}`)", self.number),
            None => write!(f, "row {}", self.number),
        }
    }
}

/// Returns the first text of `column` that is not a finite number, cut to what a message can hold, and its row.
pub(crate) fn first_non_number(column: &Column) -> Option<(usize, String)> {
    let ColumnValues::Text(values) = &column.values else { return None };
    let is_number = |text: &str| text.trim().parse().is_ok_and(f64::is_finite);
    let mut texts = values.iter().enumerate().filter_map(|(row, text)| Some((row, text.as_deref()?)));
    let (row, text) = texts.find(|(_, text)| !is_number(text))?;
    Some((row, text.chars().take(MAX_SHOWN_CHARS).collect()))
}

/// Returns the first text of `column` that is not a time, cut to what a message can hold, and its row.
pub(crate) fn first_non_time(column: &Column) -> Option<(usize, String)> {
    let ColumnValues::Text(values) = &column.values else { return None };
    let mut texts = values.iter().enumerate().filter_map(|(row, text)| Some((row, text.as_deref()?)));
    let (row, text) = texts.find(|(_, text)| read_time(text).is_none())?;
    Some((row, text.chars().take(MAX_SHOWN_CHARS).collect()))
}

/// Reads a time as text: RFC 3339, or a date with or without a time of day, which are in UTC.
pub(crate) fn read_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let with_time = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let time = with_time.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    Some(time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_text_that_is_no_number_is_found() {
        let first = |texts: &[&str]| first_non_number(&Column::texts("x", texts.iter().copied()));
        assert_eq!(first(&["1", "-2.5e3", "NaN", "abc"]), Some((2, "NaN".to_owned())));
        assert_eq!(first(&["007"]), None);
    }

    #[test]
    fn times_are_read_in_utc() {
        let same = "2026-03-01T12:30:00+02:00";
        for text in ["2026-03-01T10:30:00Z", same, "2026-03-01 10:30", " 2026-03-01T10:30:00.0 "] {
            assert_eq!(read_time(text).unwrap().to_rfc3339(), "2026-03-01T10:30:00+00:00", "{text}");
        }
        assert_eq!(read_time("2026-03-01").unwrap().to_rfc3339(), "2026-03-01T00:00:00+00:00");
        let first = |texts: &[&str]| first_non_time(&Column::texts("x", texts.iter().copied()));
        assert_eq!(first(&["2026-03-01", "2026-02-30"]), Some((1, "2026-02-30".to_owned())));
        assert_eq!(first(&["2026-03-01"]), None);
    }

    #[test]
    fn rows_are_named_by_number_and_id() {
        let mut table = Table::new(vec![Column::numbers("x", vec![1.0, 2.0])]).unwrap();
        assert_eq!(RowName::of(&table, 1).to_string(), "row 2");
        table.push(Column::texts("id", ["a", "b"])).unwrap();
        assert_eq!(RowName::of(&table, 1).to_string(), "row 2 (id `b`)");
    }
}
