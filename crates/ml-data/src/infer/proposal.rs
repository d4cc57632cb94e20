//! The fragment of pipeline.yaml that counts suggest.
//!
//! Every line has its evidence behind it. A rule that all records of the sample meet is proposed as it is; one that nearly all meet with
//! the share that did, a little less, so that the sample itself would pass.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::yaml::{in_quotes, one_line, quoted};
use super::{Inference, Shape};
use crate::field::{FieldPath, Fields};
use crate::instant::{InstantFormat, parse_instant};
use crate::rule::{Rule, Subject};
use crate::shown::shown_text;

/// From this share of the values on, the rest is taken for faults.
const NEARLY_ALL: f64 = 0.9;

/// So many different values are a list of those that are allowed, where each is there this often on average.
const MAX_ALLOWED: usize = 20;
const MIN_TIMES_EACH: u64 = 5;

/// Fewer values than these show nothing about what is allowed or unique.
const MIN_VALUES: u64 = 20;

/// A text of so many words on average is what a record says, and no label.
const MIN_WORDS_OF_CONTENT: u64 = 5;

/// Dates that are not ISO 8601, tried in this order.
const DATE_FORMATS: [&str; 10] = [
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d %b %Y",
    "%b %d, %Y",
];

/// Forms that texts may have, each a rule.
const FORMS: [&str; 7] = ["email", "url", "uuid", "ip_address", "currency", "country", "json"];

/// Lines of a list, each with its evidence.
#[derive(Default)]
struct Lines(Vec<(String, String)>);

impl Lines {
    fn add(&mut self, line: String, evidence: String) {
        self.0.push((line, evidence));
    }

    fn write(&self, indent: &str, text: &mut String) {
        for (line, evidence) in &self.0 {
            let _ = writeln!(text, "{indent}- {line}  # {evidence}");
        }
    }
}

/// What is proposed.
#[derive(Default)]
struct Proposal {
    steps: Lines,
    rules: Lines,
    /// Fields that were dates, with how many values they have.
    times: Vec<(String, u64)>,
    /// Paths that no name leads to.
    unnamed: Vec<String>,
}

/// Writes the fragment.
pub(super) fn write(inference: &Inference) -> String {
    let mut proposal = Proposal::default();
    for (path, shape) in &inference.paths {
        if is_named(path) {
            proposal.add(path, shape, inference.n_sampled - inference.n_without_fields);
        } else {
            proposal.unnamed.push(path.clone());
        }
    }
    let mut text = String::new();
    let of = inference.source_app.as_ref().map(|app| format!(" from {app}")).unwrap_or_default();
    let (n_sampled, n_records, data_type) = (inference.n_sampled, inference.n_records, &inference.data_type);
    let _ = writeln!(
        text,
        "# Proposed from {n_sampled} of {n_records} records of `{data_type}`{of}: read it, mend it, and put it into pipeline.yaml."
    );
    if inference.n_without_fields > 0 {
        let _ = writeln!(
            text,
            "# {} records are no objects with fields, and will wait in quarantine.",
            inference.n_without_fields
        );
    }
    if inference.is_cut {
        let _ = writeln!(text, "# There are more paths than are told apart; the rest is not in here.");
    }
    for path in &proposal.unnamed {
        let _ = writeln!(text, "# {} cannot be named by a path.", one_line(&shown_text(path)));
    }
    let _ = writeln!(text, "schema_version: 1\ndata_types:\n  {}:", quoted(data_type.as_str()));
    let mut indent = "    ".to_owned();
    if let Some(app) = &inference.source_app {
        let _ = writeln!(text, "    source_apps:\n      {}:", quoted(app.as_str()));
        indent.push_str("    ");
    }
    for (name, lines) in [("normalise", &proposal.steps), ("rules", &proposal.rules)] {
        if lines.0.is_empty() {
            let _ = writeln!(text, "{indent}{name}: []");
        } else {
            let _ = writeln!(text, "{indent}{name}:");
            lines.write(&format!("{indent}  "), &mut text);
        }
    }
    proposal.write_target(inference, &indent, &mut text);
    if inference.source_app.is_some() {
        // A data type that is not built in needs a target, whatever its applications have.
        let _ = writeln!(
            text,
            "    # For all other applications. With a target the data type stands by itself: leave it out where what is built in is to stay.\n\
             \x20   target:\n      table: global_ml_data"
        );
    }
    text
}

impl Proposal {
    fn add(&mut self, path: &str, shape: &Shape, n_records: u64) {
        let filled = shape.n_filled();
        if filled == 0 {
            return;
        }
        let name = quoted(path);
        if shape.n_padded > 0 {
            self.steps
                .add(format!("trim: {name}"), format!("{} with white space at an end", share(shape.n_padded, filled)));
        }
        self.add_presence(path, shape, n_records);
        if self.add_times(path, shape) || self.add_numbers(path, shape) {
            return;
        }
        self.add_kind(path, shape);
        if shape.n_text == filled {
            self.add_texts(path, shape);
        }
        if shape.n_array > 0 {
            let (min, max) = shape.length_range().unwrap_or_default();
            self.rules.add(format!("items: {{ fields: {name}, min: {min} }}"), format!("from {min} to {max} items"));
        }
    }

    /// Proposes that a field holds something, where it nearly always does.
    fn add_presence(&mut self, path: &str, shape: &Shape, n_records: u64) {
        if path.contains("[*]") {
            return;
        }
        let filled = shape.n_filled();
        let name = quoted(path);
        let evidence =
            format!("{} of records, {} null, {} blank", share(filled, n_records), shape.n_null, shape.n_blank);
        if filled == n_records {
            self.rules.add(format!("required: {name}"), evidence);
        } else if filled as f64 >= NEARLY_ALL * n_records as f64 {
            let mostly = below(filled, n_records);
            self.rules.add(format!("required: {{ fields: {name}, mostly: {mostly} }}"), evidence);
        }
    }

    /// Proposes how dates are read; returns whether the values are dates.
    fn add_times(&mut self, path: &str, shape: &Shape) -> bool {
        let (name, filled) = (quoted(path), shape.n_filled());
        if shape.n_date_text as f64 >= NEARLY_ALL * filled as f64 {
            let evidence = format!("{} dates", share(shape.n_date_text, filled));
            self.steps.add(format!("parse_date: {{ fields: {name} }}"), evidence);
        } else if let Some((format, n_met)) = date_format(shape) {
            let evidence = format!("{} dates like {}", share(n_met, filled), example(shape));
            self.steps.add(format!("parse_date: {{ fields: {name}, formats: [{}] }}", quoted(format)), evidence);
        } else if is_unix_time(path, shape) {
            let evidence = format!(
                "{} numbers that are plausible as seconds or milliseconds since 1970",
                share(shape.n_number, filled)
            );
            self.steps.add(format!("parse_date: {{ fields: {name} }}"), evidence);
        } else {
            return false;
        }
        if !path.contains("[*]") {
            self.times.push((path.to_owned(), filled));
        }
        true
    }

    /// Proposes how numbers are read and where they lie; returns whether the values are numbers.
    fn add_numbers(&mut self, path: &str, shape: &Shape) -> bool {
        let (name, filled) = (quoted(path), shape.n_filled());
        let (plain, loose) = (shape.n_number + shape.n_numeric_text, shape.n_number + shape.n_loose_numeric_text);
        if (loose as f64) < NEARLY_ALL * filled as f64 || has_leading_zeros(shape) {
            return false;
        }
        let evidence = format!("{}{}", kinds(shape), outliers(shape));
        if loose > plain {
            self.steps.add(format!("parse_number: {{ fields: {name} }}"), evidence);
        } else if shape.n_text > 0 {
            self.steps.add(format!("cast: {{ fields: {name}, to: number }}"), evidence);
        } else if shape.n_number < filled {
            let mostly = below(shape.n_number, filled);
            self.rules.add(format!("type: {{ fields: {name}, is: number, mostly: {mostly} }}"), evidence);
        } else {
            let kind = if shape.n_integer == filled { "integer" } else { "number" };
            self.rules.add(format!("type: {{ fields: {name}, is: {kind} }}"), evidence);
        }
        let Some([min, p01, median, p99, max]) = shape.quantiles() else { return true };
        let evidence = format!("min {min}, 1% {p01}, median {median}, 99% {p99}, max {max}");
        let last = path.rsplit('.').next().unwrap_or(path).to_lowercase();
        let lies_in = |bound: f64| min >= -bound && max <= bound;
        match last.as_str() {
            "lat" | "latitude" if lies_in(90.0) => self.rules.add(format!("latitude: {name}"), evidence),
            "lon" | "lng" | "long" | "longitude" if lies_in(180.0) => {
                self.rules.add(format!("longitude: {name}"), evidence);
            }
            _ if min > 0.0 => self.rules.add(format!("positive: {{ fields: {name}, severity: warn }}"), evidence),
            _ if min >= 0.0 => self.rules.add(format!("range: {{ fields: {name}, min: 0, severity: warn }}"), evidence),
            _ => self.rules.add(format!("finite: {name}"), evidence),
        }
        true
    }

    /// Proposes the kind that nearly all values are of.
    fn add_kind(&mut self, path: &str, shape: &Shape) {
        let filled = shape.n_filled();
        let all = [
            ("text", shape.n_text),
            ("number", shape.n_number),
            ("boolean", shape.n_boolean),
            ("array", shape.n_array),
            ("object", shape.n_object),
        ];
        let Some((kind, n_of_kind)) = all.into_iter().max_by_key(|(_, n_of_kind)| *n_of_kind) else { return };
        let name = quoted(path);
        if n_of_kind == filled {
            self.rules.add(format!("type: {{ fields: {name}, is: {kind} }}"), kinds(shape));
        } else if n_of_kind as f64 >= NEARLY_ALL * filled as f64 {
            let mostly = below(n_of_kind, filled);
            self.rules.add(format!("type: {{ fields: {name}, is: {kind}, mostly: {mostly} }}"), kinds(shape));
        }
    }

    /// Proposes the form of texts, or which there may be.
    fn add_texts(&mut self, path: &str, shape: &Shape) {
        let (name, filled) = (quoted(path), shape.n_filled());
        let form = FORMS.into_iter().find(|form| meets(form, shape));
        if let Some(form) = form {
            let arguments = if form == "country" { format!("{{ fields: {name} }}") } else { name.clone() };
            self.rules.add(format!("{form}: {arguments}"), format!("all {filled}, such as {}", example(shape)));
        }
        let Some(n_distinct) = shape.n_distinct().filter(|_| filled >= MIN_VALUES) else { return };
        if n_distinct as u64 == filled && !path.contains("[*]") && looks_like_a_key(path) {
            self.rules.add(format!("unique: {{ fields: {name} }}"), format!("{filled} values, all different"));
        } else if form.is_none() && n_distinct <= MAX_ALLOWED && filled >= n_distinct as u64 * MIN_TIMES_EACH {
            let values: Vec<String> = shape.most_frequent().iter().map(|(value, _)| in_quotes(value.trim())).collect();
            let values: std::collections::BTreeSet<String> = values.into_iter().collect();
            let values = values.into_iter().collect::<Vec<_>>().join(", ");
            let evidence = format!("{n_distinct} different values in {filled}, most often {}", example(shape));
            self.rules.add(format!("allowed: {{ fields: {name}, values: [{values}], severity: warn }}"), evidence);
        }
    }

    /// Proposes the table, with the text that says most and the time that is there most often.
    fn write_target(&self, inference: &Inference, indent: &str, text: &mut String) {
        let _ = writeln!(text, "{indent}target:\n{indent}  table: global_ml_data");
        let is_content = |shape: &&Shape| shape.n_text > 0 && shape.n_words >= MIN_WORDS_OF_CONTENT * shape.n_text;
        let texts =
            inference.paths.iter().filter(|(path, shape)| !path.contains("[*]") && is_named(path) && is_content(shape));
        if let Some((path, shape)) = texts.max_by_key(|(_, shape)| shape.n_words) {
            let evidence = format!("{} words on average", shape.n_words / shape.n_text);
            let _ = writeln!(text, "{indent}  content: {}  # {evidence}", quoted(path));
        }
        if let Some((path, filled)) = self.times.iter().max_by_key(|(_, filled)| *filled) {
            let _ = writeln!(text, "{indent}  event_time: {}  # {filled} dates", quoted(path));
        }
        let ids = ["id", "_id"].into_iter().filter(|id| inference.paths.contains_key(*id)).collect::<Vec<_>>();
        if !ids.is_empty() {
            let _ = writeln!(text, "{indent}  exclude: [{}]  # the id of the record is no feature", ids.join(", "));
        }
    }
}

/// Returns whether the path can be written in the configuration and means this.
fn is_named(path: &str) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    FieldPath::parse(path).is_ok()
        && !parts.iter().any(|part| part.chars().any(char::is_control))
        && parts.len() <= super::MAX_DEPTH
}

/// Returns a share a little below what was met, that every batch like the sample meets.
fn below(n_met: u64, n_all: u64) -> f64 {
    let share = n_met as f64 / n_all as f64;
    ((share * 100.0).floor() - 1.0).max(0.0) / 100.0
}

fn share(n_some: u64, n_all: u64) -> String {
    format!("{:.1}%", 100.0 * n_some as f64 / n_all.max(1) as f64)
}

/// Returns the shares of the kinds of values.
fn kinds(shape: &Shape) -> String {
    let filled = shape.n_filled();
    let all = [
        ("numbers", shape.n_number),
        ("text", shape.n_text),
        ("truth values", shape.n_boolean),
        ("arrays", shape.n_array),
        ("objects", shape.n_object),
    ];
    let parts = all.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{} {name}", share(*n, filled)));
    parts.collect::<Vec<_>>().join(", ")
}

/// Returns the most frequent text that is no number.
fn outliers(shape: &Shape) -> String {
    let odd = shape.most_frequent().into_iter().find(|(value, _)| crate::normalise::read_money(value).is_none());
    odd.map_or_else(String::new, |(value, n)| format!(", {n} times {}", one_line(&shown_text(value))))
}

fn example(shape: &Shape) -> String {
    shape.most_frequent().first().map_or_else(|| "long texts".to_owned(), |(value, _)| one_line(&shown_text(value)))
}

/// Returns whether all values are texts of a form.
fn meets(form: &str, shape: &Shape) -> bool {
    if shape.is_cut || shape.values.is_empty() {
        return false;
    }
    let arguments = json!({ form: { "fields": "x" } });
    let Ok(rule) = serde_json::from_value::<Rule>(arguments) else { return false };
    let (fields, known_at) = (Fields::new(), DateTime::<Utc>::UNIX_EPOCH);
    let subject = Subject { fields: &fields, known_at };
    shape.values.keys().all(|value| rule.fault_of(&Value::from(value.trim()), subject).is_none())
}

/// Returns the first format that nearly all texts have, and how many do.
fn date_format(shape: &Shape) -> Option<(&'static str, u64)> {
    let n_text: u64 = shape.values.values().sum();
    if shape.n_text == 0 || n_text < shape.n_text {
        return None;
    }
    DATE_FORMATS.into_iter().find_map(|pattern| {
        let format = [InstantFormat::parse(pattern).ok()?];
        let reads = |value: &&String| parse_instant(&Value::from(value.trim()), &format).is_ok();
        let n_met: u64 = shape.values.iter().filter(|(value, _)| reads(value)).map(|(_, count)| count).sum();
        (n_met as f64 >= NEARLY_ALL * shape.n_filled() as f64).then_some((pattern, n_met))
    })
}

/// Returns whether a field with a name like one of times holds numbers that are plausible as such, from 1990 to 2100.
fn is_unix_time(path: &str, shape: &Shape) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path).to_lowercase();
    let is_time =
        ["time", "date", "created", "updated", "published", "timestamp"].iter().any(|word| name.contains(word))
            || name.ends_with("_at")
            || name == "at"
            || name == "ts";
    let is_plausible = |scale: f64| {
        shape.quantiles().is_some_and(|[min, .., max]| min / scale >= 631_152_000.0 && max / scale <= 4_102_444_800.0)
    };
    is_time && shape.n_number == shape.n_filled() && (is_plausible(1.0) || is_plausible(1_000.0))
}

/// Returns whether texts are digits with a zero before them, as in postcodes and account numbers, which are no numbers.
fn has_leading_zeros(shape: &Shape) -> bool {
    let is_code =
        |value: &String| value.len() > 1 && value.starts_with('0') && value.bytes().all(|byte| byte.is_ascii_digit());
    shape.n_text > 0 && shape.values.keys().any(is_code)
}

fn looks_like_a_key(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path).to_lowercase();
    ["id", "key", "url", "link", "slug", "sku", "uuid", "code"]
        .iter()
        .any(|word| name == *word || name.ends_with(&format!("_{word}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ml_core::record::DataType;
    use proptest::prelude::*;

    use super::*;
    use crate::pipeline::{Pipeline, PipelineConfig};

    fn inference(records: &[Value]) -> Inference {
        let mut inference = Inference {
            data_type: DataType::parse("tabular").unwrap(),
            source_app: None,
            n_records: records.len() as u64,
            n_sampled: 0,
            n_without_fields: 0,
            is_cut: false,
            paths: BTreeMap::new(),
        };
        for record in records {
            inference.see(record);
        }
        inference
    }

    /// Returns the proposal, which is a sound configuration.
    fn proposed(records: &[Value]) -> String {
        let text = inference(records).to_yaml();
        let config = PipelineConfig::from_yaml(&text).unwrap_or_else(|err| panic!("{err}\n{text}"));
        Pipeline::new(&config).unwrap_or_else(|err| panic!("{err}\n{text}"));
        text
    }

    fn check(records: &[Value], lines: &[&str]) {
        let text = proposed(records);
        for line in lines {
            assert!(text.lines().any(|found| found.trim() == *line), "no line `{line}` in\n{text}");
        }
    }

    #[test]
    fn lines_come_with_their_evidence() {
        let records: Vec<Value> = (0..100)
            .map(|n| {
                json!({
                    "id": format!("r{n}"),
                    "price": if n == 7 { json!("n/a") } else { json!(n + 1) },
                    "rent": format!("€{n},000"),
                    "kind": if n % 3 == 0 { "sale" } else { "rent" },
                    "seen": format!("{:02}.05.2024", n % 28 + 1),
                    "mail": format!("a{n}@example.org"),
                    "zip": format!("0{n:04}"),
                    "about": "a text of a few words that says something",
                    "photos": [{"url": "http://a"}, {"url": "http://b"}],
                })
            })
            .collect();
        check(
            &records,
            &[
                "- cast: { fields: price, to: number }  # 99.0% numbers, 1.0% text, 1 times `n/a`",
                "- required: price  # 100.0% of records, 0 null, 0 blank",
                "- parse_number: { fields: rent }  # 100.0% text",
                "- allowed: { fields: kind, values: [\"rent\", \"sale\"], severity: warn }  # 2 different values in 100, most often `rent`",
                "- parse_date: { fields: seen, formats: [\"%d.%m.%Y\"] }  # 100.0% dates like `01.05.2024`",
                "- email: mail  # all 100, such as `a0@example.org`",
                "- type: { fields: zip, is: text }  # 100.0% text",
                "- unique: { fields: id }  # 100 values, all different",
                "- items: { fields: photos, min: 2 }  # from 2 to 2 items",
                "- url: \"photos[*].url\"  # all 200, such as `http://a`",
                "content: about  # 9 words on average",
                "event_time: seen  # 100 dates",
                "exclude: [id]  # the id of the record is no feature",
            ],
        );
    }

    #[test]
    fn what_is_seldom_is_not_asked_for() {
        let records: Vec<Value> =
            (0..40).map(|n| if n < 38 { json!({"a": 1, "b": null}) } else { json!({"c": [1, "x"]}) }).collect();
        check(&records, &["- required: { fields: a, mostly: 0.94 }  # 95.0% of records, 0 null, 0 blank"]);
        assert!(!proposed(&records).contains("required: c"));
    }

    #[test]
    fn odd_records_give_a_sound_configuration_too() {
        proposed(&[]);
        proposed(&[json!(1), json!([1]), json!({})]);
        proposed(&[
            json!({"": 1, " ": 2, "a.b": 3, "a..b": 4, "yes": "x", "a: b #c": 5, "x[*]": 1, "l\nm": 1, "\"q'": {"[0]": "\u{2028}"}}),
        ]);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9_f64..1e9).prop_map(Value::from),
            "[ -~é\n#:'\"]{0,12}".prop_map(Value::from),
            Just(json!("2024-05-31")),
            Just(json!("1,000 EUR")),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c .\\[\\]*:#0-9]{0,4}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_the_records_the_proposal_is_sound(records in prop::collection::vec(any_value(), 0..8)) {
            proposed(&records);
        }
    }
}
