//! The profile of a column whose values are one of some categories.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::words::words;

/// The most categories that are kept apart.
pub(crate) const MAX_CATEGORIES: usize = 50;

/// The longest category that is kept whole, in characters.
const MAX_CATEGORY_CHARS: usize = 200;

/// A value and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryCount {
    /// The value.
    pub value: String,
    /// How many rows have it.
    pub count: u64,
}

/// How often each category occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryProfile {
    /// How many rows have no value.
    pub n_missing: u64,
    /// How many categories there are, those among `n_other` included.
    pub n_distinct: u64,
    /// The most frequent categories, up to 50, by falling count and then by value.
    pub top: Vec<CategoryCount>,
    /// How many rows have any other category.
    pub n_other: u64,
}

impl CategoryProfile {
    /// Profiles `values`; `None` is missing, and an empty text is a category.
    pub fn of(values: &[Option<Cow<'_, str>>]) -> CategoryProfile {
        let mut counts: BTreeMap<Cow<'_, str>, u64> = BTreeMap::new();
        let mut n_missing = 0;
        for value in values {
            match value {
                Some(value) => *counts.entry(category(value)).or_default() += 1,
                None => n_missing += 1,
            }
        }
        let n_distinct = counts.len() as u64;
        let (top, n_other) = most_frequent(counts, MAX_CATEGORIES);
        CategoryProfile { n_missing, n_distinct, top, n_other }
    }

    /// Returns how many rows have a value.
    pub fn n_present(&self) -> u64 {
        self.top.iter().map(|category| category.count).sum::<u64>() + self.n_other
    }

    /// Returns the counts of the top categories, and of all others together, in that order.
    pub fn counts(&self) -> Vec<u64> {
        self.top.iter().map(|category| category.count).chain([self.n_other]).collect()
    }

    /// Counts `values` by the categories of this profile, all others together at the end.
    pub(crate) fn count(&self, values: &[Option<Cow<'_, str>>]) -> Vec<u64> {
        count_by(&self.top, values.iter().flatten().map(|value| category(value)))
    }
}

/// Returns the `limit` most frequent values, and how often the others occur together.
pub(crate) fn most_frequent<S: Into<String>>(
    counts: impl IntoIterator<Item = (S, u64)>,
    limit: usize,
) -> (Vec<CategoryCount>, u64) {
    let mut top: Vec<CategoryCount> =
        counts.into_iter().map(|(value, count)| CategoryCount { value: value.into(), count }).collect();
    top.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    let n_other = top.iter().skip(limit).map(|category| category.count).sum();
    top.truncate(limit);
    (top, n_other)
}

/// Counts `values` by the values of `top`, all others together at the end.
pub(crate) fn count_by<S: AsRef<str>>(top: &[CategoryCount], values: impl Iterator<Item = S>) -> Vec<u64> {
    let bins: BTreeMap<&str, usize> =
        top.iter().enumerate().map(|(bin, category)| (category.value.as_str(), bin)).collect();
    let mut counts = vec![0; top.len() + 1];
    for value in values {
        counts[bins.get(value.as_ref()).copied().unwrap_or(top.len())] += 1;
    }
    counts
}

/// Returns whether texts are categories rather than prose: few distinct ones, or single words that repeat.
pub(crate) fn look_like_categories(values: &[Option<Cow<'_, str>>]) -> bool {
    let present: Vec<&str> = values.iter().flatten().map(AsRef::as_ref).collect();
    let n_distinct = present.iter().collect::<BTreeSet<_>>().len();
    if 2 * n_distinct > present.len() {
        return false;
    }
    let n_words: usize = present.iter().map(|value| words(value).count()).sum();
    n_distinct <= MAX_CATEGORIES || n_words < 2 * present.len()
}

/// Returns `value`, cut when it is too long to be a category.
fn category(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(MAX_CATEGORY_CHARS) {
        Some((end, _)) => Cow::Borrowed(&value[..end]),
        None => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(values: &[&'a str]) -> Vec<Option<Cow<'a, str>>> {
        values.iter().map(|value| Some(Cow::Borrowed(*value))).collect()
    }

    #[test]
    fn rare_categories_are_counted_together() {
        let names: Vec<String> = (0..60).map(|i| format!("c{i:02}")).collect();
        let mut values: Vec<Option<Cow<'_, str>>> =
            names.iter().map(|name| Some(Cow::Borrowed(name.as_str()))).collect();
        values.extend([Some(Cow::Borrowed("c59")), None]);

        let profile = CategoryProfile::of(&values);

        assert_eq!(profile.top[0], CategoryCount { value: "c59".to_owned(), count: 2 });
        assert_eq!((profile.top.len(), profile.n_other, profile.n_distinct, profile.n_missing), (50, 10, 60, 1));
        assert_eq!(profile.n_present(), 61);
        assert_eq!(profile.counts(), profile.count(&values));
    }

    #[test]
    fn categories_are_told_from_prose() {
        assert!(look_like_categories(&texts(&["red", "blue", "red", "blue"])));
        assert!(!look_like_categories(&texts(&["one headline", "another headline", "and a third"])));
        assert!(!look_like_categories(&texts(&["id-1", "id-2", "id-3"])));
    }
}
