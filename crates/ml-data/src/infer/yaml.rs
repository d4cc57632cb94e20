//! Texts as YAML takes them.

use std::fmt::Write as _;

use serde_json::Value;

/// Returns the path as YAML: as it is where that is plain, else in quotes.
pub(super) fn quoted(text: &str) -> String {
    const WORDS: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
        && !text.ends_with('.')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { in_quotes(text) }
}

/// Returns the text in double quotes, with escapes for what YAML does not take as it is.
pub(super) fn in_quotes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    for c in Value::from(text).to_string().chars() {
        if is_plain_in_yaml(c) {
            quoted.push(c);
        } else {
            let _ = write!(quoted, "\\u{:04x}", u32::from(c));
        }
    }
    quoted
}

/// Returns the text with a space for what a comment cannot have.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_plain_in_yaml(c) { c } else { ' ' }).collect()
}

fn is_plain_in_yaml(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..) && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}
