//! What each rule accepts, and what it says of the rest.

use ml_core::testkit::build::at;
use serde_json::json;

use super::*;

/// Judges `record`, which was ingested at 2024-06-01, by `rule` and compares the messages.
fn check(rule: &Value, record: Value, messages: &[&str]) {
    let rule: Rule = serde_json::from_value(rule.clone()).unwrap();
    assert_eq!(rule.fault(), None, "{rule:?}");
    let Value::Object(fields) = record else { panic!("{record} is not an object") };
    let mut reasons = Reasons::default();
    rule.check(Subject { fields: &fields, known_at: at("2024-06-01T00:00:00Z") }, &mut reasons);
    let found: Vec<String> = reasons.into_vec().into_iter().map(|reason| reason.message).collect();
    assert_eq!(found, messages, "{rule:?} on {fields:?}");
}

#[test]
fn required_fields_hold_something() {
    let rule = json!({"required": ["a", "b.c"]});
    check(&rule, json!({"a": 0, "b": {"c": false}}), &[]);
    check(&rule, json!({"a": null, "b": {}}), &["is missing", "is missing"]);
    check(&rule, json!({"a": " \t", "b": {"c": ""}}), &["is blank", "is blank"]);
    let rule = json!({"required_any": ["a", "b"]});
    check(&rule, json!({"b": "x"}), &[]);
    check(&rule, json!({"a": ""}), &["none of `a`, `b` holds anything"]);
}

#[test]
fn types_are_told_apart() {
    let rule = |kind: &str| json!({"type": {"fields": "a", "is": kind}});
    check(&rule("number"), json!({"a": 1.5}), &[]);
    check(&rule("integer"), json!({"a": 1}), &[]);
    check(&rule("integer"), json!({"a": 1.0}), &[]);
    check(&rule("boolean"), json!({"a": true}), &[]);
    check(&rule("text"), json!({"a": null}), &[]);
    check(&rule("number"), json!({"a": "x"}), &["`x` is text, number is needed"]);
    check(&rule("integer"), json!({"a": 1.5}), &["`1.5` is number, integer is needed"]);
    check(&rule("object"), json!({"a": [1]}), &["`[1]` is array, object is needed"]);
}

#[test]
fn ranges_include_min_and_max_and_exclude_above_and_below() {
    let rule = json!({"range": {"fields": "a", "min": 0, "below": 10}});
    check(&rule, json!({"a": 0}), &[]);
    check(&rule, json!({"a": 10}), &["`10` is not below 10"]);
    check(&rule, json!({"a": -0.5}), &["`-0.5` is less than 0"]);
    check(&rule, json!({"a": "x"}), &["`x` is not a number"]);
    let rule = json!({"range": {"fields": "a", "above": 0, "max": 1.5}});
    check(&rule, json!({"a": 0}), &["`0` is not above 0"]);
    check(&rule, json!({"a": 2}), &["`2` is more than 1.5"]);
}

#[test]
fn finite_numbers_may_be_text() {
    let rule = json!({"finite": "a"});
    check(&rule, json!({"a": 1}), &[]);
    check(&rule, json!({"a": "1.5"}), &[]);
    check(&rule, json!({"a": "inf"}), &["`inf` is not a finite number"]);
    check(&rule, json!({"a": "NaN"}), &["`NaN` is not a finite number"]);
}

#[test]
fn lengths_count_characters() {
    let rule = json!({"length": {"fields": "a", "min": 2, "max": 3}});
    check(&rule, json!({"a": "éé"}), &[]);
    check(&rule, json!({"a": "é"}), &["`é` has 1 character, at least 2 are needed"]);
    check(&rule, json!({"a": "abcd"}), &["`abcd` has 4 characters, at most 3 are accepted"]);
    check(&rule, json!({"a": 12}), &["`12` is not text"]);
}

#[test]
fn patterns_are_matched_anywhere_unless_anchored() {
    let rule = json!({"regex": {"fields": "a", "matches": "^[A-Z]{1,5}$"}});
    check(&rule, json!({"a": "AAPL"}), &[]);
    check(&rule, json!({"a": "aapl"}), &["`aapl` does not match `^[A-Z]{1,5}$`"]);
}

#[test]
fn allowed_values_are_listed() {
    let rule = json!({"allowed": {"fields": "a", "values": ["x", 1]}});
    check(&rule, json!({"a": "x"}), &[]);
    check(&rule, json!({"a": 1.0}), &[]);
    check(&rule, json!({"a": "y"}), &["`y` is not one of `x`, `1`"]);
}

#[test]
fn dates_lie_in_their_range() {
    let rule = json!({"date": {"fields": "a", "from": "2024-01-01", "before": "2025-01-01"}});
    check(&rule, json!({"a": "2024-06-01T00:00:00Z"}), &[]);
    check(&rule, json!({"a": "2023-12-31"}), &["`2023-12-31` is before 2024-01-01T00:00:00Z"]);
    check(&rule, json!({"a": "2025-01-01"}), &["`2025-01-01` is not before 2025-01-01T00:00:00Z"]);
    check(&rule, json!({"a": "1582-10-15"}), &["`1582-10-15` is outside the accepted years 1700 to 2199"]);
}

#[test]
fn two_fields_are_compared_as_what_they_are() {
    let rule = json!({"compare": {"left": "low", "is": "<=", "right": "close"}});
    check(&rule, json!({"low": 1, "close": 1.0}), &[]);
    check(&rule, json!({"low": 1}), &[]);
    check(&rule, json!({"low": 2, "close": 1}), &["`2` is not <= `1` (`close`)"]);
    check(&rule, json!({"low": 2, "close": "x"}), &["`2` cannot be compared with `x` (`close`)"]);
    let rule = json!({"compare": {"left": "from", "is": "<", "right": "to"}});
    check(&rule, json!({"from": "2024-01-01", "to": "2024-01-01T00:00:01Z"}), &[]);
    check(&rule, json!({"from": "b", "to": "a"}), &["`b` is not < `a` (`to`)"]);
}

#[test]
fn a_field_that_could_not_be_normalised_has_one_reason() {
    let rule: Rule = serde_json::from_value(json!({"range": {"fields": "a", "min": 0}})).unwrap();
    let mut reasons = Reasons::default();
    reasons.add(&FieldPath::parse("a").unwrap(), "cast", "`x` is not a number".into());
    reasons.end_of_steps();
    let Value::Object(fields) = json!({"a": "x"}) else { unreachable!() };
    rule.check(Subject { fields: &fields, known_at: at("2024-06-01T00:00:00Z") }, &mut reasons);
    assert_eq!(reasons.into_vec().len(), 1);
}

#[test]
fn wrong_arguments_are_faults() {
    for rule in [
        json!({"required": []}),
        json!({"range": {"fields": "a"}}),
        json!({"range": {"fields": "a", "min": 2, "max": 1}}),
        json!({"range": {"fields": "a", "above": 5, "below": 5}}),
        json!({"range": {"fields": "a", "min": 5, "below": 5}}),
        json!({"range": {"fields": "a", "above": 5, "max": 5}}),
        json!({"length": {"fields": "a"}}),
        json!({"length": {"fields": "a", "min": 2, "max": 1}}),
        json!({"allowed": {"fields": "a", "values": []}}),
        json!({"date": {"fields": "a", "from": "2024-01-01", "before": "2024-01-01"}}),
        json!({"compare": {"left": "a", "is": "<", "right": "a"}}),
    ] {
        let rule: Rule = serde_json::from_value(rule).unwrap();
        assert!(rule.fault().is_some(), "{rule:?}");
    }
    for rule in [
        json!({"requird": "a"}),
        json!({"regex": {"fields": "a", "matches": "("}}),
        json!({"compare": {"left": "a", "is": "~", "right": "b"}}),
        json!({"range": {"fields": "a", "mim": 1}}),
    ] {
        assert!(serde_json::from_value::<Rule>(rule.clone()).is_err(), "{rule}");
    }
}

#[test]
fn fields_are_absent_alone_or_together() {
    check(&json!({"absent": ["a", "b"]}), json!({"a": null, "b": 1}), &["`1` is there, and nothing may be"]);
    let rule = json!({"exclusive": ["a", "b", "c"]});
    check(&rule, json!({"a": " ", "b": 1}), &[]);
    check(&rule, json!({"a": 1, "c": 2}), &["holds something, and so does `a`; one alone may"]);
    let rule = json!({"together": ["a", "b"]});
    check(&rule, json!({}), &[]);
    check(&rule, json!({"a": 1, "b": 2}), &[]);
    check(&rule, json!({"b": 1}), &["holds nothing, and `b` does; all or none may"]);
}

#[test]
fn numbers_have_a_make() {
    check(&json!({"positive": "a"}), json!({"a": 0}), &["`0` is not a number above 0"]);
    let rule = json!({"decimal_places": {"fields": "a", "max": 2}});
    check(&rule, json!({"a": 19.99}), &[]);
    check(&rule, json!({"a": "0.10"}), &[]);
    check(&rule, json!({"a": 0.125}), &["`0.125` is not a number of at most 2 decimal places"]);
    check(&rule, json!({"a": "1e3x"}), &["`1e3x` is not a number of at most 2 decimal places"]);
    let rule = json!({"multiple_of": {"fields": "a", "of": 0.1}});
    check(&rule, json!({"a": 0.3}), &[]);
    check(&rule, json!({"a": 0.35}), &["`0.35` is not a multiple of 0.1"]);
    check(&json!({"latitude": "a"}), json!({"a": 91}), &["`91` is not a latitude from -90 to 90"]);
    check(&json!({"longitude": "a"}), json!({"a": -180.0}), &[]);
}

#[test]
fn texts_begin_end_and_contain() {
    let rule = json!({"starts_with": {"fields": "a", "with": ["ab", "c"]}});
    check(&rule, json!({"a": "cd"}), &[]);
    check(&rule, json!({"a": "d"}), &["`d` does not start with `ab`, `c`"]);
    let rule = json!({"ends_with": {"fields": "a", "with": ".jpg"}});
    check(&rule, json!({"a": "x.png"}), &["`x.png` does not end with `.jpg`"]);
    let rule = json!({"contains": {"fields": "a", "any": ["x", "y"], "all": "z", "none": ["!"]}});
    check(&rule, json!({"a": "xz"}), &[]);
    check(&rule, json!({"a": "z"}), &["`z` contains none of `x`, `y`"]);
    check(&rule, json!({"a": "x"}), &["`x` does not contain `z`"]);
    check(&rule, json!({"a": "yz!"}), &["`yz!` contains `!`"]);
    let rule = json!({"patterns": {"fields": "a", "any": ["^a", "b$"], "none": "--"}});
    check(&rule, json!({"a": "xb"}), &[]);
    check(&rule, json!({"a": "x"}), &["`x` matches none of `^a`, `b$`"]);
    check(&rule, json!({"a": "a--"}), &["`a--` matches `--`"]);
    let rule = json!({"words": {"fields": "a", "min": 2}});
    check(&rule, json!({"a": " one  two"}), &[]);
    check(&rule, json!({"a": "one"}), &["`one` has 1 word, at least 2 are needed"]);
    let rule = |is: &str| json!({"charset": {"fields": "a", "is": is}});
    check(&rule("letters"), json!({"a": "Ærø東"}), &[]);
    check(&rule("printable"), json!({"a": "caf\u{fffd}"}), &["`caf\u{fffd}` has `\u{fffd}`, which is not printable"]);
    check(&rule("ascii"), json!({"a": "é"}), &["`é` has `é`, which is not ascii"]);
    check(&rule("lowercase"), json!({"a": "a1B"}), &["`a1B` has `B`, which is not lowercase"]);
}

#[test]
fn codes_and_forms_are_known() {
    check(&json!({"email": "a"}), json!({"a": "ada@"}), &["`ada@` is not an email address"]);
    check(&json!({"currency": "a"}), json!({"a": "EUR"}), &[]);
    check(&json!({"currency": "a"}), json!({"a": "EURO"}), &["`EURO` is not a currency code of ISO 4217"]);
    check(&json!({"country": {"fields": "a"}}), json!({"a": "NO"}), &[]);
    check(
        &json!({"country": {"fields": "a", "form": "alpha3"}}),
        json!({"a": "NO"}),
        &["`NO` is not a country code of ISO 3166-1 alpha-3"],
    );
    check(
        &json!({"not_in": {"fields": "a", "values": [0, "n/a"]}}),
        json!({"a": 0.0}),
        &["`0.0` is one of the values that are refused"],
    );
}

#[test]
fn ages_are_told_by_the_ingest() {
    let rule = json!({"age": {"fields": "a", "max": "30d", "min": "1h"}});
    check(&rule, json!({"a": "2024-05-31"}), &[]);
    check(
        &rule,
        json!({"a": "2024-04-01"}),
        &["`2024-04-01` is more than 30d before the ingest at 2024-06-01T00:00:00Z"],
    );
    check(&rule, json!({"a": "2024-06-01"}), &["`2024-06-01` is not 1h before the ingest at 2024-06-01T00:00:00Z"]);
    check(&json!({"not_future": "a"}), json!({"a": "2024-06-01"}), &[]);
    check(
        &json!({"not_future": "a"}),
        json!({"a": "2024-06-01T00:04:00Z"}),
        &["`2024-06-01T00:04:00Z` is after the ingest at 2024-06-01T00:00:00Z"],
    );
    check(&json!({"not_future": {"fields": "a", "tolerance": "5m"}}), json!({"a": "2024-06-01T00:04:00Z"}), &[]);
}

#[test]
fn fields_agree_in_arithmetic() {
    let rule = json!({"equals_sum": {"field": "t", "of": ["a", "b"]}});
    check(&rule, json!({"t": 0.3, "a": 0.1, "b": 0.2}), &[]);
    check(&rule, json!({"t": 1, "a": 1}), &[]);
    check(&rule, json!({"t": 4, "a": 1, "b": 2}), &["`4` is not `a` + `b` = `3`"]);
    check(&rule, json!({"t": 4, "a": "x", "b": 2}), &["`x` is not a number"]);
    let rule = json!({"equals_product": {"field": "t", "of": ["a", "b"], "tolerance": 0.1}});
    check(&rule, json!({"t": 6.5, "a": 2, "b": 3}), &[]);
    check(&rule, json!({"t": 7, "a": 2, "b": 3}), &["`7` is not `a` × `b` = `6`"]);
    let rule = json!({"ratio": {"of": "a", "to": "b", "min": 2, "max": 4}});
    check(&rule, json!({"a": 6, "b": 2}), &[]);
    check(&rule, json!({"a": 9, "b": 2}), &["`9` is more than 4 times `2` (`b`)"]);
    check(&rule, json!({"a": 9, "b": 0}), &["`9` cannot be divided by `0` (`b`)"]);
    let rule = json!({"increasing": {"fields": ["a", "b", "c"], "strictly": true}});
    check(&rule, json!({"a": 1, "c": 2}), &[]);
    check(
        &rule,
        json!({"a": "2024-01-01", "b": "2024-01-01T00:00:00Z"}),
        &["`2024-01-01T00:00:00Z` is not more than `2024-01-01` (`a`)"],
    );
    check(
        &json!({"increasing": {"fields": "a[*]"}}),
        json!({"a": [1, 2, 2, 1]}),
        &["`1` is not at least `2` (`a[*]`)"],
    );
}

#[test]
fn items_and_keys_are_asked() {
    let rule =
        json!({"items": {"fields": "a", "min": 1, "max": 3, "unique": true, "each": ["url", {"length": {"max": 9}}]}});
    check(&rule, json!({"a": ["http://a", "http://b"]}), &[]);
    check(&rule, json!({"a": []}), &["has 0 items, at least 1 are needed"]);
    check(&rule, json!({"a": ["http://a", "http://a"]}), &["items 0 and 1 are both `http://a`"]);
    check(
        &rule,
        json!({"a": ["http://a", "b"]}),
        &["item 1: `b` is not a URL with scheme and host, such as https://example.org/a"],
    );
    check(&rule, json!({"a": "x"}), &["`x` is not an array"]);
    let rule = json!({"items": {"fields": "a", "each": [{"required": "n"}, {"range": {"fields": "n", "min": 0}}]}});
    check(&rule, json!({"a": [{"n": 1}, {"n": -1}]}), &["item 1: n: `-1` is less than 0"]);
    check(&rule, json!({"a": [3]}), &["item 0: `3` is not an object with fields"]);
    let rule = json!({"keys": {"fields": "a", "allowed": ["x", "y"], "required": ["x"]}});
    check(&rule, json!({"a": {"x": null}}), &[]);
    check(&rule, json!({"a": {"y": 1}}), &["has no field `x`"]);
    check(&rule, json!({"a": {"x": 1, "z": 1}}), &["has a field `z`, which is not among those that are allowed"]);
    check(&json!({"keys": {"required": ["x"]}}), json!({"a": 1}), &["has no field `x`"]);
    let rule = json!({"range": {"fields": "a[*].n", "min": 0}});
    check(&rule, json!({"a": [{"n": 1}, {"n": -1}, {"n": -2}]}), &["`-1` is less than 0, and 1 more of this field"]);
}

#[test]
fn rules_hold_under_a_condition() {
    let rule = json!({"conditional": {
        "when": [{"allowed": {"fields": "kind", "values": ["sale"]}}],
        "then": [{"required": "price"}],
        "otherwise": [{"absent": "price"}],
    }});
    check(&rule, json!({"kind": "sale", "price": 1}), &[]);
    check(&rule, json!({"kind": "sale"}), &["is missing"]);
    check(&rule, json!({"kind": "rent", "price": 1}), &["`1` is there, and nothing may be"]);
    check(&rule, json!({"price": 1}), &["`1` is there, and nothing may be"]);
    let when = |rule: Value| json!({"conditional": {"when": [rule], "then": [{"required": "c"}]}});
    let compare = when(json!({"compare": {"left": "a", "is": "<", "right": "b"}}));
    check(&compare, json!({"a": 1, "b": 2}), &["is missing"]);
    check(&compare, json!({"a": 1, "b": null}), &[]);
    let keys = when(json!({"keys": {"fields": "a", "required": ["x"]}}));
    check(&keys, json!({"a": {"x": null}}), &["is missing"]);
    check(&keys, json!({}), &[]);
    let urls = when(json!({"url": "a[*]"}));
    check(&urls, json!({"a": ["", "http://a.example"]}), &["is missing"]);
    check(&urls, json!({"a": [null]}), &[]);
    check(&when(json!({"absent": "a"})), json!({}), &["is missing"]);
}

#[test]
fn items_that_hold_nothing_are_items_and_no_values() {
    let each = json!({"items": {"fields": "a", "each": ["url"]}});
    check(&each, json!({"a": ["http://a.example", null]}), &["item 1: `null` is not text"]);
    check(&json!({"url": "a[*]"}), json!({"a": ["http://a.example", null]}), &[]);
}

#[test]
fn wrong_arguments_of_the_rest_are_faults_too() {
    for rule in [
        json!({"exclusive": "a"}),
        json!({"decimal_places": {"fields": "a", "max": 16}}),
        json!({"multiple_of": {"fields": "a", "of": 0}}),
        json!({"words": {"fields": "a"}}),
        json!({"starts_with": {"fields": "a", "with": []}}),
        json!({"contains": {"fields": "a"}}),
        json!({"patterns": {"fields": "a"}}),
        json!({"not_in": {"fields": "a", "values": []}}),
        json!({"age": {"fields": "a"}}),
        json!({"increasing": {"fields": "a"}}),
        json!({"equals_sum": {"field": "a", "of": ["a", "b"]}}),
        json!({"equals_sum": {"field": "a", "of": ["b"]}}),
        json!({"ratio": {"of": "a", "to": "b"}}),
        json!({"items": {"fields": "a"}}),
        json!({"items": {"fields": "a", "each": [{"range": {}}]}}),
        json!({"keys": {"fields": "a"}}),
        json!({"keys": {"allowed": ["a"], "required": ["b"]}}),
        json!({"conditional": {"when": [], "then": [{"required": "a"}]}}),
        json!({"conditional": {"when": [{"required": "a"}]}}),
        json!({"conditional": {"when": [{"required": "a"}], "then": [{"unique": {"fields": "a"}}]}}),
        json!({"exists_in": {"fields": "a", "table": "x; drop", "column": "y"}}),
        json!({"dedup": {"by": "a", "keep": "newest"}}),
        json!({"required": "a[*]"}),
        json!({"compare": {"left": "a[*]", "is": "<", "right": "b"}}),
    ] {
        let rule: Rule = serde_json::from_value(rule).unwrap();
        assert!(rule.fault().is_some(), "{rule:?}");
    }
    for rule in [
        json!({"age": {"fields": "a", "max": "long"}}),
        json!({"country": {"fields": "a", "form": "alpha4"}}),
        json!({"patterns": {"fields": "a", "any": ["("]}}),
        json!({"items": {"fields": "a", "each": [{"compare": {}}]}}),
        json!({"email": {"fields": "a", "x": 1}}),
    ] {
        assert!(serde_json::from_value::<Rule>(rule.clone()).is_err(), "{rule}");
    }
}

#[test]
fn items_in_order_stand_alone() {
    for fields in [json!(["a[*]", "b"]), json!(["b", "a[*]"]), json!(["a[*]", "b[*]"]), json!("a")] {
        let rule: Rule = serde_json::from_value(json!({"increasing": {"fields": fields}})).unwrap();
        assert!(rule.fault().is_some(), "{fields}");
    }
}
