//! Instants as applications write them.

use chrono::format::{Item, Parsed, StrftimeItems};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use ml_core::clock::to_microseconds;

use crate::shown::shown;

/// Events before this year are taken for faults.
const FIRST_YEAR: i32 = 1700;
/// Events after this year are taken for faults.
const LAST_YEAR: i32 = 2199;

/// A way to write an instant: one of the names below, or a pattern in the syntax of `strftime`.
///
/// Text without an offset is UTC, and a date without a time is its midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstantFormat {
    /// RFC 3339, ISO 8601 without an offset, a date `YYYY-MM-DD`, or RFC 2822. Written `iso`.
    Iso,
    /// Seconds since 1970. Written `unix`.
    UnixSeconds,
    /// Milliseconds since 1970. Written `unix_ms`.
    UnixMilliseconds,
    /// A pattern such as `%d.%m.%Y %H:%M`.
    Pattern(String),
}

/// Why a value is not an instant that can be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInstant {
    /// It does not read as one.
    #[error("{0} is not a date or time that is understood, such as 2024-05-31 or 2024-05-31T08:30:00Z")]
    Unreadable(String),
    /// It is too far off to be meant.
    #[error("{0} is outside the accepted years {FIRST_YEAR} to {LAST_YEAR}")]
    OutOfRange(String),
}

impl InstantFormat {
    /// Reads the name of a format, or checks a pattern.
    ///
    /// # Errors
    /// The reason in words, for a pattern with an unknown letter or without one at all, or one that never gives a date.
    pub fn parse(text: &str) -> Result<InstantFormat, String> {
        match text {
            "iso" => return Ok(InstantFormat::Iso),
            "unix" => return Ok(InstantFormat::UnixSeconds),
            "unix_ms" => return Ok(InstantFormat::UnixMilliseconds),
            _ => {}
        }
        let unknown = StrftimeItems::new(text).any(|item| item == Item::Error);
        if unknown || !text.contains('%') {
            return Err(format!("`{text}` is not a date format: use iso, unix, unix_ms or a pattern such as %d.%m.%Y"));
        }
        if !gives_instant(text) {
            return Err(format!(
                "`{text}` gives no date: year, month and day are needed, and beside an hour `%I` also `%p`"
            ));
        }
        Ok(InstantFormat::Pattern(text.to_owned()))
    }

    fn read(&self, value: &Value, zone: Option<Tz>) -> Option<DateTime<Utc>> {
        match (self, value) {
            (InstantFormat::Iso, Value::String(text)) => read_iso(text.trim(), zone),
            (InstantFormat::UnixSeconds, _) => from_seconds(number(value)?),
            (InstantFormat::UnixMilliseconds, _) => from_seconds(number(value)? / 1e3),
            (InstantFormat::Pattern(pattern), Value::String(text)) => read_pattern(text.trim(), pattern, zone),
            (InstantFormat::Pattern(pattern), Value::Number(number)) => {
                read_pattern(&number.to_string(), pattern, zone)
            }
            _ => None,
        }
    }
}

/// Reads `value` in the first of `formats` that fits and gives an accepted year, cut to microseconds.
///
/// Without formats, text is read as [`InstantFormat::Iso`], and a number as time since 1970 in seconds, milliseconds,
/// microseconds or nanoseconds, whichever gives a plausible year.
///
/// # Errors
/// [`InvalidInstant`]; an instant outside the years 1700 to 2199 is one too.
pub fn parse_instant(value: &Value, formats: &[InstantFormat]) -> Result<DateTime<Utc>, InvalidInstant> {
    parse_instant_in(value, formats, None)
}

/// Reads `value` like [`parse_instant`]; what is written without an offset is the local time of `zone`.
///
/// Of a local time that was twice, when clocks went back, it is the first; one that never was, when they went forward, is as much
/// later as they went.
///
/// # Errors
/// [`InvalidInstant`], as there.
pub fn parse_instant_in(
    value: &Value,
    formats: &[InstantFormat],
    zone: Option<Tz>,
) -> Result<DateTime<Utc>, InvalidInstant> {
    let usual = || match value {
        Value::String(text) => read_iso(text.trim(), zone),
        Value::Number(_) => number(value).and_then(|number| from_seconds(number / scale_of(number))),
        _ => None,
    };
    let without_formats = if formats.is_empty() { usual() } else { None };
    let mut is_read = false;
    for instant in without_formats.into_iter().chain(formats.iter().filter_map(|format| format.read(value, zone))) {
        if is_plausible(instant) {
            return Ok(to_microseconds(instant));
        }
        is_read = true;
    }
    Err(if is_read { InvalidInstant::OutOfRange(shown(value)) } else { InvalidInstant::Unreadable(shown(value)) })
}

/// Returns the one way in which instants are written into normalised records: RFC 3339 in UTC.
pub fn print_instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn is_plausible(instant: DateTime<Utc>) -> bool {
    use chrono::Datelike as _;
    (FIRST_YEAR..=LAST_YEAR).contains(&instant.year())
}

fn read_iso(text: &str, zone: Option<Tz>) -> Option<DateTime<Utc>> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.to_utc());
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return in_zone(date.and_time(NaiveTime::MIN), zone);
    }
    for pattern in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(instant) = NaiveDateTime::parse_from_str(text, pattern) {
            return in_zone(instant, zone);
        }
    }
    // White space in a pattern stands for any, or none.
    for pattern in ["%Y-%m-%dT%H:%M:%S%.f %#z", "%Y-%m-%d %H:%M:%S%.f %#z", "%Y-%m-%dT%H:%M %#z", "%Y-%m-%d %H:%M %#z"]
    {
        if let Ok(instant) = DateTime::parse_from_str(text, pattern) {
            return Some(instant.to_utc());
        }
    }
    if let Some(text) = text.strip_suffix(" UTC") {
        return read_iso(text, None);
    }
    DateTime::parse_from_rfc2822(text).ok().map(|instant| instant.to_utc())
}

fn read_pattern(text: &str, pattern: &str, zone: Option<Tz>) -> Option<DateTime<Utc>> {
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text, StrftimeItems::new(pattern)).ok()?;
    let offset = parsed.offset();
    let local = if parsed.timestamp().is_some() {
        let utc = parsed.to_naive_datetime_with_offset(offset.unwrap_or(0)).ok()?;
        match offset {
            None => return Some(utc.and_utc()),
            Some(_) => utc,
        }
    } else {
        parsed.to_naive_date().ok()?.and_time(time_of(&mut parsed)?)
    };
    match offset {
        None => in_zone(local, zone),
        Some(seconds) => {
            let instant = local.and_local_timezone(FixedOffset::east_opt(seconds)?).single()?;
            Some(instant.to_utc())
        }
    }
}

/// Returns the time of day that was read, midnight where none was; nothing where it is not whole, as an hour of twelve alone.
fn time_of(parsed: &mut Parsed) -> Option<NaiveTime> {
    let parts = [parsed.hour_div_12(), parsed.hour_mod_12(), parsed.minute(), parsed.second(), parsed.nanosecond()];
    if parts.iter().all(Option::is_none) {
        return Some(NaiveTime::MIN);
    }
    if parsed.minute().is_none() && parsed.second().is_none() {
        parsed.set_minute(0).ok()?;
    }
    parsed.to_naive_time().ok()
}

/// Returns whether a pattern can give an instant: whether it reads one that it has written itself.
fn gives_instant(pattern: &str) -> bool {
    use std::fmt::Write as _;
    let Some(instant) = DateTime::from_timestamp(1_717_166_146, 0) else { return false };
    // These can be read alone, and take what `%:z` writes.
    let written = pattern.replace("%#z", "%:z").replace("%:::z", "%:z");
    let mut text = String::new();
    write!(text, "{}", instant.format(&written)).is_ok() && read_pattern(text.trim(), pattern, None).is_some()
}

fn in_zone(local: NaiveDateTime, zone: Option<Tz>) -> Option<DateTime<Utc>> {
    let Some(zone) = zone else { return Some(local.and_utc()) };
    if let Some(instant) = local.and_local_timezone(zone).earliest() {
        return Some(instant.to_utc());
    }
    // Clocks go forward by an hour almost everywhere; the offset before them holds for the time that was left out.
    let before = local.checked_sub_signed(TimeDelta::hours(3))?.and_local_timezone(zone).earliest()?;
    before.checked_add_signed(TimeDelta::hours(3)).map(|instant| instant.to_utc())
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Guesses how many units make a second: a time in seconds stays below 10¹¹ until the year 5138.
fn scale_of(number: f64) -> f64 {
    match number.abs() {
        size if size < 1e11 => 1.0,
        size if size < 1e14 => 1e3,
        size if size < 1e17 => 1e6,
        _ => 1e9,
    }
}

fn from_seconds(seconds: f64) -> Option<DateTime<Utc>> {
    let microseconds = (seconds * 1e6).round();
    (microseconds.abs() < 9e18).then(|| DateTime::from_timestamp_micros(microseconds as i64))?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(value: Value, expected: &str) {
        let instant = parse_instant(&value, &[]).unwrap_or_else(|error| panic!("{value}: {error}"));
        assert_eq!(print_instant(instant), expected, "{value}");
    }

    #[test]
    fn the_usual_forms_are_read() {
        check(json!("2024-05-31"), "2024-05-31T00:00:00Z");
        check(json!("2024-05-31T08:30:00Z"), "2024-05-31T08:30:00Z");
        check(json!("2024-05-31T08:30:00.25+02:00"), "2024-05-31T06:30:00.250Z");
        check(json!("2024-05-31 08:30:00"), "2024-05-31T08:30:00Z");
        check(json!("2024-05-31 08:30:00+0200"), "2024-05-31T06:30:00Z");
        check(json!("2024-05-31 08:30:00 UTC"), "2024-05-31T08:30:00Z");
        check(json!("2024-05-31 08:30:00 +02:00"), "2024-05-31T06:30:00Z");
        check(json!("2024-05-31 08:30:00.5Z"), "2024-05-31T08:30:00.500Z");
        check(json!("2024-05-31T08:30Z"), "2024-05-31T08:30:00Z");
        check(json!("2024-05-31T08:30+02"), "2024-05-31T06:30:00Z");
        check(json!("2024-05-31 08:30 +0200"), "2024-05-31T06:30:00Z");
        check(json!("2024-05-31 08:30 UTC"), "2024-05-31T08:30:00Z");
        check(json!("2024-05-31T08:30"), "2024-05-31T08:30:00Z");
        check(json!("Fri, 31 May 2024 08:30:00 +0000"), "2024-05-31T08:30:00Z");
        check(json!(1_717_144_200), "2024-05-31T08:30:00Z");
        check(json!(1_717_144_200_500_i64), "2024-05-31T08:30:00.500Z");
    }

    #[test]
    fn what_is_no_plausible_instant_is_refused() {
        for value in [json!("1582-10-15"), json!("9999-12-31"), json!("2200-01-01"), json!("1699-12-31T23:59:59Z")] {
            assert!(matches!(parse_instant(&value, &[]), Err(InvalidInstant::OutOfRange(_))), "{value}");
        }
        for value in [json!("soon"), json!("2024-02-30"), json!(true), json!([]), json!("")] {
            assert!(matches!(parse_instant(&value, &[]), Err(InvalidInstant::Unreadable(_))), "{value}");
        }
    }

    #[test]
    fn given_formats_replace_the_usual_ones() {
        let formats = [InstantFormat::parse("%d.%m.%Y").unwrap(), InstantFormat::parse("%Y%m%d").unwrap()];
        let read = |value| parse_instant(&value, &formats).map(print_instant);
        assert_eq!(read(json!("31.05.2024")).unwrap(), "2024-05-31T00:00:00Z");
        assert_eq!(read(json!(20_240_531)).unwrap(), "2024-05-31T00:00:00Z");
        assert!(read(json!("2024-05-31")).is_err());
        assert!(InstantFormat::parse("dd.mm").is_err());
        assert!(InstantFormat::parse("%Q").is_err());
    }

    #[test]
    fn the_next_format_is_tried_where_one_gives_no_accepted_year() {
        let read = |value: Value, formats: &[&str]| {
            let formats: Vec<InstantFormat> = formats.iter().map(|text| InstantFormat::parse(text).unwrap()).collect();
            parse_instant(&value, &formats).map(print_instant)
        };
        let milliseconds = json!(1_709_200_800_000_i64);
        assert_eq!(read(milliseconds.clone(), &["iso", "unix", "unix_ms"]).unwrap(), "2024-02-29T10:00:00Z");
        assert_eq!(read(json!("29.02.24"), &["%d.%m.%Y", "%d.%m.%y"]).unwrap(), "2024-02-29T00:00:00Z");
        let is_out_of_range = |found| matches!(found, Err(InvalidInstant::OutOfRange(_)));
        assert!(is_out_of_range(read(milliseconds, &["unix", "iso"])));
        assert!(is_out_of_range(read(json!("29.02.24"), &["%d.%m.%Y", "iso"])));
    }

    #[test]
    fn patterns_give_a_date_and_honour_all_they_read() {
        for pattern in ["%Y-%m", "%H:%M", "%d.%m.", "%d.%m.%Y %I:%M", "%d.%m.%Y %M", "%A", "%Y", "%z", "%%"] {
            let err = InstantFormat::parse(pattern).unwrap_err();
            assert!(err.contains("gives no date"), "{pattern}: {err}");
        }
        for (pattern, text, expected) in [
            ("%d %b %Y %z", "31 May 2024 +0200", "2024-05-30T22:00:00Z"),
            ("%d %b %Y %H:%M %#z", "31 May 2024 01:00 +02", "2024-05-30T23:00:00Z"),
            ("%Y-%m-%d %H", "2024-05-31 14", "2024-05-31T14:00:00Z"),
            ("%m/%d/%Y %I:%M %p", "05/31/2024 02:35 PM", "2024-05-31T14:35:00Z"),
            ("%G-W%V-%u", "2024-W22-5", "2024-05-31T00:00:00Z"),
            ("%Y %j", "2024 152", "2024-05-31T00:00:00Z"),
            ("%a, %d %b %Y %T %Z", "Fri, 31 May 2024 08:30:00 GMT", "2024-05-31T08:30:00Z"),
            ("%s", "1717144200", "2024-05-31T08:30:00Z"),
            ("%Y%m%d%H%M%S%3f", "20240531083000250", "2024-05-31T08:30:00.250Z"),
            ("%c", "Fri May 31 08:30:00 2024", "2024-05-31T08:30:00Z"),
            ("%+", "2024-05-31T08:30:00+02:00", "2024-05-31T06:30:00Z"),
            ("%D %r", "05/31/24 08:30:00 AM", "2024-05-31T08:30:00Z"),
            ("%Y-%m-%dT%H:%M:%S%.f%:z", "2024-05-31T08:30:00.5+01:00", "2024-05-31T07:30:00.500Z"),
        ] {
            let format = [InstantFormat::parse(pattern).unwrap()];
            let instant = parse_instant(&json!(text), &format).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(print_instant(instant), expected, "{pattern}");
        }
        let seconds = [InstantFormat::parse("%s").unwrap()];
        let instant = parse_instant_in(&json!("1717144200"), &seconds, Some(Tz::Europe__Oslo)).unwrap();
        assert_eq!(print_instant(instant), "2024-05-31T08:30:00Z", "it is in UTC whatever the zone");
    }

    #[test]
    fn local_times_are_those_of_their_zone() {
        let check = |text: &str, expected: &str| {
            let instant = parse_instant_in(&json!(text), &[], Some(Tz::Europe__Oslo)).unwrap();
            assert_eq!(print_instant(instant), expected, "{text}");
        };
        check("2024-01-15 12:00", "2024-01-15T11:00:00Z");
        check("2024-07-15 12:00", "2024-07-15T10:00:00Z");
        check("2024-07-15", "2024-07-14T22:00:00Z");
        check("2024-07-15T12:00:00Z", "2024-07-15T12:00:00Z");
        check("2024-10-27 02:30", "2024-10-27T00:30:00Z");
        check("2024-03-31 02:30", "2024-03-31T01:30:00Z");
        let pattern = [InstantFormat::parse("%d.%m.%Y %H:%M").unwrap()];
        let instant = parse_instant_in(&json!("15.07.2024 12:00"), &pattern, Some(Tz::Asia__Tokyo)).unwrap();
        assert_eq!(print_instant(instant), "2024-07-15T03:00:00Z");
    }

    proptest! {
        #[test]
        fn parse_after_print_is_the_identity(micros in -8_000_000_000_000_000_i64..7_000_000_000_000_000) {
            let instant = DateTime::from_timestamp_micros(micros).unwrap();
            prop_assert_eq!(parse_instant(&Value::from(print_instant(instant)), &[]), Ok(instant));
        }
    }
}
