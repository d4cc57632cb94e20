//! Terms of successive characters, as scikit-learn's analyzers `char` and `char_wb` cut them.

use super::lower::lower;
use super::terms::Term;

/// The characters of one text, by place. It is meant to be used again for the next text, which saves its allocations.
#[derive(Debug, Default)]
pub(super) struct Characters {
    text: String,
    /// Where each character begins in `text`, and where the last one ends.
    offsets: Vec<u32>,
    /// The first character of each word, the space before it, and the character after the space that follows it.
    words: Vec<(usize, usize)>,
    lowered: String,
}

impl Characters {
    /// Calls `visit` with all terms of `lengths` successive characters of a text, of which several spaces are one.
    pub(super) fn for_each_across_words(
        &mut self,
        document: &[&str],
        lowercase: bool,
        lengths: (usize, usize),
        visit: &mut impl FnMut(Term<'_>),
    ) {
        self.clear();
        // How many spaces wait for what comes after them, and the first.
        let (mut n_spaces, mut space) = (0, ' ');
        self.for_each_character(document, lowercase, |characters, character| {
            if character.is_some_and(is_space) {
                n_spaces += 1;
                space = if n_spaces == 1 { character.unwrap_or(' ') } else { ' ' };
                return;
            }
            if n_spaces > 0 {
                characters.push(space);
                n_spaces = 0;
            }
            if let Some(character) = character {
                characters.push(character);
            }
        });
        self.end();
        self.visit_windows(0, self.offsets.len() - 1, lengths, visit);
    }

    /// Calls `visit` with all terms of `lengths` successive characters of each word, which has a space before and after
    /// it; a word that is shorter than a length is a term as it is, once.
    pub(super) fn for_each_within_words(
        &mut self,
        document: &[&str],
        lowercase: bool,
        lengths: (usize, usize),
        visit: &mut impl FnMut(Term<'_>),
    ) {
        self.clear();
        self.push(' ');
        let mut word_begin = None;
        self.for_each_character(document, lowercase, |characters, character| match character {
            Some(character) if !is_space(character) => {
                word_begin.get_or_insert(characters.offsets.len() - 1);
                characters.push(character);
            }
            _ => {
                if let Some(begin) = word_begin.take() {
                    characters.push(' ');
                    characters.words.push((begin, characters.offsets.len()));
                }
            }
        });
        self.end();
        for &(begin, end) in &self.words {
            let (least, greatest) = lengths;
            let longest = greatest.min(end - begin - 1);
            self.visit_windows(begin, end, (least, longest), visit);
            if greatest > longest {
                visit(self.between(begin, end));
            }
        }
    }

    /// Calls `visit` with each character, those of several texts with a newline between, and with `None` at the end.
    fn for_each_character(
        &mut self,
        document: &[&str],
        lowercase: bool,
        mut visit: impl FnMut(&mut Characters, Option<char>),
    ) {
        let mut lowered = std::mem::take(&mut self.lowered);
        for (index, text) in document.iter().enumerate() {
            if index > 0 {
                visit(self, Some('\n'));
            }
            if lowercase {
                lower(text, &mut lowered);
                lowered.chars().for_each(|character| visit(self, Some(character)));
            } else {
                text.chars().for_each(|character| visit(self, Some(character)));
            }
        }
        visit(self, None);
        self.lowered = lowered;
    }

    /// Calls `visit` with the terms of each length between the characters at `begin` and before `end`.
    fn visit_windows(&self, begin: usize, end: usize, lengths: (usize, usize), visit: &mut impl FnMut(Term<'_>)) {
        let (least, greatest) = lengths;
        for first in begin..end {
            for after in (first + least)..=(first + greatest).min(end) {
                visit(self.between(first, after));
            }
        }
    }

    #[inline]
    fn between(&self, begin: usize, end: usize) -> Term<'_> {
        Term::new(&self.text, self.offsets[begin] as usize, self.offsets[end] as usize)
    }

    fn clear(&mut self) {
        self.text.clear();
        self.offsets.clear();
        self.words.clear();
    }

    #[inline]
    fn push(&mut self, character: char) {
        self.offsets.push(self.text.len() as u32);
        self.text.push(character);
    }

    fn end(&mut self) {
        self.offsets.push(self.text.len() as u32);
    }
}

/// Returns whether Python takes a character for white space; Rust does not take the four separators of ASCII for it.
#[inline]
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_across(document: &[&str], lengths: (usize, usize), expected: &[&str]) {
        let mut found = Vec::new();
        Characters::default()
            .for_each_across_words(document, true, lengths, &mut |term| found.push(term.as_str().to_owned()));
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn check_within(document: &[&str], lengths: (usize, usize), expected: &[&str]) {
        let mut found = Vec::new();
        Characters::default()
            .for_each_within_words(document, true, lengths, &mut |term| found.push(term.as_str().to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn terms_across_words_have_one_space_for_several() {
        check_across(&["A  b"], (1, 2), &["a", "a ", " ", " b", "b"]);
        check_across(&["é\nß"], (2, 3), &["é\n", "é\nß", "\nß"]);
        check_across(&["a", "b"], (3, 3), &["a\nb"]);
        check_across(&["a ", "b"], (3, 3), &["a b"]);
        check_across(&["ab"], (3, 5), &[]);
        check_across(&[""], (1, 5), &[]);
        check_across(&[], (1, 5), &[]);
        check_across(&["a \t"], (1, 1), &["a", " "]);
    }

    #[test]
    fn terms_within_words_have_a_space_before_and_after() {
        check_within(&["Ab c"], (3, 3), &[" ab", "ab ", " c "]);
        check_within(&["a"], (2, 3), &[" a", "a ", " a "]);
        check_within(&["a"], (4, 6), &[" a "]);
        check_within(&["é\u{1c}"], (5, 5), &[" é "]);
        check_within(&["", "  "], (1, 3), &[]);
    }
}
