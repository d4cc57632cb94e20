//! From documents to columns: depth, units, money, tables, and arrays that become rows.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use ml_core::record::Collection;
use ml_data::pipeline::{Pipeline, PipelineConfig};
use ml_data::sync::SyncOptions;

use crate::fixture::{Fixture, pipeline, request};

/// Syncs `record` by a pipeline for `tabular` with this body.
async fn sync(body: &str, records: &[Value]) -> Fixture {
    let fixture = Fixture::default();
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    fixture.ingest("-", lines.join("\n"), &request("tabular")).await.unwrap();
    let pipeline = pipeline(&format!("schema_version: 1\ndata_types:\n  tabular:\n{body}"));
    let options = SyncOptions { collections: vec![Collection::RawRecords], ..SyncOptions::default() };
    let syncer = fixture.syncer(fixture.sql.clone(), pipeline);
    syncer.sync(&options, &|_| {}, &CancellationToken::new()).await.unwrap();
    fixture
}

/// Returns the features of every row by its id.
async fn features(fixture: &Fixture) -> Value {
    let rows = fixture.rows().await.into_iter();
    Value::Object(rows.map(|row| (row.id.to_string(), Value::Object(row.features))).collect())
}

#[tokio::test]
async fn what_is_deep_in_a_document_becomes_a_column() {
    let body = "
    normalise:
      - parse_number: { fields: [price, 'units[*].rent'], currency: currency }
      - unit: { fields: area, to: m2, into: area_m2 }
      - convert_currency:
          { fields: price, from_field: currency, to: EUR, into: price_eur, rates: { source: invented, base: EUR, table: { USD: 1.25 } } }
      - lookup: { fields: type, into: kind, table: { apt: flat, hse: house }, otherwise: empty }
      - collect: { from: 'units[*].rent', to: rent, as: sum }
      - compute: { to: yearly, multiply: [rent, 12] }
      - compute: { to: gross_yield, divide: [yearly, price], round: 4 }
      - rename: { from: 'photos[0].url', to: photo }
      - parse_date: { fields: listed, formats: ['%d.%m.%Y %H:%M'], time_zone: Europe/Oslo }
    target:
      table: global_ml_data
      event_time: listed
      features: [price_eur, area_m2, kind, rent, gross_yield, photo, where.city]
";
    let record = json!({
        "id": 1, "price": "$250,000", "area": "1,000 sq ft", "type": "apt", "listed": "15.07.2024 12:00",
        "units": [{"rent": "1,000"}, {"rent": 500}, {"rent": ""}], "photos": [{"url": "http://a"}], "where": {"city": "Oslo"},
    });
    let fixture = sync(body, &[record]).await;
    assert_eq!(fixture.reasons().await, [""; 0]);
    let expected = json!({"raw_records:app:1": {
        "price_eur": 200_000.0, "area_m2": 92.903_04, "kind": "flat", "rent": 1_500, "gross_yield": 0.072, "photo": "http://a",
        "where.city": "Oslo",
    }});
    assert_eq!(features(&fixture).await, expected);
    assert_eq!(fixture.rows().await[0].event_time.to_rfc3339(), "2024-07-15T10:00:00+00:00");
}

#[tokio::test]
async fn what_cannot_be_brought_into_form_is_told() {
    let body = "
    normalise:
      - parse_number: { fields: price }
      - unit: { fields: area, from: m2, to: m2 }
      - lookup: { fields: type, table: { apt: flat } }
    target: { table: global_ml_data }
";
    let fixture = sync(body, &[json!({"id": 1, "price": "on request", "area": "5 miles", "type": "castle"})]).await;
    let expected = [
        "app:1 price parse_number: `on request` is not a number",
        "app:1 area unit: `5 miles` measures length, and area is wanted",
        "app:1 type lookup: `castle` is not in the table",
    ];
    assert_eq!(fixture.reasons().await, expected);
}

#[tokio::test]
async fn the_items_of_an_array_become_rows() {
    let target = |rows: &str| format!("    target: {{ table: global_ml_data, exclude: id, rows: {rows} }}\n");
    let order = json!({"id": 1, "who": "ada", "lines": [{"sku": "x", "n": 1}, {"sku": "y", "n": 2}]});
    let fixture = sync(&target("{ each: lines }"), std::slice::from_ref(&order)).await;
    let expected = json!({
        "raw_records:app:1#0": {"who": "ada", "lines.sku": "x", "lines.n": 1},
        "raw_records:app:1#1": {"who": "ada", "lines.sku": "y", "lines.n": 2},
    });
    assert_eq!(features(&fixture).await, expected);
    let keyed = sync(&target("{ each: lines, key: sku }"), &[order]).await;
    let ids: Vec<String> = keyed.rows().await.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(ids, ["raw_records:app:1#x", "raw_records:app:1#y"]);
    let none =
        sync(&target("{ each: lines }"), &[json!({"id": 1, "a": 1, "lines": []}), json!({"id": 2, "a": 2})]).await;
    assert_eq!(features(&none).await, json!({"raw_records:app:1": {"a": 1}, "raw_records:app:2": {"a": 2}}));
}

#[tokio::test]
async fn items_that_cannot_be_told_apart_wait() {
    let body = "    target: { table: global_ml_data, rows: { each: lines, key: sku } }\n";
    let records = [
        json!({"id": 1, "lines": [{"sku": "x"}, {"sku": "x"}]}),
        json!({"id": 2, "lines": [{"sku": "x"}, {}]}),
        json!({"id": 3, "lines": "none"}),
    ];
    let fixture = sync(body, &records).await;
    let expected = [
        "app:1 lines rows: two items have the `sku` `x`",
        "app:2 lines rows: item 1 has no `sku`, which tells it from the others",
        "app:3 lines rows: `none` is not an array",
    ];
    assert_eq!(fixture.reasons().await, expected);
}

#[tokio::test]
async fn a_sign_in_the_id_of_a_record_takes_no_row_of_another() {
    let sync = async |rows: &str, records: &[Value]| {
        let fixture = sync(&format!("    target: {{ table: global_ml_data, rows: {rows} }}\n"), records).await;
        fixture.rows().await.iter().map(|row| row.id.to_string()).collect::<Vec<_>>()
    };
    let records = [json!({"id": "1", "lines": [{"sku": "x"}]}), json!({"id": "1#x", "lines": []})];
    assert_eq!(sync("{ each: lines, key: sku }", &records).await, ["raw_records:app:1#x", "raw_records:app:1%23x"]);
    let records = [json!({"id": "1", "lines": [7]}), json!({"id": "1#0"})];
    assert_eq!(sync("{ each: lines }", &records).await, ["raw_records:app:1#0", "raw_records:app:1%230"]);
    let records = [json!({"id": "1", "lines": [{"sku": "a#b"}]}), json!({"id": "1#a", "lines": [{"sku": "b"}]})];
    assert_eq!(sync("{ each: lines, key: sku }", &records).await, ["raw_records:app:1#a#b", "raw_records:app:1%23a#b"]);
}

#[tokio::test]
async fn an_array_that_shrinks_leaves_no_row_behind() {
    let body = "schema_version: 1\ndata_types: { tabular: { target: { table: global_ml_data, exclude: id, rows: { each: lines } } } }";
    let fixture = Fixture::default();
    let options = SyncOptions { collections: vec![Collection::RawRecords], ..SyncOptions::default() };
    for (lines, n_rows) in [(json!([1, 2, 3]), 3), (json!([1]), 1), (json!([4, 5]), 2)] {
        fixture.clock.advance(chrono::TimeDelta::seconds(1));
        fixture.ingest("-", json!({"id": 1, "lines": lines}).to_string(), &request("tabular")).await.unwrap();
        let syncer = fixture.syncer(fixture.sql.clone(), pipeline(body));
        syncer.sync(&options, &|_| {}, &CancellationToken::new()).await.unwrap();
        assert_eq!(fixture.rows().await.len(), n_rows);
    }
}

#[tokio::test]
async fn the_first_field_that_holds_something_is_the_content() {
    let body = "    target: { table: global_ml_data, content: [text, title], exclude: id }\n";
    let records = [
        json!({"id": 1, "text": " ", "title": "a", "n": 1}),
        json!({"id": 2, "text": null, "title": "b"}),
        json!({"id": 3, "text": "c", "title": "d"}),
        json!({"id": 4, "text": "", "title": null}),
    ];
    let fixture = sync(body, &records).await;
    let contents: Vec<Option<String>> = fixture.rows().await.into_iter().map(|row| row.processed_content).collect();
    assert_eq!(contents, ["a", "b", "c", ""].map(|text| Some(text.to_owned())));
    let expected = json!({
        "raw_records:app:1": {"n": 1}, "raw_records:app:2": {}, "raw_records:app:3": {"title": "d"},
        "raw_records:app:4": {},
    });
    assert_eq!(features(&fixture).await, expected);
}

#[test]
fn a_key_of_several_values_is_refused() {
    let target = "{ table: global_ml_data, rows: { each: lines, key: 'sku[*]' } }";
    let text = format!("schema_version: 1\ndata_types: {{ tabular: {{ target: {target} }} }}");
    let err = Pipeline::new(&PipelineConfig::from_yaml(&text).unwrap()).unwrap_err().to_string();
    assert!(err.starts_with("data_types.tabular.target: rows.key: `sku[*]` may lead to several values"), "{err}");
}
