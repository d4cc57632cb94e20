//! The step that brings amounts of money into one currency.

use std::collections::{BTreeMap, HashMap};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Conversion;
use super::number::OVERFLOW;
use crate::field::{FieldList, FieldPath, Fields};
use crate::instant::parse_instant;
use crate::reason::Reasons;
use crate::rule::is_currency;
use crate::shown::{shown, shown_text};

/// Arguments of [`crate::normalise::Step::ConvertCurrency`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvertCurrency {
    /// The fields to convert, which are numbers.
    pub fields: FieldList,
    /// The currency of amounts that do not say theirs.
    #[serde(default)]
    pub from: Option<String>,
    /// The field with the currency.
    #[serde(default)]
    pub from_field: Option<FieldPath>,
    /// The currency that they get.
    pub to: String,
    /// The field with the date whose rates count; for rates by date alone.
    #[serde(default)]
    pub date_field: Option<FieldPath>,
    /// Where the result goes, if not in place.
    #[serde(default)]
    pub into: Option<FieldPath>,
    /// What currencies are worth.
    pub rates: Rates,
}

/// What currencies are worth: how many units of each are one unit of `base`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RatesConfig", into = "RatesConfig")]
pub struct Rates {
    source: String,
    base: String,
    max_age_days: u64,
    /// By currency: the rates with the date they hold from, oldest first. A rate without a date holds always.
    by_currency: HashMap<String, Vec<(NaiveDate, f64)>>,
    is_dated: bool,
}

/// Rates as they are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RatesConfig {
    /// Who says so, such as `ECB euro foreign exchange reference rates`.
    source: String,
    /// The currency that the rates are for one unit of.
    base: String,
    /// Rates that hold whatever the date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<BTreeMap<String, f64>>,
    /// Rates by date, then currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by_date: Option<BTreeMap<String, BTreeMap<String, f64>>>,
    /// How many days a rate holds, until the next: over week ends and holidays.
    #[serde(default = "a_week")]
    max_age_days: u64,
    /// A file with columns `date`, `currency` and `rate`, which is read with the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

fn a_week() -> u64 {
    7
}

impl TryFrom<RatesConfig> for Rates {
    type Error = String;

    fn try_from(config: RatesConfig) -> Result<Rates, String> {
        let RatesConfig { source, base, table, by_date, max_age_days, file } = config;
        if let Some(file) = file {
            return Err(format!("`{file}` was not read: files stand beside pipeline.yaml"));
        }
        if source.trim().is_empty() {
            return Err("source is empty: say whose rates they are".to_owned());
        }
        let is_dated = by_date.is_some();
        known(&base)?;
        let dated = match (table, by_date) {
            (Some(table), None) => BTreeMap::from([(NaiveDate::MIN, table)]),
            (None, Some(by_date)) => dated(by_date)?,
            (Some(_), Some(_)) => return Err("both table and by_date are given, and one is needed".to_owned()),
            (None, None) => return Err("there are no rates: use table, by_date or file".to_owned()),
        };
        if dated.values().all(BTreeMap::is_empty) {
            return Err("there is no rate in table or by_date".to_owned());
        }
        let mut by_currency: HashMap<String, Vec<(NaiveDate, f64)>> = HashMap::new();
        for (date, rates) in dated {
            for (currency, rate) in rates {
                check_rate(&currency, rate)?;
                if currency == base && rate != 1.0 {
                    return Err(format!("the rate of {base} is {rate}, and it is the base: one of it is 1"));
                }
                by_currency.entry(currency).or_default().push((date, rate));
            }
        }
        Ok(Rates { source, base, max_age_days, by_currency, is_dated })
    }
}

impl From<Rates> for RatesConfig {
    fn from(rates: Rates) -> RatesConfig {
        let mut by_date: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for (currency, dated) in &rates.by_currency {
            for (date, rate) in dated {
                by_date.entry(date.to_string()).or_default().insert(currency.clone(), *rate);
            }
        }
        let (table, by_date) = if rates.is_dated {
            (None, Some(by_date))
        } else {
            (Some(by_date.into_values().next().unwrap_or_default()), None)
        };
        let Rates { source, base, max_age_days, .. } = rates;
        RatesConfig { source, base, table, by_date, max_age_days, file: None }
    }
}

fn dated(
    by_date: BTreeMap<String, BTreeMap<String, f64>>,
) -> Result<BTreeMap<NaiveDate, BTreeMap<String, f64>>, String> {
    let mut dated = BTreeMap::new();
    for (text, rates) in by_date {
        let date = date_of_rates(&text)?;
        if dated.insert(date, rates).is_some() {
            return Err(format!("by_date has {date} twice"));
        }
    }
    Ok(dated)
}

/// Reads the date from which rates hold.
pub(crate) fn date_of_rates(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("{} is not a date such as 2024-05-31", shown_text(text)))
}

/// Returns what is wrong with a rate, if anything is.
pub(crate) fn check_rate(currency: &str, rate: f64) -> Result<(), String> {
    if !(rate > 0.0 && rate.is_finite()) {
        return Err(format!("the rate of {currency} is {rate}: a number above 0 is needed"));
    }
    known(currency)
}

fn known(code: &str) -> Result<(), String> {
    if is_currency(code) { Ok(()) } else { Err(format!("`{code}` is not a currency code of ISO 4217")) }
}

impl Rates {
    /// Returns how many units of `currency` are one of the base, on `date` where rates have dates.
    fn find(&self, currency: &str, date: Option<NaiveDate>) -> Result<f64, String> {
        if currency == self.base {
            return Ok(1.0);
        }
        let missing = || format!("there is no rate of {} ({})", shown_text(currency), self.source);
        let rates = self.by_currency.get(currency).ok_or_else(missing)?;
        if !self.is_dated {
            return rates.first().map(|(_, rate)| *rate).ok_or_else(missing);
        }
        let date = date.ok_or("there is no date to take the rate of")?;
        let n_before = rates.partition_point(|(from, _)| *from <= date);
        let newest = n_before.checked_sub(1).map(|last| rates[last]);
        let fresh = newest
            .filter(|(from, _)| from.checked_add_days(Days::new(self.max_age_days)).is_none_or(|until| date <= until));
        fresh.map(|(_, rate)| rate).ok_or_else(|| format!("{} for {date}", missing()))
    }

    /// Converts an amount; both currencies are worth what they are on `date`.
    fn convert(&self, amount: f64, from: &str, to: &str, date: Option<NaiveDate>) -> Result<f64, String> {
        if from == to {
            return Ok(amount);
        }
        let converted = amount / self.find(from, date)? * self.find(to, date)?;
        if converted.is_finite() { Ok(converted) } else { Err(OVERFLOW.to_owned()) }
    }
}

impl ConvertCurrency {
    pub(super) fn fault(&self) -> Option<String> {
        if let Some(fault) = self.from.iter().chain([&self.to]).find_map(|code| known(code).err()) {
            return Some(fault);
        }
        if self.from.is_none() && self.from_field.is_none() {
            return Some("nothing says which currency amounts have: use from or from_field".to_owned());
        }
        if self.rates.is_dated && self.date_field.is_none() {
            return Some("the rates have dates, and date_field names no field".to_owned());
        }
        let fault = super::fault_of_into(&self.fields, self.into.as_ref());
        fault.or_else(|| self.fields.fault_beside(self.from_field.iter().chain(&self.date_field)))
    }

    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        let beside = [self.from_field.as_ref(), self.date_field.as_ref()];
        let conversion =
            Conversion { step: "convert_currency", fields: &self.fields, into: self.into.as_ref(), beside };
        super::convert_each(conversion, fields, reasons, |value, [from, date]| {
            let amount = value.as_f64().ok_or_else(|| format!("{} is not a number", shown(value)))?;
            let from = match from {
                Some(Value::String(code)) => Some(code),
                Some(other) => return Err(format!("{} is not a currency", shown(other))),
                None => self.from.as_ref(),
            };
            let from = from.ok_or_else(|| format!("{} has no currency", shown(value)))?;
            let date = date.as_ref().and_then(|value| parse_instant(value, &[]).ok());
            self.rates.convert(amount, from, &self.to, date.map(|instant| instant.date_naive())).map(Value::from)
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rates(value: Value) -> Result<Rates, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn the_last_rate_before_the_date_counts_for_a_while() {
        let rates = rates(json!({
            "source": "invented", "base": "EUR", "max_age_days": 3,
            "by_date": {"2024-05-31": {"USD": 1.1}, "2024-06-03": {"USD": 1.2, "NOK": 11.5}},
        }))
        .unwrap();
        let convert = |date: &str| rates.convert(110.0, "USD", "EUR", date.parse().ok());
        assert!((convert("2024-06-01").unwrap() - 100.0).abs() < 1e-9);
        assert!((convert("2024-06-03").unwrap() - 110.0 / 1.2).abs() < 1e-9);
        assert_eq!(convert("2024-05-30").unwrap_err(), "there is no rate of `USD` (invented) for 2024-05-30");
        assert!(convert("2024-06-07").is_err(), "the rate is too old");
        assert_eq!(rates.convert(1.0, "EUR", "EUR", None), Ok(1.0));
        assert!((rates.convert(1.2, "USD", "NOK", "2024-06-04".parse().ok()).unwrap() - 11.5).abs() < 1e-9);
        assert_eq!(rates.convert(1.0, "SEK", "EUR", None).unwrap_err(), "there is no rate of `SEK` (invented)");
        let again: Rates = serde_json::from_value(json!(rates)).unwrap();
        assert_eq!(again, rates);
    }

    #[test]
    fn what_is_wrong_with_rates_is_named() {
        for (given, message) in [
            (json!({}), "there are no rates: use table, by_date or file"),
            (json!({"table": {"USD": 1}, "by_date": {}}), "both table and by_date are given, and one is needed"),
            (json!({"table": {}}), "there is no rate in table or by_date"),
            (json!({"by_date": {"2024-05-31": {}}}), "there is no rate in table or by_date"),
            (json!({"by_date": {"2024-13-01": {"USD": 1}}}), "`2024-13-01` is not a date such as 2024-05-31"),
            (json!({"by_date": {"2024-5-31": {"USD": 1}, "2024-05-31": {"USD": 2}}}), "by_date has 2024-05-31 twice"),
            (json!({"table": {"EUR": 1.1}}), "the rate of EUR is 1.1, and it is the base: one of it is 1"),
        ] {
            let mut arguments = json!({"source": "x", "base": "EUR"});
            arguments.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
            assert_eq!(rates(arguments).unwrap_err(), message);
        }
        assert!(rates(json!({"source": "x", "base": "EUR", "table": {"EUR": 1, "USD": 1.1}})).is_ok());
    }

    #[test]
    fn wrong_rates_are_faults() {
        for value in [
            json!({"source": "x", "base": "EUR"}),
            json!({"source": " ", "base": "EUR", "table": {}}),
            json!({"source": "x", "base": "EURO", "table": {}}),
            json!({"source": "x", "base": "EUR", "table": {"USD": 0}}),
            json!({"source": "x", "base": "EUR", "table": {"US": 1}}),
            json!({"source": "x", "base": "EUR", "file": "rates.csv"}),
        ] {
            assert!(rates(value.clone()).is_err(), "{value}");
        }
    }
}
