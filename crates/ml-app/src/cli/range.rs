//! Instants on the command line.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// Reads `2025-03-01`, `2025-03-01T12:00:00` or RFC 3339 with an offset; without an offset it is UTC.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.with_timezone(&Utc));
    }
    if let Ok(instant) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Ok(instant.and_utc());
    }
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(date) => Ok(date.and_time(NaiveTime::MIN).and_utc()),
        Err(_) => Err("write an instant as 2025-03-01 or 2025-03-01T12:00:00Z".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = instant(text).map_or_else(|_| "refused".to_owned(), |instant| instant.to_rfc3339());
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn instants_are_read_in_three_forms() {
        check("2025-03-01", "2025-03-01T00:00:00+00:00");
        check("2025-03-01T12:30:00", "2025-03-01T12:30:00+00:00");
        check("2025-03-01T12:30:00+02:00", "2025-03-01T10:30:00+00:00");
        check("yesterday", "refused");
        check("2025-02-30", "refused");
    }
}
