//! Cases of [`crate::market_metric::MarketMetricStore`] alone; see [`super::validated_query`] for the rest.

use super::awkward;
use crate::global_data::ValidatedQuery;
use crate::market_metric::MarketMetric;
use crate::page::PageRequest;
use crate::sync::ValidatedRow;
use crate::testkit::build::{a_market_metric, a_sync_batch, second};
use crate::testkit::side::SyncSide;

async fn check_come_back(side: &dyn SyncSide, bars: &[MarketMetric]) {
    let rows = bars.iter().cloned().map(ValidatedRow::MarketMetric).collect();
    side.sync().commit(&a_sync_batch().rows(rows).build()).await.unwrap();
    let listed = side.market().list(&ValidatedQuery::default(), PageRequest::first(1000)).await.unwrap();
    assert_eq!(listed.items, bars);
}

pub async fn a_bar_comes_back_as_it_was_written(side: &dyn SyncSide) {
    let bare = a_market_metric().id("bare").open(None).high(None).low(None).volume(None).build();
    let full = a_market_metric().id("full").event_time(second(86_400)).build();
    let zero = a_market_metric().id("zero").open(Some(0.0)).close(-37.63).volume(Some(0.0)).build();
    check_come_back(side, &[bare, full, zero]).await;
}

pub async fn prices_keep_every_bit(side: &dyn SyncSide) {
    let price = 0.1 + 0.2;
    let bar = a_market_metric().open(Some(price)).high(Some(1e300)).low(Some(-1e-300)).close(1.0 / 3.0);
    check_come_back(side, &[bar.volume(Some(9_007_199_254_740_993.0)).build()]).await;
}

pub async fn awkward_symbols_come_back(side: &dyn SyncSide) {
    let bars = awkward::TEXTS.map(|text| a_market_metric().id(text).symbol(text).build());
    check_come_back(side, &bars).await;
}

pub async fn two_symbols_may_share_a_time(side: &dyn SyncSide) {
    let bars = ["AAPL", "MSFT"].map(|symbol| a_market_metric().id(symbol).symbol(symbol).build());
    check_come_back(side, &bars).await;
}

/// Tests a [`MarketMetricStore`](crate::market_metric::MarketMetricStore) on a store that is a
/// [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! market_metric_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            market_metric_store,
            $fresh,
            [
                a_bar_comes_back_as_it_was_written,
                prices_keep_every_bit,
                awkward_symbols_come_back,
                two_symbols_may_share_a_time,
            ]
        );
    };
}
