//! Rules on what texts consist of.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::FieldList;
use crate::shown::{shown, shown_text};

/// Arguments of [`crate::rule::Rule::StartsWith`] and [`crate::rule::Rule::EndsWith`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affix {
    /// The fields to look at.
    pub fields: FieldList,
    /// What they may begin or end with: one of these; case matters.
    #[serde(deserialize_with = "one_or_several")]
    pub with: Vec<String>,
}

impl Affix {
    pub(super) fn fault(&self) -> Option<String> {
        fault_of_texts(&self.with, "with")
    }

    pub(super) fn fault_of_start(&self, value: &Value) -> Option<String> {
        let Value::String(text) = value else { return Some(not_text(value)) };
        let is_met = self.with.iter().any(|start| text.starts_with(start.as_str()));
        (!is_met).then(|| format!("{} does not start with {}", shown(value), listed(&self.with)))
    }

    pub(super) fn fault_of_end(&self, value: &Value) -> Option<String> {
        let Value::String(text) = value else { return Some(not_text(value)) };
        let is_met = self.with.iter().any(|end| text.ends_with(end.as_str()));
        (!is_met).then(|| format!("{} does not end with {}", shown(value), listed(&self.with)))
    }
}

/// Arguments of [`crate::rule::Rule::Contains`]; at least one list is given. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contains {
    /// The fields to look at.
    pub fields: FieldList,
    /// At least one of these is in the text.
    #[serde(default, deserialize_with = "one_or_several")]
    pub any: Vec<String>,
    /// All of these are in the text.
    #[serde(default, deserialize_with = "one_or_several")]
    pub all: Vec<String>,
    /// None of these is in the text.
    #[serde(default, deserialize_with = "one_or_several")]
    pub none: Vec<String>,
}

impl Contains {
    pub(super) fn fault(&self) -> Option<String> {
        if self.any.is_empty() && self.all.is_empty() && self.none.is_empty() {
            return Some("nothing is looked for: use any, all or none".to_owned());
        }
        let mut texts = self.any.iter().chain(&self.all).chain(&self.none);
        texts.any(String::is_empty).then(|| "an empty text is in every text".to_owned())
    }

    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let Value::String(text) = value else { return Some(not_text(value)) };
        if !self.any.is_empty() && !self.any.iter().any(|part| text.contains(part.as_str())) {
            return Some(format!("{} contains none of {}", shown(value), listed(&self.any)));
        }
        if let Some(missing) = self.all.iter().find(|part| !text.contains(part.as_str())) {
            return Some(format!("{} does not contain {}", shown(value), shown_text(missing)));
        }
        let found = self.none.iter().find(|part| text.contains(part.as_str()))?;
        Some(format!("{} contains {}", shown(value), shown_text(found)))
    }
}

/// Arguments of [`crate::rule::Rule::Words`]: how many words, which are what white space separates; at least one bound is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The fields to look at.
    pub fields: FieldList,
    /// The least that is accepted.
    #[serde(default)]
    pub min: Option<usize>,
    /// The most that is accepted.
    #[serde(default)]
    pub max: Option<usize>,
}

impl Words {
    pub(super) fn fault(&self) -> Option<String> {
        match (self.min, self.max) {
            (None, None) => Some("no bound is given: use min or max".to_owned()),
            (Some(min), Some(max)) if min > max => Some(format!("no number of words is between {min} and {max}")),
            _ => None,
        }
    }

    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let Value::String(text) = value else { return Some(not_text(value)) };
        let n_words = text.split_whitespace().count();
        let words = if n_words == 1 { "word" } else { "words" };
        if let Some(min) = self.min.filter(|min| n_words < *min) {
            return Some(format!("{} has {n_words} {words}, at least {min} are needed", shown(value)));
        }
        let max = self.max.filter(|max| n_words > *max)?;
        Some(format!("{} has {n_words} {words}, at most {max} are accepted", shown(value)))
    }
}

/// Arguments of [`crate::rule::Rule::Charset`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charset {
    /// The fields to look at.
    pub fields: FieldList,
    /// What every character must be.
    pub is: CharacterClass,
}

/// A set of characters, of any language unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CharacterClass {
    /// Anything but control characters, and no replacement character, which is what is left of broken text.
    Printable,
    /// ASCII, control characters apart from tab and line breaks excluded.
    Ascii,
    /// Letters.
    Letters,
    /// Digits.
    Digits,
    /// Letters and digits.
    Alphanumeric,
    /// Hexadecimal digits.
    Hexadecimal,
    /// Without a capital letter.
    Lowercase,
    /// Without a small letter.
    Uppercase,
}

impl CharacterClass {
    fn holds(self, c: char) -> bool {
        match self {
            CharacterClass::Printable => (!c.is_control() || matches!(c, '\t' | '\n' | '\r')) && c != '\u{fffd}',
            CharacterClass::Ascii => c.is_ascii() && (!c.is_ascii_control() || matches!(c, '\t' | '\n' | '\r')),
            CharacterClass::Letters => c.is_alphabetic(),
            CharacterClass::Digits => c.is_numeric(),
            CharacterClass::Alphanumeric => c.is_alphanumeric(),
            CharacterClass::Hexadecimal => c.is_ascii_hexdigit(),
            CharacterClass::Lowercase => !c.is_uppercase(),
            CharacterClass::Uppercase => !c.is_lowercase(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            CharacterClass::Printable => "printable",
            CharacterClass::Ascii => "ascii",
            CharacterClass::Letters => "letters",
            CharacterClass::Digits => "digits",
            CharacterClass::Alphanumeric => "alphanumeric",
            CharacterClass::Hexadecimal => "hexadecimal",
            CharacterClass::Lowercase => "lowercase",
            CharacterClass::Uppercase => "uppercase",
        }
    }
}

impl Charset {
    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let Value::String(text) = value else { return Some(not_text(value)) };
        let found = text.chars().find(|c| !self.is.holds(*c))?;
        let found = shown_text(found.encode_utf8(&mut [0; 4]));
        Some(format!("{} has {found}, which is not {}", shown(value), self.is.name()))
    }
}

/// Reads one text or a list of them.
pub(super) fn one_or_several<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(vec![text]),
        other => Vec::deserialize(other).map_err(serde::de::Error::custom),
    }
}

pub(super) fn fault_of_texts(texts: &[String], name: &str) -> Option<String> {
    if texts.is_empty() {
        return Some(format!("{name} is empty: nothing would be accepted"));
    }
    texts.iter().any(String::is_empty).then(|| format!("{name} has an empty text, which everything meets"))
}

pub(super) fn not_text(value: &Value) -> String {
    format!("{} is not text", shown(value))
}

pub(super) fn listed(texts: &[String]) -> String {
    texts.iter().map(|text| shown_text(text)).collect::<Vec<_>>().join(", ")
}
