//! Everything that JSON can say comes back, and what other programs write is read as well as it can be.

use chrono::DateTime;
use ml_core::testkit::build::a_raw_record;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Decimal128, RawDocumentBuf, doc};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::read::object_of;
use super::record;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has finite numbers", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let name = prop_oneof![any::<String>(), "[.$\0．＄␀＼a]{0,3}", "[a-z_]{1,8}"];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Microseconds from the year 1 to the year 9999.
const MICROS: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

proptest! {
    #[test]
    fn records_come_back(
        id in "[^\\p{Cc}\\s][^\\p{Cc}]{0,40}",
        content in any_json(),
        metadata in prop::collection::btree_map(any::<String>(), any_json(), 0..4),
        source in any::<Option<String>>(),
        scraped_at in prop::option::of(MICROS),
        ingested_at in MICROS,
    ) {
        let time = |micros| DateTime::from_timestamp_micros(micros).unwrap();
        let mut given = a_raw_record().id(&id).content(content).metadata(Map::from_iter(metadata))
            .scraped_at(scraped_at.map(time)).ingested_at(time(ingested_at)).build();
        given.source = source;
        let document = record::encode(&given, given.ingested_at);
        prop_assert_eq!(record::decode(&document).unwrap(), given);
    }
}

fn decoded(document: &mongodb::bson::Document) -> Value {
    Value::Object(object_of(&RawDocumentBuf::try_from(document).unwrap()).unwrap())
}

#[test]
fn ordinary_content_is_ordinary_bson() {
    let content =
        json!({"headline": "Shares rise", "n": 3, "share": 0.5, "tags": ["a", {"b": null}], "big": 5_000_000_000_i64});
    let record = a_raw_record().content(content).scraped_at(None).build();
    let document: mongodb::bson::Document = record::encode(&record, record.ingested_at).try_into().unwrap();
    let expected = doc! {
        "_id": "r1", "source_app": "newsroom", "source": null, "data_type": "text",
        "raw_content": { "big": 5_000_000_000_i64, "headline": "Shares rise", "n": 3, "share": 0.5, "tags": ["a", { "b": null }] },
        "metadata": {}, "scraped_at": null,
        "ingested_at": mongodb::bson::DateTime::from_millis(record.ingested_at.timestamp_millis()),
        "content_hash": record.content_hash.to_string(),
    };
    assert_eq!(document, expected);
}

#[test]
fn very_deep_content_comes_back() {
    let deep = (0..120)
        .fold(json!("the middle"), |inner, number| if number % 2 == 0 { json!([inner]) } else { json!({"in": inner}) });
    let given = a_raw_record().content(deep).build();
    let document = record::encode(&given, given.ingested_at);
    assert_eq!(record::decode(&document).unwrap(), given);
}

#[test]
fn types_that_json_lacks_become_text() {
    let id = ObjectId::parse_str("65f0c0ffee65f0c0ffee65f0").unwrap();
    let written = doc! {
        "id": id, "at": mongodb::bson::DateTime::from_millis(1_500), "price": "12.50".parse::<Decimal128>().unwrap(),
        "nothing": f64::NAN, "uuid": mongodb::bson::Uuid::from_bytes([0xab; 16]), "bytes": Bson::Binary(mongodb::bson::Binary { subtype: mongodb::bson::spec::BinarySubtype::Generic, bytes: vec![1, 255] }),
    };
    let expected = json!({
        "id": "65f0c0ffee65f0c0ffee65f0", "at": "1970-01-01T00:00:01.500Z", "price": "12.50", "nothing": "NaN",
        "uuid": "abababab-abab-abab-abab-abababababab", "bytes": "01ff",
    });
    assert_eq!(decoded(&written), expected);
}

#[test]
fn what_is_no_record_says_why() {
    let given = a_raw_record().build();
    let whole: mongodb::bson::Document = record::encode(&given, given.ingested_at).try_into().unwrap();
    let check = |field: &str, value: Option<Bson>, expected: &str| {
        let mut spoiled = whole.clone();
        match value {
            Some(value) => drop(spoiled.insert(field, value)),
            None => drop(spoiled.remove(field)),
        }
        let fault = record::decode(&RawDocumentBuf::try_from(&spoiled).unwrap()).unwrap_err();
        assert!(fault.to_string().contains(expected), "{fault}");
    };
    check("raw_content", None, "`raw_content` is missing");
    check("ingested_at", Some("today".into()), "`ingested_at` is of the type String, and should be a date");
    check("data_type", Some("No Type".into()), "`data_type` is refused");
    check("metadata", Some(Bson::Array(Vec::new())), "`metadata` is of the type Array");
    check("content_hash", Some("abc".into()), "`content_hash` is refused");
    check("_id", Some(7.into()), "`_id` is of the type Int32");
}
