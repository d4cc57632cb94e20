//! Words of a text, as monitoring counts them.

/// Returns the lower-case words of `text`: runs of letters and digits, of two characters or more.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().nth(1).is_some()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        let found: Vec<_> = words("Prices ROSE 3%, in Q3 — a «Überraschung»!").collect();
        assert_eq!(found, ["prices", "rose", "in", "q3", "überraschung"]);
        assert_eq!(words("  \n").count(), 0);
    }
}
