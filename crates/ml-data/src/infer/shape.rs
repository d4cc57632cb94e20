//! What stands at one path.

use std::collections::HashMap;

use serde::Serialize;
use serde::ser::SerializeStruct as _;
use serde_json::Value;

use crate::instant::parse_instant;
use crate::normalise::read_money;

/// How many values are told apart.
const MAX_DISTINCT: usize = 10_000;

/// Longer texts are not counted as values.
const MAX_VALUE_BYTES: usize = 200;

/// Counts of what stands at a path in some records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// In how many records the path leads anywhere.
    pub n_records: u64,
    /// How many values there are; more than records where the path goes through arrays.
    pub n_values: u64,
    /// `null`.
    pub n_null: u64,
    /// Text of white space alone.
    pub n_blank: u64,
    /// Other text.
    pub n_text: u64,
    /// Numbers, whole ones included.
    pub n_number: u64,
    /// Whole numbers.
    pub n_integer: u64,
    /// Truth values.
    pub n_boolean: u64,
    /// Arrays.
    pub n_array: u64,
    /// Objects.
    pub n_object: u64,
    /// Texts that read as a number as it stands, such as `1.5`.
    pub n_numeric_text: u64,
    /// Texts that read as a number with a currency, or digits in groups, too.
    pub n_loose_numeric_text: u64,
    /// Texts that read as a date.
    pub n_date_text: u64,
    /// Texts with white space at an end.
    pub n_padded: u64,
    /// Words in all texts.
    pub n_words: u64,
    /// How often each value stands there, of texts, numbers and truth values.
    pub(super) values: HashMap<String, u64>,
    /// Whether there were more values than are told apart.
    pub(super) is_cut: bool,
    /// Every number, and every text that reads as one.
    pub(super) numbers: Vec<f64>,
    /// The length of every text in characters, and of every array in items.
    pub(super) lengths: Vec<usize>,
    /// The record that was seen last.
    last_record: u64,
}

impl Shape {
    /// Counts a value of the record with this number.
    pub(super) fn see(&mut self, value: &Value, record: u64) {
        if self.last_record != record {
            self.last_record = record;
            self.n_records += 1;
        }
        self.n_values += 1;
        match value {
            Value::Null => self.n_null += 1,
            Value::Bool(truth) => {
                self.n_boolean += 1;
                self.count(&truth.to_string());
            }
            Value::Number(number) => {
                self.n_number += 1;
                let as_float = number.as_f64().unwrap_or(f64::NAN);
                self.n_integer += u64::from(as_float.fract() == 0.0);
                self.numbers.extend(Some(as_float).filter(|number| number.is_finite()));
                self.count(&number.to_string());
            }
            Value::String(text) => self.see_text(text),
            Value::Array(items) => {
                self.n_array += 1;
                self.lengths.push(items.len());
            }
            Value::Object(_) => self.n_object += 1,
        }
    }

    fn see_text(&mut self, text: &str) {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            self.n_blank += 1;
            return;
        }
        self.n_text += 1;
        self.n_padded += u64::from(trimmed.len() != text.len());
        self.lengths.push(text.chars().count());
        self.n_words += text.split_whitespace().count() as u64;
        let plain = trimmed.parse::<f64>().ok().filter(|number| number.is_finite());
        self.n_numeric_text += u64::from(plain.is_some());
        let loose = plain.or_else(|| read_money(trimmed));
        self.n_loose_numeric_text += u64::from(loose.is_some());
        self.numbers.extend(loose);
        self.n_date_text += u64::from(loose.is_none() && parse_instant(&Value::from(trimmed), &[]).is_ok());
        if text.len() <= MAX_VALUE_BYTES {
            self.count(text);
        } else {
            self.is_cut = true;
        }
    }

    fn count(&mut self, value: &str) {
        if let Some(count) = self.values.get_mut(value) {
            *count += 1;
        } else if self.values.len() < MAX_DISTINCT {
            self.values.insert(value.to_owned(), 1);
        } else {
            self.is_cut = true;
        }
    }

    /// Returns how many values hold something.
    pub fn n_filled(&self) -> u64 {
        self.n_values - self.n_null - self.n_blank
    }

    /// Returns how many different values there are; absent where they are too many or too long to be told apart.
    pub fn n_distinct(&self) -> Option<usize> {
        (!self.is_cut).then_some(self.values.len())
    }

    /// Returns the values, most frequent first.
    pub(super) fn most_frequent(&self) -> Vec<(&str, u64)> {
        let mut values: Vec<(&str, u64)> = self.values.iter().map(|(value, count)| (value.as_str(), *count)).collect();
        values.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        values
    }

    /// Returns the numbers below which so many of a hundred lie: the least, 1, 50 and 99, and the greatest.
    pub fn quantiles(&self) -> Option<[f64; 5]> {
        let mut numbers = self.numbers.clone();
        numbers.sort_by(f64::total_cmp);
        let last = numbers.len().checked_sub(1)?;
        Some([0.0, 0.01, 0.5, 0.99, 1.0].map(|share| numbers[(share * last as f64).round() as usize]))
    }

    /// Returns the least and greatest length of texts and arrays.
    pub fn length_range(&self) -> Option<(usize, usize)> {
        Some((*self.lengths.iter().min()?, *self.lengths.iter().max()?))
    }
}

impl Serialize for Shape {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Shape", 23)?;
        for (name, count) in [
            ("n_records", self.n_records),
            ("n_values", self.n_values),
            ("n_null", self.n_null),
            ("n_blank", self.n_blank),
            ("n_text", self.n_text),
            ("n_number", self.n_number),
            ("n_integer", self.n_integer),
            ("n_boolean", self.n_boolean),
            ("n_array", self.n_array),
            ("n_object", self.n_object),
            ("n_numeric_text", self.n_numeric_text),
            ("n_loose_numeric_text", self.n_loose_numeric_text),
            ("n_date_text", self.n_date_text),
            ("n_padded", self.n_padded),
        ] {
            fields.serialize_field(name, &count)?;
        }
        fields.serialize_field("n_distinct", &self.n_distinct())?;
        let [min, p01, median, p99, max] = self.quantiles().map_or([None; 5], |quantiles| quantiles.map(Some));
        for (name, quantile) in [("min", min), ("p01", p01), ("median", median), ("p99", p99), ("max", max)] {
            fields.serialize_field(name, &quantile)?;
        }
        fields.serialize_field("min_length", &self.length_range().map(|(min, _)| min))?;
        fields.serialize_field("max_length", &self.length_range().map(|(_, max)| max))?;
        let frequent: Vec<(&str, u64)> = self.most_frequent().into_iter().take(5).collect();
        fields.serialize_field("most_frequent", &frequent)?;
        fields.end()
    }
}
