//! Rules as they are written: `name: arguments`, where the arguments of some are fields alone.

use serde_json::{Value, json};

/// Rules that need nothing but fields, and can have more.
const FIELDS_ALONE: [&str; 3] = ["country", "not_future", "unique"];

/// What the arguments of the rules look like that need more than fields.
const EXAMPLES: [(&str, &str); 26] = [
    ("age", "{ fields: at, max: 30d }"),
    ("allowed", "{ fields: side, values: [buy, sell] }"),
    ("charset", "{ fields: text, is: printable }"),
    ("compare", "{ left: low, is: \"<=\", right: high }"),
    ("conditional", "{ when: [{ required: price }], then: [{ required: currency }] }"),
    ("contains", "{ fields: text, any: [a, b] }"),
    ("date", "{ fields: at, from: 1990-01-01 }"),
    ("decimal_places", "{ fields: price, max: 2 }"),
    ("dedup", "{ by: url, keep: first }"),
    ("ends_with", "{ fields: file, with: .csv }"),
    ("equals_product", "{ field: total, of: [price, quantity] }"),
    ("equals_sum", "{ field: total, of: [net, tax] }"),
    ("exists_in", "{ fields: symbol, table: market_metrics, column: symbol }"),
    ("increasing", "{ fields: [opened, closed] }"),
    ("items", "{ fields: photos, min: 1 }"),
    ("keys", "{ fields: payload, required: [a] }"),
    ("length", "{ fields: title, max: 200 }"),
    ("multiple_of", "{ fields: lot, of: 100 }"),
    ("not_in", "{ fields: name, values: [test] }"),
    ("patterns", "{ fields: ref, any: [\"^A\"] }"),
    ("range", "{ fields: price, min: 0 }"),
    ("ratio", "{ of: price, to: area, min: 200 }"),
    ("regex", "{ fields: symbol, matches: \"^[A-Z]+$\" }"),
    ("starts_with", "{ fields: url, with: \"https://\" }"),
    ("type", "{ fields: n, is: integer }"),
    ("words", "{ fields: text, min: 8 }"),
];

/// Returns the rule with its arguments by name where it may be written without, or what is wrong with its form.
pub(super) fn named(mut rule: Value) -> Result<Value, String> {
    let entries = match &mut rule {
        Value::Object(entries) => entries,
        Value::String(name) => {
            return Err(format!("`{name}` stands alone: a rule has arguments, such as `required: title`"));
        }
        _ => return Err("a rule is its name and its arguments, such as `required: title`".to_owned()),
    };
    if entries.len() != 1 {
        let names: Vec<String> = entries.keys().map(|name| format!("`{name}`")).collect();
        return Err(match &names[..] {
            [] => "a rule without a name: write it as `required: title`".to_owned(),
            names => format!("{} stand in one rule: write each behind a `-` of its own", names.join(", ")),
        });
    }
    let Some((name, arguments)) = entries.iter_mut().next() else { return Ok(rule) };
    if !arguments.is_object() {
        if FIELDS_ALONE.contains(&name.as_str()) {
            *arguments = json!({ "fields": arguments.take() });
        } else if let Some((_, example)) = EXAMPLES.iter().find(|(of, _)| of == name) {
            return Err(format!("`{name}` takes arguments by name, such as `{name}: {example}`"));
        }
    }
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use crate::rule::Rule;

    use super::*;

    fn fault(yaml: &str) -> String {
        serde_yaml_ng::from_str::<Rule>(yaml).unwrap_err().to_string()
    }

    #[test]
    fn what_every_rule_needs_is_told_by_an_example_that_is_one() {
        for (name, example) in EXAMPLES {
            let rule: Rule = serde_yaml_ng::from_str(&format!("{name}: {example}")).unwrap();
            assert_eq!((rule.name(), rule.fault()), (name, None));
            assert_eq!(
                fault(&format!("{name}: a")),
                format!("`{name}` takes arguments by name, such as `{name}: {example}`")
            );
        }
        // The names of all rules are in the message that one is unknown.
        let known = fault("nix: a");
        let known: Vec<&str> = known.split('`').skip(3).step_by(2).collect();
        assert!(known.len() > 40, "{known:?}");
        for name in known {
            let has_example = EXAMPLES.iter().any(|(of, _)| *of == name);
            let reads = serde_yaml_ng::from_str::<Rule>(&format!("{name}: [a, b]")).is_ok();
            assert!(has_example != reads, "`{name}` takes fields alone, or says what it takes");
        }
    }

    #[test]
    fn fields_alone_are_enough_for_some() {
        for name in FIELDS_ALONE {
            let read = |arguments: &str| serde_yaml_ng::from_str::<Rule>(&format!("{name}: {arguments}")).unwrap();
            assert_eq!(read("a"), read("{ fields: a }"));
            assert_eq!(read("[a, b]"), read("{ fields: [a, b] }"));
        }
    }

    #[test]
    fn a_rule_has_one_name() {
        assert_eq!(fault("required"), "`required` stands alone: a rule has arguments, such as `required: title`");
        assert_eq!(
            fault("{ required: a, email: b }"),
            "`email`, `required` stand in one rule: write each behind a `-` of its own"
        );
        assert_eq!(fault("{}"), "a rule without a name: write it as `required: title`");
        assert_eq!(fault("7"), "a rule is its name and its arguments, such as `required: title`");
    }

    #[test]
    fn rules_inside_others_are_read_the_same_way() {
        assert!(
            fault("conditional: { when: [required], then: [{ required: a }] }").contains("`required` stands alone")
        );
        assert!(fault("items: { fields: a, each: [{ range: b }] }").contains("`range` takes arguments by name"));
        assert!(fault("age: { fields: at, max: 30 }").contains("`30` is not a duration such as 90s, 15m, 12h or 30d"));
        assert!(fault("not_future: { fields: at, tolerance: 5 }").contains("`5` is not a duration such as"));
    }
}
