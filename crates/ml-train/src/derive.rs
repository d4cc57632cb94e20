//! Computing derived columns: stateless, so that serving computes them as training did.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ml_core::table::{Column, ColumnValues, Table, TableError};

use crate::frame::Frame;
use crate::spec::{DeriveOp, DeriveSpec, PipelineSpec};

/// Computes all derived columns of `spec` on `table` and returns the table with them added.
///
/// # Errors
/// [`TableError`] for a column that is absent, of the wrong kind, or there already.
pub fn derive(spec: &PipelineSpec, table: &Table) -> Result<Table, TableError> {
    let mut frame = Frame::new(table);
    let mut derived = table.clone();
    for derive in &spec.derive {
        let column = compute(derive, &frame)?;
        frame.set(column.clone());
        derived.push(column)?;
    }
    Ok(derived)
}

/// Adds the derived columns that `columns` need to `frame`.
pub(crate) fn derive_for(spec: &PipelineSpec, columns: &[&str], frame: &mut Frame<'_>) -> Result<(), TableError> {
    for derive in spec.derived_for(columns) {
        let column = compute(derive, frame)?;
        frame.set(column);
    }
    Ok(())
}

fn compute(derive: &DeriveSpec, frame: &Frame<'_>) -> Result<Column, TableError> {
    let of = frame.get(&derive.of)?.as_numbers()?;
    let values = match derive.op {
        DeriveOp::Abs => of.iter().map(|value| value.abs()).collect(),
        DeriveOp::Log => of.iter().map(|value| finite(value.ln())).collect(),
        DeriveOp::Ratio => {
            let over = frame.get(derive.over.as_deref().unwrap_or_default())?.as_numbers()?;
            of.iter().zip(over.iter()).map(|(of, over)| finite(of / over)).collect()
        }
        _ => over_entities(derive, frame, &of)?,
    };
    Ok(Column::numbers(&*derive.column, values))
}

/// Computes a value for each row from the rows of its entity in order. A row without entity or place has none.
fn over_entities(derive: &DeriveSpec, frame: &Frame<'_>, of: &[f64]) -> Result<Vec<f64>, TableError> {
    let mut values = vec![f64::NAN; of.len()];
    for rows in entities(derive, frame)? {
        let series: Vec<f64> = rows.iter().map(|&row| of[row]).collect();
        for (position, &row) in rows.iter().enumerate() {
            values[row] = finite(value_at(derive, &series, position));
        }
    }
    Ok(values)
}

fn value_at(derive: &DeriveSpec, series: &[f64], position: usize) -> f64 {
    let periods = derive.periods();
    let earlier = position.checked_sub(periods).map_or(f64::NAN, |earlier| series[earlier]);
    match derive.op {
        DeriveOp::Lag => earlier,
        DeriveOp::Lead => series.get(position + periods).copied().unwrap_or(f64::NAN),
        DeriveOp::Diff => series[position] - earlier,
        DeriveOp::PctChange => series[position] / earlier - 1.0,
        DeriveOp::RollingMean => last_rows(derive, series, position).map_or(f64::NAN, mean),
        DeriveOp::RollingStd => last_rows(derive, series, position).map_or(f64::NAN, sample_deviation),
        DeriveOp::Abs | DeriveOp::Log | DeriveOp::Ratio => series[position],
    }
}

fn last_rows<'a>(derive: &DeriveSpec, series: &'a [f64], position: usize) -> Option<&'a [f64]> {
    let window = derive.window.unwrap_or(1);
    (position + 1 >= window).then(|| &series[position + 1 - window..=position])
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn sample_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

/// Division by zero and logarithms of it give a missing value.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

/// Returns the rows of each entity in order; rows that are equal in order keep that of the table.
fn entities(derive: &DeriveSpec, frame: &Frame<'_>) -> Result<Vec<Vec<usize>>, TableError> {
    let order = frame.get(derive.order.as_deref().unwrap_or_default())?;
    let has_place = |row: &usize| compare(&order.values, *row, *row).is_some();
    let mut entities = match &derive.by {
        None => vec![(0..frame.n_rows()).filter(has_place).collect::<Vec<_>>()],
        Some(by) => {
            let entity_of_row = frame.get(by)?.as_texts();
            let mut rows_by_entity: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for row in (0..frame.n_rows()).filter(has_place) {
                if let Some(entity) = &entity_of_row[row] {
                    rows_by_entity.entry(entity).or_default().push(row);
                }
            }
            rows_by_entity.into_values().collect()
        }
    };
    for rows in &mut entities {
        rows.sort_by(|&left, &right| compare(&order.values, left, right).unwrap_or(Ordering::Equal));
    }
    Ok(entities)
}

/// Compares two rows of a column; `None` when a value is missing.
fn compare(values: &ColumnValues, left: usize, right: usize) -> Option<Ordering> {
    fn both<T: Ord>(left: Option<T>, right: Option<T>) -> Option<Ordering> {
        Some(left?.cmp(&right?))
    }
    match values {
        ColumnValues::Number(values) => values[left].partial_cmp(&values[right]),
        ColumnValues::Integer(values) => both(values[left], values[right]),
        ColumnValues::Boolean(values) => both(values[left], values[right]),
        ColumnValues::Text(values) => both(values[left].as_deref(), values[right].as_deref()),
        ColumnValues::Time(values) => both(values[left], values[right]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices() -> Table {
        Table::new(vec![
            Column::texts("symbol", ["B", "A", "A", "A", "B"]),
            Column::numbers("day", vec![2.0, 3.0, 1.0, 2.0, 1.0]),
            Column::numbers("close", vec![50.0, 12.0, 10.0, 11.0, 40.0]),
        ])
        .unwrap()
    }

    fn check(op: DeriveOp, adjust: impl Fn(&mut DeriveSpec), expected: [f64; 5]) {
        let mut spec = DeriveSpec {
            column: "derived".to_owned(),
            op,
            of: "close".to_owned(),
            by: Some("symbol".to_owned()),
            order: Some("day".to_owned()),
            periods: None,
            window: None,
            over: None,
        };
        adjust(&mut spec);
        let column = compute(&spec, &Frame::new(&prices())).unwrap();
        let values = column.as_numbers().unwrap();
        let same = values
            .iter()
            .zip(expected)
            .all(|(value, expected)| (value.is_nan() && expected.is_nan()) || (value - expected).abs() < 1e-12);
        assert!(same, "{op:?}: {values:?} is not {expected:?}");
    }

    const NONE: f64 = f64::NAN;

    #[test]
    fn rows_are_taken_in_order_within_their_entity() {
        check(DeriveOp::Lag, |_| {}, [40.0, 11.0, NONE, 10.0, NONE]);
        check(DeriveOp::Lag, |spec| spec.periods = Some(2), [NONE, 10.0, NONE, NONE, NONE]);
        check(DeriveOp::Lead, |_| {}, [NONE, NONE, 11.0, 12.0, 50.0]);
        check(DeriveOp::Diff, |_| {}, [10.0, 1.0, NONE, 1.0, NONE]);
        check(DeriveOp::PctChange, |_| {}, [0.25, 1.0 / 11.0, NONE, 0.1, NONE]);
        check(DeriveOp::RollingMean, |spec| spec.window = Some(2), [45.0, 11.5, NONE, 10.5, NONE]);
        let half = 0.5_f64.sqrt();
        check(DeriveOp::RollingStd, |spec| spec.window = Some(2), [50.0_f64.sqrt(), half, NONE, half, NONE]);
    }

    #[test]
    fn without_entity_all_rows_are_one() {
        let by_none = |spec: &mut DeriveSpec| spec.by = None;
        check(DeriveOp::Lag, by_none, [40.0, 11.0, NONE, 50.0, 10.0]);
    }

    #[test]
    fn a_division_by_zero_is_missing() {
        check(DeriveOp::Ratio, |spec| spec.over = Some("day".to_owned()), [25.0, 4.0, 10.0, 5.5, 40.0]);
        let mut table = prices();
        table.push(Column::numbers("zero", vec![0.0; 5])).unwrap();
        let spec = DeriveSpec {
            column: "ratio".to_owned(),
            op: DeriveOp::Ratio,
            of: "close".to_owned(),
            by: None,
            order: None,
            periods: None,
            window: None,
            over: Some("zero".to_owned()),
        };
        let column = compute(&spec, &Frame::new(&table)).unwrap();
        assert_eq!(column.values.n_missing(), 5);
    }
}
