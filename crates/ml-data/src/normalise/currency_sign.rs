//! Signs and codes of currencies that stand beside amounts.

use crate::rule::is_currency;

/// Signs, with the currencies they stand for; the usual one first.
const SIGNS: [(&str, &[&str]); 8] = [
    ("€", &["EUR"]),
    ("£", &["GBP"]),
    ("US$", &["USD"]),
    ("$", &["USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP"]),
    ("¥", &["JPY", "CNY"]),
    ("₹", &["INR"]),
    ("₽", &["RUB"]),
    ("zł", &["PLN"]),
];

/// The currencies that an amount may be in by what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Codes {
    /// Those of a sign, at least one.
    OfSign(&'static [&'static str]),
    /// The one of a code.
    One(String),
}

impl Codes {
    /// Reads a sign or code that stands alone.
    pub(super) fn of(text: &str) -> Option<Codes> {
        let (rest, codes) = without_currency(text.trim());
        codes.filter(|_| rest.is_empty())
    }

    /// Returns what is among both, if anything is. No two signs have more than one currency in common.
    pub(super) fn and(&self, other: &Codes) -> Option<Codes> {
        if self == other {
            return Some(self.clone());
        }
        let one = match self {
            Codes::One(code) => Some(code.as_str()).filter(|code| other.has(code)),
            Codes::OfSign(codes) => codes.iter().find(|code| other.has(code)).copied(),
        };
        one.map(|code| Codes::One(code.to_owned()))
    }

    fn has(&self, code: &str) -> bool {
        match self {
            Codes::OfSign(codes) => codes.contains(&code),
            Codes::One(one) => one == code,
        }
    }

    /// Returns the one that is meant where nothing says otherwise.
    pub(super) fn usual(self) -> String {
        match self {
            Codes::OfSign(codes) => codes.first().copied().unwrap_or_default().to_owned(),
            Codes::One(code) => code,
        }
    }
}

/// Takes the sign or code of a currency off either end.
pub(super) fn without_currency(text: &str) -> (&str, Option<Codes>) {
    for (sign, codes) in SIGNS {
        if let Some(rest) = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign)) {
            return (rest, Some(Codes::OfSign(codes)));
        }
    }
    let behind = text.len().checked_sub(3);
    let ends =
        [(text.get(..3), text.get(3..)), (behind.and_then(|at| text.get(at..)), behind.and_then(|at| text.get(..at)))];
    for (code, rest) in ends {
        let Some((code, rest)) = code.zip(rest) else { continue };
        let code = code.to_ascii_uppercase();
        if is_currency(&code) {
            return (rest, Some(Codes::One(code)));
        }
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_taken_off() {
        let check = |text: &str, rest: &str, code: Option<&str>| {
            let (found, codes) = without_currency(text);
            let usual = codes.map(Codes::usual);
            assert_eq!((found.trim(), usual.as_deref()), (rest, code), "{text}");
        };
        check("€450,000", "450,000", Some("EUR"));
        check("1 200 usd", "1 200", Some("USD"));
        check("CHF 900", "900", Some("CHF"));
        check("US$5", "5", Some("USD"));
        check("12", "12", None);
        check("1 200 kr", "1 200 kr", None);
        check("é", "é", None);
    }

    #[test]
    fn every_sign_stands_for_known_currencies() {
        for (sign, codes) in SIGNS {
            assert!(!codes.is_empty() && codes.iter().all(|code| is_currency(code)), "{sign}");
        }
    }
}
