//! What a table of data is like, and what is odd about it.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};
use ml_core::table::{Column, ColumnKind, ColumnValues, Table};
use serde::{Deserialize, Serialize};

use crate::numbers::{self, NumberSummary, share};
use crate::profile::{CategoryCount, TimeProfile, most_frequent, text_lengths};

/// The most frequent values that are listed.
const MAX_TOP_VALUES: usize = 10;

/// The longest value that is listed whole, in characters.
const MAX_SHOWN_CHARS: usize = 80;

/// From which share of missing values on a column is flagged.
const MOSTLY_MISSING: f64 = 0.5;

/// From how many values on it is worth saying that they all differ.
const MIN_ROWS_OF_IDS: u64 = 20;

/// What a table of data is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataQuality {
    /// How many rows there are.
    pub n_rows: u64,
    /// How many rows repeat an earlier one in every column.
    pub n_duplicate_rows: u64,
    /// The columns, in order.
    pub columns: Vec<ColumnQuality>,
}

/// What a column is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnQuality {
    /// The name of the column.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// How many values are missing.
    pub n_missing: u64,
    /// The share of values that are missing, in `0..=1`.
    pub missing_share: f64,
    /// How many different values there are, counted exactly.
    pub n_distinct: u64,
    /// The most frequent of the values that occur more than once, up to 10; long ones are cut.
    pub top_values: Vec<CategoryCount>,
    /// Figures of the values.
    pub values: ValueQuality,
    /// What is odd about the column.
    pub flags: Vec<QualityFlag>,
}

/// Figures of values, by what a column holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "figures", rename_all = "snake_case")]
pub enum ValueQuality {
    /// Of numbers and integers.
    Numeric(NumberQuality),
    /// Of truth values: how many are true.
    Boolean {
        /// How many are true.
        n_true: u64,
    },
    /// Of texts.
    Text(TextQuality),
    /// Of instants.
    Time {
        /// The first.
        earliest: Option<DateTime<Utc>>,
        /// The last.
        latest: Option<DateTime<Utc>>,
    },
}

/// Figures of numbers; quantiles are of the finite values, interpolated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberQuality {
    /// Counts and moments.
    #[serde(flatten)]
    pub summary: NumberSummary,
    /// The value that a quarter of the values does not exceed.
    pub lower_quartile: Option<f64>,
    /// The value in the middle.
    pub median: Option<f64>,
    /// The value that three quarters of the values do not exceed.
    pub upper_quartile: Option<f64>,
}

/// Figures of texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextQuality {
    /// How many texts are empty or only white space.
    pub n_blank: u64,
    /// Lengths in characters.
    pub characters: NumberQuality,
    /// Lengths in words.
    pub words: NumberQuality,
}

/// Something odd about a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityFlag {
    /// There is no value at all.
    Empty,
    /// Half of the values or more are missing.
    MostlyMissing,
    /// All values are the same.
    Constant,
    /// Some numbers are infinite.
    Infinite,
    /// Some texts are empty or only white space.
    Blank,
    /// All values differ, as ids do; a model cannot learn from such a category.
    AllDistinct,
}

impl DataQuality {
    /// Summarises `table`; no rows give an empty summary.
    pub fn of(table: &Table) -> DataQuality {
        DataQuality {
            n_rows: table.n_rows() as u64,
            n_duplicate_rows: n_duplicate_rows(table),
            columns: table.columns().iter().map(ColumnQuality::of).collect(),
        }
    }

    /// Returns the columns that have a flag, with their flags.
    pub fn flagged(&self) -> impl Iterator<Item = (&str, &[QualityFlag])> {
        let columns = self.columns.iter().filter(|column| !column.flags.is_empty());
        columns.map(|column| (column.name.as_str(), column.flags.as_slice()))
    }
}

impl ColumnQuality {
    /// Summarises one column.
    pub fn of(column: &Column) -> ColumnQuality {
        let n_rows = column.values.len() as u64;
        let n_missing = column.values.n_missing() as u64;
        let (n_distinct, top_values) = frequencies(column);
        let values = ValueQuality::of(column);
        let flags = flags(&values, n_rows - n_missing, n_missing, n_distinct);
        ColumnQuality {
            name: column.name.clone(),
            kind: column.values.kind(),
            n_missing,
            missing_share: share(n_missing, n_rows),
            n_distinct,
            top_values,
            values,
            flags,
        }
    }
}

impl ValueQuality {
    fn of(column: &Column) -> ValueQuality {
        match &column.values {
            ColumnValues::Number(values) => ValueQuality::Numeric(NumberQuality::of(values)),
            ColumnValues::Integer(values) => {
                let numbers: Vec<f64> =
                    values.iter().map(|value| value.map_or(f64::NAN, |value| value as f64)).collect();
                ValueQuality::Numeric(NumberQuality::of(&numbers))
            }
            ColumnValues::Boolean(values) => {
                ValueQuality::Boolean { n_true: values.iter().filter(|value| **value == Some(true)).count() as u64 }
            }
            ColumnValues::Text(values) => {
                let lengths = text_lengths(&column.as_texts());
                ValueQuality::Text(TextQuality {
                    n_blank: values.iter().flatten().filter(|text| text.trim().is_empty()).count() as u64,
                    characters: NumberQuality::of(&lengths.characters),
                    words: NumberQuality::of(&lengths.words),
                })
            }
            ColumnValues::Time(values) => {
                let TimeProfile { earliest, latest, .. } = TimeProfile::of(values);
                ValueQuality::Time { earliest, latest }
            }
        }
    }
}

impl NumberQuality {
    /// Summarises `values`, where `NaN` is missing.
    pub fn of(values: &[f64]) -> NumberQuality {
        let sorted = numbers::sorted_finite(values);
        NumberQuality {
            summary: NumberSummary::of(values),
            lower_quartile: numbers::quantile(&sorted, 0.25),
            median: numbers::quantile(&sorted, 0.5),
            upper_quartile: numbers::quantile(&sorted, 0.75),
        }
    }
}

/// Returns how many different values there are, and the most frequent of those that repeat.
fn frequencies(column: &Column) -> (u64, Vec<CategoryCount>) {
    let texts = column.as_texts();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for text in texts.iter().flatten() {
        *counts.entry(text).or_default() += 1;
    }
    let n_distinct = counts.len() as u64;
    let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
    let (mut top, _) = most_frequent(repeated, MAX_TOP_VALUES);
    for value in &mut top {
        if let Some((end, _)) = value.value.char_indices().nth(MAX_SHOWN_CHARS) {
            value.value.truncate(end);
            value.value.push('…');
        }
    }
    (n_distinct, top)
}

fn flags(values: &ValueQuality, n_present: u64, n_missing: u64, n_distinct: u64) -> Vec<QualityFlag> {
    let (n_infinite, n_blank) = match values {
        ValueQuality::Numeric(numbers) => (numbers.summary.n_infinite, 0),
        ValueQuality::Text(texts) => (0, texts.n_blank),
        ValueQuality::Boolean { .. } | ValueQuality::Time { .. } => (0, 0),
    };
    // Quantities and instants may well differ from row to row.
    let may_be_ids = matches!(values, ValueQuality::Text(_));
    let all_distinct = may_be_ids && n_present >= MIN_ROWS_OF_IDS && n_distinct == n_present;
    let mostly_missing = n_present > 0 && share(n_missing, n_present + n_missing) >= MOSTLY_MISSING;
    let found = [
        (QualityFlag::Empty, n_present == 0),
        (QualityFlag::MostlyMissing, mostly_missing),
        (QualityFlag::Constant, n_present > 1 && n_distinct == 1),
        (QualityFlag::Infinite, n_infinite > 0),
        (QualityFlag::Blank, n_blank > 0),
        (QualityFlag::AllDistinct, all_distinct),
    ];
    found.into_iter().filter(|(_, is_so)| *is_so).map(|(flag, _)| flag).collect()
}

/// Counts the rows that repeat an earlier one. Rows are told apart by a hash of 64 bits, which takes two of a million
/// different rows for one another with a chance of about 1 to 40 million.
fn n_duplicate_rows(table: &Table) -> u64 {
    if table.columns().is_empty() {
        return 0;
    }
    let mut hashers = vec![DefaultHasher::new(); table.n_rows()];
    for column in table.columns() {
        hash_values(&column.values, &mut hashers);
    }
    let distinct: HashSet<u64> = hashers.iter().map(Hasher::finish).collect();
    (table.n_rows() - distinct.len()) as u64
}

fn hash_values(values: &ColumnValues, hashers: &mut [DefaultHasher]) {
    fn each<T: Hash>(values: impl Iterator<Item = T>, hashers: &mut [DefaultHasher]) {
        values.zip(hashers).for_each(|(value, hasher)| value.hash(hasher));
    }
    match values {
        // Every missing value is the same, and so are the two zeros.
        ColumnValues::Number(values) => {
            let present = |value: &f64| (!value.is_nan()).then_some((value + 0.0).to_bits());
            each(values.iter().map(present), hashers);
        }
        ColumnValues::Integer(values) => each(values.iter(), hashers),
        ColumnValues::Boolean(values) => each(values.iter(), hashers),
        ColumnValues::Text(values) => each(values.iter(), hashers),
        ColumnValues::Time(values) => each(values.iter(), hashers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "reads better at the calls")]
    fn quality_of(column: Column) -> ColumnQuality {
        ColumnQuality::of(&column)
    }

    #[test]
    fn numbers_are_summed_up() {
        let quality = quality_of(Column::numbers("x", vec![1.0, 2.0, 2.0, 4.0, f64::NAN, f64::INFINITY]));
        assert_eq!((quality.n_missing, quality.n_distinct), (1, 4));
        assert_eq!(quality.top_values, [CategoryCount { value: "2".to_owned(), count: 2 }]);
        assert_eq!(quality.flags, [QualityFlag::Infinite]);
        let ValueQuality::Numeric(numbers) = quality.values else { panic!("{:?}", quality.values) };
        assert_eq!((numbers.median, numbers.upper_quartile), (Some(2.0), Some(2.5)));
    }

    #[test]
    fn odd_columns_are_flagged() {
        let ids: Vec<String> = (0..30).map(|i| format!("id-{i}")).collect();
        assert_eq!(quality_of(Column::texts("id", ids)).flags, [QualityFlag::AllDistinct]);
        assert_eq!(quality_of(Column::texts("same", ["a", "a"])).flags, [QualityFlag::Constant]);
        assert_eq!(quality_of(Column::texts("blank", ["a", " "])).flags, [QualityFlag::Blank]);
        assert_eq!(quality_of(Column::numbers("gone", vec![f64::NAN; 3])).flags, [QualityFlag::Empty]);
        let sparse = quality_of(Column::numbers("sparse", vec![f64::NAN, f64::NAN, 1.0]));
        assert_eq!(sparse.flags, [QualityFlag::MostlyMissing]);
    }

    #[test]
    fn rows_that_repeat_are_counted() {
        let table = Table::new(vec![
            Column::numbers("x", vec![1.0, 1.0, f64::NAN, f64::NAN, 0.0, -0.0]),
            Column::texts("y", ["a", "b", "c", "c", "d", "d"]),
        ]);
        assert_eq!(DataQuality::of(&table.unwrap()).n_duplicate_rows, 2);
        assert_eq!(DataQuality::of(&Table::default()).n_duplicate_rows, 0);
    }

    #[test]
    fn long_values_are_cut_where_they_are_listed() {
        let long = "é".repeat(500);
        let quality = quality_of(Column::texts("y", [long.as_str(), &long]));
        assert_eq!(quality.top_values[0].value.chars().count(), MAX_SHOWN_CHARS + 1);
    }
}
