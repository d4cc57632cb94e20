//! Which parts of a time the step `date_parts` takes.

use serde::{Deserialize, Serialize};

use crate::spec::fault::Fault;

/// Which parts of a time become features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatePartsSpec {
    /// The parts, in the order of the features.
    pub parts: Vec<DatePart>,
    /// Whether parts that come round again are given as a place on a circle, its sine and its cosine, so that December is
    /// next to January.
    pub cyclical: bool,
}

/// A part of a time, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// The year.
    Year,
    /// The quarter, from 1.
    Quarter,
    /// The month, from 1.
    Month,
    /// The week of the year after ISO 8601, from 1.
    Week,
    /// The day of the month, from 1.
    Day,
    /// The day of the year, from 1.
    DayOfYear,
    /// The day of the week; Monday is 0.
    Weekday,
    /// 1 on Saturdays and Sundays, else 0.
    Weekend,
    /// The hour.
    Hour,
    /// The minute.
    Minute,
    /// The second, without its fraction.
    Second,
    /// Days since 1970 with their fraction, which lets a model follow a trend.
    Epoch,
}

impl Default for DatePartsSpec {
    fn default() -> DatePartsSpec {
        let parts = vec![DatePart::Year, DatePart::Month, DatePart::Day, DatePart::Weekday, DatePart::Hour];
        DatePartsSpec { parts, cyclical: false }
    }
}

impl DatePart {
    /// Returns the name in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            DatePart::Year => "year",
            DatePart::Quarter => "quarter",
            DatePart::Month => "month",
            DatePart::Week => "week",
            DatePart::Day => "day",
            DatePart::DayOfYear => "day_of_year",
            DatePart::Weekday => "weekday",
            DatePart::Weekend => "weekend",
            DatePart::Hour => "hour",
            DatePart::Minute => "minute",
            DatePart::Second => "second",
            DatePart::Epoch => "epoch",
        }
    }
}

impl DatePartsSpec {
    pub(super) fn faults(&self, key: &str, faults: &mut Vec<Fault>) {
        if self.parts.is_empty() {
            faults.push(Fault::new(format!("{key}.parts"), "needs at least one part, such as `month`"));
        }
        for (index, part) in self.parts.iter().enumerate() {
            if self.parts[..index].contains(part) {
                let message = format!("`{}` is listed twice", part.name());
                faults.push(Fault::new(format!("{key}.parts[{index}]"), message));
            }
        }
    }
}
