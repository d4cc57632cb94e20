//! Real data sets pass with no configuration, or with an id that is more than one column.

use serde_json::{Value, json};

use ml_core::global_data::ValidatedQuery;
use ml_core::market_metric::MarketMetricStore;

use crate::fixture::{Fixture, data_file, mapped, request};

#[tokio::test]
async fn newsgroups_keep_subject_label_and_split() {
    let Some(file) = data_file("newsgroups20/data.jsonl.gz") else { return };
    let fixture = Fixture::default();
    let report = fixture.ingest_file(file, &request("text")).await.unwrap();
    assert_eq!((report.inserted, report.rejected), (18_846, 0));
    let total = fixture.sync().await.unwrap().total();
    // Some posts have neither a subject nor a text of their own.
    assert_eq!((total.read, total.quarantined), (18_846, 0), "{:?}", fixture.reasons().await.first());
    let row = fixture.rows().await.remove(0);
    for name in ["subject", "label", "split"] {
        assert!(row.features.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn short_messages_pass_whole() {
    let Some(file) = data_file("sms-spam/data.jsonl") else { return };
    let fixture = Fixture::default();
    let report = fixture.ingest_file(file, &request("text")).await.unwrap();
    assert_eq!((report.inserted, report.rejected), (5_574, 0));
    assert_eq!(fixture.sync().await.unwrap().total().written, 5_574);
}

#[tokio::test]
async fn houses_sold_twice_need_an_id_of_two_columns() {
    let Some(file) = data_file("king-county-sales/data.csv.gz") else { return };
    let fixture = Fixture::default();
    let by_house = fixture.ingest_file(&file, &request("tabular")).await.unwrap();
    assert_eq!(by_house.inserted + by_house.rejected, 21_613);
    assert_eq!(by_house.rejected, 177);
    let fixture = Fixture::default();
    let by_sale = mapped("tabular", json!({"id": ["id", "date"]}));
    let report = fixture.ingest_file(&file, &by_sale).await.unwrap();
    assert_eq!((report.inserted, report.rejected), (21_613, 0));
    assert_eq!(fixture.sync().await.unwrap().total().written, 21_613);
    let row = fixture.rows().await.remove(0);
    assert!(row.features["price"].is_number() && row.features["split"].is_string());
    assert_eq!(row.features.get("date"), None::<&Value>, "it is the event time");
}

#[tokio::test]
async fn the_one_faulty_bar_waits_in_quarantine() {
    let Some(file) = data_file("sp500-daily/data.csv.gz") else { return };
    let fixture = Fixture::default();
    let request = mapped("raw_market", json!({"id": ["ticker", "date"]}));
    let report = fixture.ingest_file(file, &request).await.unwrap();
    assert_eq!((report.inserted, report.rejected), (65_466, 0));
    assert_eq!(fixture.sync().await.unwrap().total().written, 65_465);
    let reasons = fixture.reasons().await;
    assert_eq!(reasons, ["app:SPG:2014-05-28 low compare: `174.5` is not <= `165.42` (`close`)"]);
    assert_eq!(MarketMetricStore::count(&*fixture.sql, &ValidatedQuery::default()).await.unwrap(), 65_465);
}
