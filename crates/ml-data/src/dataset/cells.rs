//! One column while it grows row by row, its kind not yet decided.

use ml_core::table::{ColumnKind, ColumnValues};
use serde_json::Value;

/// A value of a row, before it is known what its column holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Missing,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

impl Cell {
    /// Takes a JSON value as it is; arrays and objects become the text of their JSON, sorted by key.
    pub(super) fn from_json(value: Value) -> Cell {
        match value {
            Value::Null => Cell::Missing,
            Value::Bool(value) => Cell::Boolean(value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => Cell::Integer(value),
                (None, Some(value)) => Cell::Number(value),
                (None, None) => Cell::Text(number.to_string()),
            },
            Value::String(text) => Cell::Text(text),
            nested @ (Value::Array(_) | Value::Object(_)) => Cell::Text(nested.to_string()),
        }
    }

    /// Returns the value as it prints, as in a column of text; nothing where it is missing.
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Cell::Missing => None,
            cell => Some(print(cell)),
        }
    }
}

/// A number that remembers whether it was whole, so that it still prints exactly if its column turns into text.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Numeric {
    Integer(i64),
    Number(f64),
}

/// The values so far, in the narrowest kind that holds them all.
///
/// Integers and numbers unite to numbers; any other two kinds to text, each value as it prints. The outcome does not depend
/// on the order of the rows.
#[derive(Debug)]
enum Values {
    /// Nothing but missing values.
    Undecided,
    Boolean(Vec<Option<bool>>),
    Integer(Vec<Option<i64>>),
    Number(Vec<Option<Numeric>>),
    Text(Vec<Option<String>>),
}

/// A growing column. Rows that are skipped are missing.
#[derive(Debug)]
pub(super) struct ColumnCells {
    values: Values,
}

impl ColumnCells {
    /// Starts a column whose kind its values decide; text if it never gets one.
    pub(super) fn new() -> ColumnCells {
        ColumnCells { values: Values::Undecided }
    }

    /// Starts a column that is numeric even if every value is missing.
    pub(super) fn numbers() -> ColumnCells {
        ColumnCells { values: Values::Number(Vec::new()) }
    }

    /// Sets the value of `row`; rows come in ascending order, each once.
    pub(super) fn set(&mut self, row: usize, cell: Cell) {
        if matches!(cell, Cell::Missing) {
            return;
        }
        self.widen_for(&cell);
        match (&mut self.values, cell) {
            (Values::Boolean(values), Cell::Boolean(value)) => set(values, row, value),
            (Values::Integer(values), Cell::Integer(value)) => set(values, row, value),
            (Values::Number(values), Cell::Integer(value)) => set(values, row, Numeric::Integer(value)),
            (Values::Number(values), Cell::Number(value)) => set(values, row, Numeric::Number(value)),
            (Values::Text(values), cell) => set(values, row, print(cell)),
            (values, cell) => unreachable!("{values:?} were widened for {cell:?}"),
        }
    }

    /// Ends the column with `n_rows` values.
    pub(super) fn finish(self, n_rows: usize) -> ColumnValues {
        match self.values {
            Values::Undecided => ColumnValues::Text(vec![None; n_rows]),
            Values::Boolean(values) => ColumnValues::Boolean(padded(values, n_rows)),
            Values::Integer(values) => ColumnValues::Integer(padded(values, n_rows)),
            Values::Number(values) => ColumnValues::Number(to_floats(&values, n_rows)),
            Values::Text(values) => ColumnValues::Text(padded(values, n_rows)),
        }
    }

    fn kind(&self) -> Option<ColumnKind> {
        match self.values {
            Values::Undecided => None,
            Values::Boolean(_) => Some(ColumnKind::Boolean),
            Values::Integer(_) => Some(ColumnKind::Integer),
            Values::Number(_) => Some(ColumnKind::Number),
            Values::Text(_) => Some(ColumnKind::Text),
        }
    }

    fn widen_for(&mut self, cell: &Cell) {
        let wanted = match cell {
            Cell::Missing => return,
            Cell::Boolean(_) => ColumnKind::Boolean,
            Cell::Integer(_) => ColumnKind::Integer,
            Cell::Number(_) => ColumnKind::Number,
            Cell::Text(_) => ColumnKind::Text,
        };
        let united = self.kind().map_or(wanted, |kind| unite(kind, wanted));
        if self.kind() == Some(united) {
            return;
        }
        self.values = match (std::mem::replace(&mut self.values, Values::Undecided), united) {
            (Values::Undecided, ColumnKind::Boolean) => Values::Boolean(Vec::new()),
            (Values::Undecided, ColumnKind::Integer) => Values::Integer(Vec::new()),
            (Values::Undecided, ColumnKind::Number) => Values::Number(Vec::new()),
            (Values::Integer(values), ColumnKind::Number) => Values::Number(converted(values, Numeric::Integer)),
            (Values::Boolean(values), _) => Values::Text(converted(values, |value| value.to_string())),
            (Values::Integer(values), _) => Values::Text(converted(values, |value| value.to_string())),
            (Values::Number(values), _) => Values::Text(converted(values, print_numeric)),
            (Values::Undecided | Values::Text(_), _) => Values::Text(Vec::new()),
        };
    }
}

/// Returns the kind that holds the values of both.
fn unite(one: ColumnKind, other: ColumnKind) -> ColumnKind {
    use ColumnKind::{Integer, Number, Text};
    match (one, other) {
        (one, other) if one == other => one,
        (Integer, Number) | (Number, Integer) => Number,
        _ => Text,
    }
}

fn set<T: Clone>(values: &mut Vec<Option<T>>, row: usize, value: T) {
    values.resize(row, None);
    values.push(Some(value));
}

fn padded<T: Clone>(mut values: Vec<Option<T>>, n_rows: usize) -> Vec<Option<T>> {
    values.resize(n_rows, None);
    values
}

fn converted<A, B>(values: Vec<Option<A>>, convert: impl Fn(A) -> B) -> Vec<Option<B>> {
    values.into_iter().map(|value| value.map(&convert)).collect()
}

fn to_floats(values: &[Option<Numeric>], n_rows: usize) -> Vec<f64> {
    let mut floats = Vec::with_capacity(n_rows);
    floats.extend(values.iter().map(|value| match value {
        None => f64::NAN,
        Some(Numeric::Integer(value)) => *value as f64,
        Some(Numeric::Number(value)) => *value,
    }));
    floats.resize(n_rows, f64::NAN);
    floats
}

/// A whole number prints without a fraction, as it does when a table reads a column as text.
fn print_numeric(value: Numeric) -> String {
    match value {
        Numeric::Integer(value) => value.to_string(),
        Numeric::Number(value) => value.to_string(),
    }
}

fn print(cell: Cell) -> String {
    match cell {
        Cell::Missing => String::new(),
        Cell::Boolean(value) => value.to_string(),
        Cell::Integer(value) => print_numeric(Numeric::Integer(value)),
        Cell::Number(value) => print_numeric(Numeric::Number(value)),
        Cell::Text(text) => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn column(values: &[Value]) -> ColumnValues {
        let mut cells = ColumnCells::new();
        for (row, value) in values.iter().enumerate() {
            cells.set(row, Cell::from_json(value.clone()));
        }
        cells.finish(values.len())
    }

    fn texts(values: &[Option<&str>]) -> ColumnValues {
        ColumnValues::Text(values.iter().map(|value| value.map(str::to_owned)).collect())
    }

    #[test]
    fn values_of_one_kind_keep_it() {
        assert_eq!(column(&[json!(1), json!(null), json!(3)]), ColumnValues::Integer(vec![Some(1), None, Some(3)]));
        assert_eq!(column(&[json!(1.5), json!(2.0)]), ColumnValues::Number(vec![1.5, 2.0]));
        assert_eq!(column(&[json!(true), json!(false)]), ColumnValues::Boolean(vec![Some(true), Some(false)]));
        assert_eq!(column(&[json!("a"), json!("")]), texts(&[Some("a"), Some("")]));
    }

    #[test]
    fn integers_and_numbers_unite_to_numbers() {
        assert_eq!(column(&[json!(1), json!(2.5), json!(3)]), ColumnValues::Number(vec![1.0, 2.5, 3.0]));
    }

    #[test]
    fn anything_and_text_unite_to_text_as_printed() {
        let values = [json!(9_007_199_254_740_993_i64), json!(0.5), json!(true), json!("2024-01-02T03:04:05Z")];
        let expected = [Some("9007199254740993"), Some("0.5"), Some("true"), Some("2024-01-02T03:04:05Z")];
        assert_eq!(column(&values), texts(&expected));
    }

    #[test]
    fn nested_json_is_the_text_of_its_json() {
        let nested = serde_json::from_str(r#"{"b": [1, 2.5], "a": null}"#).unwrap();
        assert_eq!(column(&[nested, json!([1])]), texts(&[Some(r#"{"a":null,"b":[1,2.5]}"#), Some("[1]")]));
    }

    #[test]
    fn a_column_without_values_is_text_unless_it_was_begun_as_numbers() {
        assert_eq!(column(&[json!(null), json!(null)]), texts(&[None, None]));
        let ColumnValues::Number(numbers) = ColumnCells::numbers().finish(1) else { panic!("not numbers") };
        assert!(numbers[0].is_nan());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-z]{0,3}".prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter(values in prop::collection::vec(any_json(), 0..8)) {
            let forwards = column(&values);
            let backwards: Vec<Value> = values.iter().rev().cloned().collect();
            let rows: Vec<usize> = (0..values.len()).rev().collect();
            // Debug, because NaN marks a missing number and does not equal itself.
            prop_assert_eq!(format!("{:?}", column(&backwards)), format!("{:?}", forwards.take(&rows)));
        }
    }
}
