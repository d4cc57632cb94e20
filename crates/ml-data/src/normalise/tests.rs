//! What each step does, and what it says where it cannot.

use super::*;

/// Runs `step` on `record` and checks the record after it, and the messages.
fn check(step: Value, record: Value, expected: Value, messages: &[&str]) {
    let step: Step = serde_json::from_value(step).unwrap();
    assert_eq!(step.fault(), None, "{step:?}");
    let Value::Object(mut fields) = record else { panic!("{record} is not an object") };
    let mut reasons = Reasons::default();
    step.apply(&mut fields, &mut reasons);
    assert_eq!(Value::Object(fields), expected, "{step:?}");
    let found: Vec<String> = reasons.into_vec().into_iter().map(|reason| reason.message).collect();
    assert_eq!(found, messages, "{step:?}");
}

#[test]
fn text_steps_change_text_alone() {
    check(json!({"trim": ["a", "b"]}), json!({"a": " x ", "b": 1}), json!({"a": "x", "b": 1}), &[]);
    check(json!({"lowercase": "a"}), json!({"a": "ÄB"}), json!({"a": "äb"}), &[]);
    check(json!({"uppercase": "a"}), json!({"a": "aapl"}), json!({"a": "AAPL"}), &[]);
    check(json!({"collapse_white_space": "a"}), json!({"a": " x\n\t y "}), json!({"a": "x y"}), &[]);
    check(json!({"unicode": {"fields": "a", "form": "nfc"}}), json!({"a": "e\u{301}"}), json!({"a": "\u{e9}"}), &[]);
    check(json!({"unicode": {"fields": "a", "form": "nfkc"}}), json!({"a": "ﬁ①"}), json!({"a": "fi1"}), &[]);
    check(json!({"strip_html": "a"}), json!({"a": "<b>x</b> &amp; y"}), json!({"a": "x & y"}), &[]);
    check(json!({"trim": "absent"}), json!({"a": null}), json!({"a": null}), &[]);
}

#[test]
fn rename_takes_the_first_that_is_there() {
    let step = json!({"rename": {"from": ["body", "message"], "to": "text"}});
    check(step.clone(), json!({"message": "x"}), json!({"text": "x"}), &[]);
    check(step.clone(), json!({"body": "x", "message": "y"}), json!({"text": "x", "message": "y"}), &[]);
    check(step.clone(), json!({"text": "kept", "body": "x"}), json!({"text": "kept", "body": "x"}), &[]);
    for nothing in [json!(null), json!(""), json!(" ")] {
        let expected = json!({"body": nothing, "text": "x"});
        check(step.clone(), json!({"body": nothing, "message": "x"}), expected.clone(), &[]);
        check(step.clone(), json!({"text": nothing, "message": "x", "body": nothing}), expected, &[]);
        check(step.clone(), json!({"body": nothing}), json!({"text": nothing}), &[]);
        let blank = json!({"text": nothing, "body": nothing});
        check(step.clone(), blank.clone(), blank, &[]);
    }
}

#[test]
fn casts_say_what_they_cannot_read() {
    let cast = |to: &str| json!({"cast": {"fields": "a", "to": to}});
    check(cast("number"), json!({"a": " 1.5 "}), json!({"a": 1.5}), &[]);
    check(cast("number"), json!({"a": ""}), json!({"a": null}), &[]);
    check(cast("number"), json!({"a": "NaN"}), json!({"a": "NaN"}), &["`NaN` is not a number"]);
    check(cast("number"), json!({"a": "x"}), json!({"a": "x"}), &["`x` is not a number"]);
    check(cast("integer"), json!({"a": 3.0}), json!({"a": 3}), &[]);
    check(cast("integer"), json!({"a": "-7"}), json!({"a": -7}), &[]);
    check(cast("integer"), json!({"a": 3.5}), json!({"a": 3.5}), &["`3.5` is not a whole number"]);
    check(cast("boolean"), json!({"a": "Yes"}), json!({"a": true}), &[]);
    check(cast("boolean"), json!({"a": 0}), json!({"a": false}), &[]);
    check(cast("boolean"), json!({"a": 2}), json!({"a": 2}), &["`2` is not a truth value"]);
    check(cast("text"), json!({"a": 98178}), json!({"a": "98178"}), &[]);
    check(cast("text"), json!({"a": [1]}), json!({"a": [1]}), &["`[1]` cannot be turned into text"]);
}

#[test]
fn dates_become_rfc_3339() {
    let step = json!({"parse_date": {"fields": "at", "formats": ["%d/%m/%Y", "iso"]}});
    check(step.clone(), json!({"at": "31/05/2024"}), json!({"at": "2024-05-31T00:00:00Z"}), &[]);
    check(step.clone(), json!({"at": "2024-05-31"}), json!({"at": "2024-05-31T00:00:00Z"}), &[]);
    let message = "`soon` is not a date or time that is understood, such as 2024-05-31 or 2024-05-31T08:30:00Z";
    check(step, json!({"at": "soon"}), json!({"at": "soon"}), &[message]);
}

#[test]
fn defaults_fill_blanks_and_remove_takes_out() {
    let step = json!({"default": {"field": "lang", "value": "en"}});
    check(step.clone(), json!({}), json!({"lang": "en"}), &[]);
    check(step.clone(), json!({"lang": " "}), json!({"lang": "en"}), &[]);
    check(step, json!({"lang": "no"}), json!({"lang": "no"}), &[]);
    check(json!({"remove": ["a", "b.c"]}), json!({"a": 1, "b": {"c": 1, "d": 2}}), json!({"b": {"d": 2}}), &[]);
}

#[test]
fn wrong_arguments_are_faults() {
    for step in [
        json!({"trim": []}),
        json!({"rename": {"from": ["a", "b"], "to": "a"}}),
        json!({"default": {"field": "a", "value": null}}),
    ] {
        let step: Step = serde_json::from_value(step).unwrap();
        assert!(step.fault().is_some(), "{step:?}");
    }
    for step in [
        json!({"trimm": "a"}),
        json!({"cast": {"fields": "a", "to": "number", "x": 1}}),
        json!({"parse_date": {"fields": "a", "formats": ["%Q"]}}),
    ] {
        assert!(serde_json::from_value::<Step>(step.clone()).is_err(), "{step}");
    }
}

#[test]
fn a_new_field_destroys_nothing_that_stands_in_its_way() {
    let steps = [
        json!({"rename": {"from": "n", "to": "c.d"}}),
        json!({"default": {"field": "c.d", "value": 1}}),
        json!({"compute": {"to": "c.d", "add": ["n", 1]}}),
        json!({"collect": {"from": "n", "to": "c.d", "as": "list"}}),
        json!({"lookup": {"fields": "n", "into": "c.d", "table": {"2": "two"}}}),
        json!({"unit": {"fields": "n", "from": "m", "to": "km", "into": "c.d"}}),
        json!({"parse_number": {"fields": "t", "currency": "c.d"}}),
    ];
    for step in steps {
        let text = if step.get("parse_number").is_some() { json!(5) } else { json!("€5") };
        let expected = |c: &Value| json!({"n": 2, "t": text, "c": c});
        for c in [json!(5), json!("x"), json!([1])] {
            let message = format!("`c.d` cannot be made: `c` is {} already", crate::shown::shown(&c));
            check(step.clone(), json!({"n": 2, "t": "€5", "c": c}), expected(&c), &[&message]);
        }
    }
    let step = json!({"rename": {"from": "price", "to": "price.amount"}});
    check(step, json!({"price": 5}), json!({"price": {"amount": 5}}), &[]);
}

/// Returns what `config check` says of `step`.
fn fault(step: &Value) -> Option<String> {
    serde_json::from_value::<Step>(step.clone()).unwrap().fault()
}

#[test]
fn what_stands_beside_an_item_counts_for_it_alone() {
    let rates = json!({"source": "invented", "base": "EUR", "by_date": {
        "2024-01-01": {"USD": 2}, "2024-01-03": {"USD": 4, "NOK": 8},
    }});
    let convert = json!({"convert_currency": {
        "fields": "i[*].p", "from_field": "i[*].c", "date_field": "i[*].at", "from": "EUR", "to": "EUR", "rates": rates,
    }});
    let record = |prices: [Value; 3]| {
        let [a, b, c] = prices;
        json!({"i": [
            {"p": a, "c": "USD", "at": "2024-01-02"}, {"p": b, "c": "NOK", "at": "2024-01-04"}, {"p": c},
            {"c": "USD"},
        ]})
    };
    let given = [json!(16), json!(16), json!(16)];
    check(convert.clone(), record(given), record([json!(8.0), json!(2.0), json!(16.0)]), &[]);
    let step = json!({"unit": {"fields": "i[*].a", "from_field": "i[*].u", "to": "m"}});
    let areas = json!({"i": [{"a": 1, "u": "km"}, {"a": 1, "u": "cm"}]});
    check(step, areas, json!({"i": [{"a": 1_000.0, "u": "km"}, {"a": 0.01, "u": "cm"}]}), &[]);
    let step = json!({"unit": {"fields": "a", "from_field": "u", "from": "m", "to": "m"}});
    check(step, json!({"a": 1, "u": 5}), json!({"a": 1, "u": 5}), &["`5` is not a unit"]);
}

#[test]
fn several_values_beside_one_are_refused() {
    let message =
        "`i[*].u` may lead to several values, and one is needed for each of `a`: use [0], or a field of the same items";
    let unit =
        |fields: Value, from_field: &str| json!({"unit": {"fields": fields, "from_field": from_field, "to": "m"}});
    assert_eq!(fault(&unit(json!("a"), "i[*].u")).as_deref(), Some(message));
    assert_eq!(fault(&unit(json!(["i[*].a", "a"]), "i[*].u")).as_deref(), Some(message));
    assert!(fault(&unit(json!("i[*].a"), "j[*].u")).is_some());
    assert_eq!(fault(&unit(json!("i[*].a"), "i[*].u")), None);
    let convert = |from_field: &str, date_field: &str| {
        let rates = json!({"source": "invented", "base": "EUR", "by_date": {"2024-01-01": {"USD": 2}}});
        let arguments =
            json!({"fields": "p", "from_field": from_field, "date_field": date_field, "to": "EUR", "rates": rates});
        fault(&json!({ "convert_currency": arguments }))
    };
    assert!(convert("c[*]", "at").is_some_and(|fault| fault.starts_with("`c[*]` may lead")));
    assert!(convert("c", "at[*]").is_some_and(|fault| fault.starts_with("`at[*]` may lead")));
    assert_eq!(convert("c[0]", "at"), None);
}

#[test]
fn a_number_that_another_decimal_sign_would_read_is_told_so() {
    let parse = |decimal: &str| json!({"parse_number": {"fields": "a", "decimal": decimal}});
    check(
        parse("."),
        json!({"a": "€12,50"}),
        json!({"a": "€12,50"}),
        &["`€12,50` is not a number: where a comma stands before the fraction, set `decimal: \",\"`"],
    );
    check(
        parse(","),
        json!({"a": "12.50"}),
        json!({"a": "12.50"}),
        &["`12.50` is not a number: where a point stands before the fraction, set `decimal: \".\"`"],
    );
    check(parse(","), json!({"a": "1.250,50 €"}), json!({"a": 1250.5}), &[]);
    check(parse("."), json!({"a": "1 2"}), json!({"a": "1 2"}), &["`1 2` is not a number"]);
    let unit = |decimal: &str| json!({"unit": {"fields": "a", "to": "m2", "decimal": decimal}});
    check(
        unit("."),
        json!({"a": "12,5 m2"}),
        json!({"a": "12,5 m2"}),
        &["`12,5 m2` is not a quantity: where a comma stands before the fraction, set `decimal: \",\"`"],
    );
    check(unit(","), json!({"a": "12,5 m2"}), json!({"a": 12.5}), &[]);
    assert!(fault(&unit(";")).is_some());
}

#[test]
fn one_field_holds_one_currency() {
    let step = json!({"parse_number": {"fields": ["price", "units[*].rent"], "currency": "currency"}});
    let stays = |record: Value, message: &str| check(step.clone(), record.clone(), record, &[message]);
    let both = json!({"price": "€450,000", "units": [{"rent": "$1,800"}]});
    let message = "`€450,000` and `$1,800` are in two currencies, and `currency` holds one";
    check(step.clone(), both.clone(), both, &[message, message]);
    stays(
        json!({"price": "450,000", "units": [{"rent": "1,800 EUR"}, {"rent": "1,800"}, {"rent": "CHF 1,800"}]}),
        "`1,800 EUR` and `CHF 1,800` are in two currencies, and `currency` holds one",
    );
    stays(json!({"price": "€5", "currency": "USD"}), "`USD` is not the currency of `€5`");
    stays(json!({"price": "€5", "currency": 7}), "`7` is not the currency of `€5`");
    let becomes = |price: &str, given: Value, code: Value| {
        let record = |price, currency| json!({"price": price, "currency": currency});
        check(step.clone(), record(json!(price), given), record(json!(5), code), &[]);
    };
    becomes("€5", json!(" eur"), json!("EUR"));
    becomes("€5", json!("€"), json!("EUR"));
    becomes("€5", json!(" "), json!("EUR"));
    becomes("$5", json!("CAD"), json!("CAD"));
    becomes("5", json!("kroner"), json!("kroner"));
    check(
        step,
        json!({"price": "$5", "units": [{"rent": "6 CAD"}]}),
        json!({"price": 5, "units": [{"rent": 6}], "currency": "CAD"}),
        &[],
    );
}

#[test]
fn what_is_no_text_is_not_read_as_a_number() {
    for value in [json!(true), json!([1]), json!({"a": 1})] {
        let message = format!("{} is not a number", crate::shown::shown(&value));
        check(json!({"parse_number": {"fields": "a"}}), json!({"a": value}), json!({"a": value}), &[&message]);
    }
    check(json!({"parse_number": {"fields": "a"}}), json!({"a": 1.5}), json!({"a": 1.5}), &[]);
    check(json!({"parse_number": {"fields": "a"}}), json!({"a": " "}), json!({"a": null}), &[]);
}

#[test]
fn without_a_result_no_old_one_stays() {
    let divide = json!({"compute": {"to": "r", "divide": ["a", "b"]}});
    check(divide.clone(), json!({"a": 1, "b": 4, "r": 9}), json!({"a": 1, "b": 4, "r": 0.25}), &[]);
    check(divide.clone(), json!({"a": 1, "r": 9}), json!({"a": 1}), &[]);
    check(divide.clone(), json!({"a": 1, "b": 0, "r": 9}), json!({"a": 1, "b": 0}), &[]);
    check(divide.clone(), json!({"a": 0, "b": 4}), json!({"a": 0, "b": 4, "r": 0}), &[]);
    let wrong = json!({"a": 1, "b": "x", "r": 9});
    check(divide, wrong.clone(), wrong, &["`x` is not a number"]);
    let collect = |from: &str, to: &str, how: &str| json!({"collect": {"from": from, "to": to, "as": how}});
    check(collect("i[*].p", "r", "sum"), json!({"i": [], "r": 9}), json!({"i": []}), &[]);
    check(collect("i[*].p", "r", "count"), json!({"i": [], "r": 9}), json!({"i": [], "r": 0}), &[]);
    check(collect("r[*].p", "r", "join"), json!({"r": [{"q": 1}]}), json!({}), &[]);
    check(collect("r[*].p", "r", "join"), json!({"r": "as it is"}), json!({"r": "as it is"}), &[]);
}

#[test]
fn a_result_that_no_number_holds_is_told() {
    let huge = json!({"a": 1e300, "b": 1e-300, "r": 9});
    let message = ["the result is too large for a number"];
    check(json!({"compute": {"to": "r", "multiply": ["a", "a"]}}), huge.clone(), huge.clone(), &message);
    check(json!({"compute": {"to": "r", "divide": ["a", "b"]}}), huge.clone(), huge.clone(), &message);
    let rounded = json!({"a": 1e300, "b": 1e-300, "r": 2e300});
    check(json!({"compute": {"to": "r", "add": ["a", "a"], "round": 15}}), huge, rounded, &[]);
    let most = json!({"a": [1e308, 1e308]});
    check(json!({"collect": {"from": "a[*]", "to": "r", "as": "sum"}}), most.clone(), most, &message);
    let one = json!({"a": 1e308});
    check(json!({"unit": {"fields": "a", "from": "km", "to": "mm"}}), one.clone(), one.clone(), &message);
    let rates = json!({"source": "invented", "base": "EUR", "table": {"JPY": 160}});
    let convert = json!({"convert_currency": {"fields": "a", "from": "EUR", "to": "JPY", "rates": rates}});
    check(convert, one.clone(), one, &message);
}

#[test]
fn fields_stand_alone_where_all_else_has_defaults() {
    check(json!({"parse_date": "at"}), json!({"at": 0}), json!({"at": "1970-01-01T00:00:00Z"}), &[]);
    check(json!({"parse_number": ["a", "b"]}), json!({"a": "1", "b": "2"}), json!({"a": 1, "b": 2}), &[]);
    for (step, missing) in [
        (json!({"unicode": "a"}), "missing field `form`"),
        (json!({"cast": ["a"]}), "missing field `to`"),
        (json!({"unit": "a"}), "missing field `to`"),
        (json!({"convert_currency": "a"}), "missing field `to`"),
    ] {
        let err = serde_json::from_value::<Step>(step).unwrap_err().to_string();
        assert_eq!(err, missing);
    }
    for step in ["rename", "collect", "compute", "default"] {
        let err = serde_json::from_value::<Step>(json!({ step: "a" })).unwrap_err().to_string();
        assert!(err.starts_with("invalid type: string \"a\", expected arguments by name, such as {"), "{err}");
    }
    assert_eq!(fault(&json!({"lookup": "a"})).as_deref(), Some("the table is empty: use table or file"));
    assert_eq!(fault(&json!({"parse_date": []})).as_deref(), Some("no field is named"));
}
