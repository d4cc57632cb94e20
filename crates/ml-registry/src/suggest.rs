//! Which known names someone may have meant.

/// The most names that a message lists before it only counts the rest.
const MAX_LISTED: usize = 20;

/// The most names that a message offers as near.
const MAX_NEAR: usize = 3;

/// How alike two names must be to be offered, from 0 for nothing in common to 1 for equal.
const NEAR: f64 = 0.6;

/// Returns those of `known` that are spelt much like `text`, the nearest first.
pub(crate) fn near<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let text = text.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| (likeness(&text, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(MAX_NEAR).map(|(_, name)| name.to_owned()).collect()
}

/// Returns how alike two lower-case names are: by edits, or because one begins with the other.
fn likeness(a: &str, b: &str) -> f64 {
    let shorter = a.chars().count().min(b.chars().count());
    let is_prefix = shorter >= 3 && (a.starts_with(b) || b.starts_with(a));
    let by_edits = strsim::normalized_damerau_levenshtein(a, b);
    if is_prefix { by_edits.max(NEAR) } else { by_edits }
}

/// Joins names for a message: `` `a`, `b` and 3 more ``; no names give `none`.
pub(crate) fn list<T: std::fmt::Display>(names: &[T]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let listed: Vec<String> = names.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    let n_more = names.len() - listed.len();
    let listed = listed.join(", ");
    if n_more == 0 { listed } else { format!("{listed} and {n_more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let known = ["news-topics", "news-sentiment", "volatility", "spam"];
        assert_eq!(near(text, known), expected, "{text}");
    }

    #[test]
    fn slips_of_the_finger_are_understood() {
        check("news-topcis", &["news-topics"]);
        check("NEWS-TOPICS", &["news-topics"]);
        check("volatilty", &["volatility"]);
        check("news", &["news-sentiment", "news-topics"]);
        check("weather", &[]);
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(list::<u32>(&[]), "none");
        assert_eq!(list(&[1, 2]), "`1`, `2`");
        assert!(list(&(0..25).collect::<Vec<u32>>()).ends_with("`19` and 5 more"));
    }
}
