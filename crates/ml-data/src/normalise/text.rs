//! Steps on text. Each returns the changed text, or nothing where it already has the form.

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization as _, is_nfc, is_nfkc};

use crate::field::FieldList;

/// Arguments of [`crate::normalise::Step::Unicode`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unicode {
    /// The fields to normalise.
    pub fields: FieldList,
    /// The form they get.
    pub form: UnicodeForm,
}

/// A Unicode normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnicodeForm {
    /// Composed: letters with accents are one character.
    Nfc,
    /// Composed, and compatibility characters such as ligatures and full-width letters replaced.
    Nfkc,
}

impl UnicodeForm {
    pub(super) fn apply(self, text: &str) -> Option<String> {
        if text.is_ascii() {
            return None;
        }
        match self {
            UnicodeForm::Nfc => (!is_nfc(text)).then(|| text.nfc().collect()),
            UnicodeForm::Nfkc => (!is_nfkc(text)).then(|| text.nfkc().collect()),
        }
    }
}

pub(super) fn trim(text: &str) -> Option<String> {
    let trimmed = text.trim();
    (trimmed.len() != text.len()).then(|| trimmed.to_owned())
}

pub(super) fn lowercase(text: &str) -> Option<String> {
    let changed = text.to_lowercase();
    (changed != text).then_some(changed)
}

pub(super) fn uppercase(text: &str) -> Option<String> {
    let changed = text.to_uppercase();
    (changed != text).then_some(changed)
}

pub(super) fn collapse_white_space(text: &str) -> Option<String> {
    if is_collapsed(text) {
        return None;
    }
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    Some(collapsed)
}

fn is_collapsed(text: &str) -> bool {
    let mut after_space = true;
    for c in text.chars() {
        let is_space = c == ' ';
        if (is_space && after_space) || (!is_space && c.is_whitespace()) {
            return false;
        }
        after_space = is_space;
    }
    text.is_empty() || !after_space
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn collapsing_twice_changes_nothing(text in "[ \\ta-c\u{a0}\n]{0,20}") {
            let once = collapse_white_space(&text).unwrap_or_else(|| text.clone());
            prop_assert_eq!(once.split(' ').collect::<Vec<_>>().join(" "), text.split_whitespace().collect::<Vec<_>>().join(" "));
            prop_assert_eq!(collapse_white_space(&once), None);
        }
    }
}
