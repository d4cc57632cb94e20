//! Computing derived columns: stateless, so that serving computes them as training did.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ml_core::table::{Column, ColumnKind, ColumnValues, Table, TableError};

use crate::frame::Frame;
use crate::spec::{DeriveOp, DeriveSpec, PipelineSpec};
use crate::unfit::read_time;

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
    let column = frame.get(&derive.of)?;
    if derive.op.moves() && matches!(column.values.kind(), ColumnKind::Text | ColumnKind::Time) {
        return moved(derive, frame, column);
    }
    let of = column.as_numbers()?;
    let values = match derive.op {
        DeriveOp::Abs => of.iter().map(|value| value.abs()).collect(),
        DeriveOp::Log => of.iter().map(|value| finite(value.ln())).collect(),
        DeriveOp::Ratio | DeriveOp::Minus => {
            let over = frame.get(derive.over.as_deref().unwrap_or_default())?.as_numbers()?;
            let combine = |(of, over): (&f64, &f64)| if derive.op == DeriveOp::Ratio { of / over } else { of - over };
            of.iter().zip(over.iter()).map(combine).map(finite).collect()
        }
        _ => over_entities(derive, frame, &of)?,
    };
    Ok(Column::numbers(&*derive.column, values))
}

/// Takes the texts, or times, of other rows of the same entity.
fn moved(derive: &DeriveSpec, frame: &Frame<'_>, column: &Column) -> Result<Column, TableError> {
    let mut from: Vec<Option<usize>> = vec![None; column.values.len()];
    for rows in entities(derive, frame)? {
        for (position, &row) in rows.iter().enumerate() {
            let other = match derive.op {
                DeriveOp::Lead => position.checked_add(derive.periods()),
                _ => position.checked_sub(derive.periods()),
            };
            from[row] = other.and_then(|other| rows.get(other)).copied();
        }
    }
    let values = match &column.values {
        ColumnValues::Text(values) => ColumnValues::Text(taken(values, &from)),
        ColumnValues::Time(values) => ColumnValues::Time(taken(values, &from)),
        _ => ColumnValues::Number(column.as_numbers()?.into_owned()),
    };
    Ok(Column { name: derive.column.clone(), values })
}

/// Returns the value of the row that stands at each place of `from`.
fn taken<T: Clone>(values: &[Option<T>], from: &[Option<usize>]) -> Vec<Option<T>> {
    from.iter().map(|row| row.and_then(|row| values[row].clone())).collect()
}

/// Computes a value for each row from the rows of its entity in order. A row without entity or place has none.
fn over_entities(derive: &DeriveSpec, frame: &Frame<'_>, of: &[f64]) -> Result<Vec<f64>, TableError> {
    let mut values = vec![f64::NAN; of.len()];
    let times = derive.within.as_ref().map(|_| instants(derive, frame)).transpose()?;
    for rows in entities(derive, frame)? {
        let series: Vec<f64> = rows.iter().map(|&row| of[row]).collect();
        // Where a window of time begins moves forwards with its end.
        let mut begin = 0;
        for (position, &row) in rows.iter().enumerate() {
            let value = match (&times, &derive.within) {
                (Some(times), Some(within)) => {
                    let is_past =
                        |&row: &usize, now: i64| times[row].is_none_or(|then| now - then >= within.microseconds());
                    let Some(now) = times[row] else { continue };
                    while begin < position && is_past(&rows[begin], now) {
                        begin += 1;
                    }
                    let end = position + usize::from(!derive.exclude_current);
                    rolled(derive.op, series[begin..end].iter().copied().filter(|value| !value.is_nan()))
                }
                _ => value_at(derive, &series, position),
            };
            values[row] = finite(value);
        }
    }
    Ok(values)
}

/// Returns the times that put rows in order, in microseconds; a row without one has no place.
fn instants(derive: &DeriveSpec, frame: &Frame<'_>) -> Result<Vec<Option<i64>>, TableError> {
    let order = frame.get(derive.order.as_deref().unwrap_or_default())?;
    Ok(match &order.values {
        ColumnValues::Text(texts) => {
            texts.iter().map(|text| Some(read_time(text.as_deref()?)?.timestamp_micros())).collect()
        }
        _ => order.as_times()?.iter().map(|time| Some(time.as_ref()?.timestamp_micros())).collect(),
    })
}

fn value_at(derive: &DeriveSpec, series: &[f64], position: usize) -> f64 {
    let periods = derive.periods();
    let earlier = position.checked_sub(periods).map_or(f64::NAN, |earlier| series[earlier]);
    match derive.op {
        DeriveOp::Lag => earlier,
        DeriveOp::Lead => {
            position.checked_add(periods).and_then(|later| series.get(later)).copied().unwrap_or(f64::NAN)
        }
        DeriveOp::Diff => series[position] - earlier,
        DeriveOp::PctChange => series[position] / earlier - 1.0,
        op => {
            let end = position + usize::from(!derive.exclude_current);
            let window = derive.window.unwrap_or(1);
            let last_rows = &series[end.saturating_sub(window)..end];
            // Fewer rows can be counted, but stand for nothing else.
            if op == DeriveOp::RollingCount {
                rolled(op, last_rows.iter().copied().filter(|value| !value.is_nan()))
            } else if last_rows.len() < window || last_rows.iter().any(|value| value.is_nan()) {
                f64::NAN
            } else {
                rolled(op, last_rows.iter().copied())
            }
        }
    }
}

/// Returns what a window of values comes to; of none, their number alone.
fn rolled(op: DeriveOp, values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    if count == 0.0 && op != DeriveOp::RollingCount {
        return f64::NAN;
    }
    match op {
        DeriveOp::RollingMin => values.fold(f64::INFINITY, f64::min),
        DeriveOp::RollingMax => values.fold(f64::NEG_INFINITY, f64::max),
        DeriveOp::RollingSum => values.sum(),
        DeriveOp::RollingCount => count,
        DeriveOp::RollingStd => {
            let mean = values.clone().sum::<f64>() / count;
            // The deviation of one value is 0 / 0, and therefore missing.
            (values.map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
        }
        _ => values.sum::<f64>() / count,
    }
}

/// Division by zero and logarithms of it give a missing value.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

/// Returns the rows of each entity in order; rows that are equal in order keep that of the table.
pub(crate) fn entities(derive: &DeriveSpec, frame: &Frame<'_>) -> Result<Vec<Vec<usize>>, TableError> {
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
pub(crate) fn compare(values: &ColumnValues, left: usize, right: usize) -> Option<Ordering> {
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
            within: None,
            exclude_current: false,
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
    fn windows_count_what_there_is_and_may_leave_the_current_row_out() {
        let window = |n: usize| move |spec: &mut DeriveSpec| spec.window = Some(n);
        check(DeriveOp::RollingMin, window(2), [40.0, 11.0, NONE, 10.0, NONE]);
        check(DeriveOp::RollingMax, window(2), [50.0, 12.0, NONE, 11.0, NONE]);
        check(DeriveOp::RollingSum, window(2), [90.0, 23.0, NONE, 21.0, NONE]);
        check(DeriveOp::RollingCount, window(2), [2.0, 2.0, 1.0, 2.0, 1.0]);
        let before = |spec: &mut DeriveSpec| {
            spec.window = Some(1);
            spec.exclude_current = true;
        };
        check(DeriveOp::RollingSum, before, [40.0, 11.0, NONE, 10.0, NONE]);
        check(DeriveOp::RollingCount, before, [1.0, 1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn texts_can_be_moved() {
        let mut table = prices();
        table.push(Column::texts("label", ["e", "c", "a", "b", "d"])).unwrap();
        let yaml = "{column: before, op: lag, of: label, by: symbol, order: day}";
        let spec: DeriveSpec = serde_yaml_ng::from_str(yaml).unwrap();
        let column = compute(&spec, &Frame::new(&table)).unwrap();
        let moved = column.as_texts();
        let expected = [Some("d"), Some("b"), None, Some("a"), None];
        assert_eq!(moved.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
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
            within: None,
            exclude_current: false,
            over: Some("zero".to_owned()),
        };
        let column = compute(&spec, &Frame::new(&table)).unwrap();
        assert_eq!(column.values.n_missing(), 5);
    }
}
