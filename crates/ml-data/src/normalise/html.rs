//! Text out of HTML: tags, comments, scripts and styles are taken out, entities decoded.
//!
//! Only tags of HTML elements count, so that `a < b`, `<foo@example.org>` and `vector<int>` stay as they are.

/// Elements of HTML by name, sorted, for a binary search.
const ELEMENTS: [&str; 81] = [
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "audio",
    "b",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "label",
    "li",
    "link",
    "main",
    "mark",
    "meta",
    "nav",
    "noscript",
    "object",
    "ol",
    "option",
    "p",
    "pre",
    "q",
    "s",
    "script",
    "section",
    "select",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "textarea",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "u",
    "ul",
];

/// Elements within a line; every other one separates words.
const INLINE: [&str; 21] = [
    "a", "abbr", "b", "cite", "code", "del", "em", "font", "i", "ins", "mark", "q", "s", "small", "span", "strike",
    "strong", "sub", "sup", "time", "u",
];

/// Named entities and what they stand for.
const ENTITIES: [(&str, char); 36] = [
    ("amp", '&'),
    ("apos", '\''),
    ("bull", '•'),
    ("cent", '¢'),
    ("copy", '©'),
    ("deg", '°'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("euro", '€'),
    ("frac12", '½'),
    ("gt", '>'),
    ("hellip", '…'),
    ("iexcl", '¡'),
    ("laquo", '«'),
    ("ldquo", '“'),
    ("lsquo", '‘'),
    ("lt", '<'),
    ("mdash", '—'),
    ("middot", '·'),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("ntilde", 'ñ'),
    ("ouml", 'ö'),
    ("para", '¶'),
    ("plusmn", '±'),
    ("pound", '£'),
    ("quot", '"'),
    ("raquo", '»'),
    ("rdquo", '”'),
    ("reg", '®'),
    ("rsquo", '’'),
    ("sect", '§'),
    ("times", '×'),
    ("trade", '™'),
    ("uuml", 'ü'),
    ("yen", '¥'),
];

/// The longest entity looked for, in bytes between `&` and `;`.
const MAX_ENTITY_BYTES: usize = 10;

/// The longest tag looked for, in bytes, so that a text full of `<p` without an end costs no more than its length.
const MAX_TAG_BYTES: usize = 4_096;

/// Returns `text` without HTML, or nothing where there is none.
pub(super) fn strip(text: &str) -> Option<String> {
    let mut stripper = Stripper::default();
    let mut rest = text;
    let mut stripped = String::new();
    let mut changed = false;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        stripped.push_str(before);
        if let Some((replacement, length)) = stripper.markup(from) {
            stripped.extend(replacement);
            rest = &from[length..];
            changed = true;
        } else {
            stripped.push_str(&from[..1]);
            rest = &from[1..];
        }
    }
    stripped.push_str(rest);
    changed.then_some(stripped)
}

/// What takes the place of a piece of markup, and how many bytes that piece has.
type Markup = (Option<char>, usize);

/// Remembers which ends are known not to come any more, so that they are looked for once and not for each beginning.
#[derive(Default)]
struct Stripper {
    no_comment_ends: bool,
    no_script_ends: bool,
}

impl Stripper {
    /// Reads the markup that `text` begins with.
    fn markup(&mut self, text: &str) -> Option<Markup> {
        if let Some(entity) = text.strip_prefix('&') {
            return decode_entity(entity).map(|(c, length)| (Some(c), length + 1));
        }
        if let Some(comment) = text.strip_prefix("<!--") {
            return self.comment(comment).map(|length| (None, length + 4));
        }
        if text.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype")) {
            return tag_end(text).map(|end| (None, end));
        }
        self.tag(text)
    }

    fn comment(&mut self, text: &str) -> Option<usize> {
        if self.no_comment_ends {
            return None;
        }
        let end = text.find("-->");
        self.no_comment_ends = end.is_none();
        end.map(|end| end + 3)
    }

    fn tag(&mut self, text: &str) -> Option<Markup> {
        let name_start = if text.starts_with("</") { 2 } else { 1 };
        let name_length = text[name_start..].find(|c: char| !c.is_ascii_alphanumeric())?;
        let name = text[name_start..name_start + name_length].to_ascii_lowercase();
        ELEMENTS.binary_search(&name.as_str()).ok()?;
        let after_name = text.as_bytes()[name_start + name_length];
        if !(after_name == b'>' || after_name == b'/' || after_name.is_ascii_whitespace()) {
            return None;
        }
        let end = tag_end(text)?;
        if name_start == 1 && (name == "script" || name == "style") {
            return Some((Some(' '), end + self.hidden_length(&text[end..], &name)));
        }
        let is_inline = INLINE.binary_search(&name.as_str()).is_ok();
        Some(((!is_inline).then_some(' '), end))
    }

    /// Returns how much of `text`, which follows an opening tag, belongs to the element `name` and is not text.
    fn hidden_length(&mut self, text: &str, name: &str) -> usize {
        if self.no_script_ends {
            return 0;
        }
        let closes =
            |at: usize| text.get(at + 2..at + 2 + name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name));
        let closing = text.match_indices("</").map(|(at, _)| at).find(|at| closes(*at));
        self.no_script_ends = closing.is_none();
        closing.map_or(0, |at| text[at..].find('>').map_or(text.len(), |end| at + end + 1))
    }
}

/// Returns the length of the tag that `text` begins with; a `>` inside a quoted attribute does not end it.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().take(MAX_TAG_BYTES) {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') if text.as_bytes()[at - 1] == b'=' => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Reads the entity that `text`, which follows `&`, begins with: its character, and its length with the semicolon.
fn decode_entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(MAX_ENTITY_BYTES).position(|byte| byte == b';')?;
    let name = &text[..end];
    if let Some(digits) = name.strip_prefix('#') {
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => digits.parse().ok()?,
        };
        let c = char::from_u32(code).filter(|c| !c.is_control() || c.is_whitespace())?;
        return Some((c, end + 1));
    }
    let index = ENTITIES.binary_search_by(|(known, _)| known.cmp(&name)).ok()?;
    Some((ENTITIES[index].1, end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(strip(text).as_deref().unwrap_or(text), expected, "{text:?}");
    }

    #[test]
    fn the_tables_are_sorted() {
        assert!(ELEMENTS.is_sorted());
        assert!(INLINE.is_sorted());
        assert!(ENTITIES.is_sorted());
    }

    #[test]
    fn tags_comments_scripts_and_entities_go() {
        check("a<br/>b", "a b");
        check("<p class=\"x>y\">Hi</P>", " Hi ");
        check("bold<b>er</b>", "bolder");
        check("<!-- no --><!DOCTYPE html>x", "x");
        check("a<script>if (a < b) { x(); }</script>b", "a b");
        check("Tom &amp; Jerry &lt;3 &#8364;5 &#x20AC;6", "Tom & Jerry <3 €5 €6");
    }

    #[test]
    fn what_is_no_html_stays() {
        for text in ["a < b > c", "<foo@example.org>", "vector<int>", "AT&T; R&D", "<p", "&#0;", "x <-- y", "<", "&"] {
            assert_eq!(strip(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_stripped_without_a_panic(text in "(<|>|&|;|/|!|-|p|b|é|amp|script|=|\"| ){0,30}") {
            let _ = strip(&text);
        }
    }
}
