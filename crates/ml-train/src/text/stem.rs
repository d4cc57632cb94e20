//! Cutting words to their stems, by the rules of the Snowball project.

use std::borrow::Cow;

use frostem::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};

macro_rules! languages {
    ($($variant:ident => $name:literal,)*) => {
        /// A language whose words can be cut to their stems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum StemLanguage {
            $(#[doc = $name] $variant,)*
        }

        impl StemLanguage {
            fn algorithm(self) -> Algorithm {
                match self {
                    $(StemLanguage::$variant => Algorithm::$variant,)*
                }
            }
        }
    };
}

languages! {
    Danish => "Danish.",
    Dutch => "Dutch.",
    English => "English, by the rules also known as Porter 2.",
    Finnish => "Finnish.",
    French => "French.",
    German => "German.",
    Italian => "Italian.",
    Norwegian => "Norwegian.",
    Portuguese => "Portuguese.",
    Russian => "Russian.",
    Spanish => "Spanish.",
    Swedish => "Swedish.",
}

impl StemLanguage {
    /// Returns the stem of `word`, which is in lower case.
    pub(super) fn stem(self, word: &str) -> Cow<'_, str> {
        Stemmer::new(self.algorithm()).stem(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the Snowball project's own pages. A model must cut words as they were cut when it was trained: should
    /// an upgrade of the library change one of these, models of before would be served differently.
    #[test]
    fn stems_are_those_of_the_snowball_project() {
        for (language, word, stem) in [
            (StemLanguage::English, "consistency", "consist"),
            (StemLanguage::English, "knightly", "knight"),
            (StemLanguage::English, "generously", "generous"),
            (StemLanguage::German, "aufeinanderfolge", "aufeinanderfolg"),
            (StemLanguage::French, "continuellement", "continuel"),
            (StemLanguage::Spanish, "chicharrones", "chicharron"),
            (StemLanguage::Russian, "важнейшие", "важн"),
        ] {
            assert_eq!(language.stem(word), stem, "{word}");
        }
    }
}
