//! Values as they are shown in messages.

use serde_json::Value;

/// The longest value that is shown whole, in characters.
const MAX_SHOWN_CHARS: usize = 60;

/// Returns `value` as compact JSON in back quotes, cut after 60 characters.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => shown_text(text),
        other => format!("`{}`", cut(&other.to_string())),
    }
}

/// Returns `text` in back quotes, with control characters escaped, cut after 60 characters.
pub(crate) fn shown_text(text: &str) -> String {
    let cut = cut(text);
    let escaped: String =
        cut.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect();
    format!("`{escaped}`")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_values_are_cut_and_control_characters_escaped() {
        assert_eq!(shown(&json!(1.5)), "`1.5`");
        assert_eq!(shown(&json!("a\nb")), "`a\\nb`");
        let long = shown(&json!("é".repeat(100)));
        assert_eq!(long.chars().count(), 63);
        assert!(long.ends_with("…`"));
    }
}
