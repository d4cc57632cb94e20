//! Parts of times as numbers.

use std::borrow::Cow;
use std::f64::consts::TAU;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Deserialize, Serialize};

use super::{Block, TransformContext, Transformer, wrong_block};
use crate::error::PredictError;
use crate::spec::{DatePart, DatePartsSpec};

const MICROSECONDS_PER_DAY: f64 = 86_400e6;

/// Takes parts of times. Missing times have missing parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateParts {
    parts: Vec<DatePart>,
    cyclical: bool,
}

impl From<&DatePartsSpec> for DateParts {
    fn from(spec: &DatePartsSpec) -> DateParts {
        DateParts { parts: spec.parts.clone(), cyclical: spec.cyclical }
    }
}

/// One of the numbers that come of a time.
#[derive(Debug, Clone, Copy)]
enum Output {
    Value(DatePart),
    /// The place of a part on a circle of so many steps.
    Sine(DatePart, f64),
    Cosine(DatePart, f64),
}

impl DateParts {
    fn outputs(&self) -> Vec<Output> {
        let outputs = |&part: &DatePart| match cycle(part) {
            Some(cycle) if self.cyclical => vec![Output::Sine(part, cycle), Output::Cosine(part, cycle)],
            _ => vec![Output::Value(part)],
        };
        self.parts.iter().flat_map(outputs).collect()
    }
}

/// After how many steps a part comes round again; `None` for those that do not.
fn cycle(part: DatePart) -> Option<f64> {
    match part {
        DatePart::Quarter => Some(4.0),
        DatePart::Month => Some(12.0),
        DatePart::Week => Some(53.0),
        DatePart::Day => Some(31.0),
        DatePart::DayOfYear => Some(366.0),
        DatePart::Weekday => Some(7.0),
        DatePart::Hour => Some(24.0),
        DatePart::Minute | DatePart::Second => Some(60.0),
        DatePart::Year | DatePart::Weekend | DatePart::Epoch => None,
    }
}

fn value(part: DatePart, time: &DateTime<Utc>) -> f64 {
    let weekday = time.weekday().num_days_from_monday();
    match part {
        DatePart::Year => f64::from(time.year()),
        DatePart::Quarter => f64::from(time.month0() / 3 + 1),
        DatePart::Month => f64::from(time.month()),
        DatePart::Week => f64::from(time.iso_week().week()),
        DatePart::Day => f64::from(time.day()),
        DatePart::DayOfYear => f64::from(time.ordinal()),
        DatePart::Weekday => f64::from(weekday),
        DatePart::Weekend => f64::from(u8::from(weekday >= 5)),
        DatePart::Hour => f64::from(time.hour()),
        DatePart::Minute => f64::from(time.minute()),
        DatePart::Second => f64::from(time.second()),
        DatePart::Epoch => time.timestamp_micros() as f64 / MICROSECONDS_PER_DAY,
    }
}

impl Output {
    fn name(self) -> String {
        match self {
            Output::Value(part) => part.name().to_owned(),
            Output::Sine(part, _) => format!("{}_sin", part.name()),
            Output::Cosine(part, _) => format!("{}_cos", part.name()),
        }
    }

    fn of(self, time: &DateTime<Utc>) -> f64 {
        match self {
            Output::Value(part) => value(part, time),
            Output::Sine(part, cycle) => (value(part, time) / cycle * TAU).sin(),
            Output::Cosine(part, cycle) => (value(part, time) / cycle * TAU).cos(),
        }
    }
}

impl Transformer for DateParts {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs * self.outputs().len()
    }

    fn name_outputs(&self, inputs: Vec<String>) -> Vec<String> {
        let outputs = self.outputs();
        inputs.iter().flat_map(|input| outputs.iter().map(move |output| format!("{input}.{}", output.name()))).collect()
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        let Block::Times(columns) = block else { return Err(wrong_block("times")) };
        let mut numbers = Vec::with_capacity(self.n_outputs(columns.len()));
        for column in &columns {
            for output in self.outputs() {
                let part = |time: &Option<DateTime<Utc>>| time.as_ref().map_or(f64::NAN, |time| output.of(time));
                numbers.push(Cow::Owned(column.iter().map(part).collect()));
            }
        }
        Ok(Block::Numbers(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unfit::read_time;

    fn transform(spec: &DatePartsSpec, times: &[&str]) -> Vec<Vec<f64>> {
        let column = times.iter().map(|text| read_time(text)).collect();
        let step = DateParts::from(spec);
        let block = step.transform(Block::Times(vec![column]), &mut TransformContext::default()).unwrap();
        block.numbers().unwrap().iter().map(|column| column.to_vec()).collect()
    }

    #[test]
    fn a_missing_time_has_missing_parts() {
        let parts = transform(&DatePartsSpec::default(), &["", "2026-11-27T16:30:00Z"]);
        assert!(parts.iter().all(|part| part[0].is_nan()));
        assert_eq!(parts.iter().map(|part| part[1]).collect::<Vec<_>>(), [2026.0, 11.0, 27.0, 4.0, 16.0]);
    }

    #[test]
    fn what_comes_round_is_on_a_circle_and_the_rest_is_not() {
        let spec = DatePartsSpec { parts: vec![DatePart::Year, DatePart::Hour], cyclical: true };
        let parts = transform(&spec, &["2026-11-27T06:00:00Z"]);
        assert_eq!(parts[0], [2026.0]);
        assert!((parts[1][0] - 1.0).abs() < 1e-15 && parts[2][0].abs() < 1e-15, "{parts:?}");
        let names = DateParts::from(&spec).name_outputs(vec!["at".to_owned()]);
        assert_eq!(names, ["at.year", "at.hour_sin", "at.hour_cos"]);
    }
}
