//! How the values of a column fall into few slices.

use std::collections::BTreeMap;

use ml_core::table::{Column, ColumnValues};

/// Numbers with more distinct values than that are cut into ranges.
const MAX_DISTINCT_NUMBERS: usize = 10;

/// Into how many ranges of about as many rows numbers are cut.
const N_RANGES: usize = 4;

/// The most categories that get a slice of their own; the rarer ones share one.
const MAX_CATEGORIES: usize = 20;

/// Texts are cut by their length when more of them than that are distinct.
const FREE_TEXT_SHARE: f64 = 0.5;

/// The slices of a column, and which one each of some rows is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceColumn {
    /// What was cut, such as `age` or `length of text`.
    pub name: String,
    /// What each slice holds.
    pub labels: Vec<String>,
    /// The slice of each row.
    pub slice_of: Vec<u32>,
}

impl SliceColumn {
    /// Cuts `column` at `rows`: categories and few numbers by value, many numbers and times into ranges of about as many rows,
    /// texts that hardly repeat by how long they are. Missing values are a slice of their own.
    ///
    /// # Panics
    /// If a row is not below the length of the column.
    pub fn of(column: &Column, rows: &[usize]) -> SliceColumn {
        match &column.values {
            ColumnValues::Time(times) => {
                let micros = rows.iter().map(|&row| times[row].map(|time| time.timestamp_micros() as f64)).collect();
                let show = |micros: f64| {
                    let mut times = rows.iter().filter_map(|&row| times[row]);
                    let time = times.find(|time| time.timestamp_micros() as f64 == micros);
                    time.map_or_else(String::new, |time| time.format("%F %T").to_string())
                };
                SliceColumn::of_ranges(&column.name, micros, &show)
            }
            ColumnValues::Boolean(_) | ColumnValues::Text(_) => SliceColumn::of_texts(column, rows),
            ColumnValues::Number(_) | ColumnValues::Integer(_) => {
                let Ok(numbers) = column.as_numbers() else { return SliceColumn::of_texts(column, rows) };
                let numbers: Vec<Option<f64>> =
                    rows.iter().map(|&row| Some(numbers[row]).filter(|number| !number.is_nan())).collect();
                let mut distinct: Vec<f64> = numbers.iter().flatten().copied().collect();
                distinct.sort_unstable_by(f64::total_cmp);
                distinct.dedup();
                if distinct.len() <= MAX_DISTINCT_NUMBERS {
                    let values = numbers.iter().map(|number| number.map(|number| number.to_string())).collect();
                    let order: Vec<String> = distinct.iter().map(ToString::to_string).collect();
                    return SliceColumn::of_values(&column.name, values, order);
                }
                SliceColumn::of_ranges(&column.name, numbers, &short)
            }
        }
    }

    fn of_texts(column: &Column, rows: &[usize]) -> SliceColumn {
        let texts = column.as_texts();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let values: Vec<Option<&str>> = rows.iter().map(|&row| texts[row].as_deref()).collect();
        for value in values.iter().flatten() {
            *counts.entry(value).or_default() += 1;
        }
        let n_present: usize = counts.values().sum();
        if counts.len() > MAX_CATEGORIES && counts.len() as f64 > FREE_TEXT_SHARE * n_present as f64 {
            let lengths = values.iter().map(|value| value.map(|value| value.chars().count() as f64)).collect();
            return SliceColumn::of_ranges(&format!("length of {}", column.name), lengths, &short);
        }
        let mut by_count: Vec<(&str, usize)> = counts.into_iter().collect();
        by_count.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(right.0)));
        by_count.truncate(MAX_CATEGORIES);
        let order = by_count.into_iter().map(|(value, _)| value.to_owned()).collect();
        SliceColumn::of_values(&column.name, values.iter().map(|value| value.map(str::to_owned)).collect(), order)
    }

    /// Makes a slice of each value of `order`, one of all others, and one of missing values.
    fn of_values(name: &str, values: Vec<Option<String>>, order: Vec<String>) -> SliceColumn {
        let place: BTreeMap<&str, u32> =
            order.iter().enumerate().map(|(place, value)| (value.as_str(), place as u32)).collect();
        let (others, missing) = (order.len() as u32, order.len() as u32 + 1);
        let slice_of = values
            .iter()
            .map(|value| value.as_ref().map_or(missing, |value| place.get(value.as_str()).copied().unwrap_or(others)))
            .collect();
        let mut labels: Vec<String> = order.iter().map(|value| shortened(value)).collect();
        labels.extend(["(others)".to_owned(), "(missing)".to_owned()]);
        SliceColumn { name: name.to_owned(), labels, slice_of }
    }

    /// Cuts numbers at their quantiles; equal numbers stay together.
    fn of_ranges(name: &str, numbers: Vec<Option<f64>>, show: &dyn Fn(f64) -> String) -> SliceColumn {
        let mut sorted: Vec<f64> = numbers.iter().flatten().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut cuts: Vec<f64> = Vec::new();
        if let (Some(&first), n_sorted) = (sorted.first(), sorted.len()) {
            cuts = (1..N_RANGES).map(|range| sorted[range * n_sorted / N_RANGES]).filter(|&cut| cut > first).collect();
            cuts.dedup();
        }
        let mut labels = Vec::new();
        for range in 0..=cuts.len() {
            labels.push(match (range.checked_sub(1).map(|below| cuts[below]), cuts.get(range)) {
                (None, Some(&to)) => format!("below {}", show(to)),
                (Some(from), Some(&to)) => format!("{} to below {}", show(from), show(to)),
                (Some(from), None) => format!("{} and above", show(from)),
                (None, None) => "any".to_owned(),
            });
        }
        let missing = labels.len() as u32;
        labels.push("(missing)".to_owned());
        let slice_of = numbers
            .iter()
            .map(|number| number.map_or(missing, |number| cuts.partition_point(|&cut| cut <= number) as u32))
            .collect();
        SliceColumn { name: name.to_owned(), labels, slice_of }
    }
}

/// Writes a number with four digits that count.
fn short(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    let size = number.abs();
    if !(1e-4..1e9).contains(&size) {
        return format!("{number:.3e}");
    }
    let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn shortened(value: &str) -> String {
    const MAX_CHARS: usize = 40;
    if value.is_empty() {
        return "(empty)".to_owned();
    }
    if value.chars().count() <= MAX_CHARS {
        return value.to_owned();
    }
    value.chars().take(MAX_CHARS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(sliced: &SliceColumn) -> Vec<(&str, usize)> {
        let size = |slice: usize| sliced.slice_of.iter().filter(|&&of| of as usize == slice).count();
        let all = sliced.labels.iter().enumerate().map(|(slice, label)| (label.as_str(), size(slice)));
        all.filter(|(_, size)| *size > 0).collect()
    }

    fn slice_all(column: &Column) -> SliceColumn {
        SliceColumn::of(column, &(0..column.values.len()).collect::<Vec<_>>())
    }

    #[test]
    fn categories_are_slices_by_size_and_missing_is_one() {
        let values = vec![Some("b".to_owned()), Some("a".to_owned()), Some("b".to_owned()), None, Some(String::new())];
        let sliced = slice_all(&Column { name: "c".to_owned(), values: ColumnValues::Text(values) });
        assert_eq!(sizes(&sliced), [("b", 2), ("(empty)", 1), ("a", 1), ("(missing)", 1)]);
    }

    #[test]
    fn many_numbers_are_cut_into_quarters_and_few_are_values() {
        let many = slice_all(&Column::numbers("n", (0..100).map(f64::from).collect()));
        assert_eq!(
            sizes(&many),
            [("below 25", 25), ("25 to below 50", 25), ("50 to below 75", 25), ("75 and above", 25)]
        );
        let few = slice_all(&Column::numbers("n", vec![10.0, 2.0, 10.0, f64::NAN]));
        assert_eq!(sizes(&few), [("2", 1), ("10", 2), ("(missing)", 1)]);
    }

    #[test]
    fn equal_numbers_are_not_torn_apart() {
        let mut numbers = vec![0.0; 90];
        numbers.extend((1..=12).map(f64::from));
        let sliced = slice_all(&Column::numbers("n", numbers));
        assert_eq!(sizes(&sliced).iter().map(|(_, size)| size).sum::<usize>(), 102);
        assert!(sizes(&sliced).iter().all(|(_, size)| *size == 102 || *size >= 12 || sizes(&sliced).len() > 1));
    }

    #[test]
    fn texts_that_hardly_repeat_are_cut_by_length() {
        let sliced = slice_all(&Column::texts("body", (1..=40).map(|length| "x".repeat(length))));
        assert_eq!(sliced.name, "length of body");
        assert_eq!(sizes(&sliced).len(), 4);
    }

    #[test]
    fn rare_categories_share_a_slice() {
        let values = (0..200).map(|row| if row < 100 { "big".to_owned() } else { format!("rare {}", row % 50) });
        let sliced = slice_all(&Column::texts("c", values));
        let sizes = sizes(&sliced);
        assert_eq!(sizes.len(), MAX_CATEGORIES + 1);
        assert_eq!(sizes[MAX_CATEGORIES], ("(others)", 200 - 100 - 2 * (MAX_CATEGORIES - 1)));
    }

    #[test]
    fn numbers_are_written_short() {
        assert_eq!(short(1234.5), "1234");
        assert_eq!(short(0.123_456), "0.1235");
        assert_eq!(short(2.0), "2");
        assert_eq!(short(1e12), "1.000e12");
    }
}
