//! What a parameter may be: one of a list, or a number from a range.

use serde_yaml_ng::Value;

use crate::random::SplitMix64;

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// One of these.
    Choice(Vec<Value>),
    /// A number between two, all alike.
    Uniform(f64, f64),
    /// A number between two, its logarithm all alike.
    LogUniform(f64, f64),
    /// A whole number between two, both included.
    Integer(i64, i64),
    /// A whole number between two, both included, its logarithm all alike.
    LogInteger(i64, i64),
}

impl Values {
    const NAMES: [&'static str; 5] = ["choice", "uniform", "log_uniform", "integer", "log_integer"];

    /// Reads a list, which is a choice, or a mapping such as `{log_uniform: [0.01, 100]}`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn read(value: &Value) -> Result<Values, String> {
        if let Value::Sequence(values) = value {
            return choice(values);
        }
        let Some((name, given)) = only_entry(value) else {
            return Err(
                "give a list of values, such as `[0.1, 1, 10]`, or a range, such as `{log_uniform: [0.01, 100]}`"
                    .to_owned(),
            );
        };
        match name {
            "choice" => choice(given.as_sequence().map_or(&[], Vec::as_slice)),
            "uniform" => numbers(name, given).map(|(low, high)| Values::Uniform(low, high)),
            "log_uniform" => positive(name, numbers(name, given)?).map(|(low, high)| Values::LogUniform(low, high)),
            "integer" => integers(name, given).map(|(low, high)| Values::Integer(low, high)),
            "log_integer" => {
                let (low, high) = integers(name, given)?;
                positive(name, (low as f64, high as f64))?;
                Ok(Values::LogInteger(low, high))
            }
            name => Err(format!("unknown range `{name}`; {}", crate::spec::suggestion(name, Values::NAMES))),
        }
    }

    /// Returns the values of a list; `None` for a range.
    pub(super) fn listed(&self) -> Option<&[Value]> {
        match self {
            Values::Choice(values) => Some(values),
            _ => None,
        }
    }

    /// Draws a value.
    pub(super) fn draw(&self, random: &mut SplitMix64) -> Value {
        match self {
            Values::Choice(values) => values[random.below(values.len())].clone(),
            Values::Uniform(low, high) => Value::from(between(*low, *high, random.unit())),
            Values::LogUniform(low, high) => {
                Value::from(between(low.ln(), high.ln(), random.unit()).exp().clamp(*low, *high))
            }
            Values::Integer(low, high) => Value::from(low + random.below(n_integers(*low, *high)) as i64),
            Values::LogInteger(low, high) => {
                // Half a step beyond both ends, so that the ends are as likely as their neighbours.
                let (from, to) = ((*low as f64 - 0.5).ln(), (*high as f64 + 0.5).ln());
                Value::from((between(from, to, random.unit()).exp().round() as i64).clamp(*low, *high))
            }
        }
    }
}

fn between(low: f64, high: f64, share: f64) -> f64 {
    low + (high - low) * share
}

fn n_integers(low: i64, high: i64) -> usize {
    usize::try_from(i128::from(high) - i128::from(low) + 1).unwrap_or(usize::MAX)
}

fn only_entry(value: &Value) -> Option<(&str, &Value)> {
    let mapping = value.as_mapping()?;
    let (name, given) = mapping.iter().next()?;
    (mapping.len() == 1).then_some((name.as_str()?, given))
}

fn choice(values: &[Value]) -> Result<Values, String> {
    if values.is_empty() {
        return Err("needs at least one value to choose from".to_owned());
    }
    Ok(Values::Choice(values.to_vec()))
}

fn ends<T: Copy + PartialOrd>(name: &str, given: &Value, read: impl Fn(&Value) -> Option<T>) -> Result<(T, T), String> {
    let wrong = || format!("`{name}` needs its two ends, the lower one first, such as `{{{name}: [1, 10]}}`");
    let ends = given.as_sequence().filter(|ends| ends.len() == 2).ok_or_else(wrong)?;
    let (low, high) = (read(&ends[0]).ok_or_else(wrong)?, read(&ends[1]).ok_or_else(wrong)?);
    if low < high { Ok((low, high)) } else { Err(wrong()) }
}

fn numbers(name: &str, given: &Value) -> Result<(f64, f64), String> {
    ends(name, given, |end| end.as_f64().filter(|number| number.is_finite()))
}

fn integers(name: &str, given: &Value) -> Result<(i64, i64), String> {
    ends(name, given, Value::as_i64)
}

fn positive(name: &str, (low, high): (f64, f64)) -> Result<(f64, f64), String> {
    if low > 0.0 { Ok((low, high)) } else { Err(format!("`{name}` needs ends above 0: {low} has no logarithm")) }
}

/// Writes a value in one line, as it could stand in a search file.
pub fn in_one_line(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Sequence(values) => format!("[{}]", values.iter().map(in_one_line).collect::<Vec<_>>().join(", ")),
        Value::Mapping(mapping) => {
            let entries = mapping.iter().map(|(key, value)| format!("{}: {}", in_one_line(key), in_one_line(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Tagged(tagged) => format!("{} {}", tagged.tag, in_one_line(&tagged.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Values, String> {
        Values::read(&serde_yaml_ng::from_str(text).unwrap())
    }

    #[test]
    fn ranges_that_are_none_say_what_to_write() {
        for (text, expected) in [
            ("[]", "at least one value"),
            ("5", "a list of values"),
            ("{uniform: [1]}", "two ends"),
            ("{uniform: [2, 1]}", "the lower one first"),
            ("{log_uniform: [0, 1]}", "above 0"),
            ("{integer: [0.5, 2]}", "two ends"),
            ("{log_unifrom: [1, 2]}", "did you mean `log_uniform`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn draws_stay_within_their_ends_and_reach_both_sides() {
        for (text, low, high) in [
            ("{uniform: [-1, 3]}", -1.0, 3.0),
            ("{log_uniform: [0.001, 1000]}", 0.001, 1000.0),
            ("{integer: [2, 5]}", 2.0, 5.0),
            ("{log_integer: [1, 64]}", 1.0, 64.0),
        ] {
            let values = read(text).unwrap();
            let mut random = SplitMix64::new(7, 0);
            let mut drawn: Vec<f64> = (0..2000).map(|_| values.draw(&mut random).as_f64().unwrap()).collect();
            drawn.sort_by(f64::total_cmp);
            assert!(drawn[0] >= low && drawn[1999] <= high, "{text}");
            let middle = if text.contains("log") { (low * high).sqrt() } else { f64::midpoint(low, high) };
            let n_below = drawn.partition_point(|&value| value < middle);
            assert!((700..1300).contains(&n_below), "{text}: {n_below} of 2000 are in the lower half");
        }
    }

    #[test]
    fn values_are_written_as_they_are_given() {
        let value: Value = serde_yaml_ng::from_str("{ kind: ridge, list: [1, 2.5], none: null }").unwrap();
        assert_eq!(in_one_line(&value), "{kind: ridge, list: [1, 2.5], none: null}");
    }
}
