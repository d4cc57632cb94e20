//! Column types that mean the same on every SQL engine: instants and JSON.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Json, SqlType, Text, Timestamptz};
use diesel::sqlite::Sqlite;

/// The type of a column with an instant: `TIMESTAMPTZ` on PostgreSQL, by these numbers of its types, and a text on SQLite.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Text"))]
pub struct UtcTimestamp;

/// An instant, in UTC and cut down to microseconds.
///
/// SQLite keeps it as text of one length, `2024-05-01 12:00:00.000000`, so that the order of the text is the order of the
/// instants for every year from 0 to 9999; others are refused, on both engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = UtcTimestamp)]
pub(crate) struct Instant(pub(crate) DateTime<Utc>);

impl From<DateTime<Utc>> for Instant {
    fn from(instant: DateTime<Utc>) -> Instant {
        Instant(instant)
    }
}

impl ToSql<UtcTimestamp, Sqlite> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(to_text(self.0)?);
        Ok(IsNull::No)
    }
}

impl FromSql<UtcTimestamp, Sqlite> for Instant {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Instant> {
        let text = value.read_text();
        from_text(text).map(Instant).ok_or_else(|| format!("`{text}` is not a timestamp").into())
    }
}

impl ToSql<UtcTimestamp, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        check_year(self.0)?;
        // Past a whole second a leap second has a nanosecond count that PostgreSQL does not know.
        let microsecond = (self.0.nanosecond() / 1000).min(999_999);
        let instant = self.0.with_nanosecond(microsecond * 1000).unwrap_or(self.0);
        ToSql::<Timestamptz, Pg>::to_sql(&instant, &mut out.reborrow())
    }
}

impl FromSql<UtcTimestamp, Pg> for Instant {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Instant> {
        FromSql::<Timestamptz, Pg>::from_sql(value).map(Instant)
    }
}

fn check_year(instant: DateTime<Utc>) -> Result<(), String> {
    if (0..=9999).contains(&instant.year()) {
        return Ok(());
    }
    Err(format!("the year of {instant} is not between 0 and 9999"))
}

fn to_text(instant: DateTime<Utc>) -> Result<String, String> {
    check_year(instant)?;
    // Taken apart once: every accessor of a zoned instant would add the offset again.
    let (date, time) = (instant.naive_utc().date(), instant.naive_utc().time());
    let mut text = *b"0000-00-00 00:00:00.000000";
    put_digits(&mut text[0..4], date.year().unsigned_abs());
    put_digits(&mut text[5..7], date.month());
    put_digits(&mut text[8..10], date.day());
    put_digits(&mut text[11..13], time.hour());
    put_digits(&mut text[14..16], time.minute());
    put_digits(&mut text[17..19], time.second());
    // A leap second is a nanosecond count past a whole second; the last microsecond before it stands for it.
    put_digits(&mut text[20..26], (time.nanosecond() / 1000).min(999_999));
    Ok(std::str::from_utf8(&text).expect("digits and punctuation are ASCII").to_owned())
}

fn put_digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn from_text(text: &str) -> Option<DateTime<Utc>> {
    let bytes: &[u8; 26] = match text.as_bytes().try_into() {
        Ok(bytes) => bytes,
        // Written by hand or by another program, in the forms that SQLite's own functions give.
        Err(_) => return NaiveDateTime::parse_from_str(text, "%F %T%.f").ok().map(|instant| instant.and_utc()),
    };
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(read_digits(&bytes[0..4])?).ok()?,
        read_digits(&bytes[5..7])?,
        read_digits(&bytes[8..10])?,
    )?;
    let time = NaiveTime::from_hms_micro_opt(
        read_digits(&bytes[11..13])?,
        read_digits(&bytes[14..16])?,
        read_digits(&bytes[17..19])?,
        read_digits(&bytes[20..26])?,
    )?;
    Some(date.and_time(time).and_utc())
}

fn read_digits(bytes: &[u8]) -> Option<u32> {
    let mut number = 0;
    for byte in bytes {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u32::from(byte - b'0');
    }
    Some(number)
}

/// JSON as its text, for a `Json` column; whoever reads it knows the key to name when it does not parse.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Json)]
pub(crate) struct JsonText(pub(crate) String);

impl JsonText {
    /// Writes `value` as compact JSON.
    pub(crate) fn of(value: &impl serde::Serialize) -> JsonText {
        JsonText(serde_json::to_string(value).expect("domain types serialise: their maps have text keys"))
    }

    /// Reads the value back.
    pub(crate) fn parse<T: serde::de::DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(&self.0)
    }
}

impl ToSql<Json, Sqlite> for JsonText {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        <str as ToSql<Text, Sqlite>>::to_sql(&self.0, out)
    }
}

impl FromSql<Json, Sqlite> for JsonText {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<JsonText> {
        Ok(JsonText(value.read_text().to_owned()))
    }
}

impl ToSql<Json, Pg> for JsonText {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(&self.0, out)
    }
}

impl FromSql<Json, Pg> for JsonText {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<JsonText> {
        Ok(JsonText(std::str::from_utf8(value.as_bytes())?.to_owned()))
    }
}

/// Text as PostgreSQL can hold it, which knows every character but U+0000: U+FFFD stands for that one, as it does in HTML.
///
/// Only what comes from outside may have it. Ids and names may not, and JSON escapes it.
pub(crate) trait WithoutNul {
    /// Replaces what cannot be held.
    fn replace_nul(&mut self);
}

impl WithoutNul for String {
    fn replace_nul(&mut self) {
        if self.contains('\0') {
            *self = self.replace('\0', "\u{fffd}");
        }
    }
}

impl WithoutNul for Option<String> {
    fn replace_nul(&mut self) {
        if let Some(text) = self {
            text.replace_nul();
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn text_of_an_instant_has_one_form() {
        assert_eq!(to_text(instant("2024-05-01T12:00:00Z")).unwrap(), "2024-05-01 12:00:00.000000");
        assert_eq!(to_text(instant("1582-10-15T00:00:00.5Z")).unwrap(), "1582-10-15 00:00:00.500000");
        assert_eq!(to_text(instant("0000-01-01T00:00:00.000001999Z")).unwrap(), "0000-01-01 00:00:00.000001");
    }

    #[test]
    fn years_that_would_break_the_order_are_refused() {
        assert!(to_text(instant("+10000-01-01T00:00:00Z")).is_err());
        assert!(to_text(instant("-0001-01-01T00:00:00Z")).is_err());
    }

    #[test]
    fn instants_sort_as_text_and_come_back() {
        let steps = [TimeDelta::microseconds(1), TimeDelta::milliseconds(500), TimeDelta::days(3653)];
        let mut at = instant("1700-01-01T00:00:00Z");
        let mut before = to_text(at).unwrap();
        for step in steps.iter().cycle().take(150) {
            at += *step;
            let text = to_text(at).unwrap();
            assert!(before < text, "{before} < {text}");
            assert_eq!(from_text(&text), Some(at));
            before = text;
        }
    }

    #[test]
    fn text_that_is_no_instant_is_refused() {
        for text in
            ["", "2024", "2024-13-01 00:00:00.000000", "2024-05-01 12:00:00.00000x", "2024-02-30 00:00:00.000000"]
        {
            assert_eq!(from_text(text), None, "{text}");
        }
        assert_eq!(from_text("2024-05-01 12:00:00"), Some(instant("2024-05-01T12:00:00Z")));
    }
}
