//! A split rule in one word, as it is written on the command line.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::SplitRule;
use super::fractions::Fractions;
use crate::dataset::error::DatasetError;

impl SplitRule {
    /// How a rule is written, for `--help` and messages.
    pub const SYNTAX: &'static str = "`none`, `column:NAME`, `random:80/20`, `stratified:COLUMN:80/10/10`, `time:80/20`, \
                                      `time:2024-01-01` (test from then on), `time:2023-07-01/2024-01-01` or \
                                      `entity:COLUMN:80/20`";

    /// Reads a rule as [`SplitRule::SYNTAX`] says; `seed` is for the rules that have one.
    ///
    /// # Errors
    /// [`DatasetError::InvalidSpec`], which shows the syntax.
    pub fn parse(text: &str, seed: u64) -> Result<SplitRule, DatasetError> {
        let (rule, rest) = text.split_once(':').unwrap_or((text, ""));
        match (rule, rest.rsplit_once(':')) {
            ("none", _) if rest.is_empty() => Ok(SplitRule::None {}),
            ("column", _) if !rest.is_empty() => Ok(SplitRule::Column { column: rest.to_owned() }),
            ("random", _) => Ok(SplitRule::Random { fractions: Fractions::parse(rest)?, seed }),
            ("stratified", Some((column, fractions))) => {
                let fractions = Fractions::parse(fractions)?;
                Ok(SplitRule::Stratified { column: column.to_owned(), fractions, seed })
            }
            ("entity", Some((column, fractions))) => {
                let fractions = Fractions::parse(fractions)?;
                Ok(SplitRule::Entity { column: column.to_owned(), fractions, seed })
            }
            ("time", _) => parse_time(rest),
            _ => Err(invalid(text)),
        }
    }
}

fn parse_time(text: &str) -> Result<SplitRule, DatasetError> {
    let instants: Option<Vec<DateTime<Utc>>> = text.split('/').map(parse_instant).collect();
    let rule = match instants.as_deref() {
        Some([test_from]) => SplitRule::TimeCuts { validation_from: None, test_from: *test_from },
        Some([validation_from, test_from]) => {
            SplitRule::TimeCuts { validation_from: Some(*validation_from), test_from: *test_from }
        }
        _ => SplitRule::Time { fractions: Fractions::parse(text)? },
    };
    rule.check()?;
    Ok(rule)
}

/// Reads an RFC 3339 time, or a date, which is its first instant in UTC.
fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.with_timezone(&Utc));
    }
    let date: NaiveDate = text.parse().ok()?;
    Some(date.and_time(NaiveTime::MIN).and_utc())
}

fn invalid(text: &str) -> DatasetError {
    DatasetError::InvalidSpec { reason: format!("`{text}` is not a split rule: write {}", SplitRule::SYNTAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn each_rule_has_a_short_form() {
        let fractions = Fractions::new(0.8, 0.0, 0.2).unwrap();
        let check =
            |text: &str, expected: SplitRule| assert_eq!(SplitRule::parse(text, 7).unwrap(), expected, "{text}");
        check("none", SplitRule::None {});
        check("column:fold", SplitRule::Column { column: "fold".into() });
        check("random:80/20", SplitRule::Random { fractions, seed: 7 });
        check("stratified:a:b:0.8/0.2", SplitRule::Stratified { column: "a:b".into(), fractions, seed: 7 });
        check("entity:user_id:80/20", SplitRule::Entity { column: "user_id".into(), fractions, seed: 7 });
        check("time:80/20", SplitRule::Time { fractions });
        let test_from = instant("2024-01-01T00:00:00Z");
        check("time:2024-01-01", SplitRule::TimeCuts { validation_from: None, test_from });
        let validation_from = Some(instant("2023-07-01T12:00:00Z"));
        check("time:2023-07-01T12:00:00Z/2024-01-01", SplitRule::TimeCuts { validation_from, test_from });
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in
            ["", "nothing", "none:80", "column:", "random", "stratified:80/20", "time:", "time:2024-01-01/2023-01-01"]
        {
            assert!(SplitRule::parse(text, 0).is_err(), "{text:?}");
        }
    }
}
