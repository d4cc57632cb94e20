//! Cases of [`crate::reference::ReferenceStore`].

use serde_json::json;

use super::outcome::assert_not_found;
use crate::error::Entity;
use crate::reference::ColumnRef;
use crate::sync::ValidatedRow;
use crate::testkit::build::{a_market_metric, a_sync_batch};
use crate::testkit::side::SyncSide;

async fn write(side: &dyn SyncSide, n_bars: usize) {
    let bars =
        (0..n_bars).map(|n| a_market_metric().id(&format!("b{n}")).symbol(&format!("S{n}")).close(n as f64 + 0.5));
    let rows = bars.map(|bar| ValidatedRow::MarketMetric(bar.build())).collect();
    side.sync().commit(&a_sync_batch().several("r1", rows).build()).await.unwrap();
}

async fn check(side: &dyn SyncSide, column: &str, values: serde_json::Value, expected: &[bool]) {
    let column = ColumnRef::parse("market_metrics", column).unwrap();
    let found = side.references().are_present(&column, values.as_array().unwrap()).await.unwrap();
    assert_eq!(found, expected, "{values} in {column:?}");
}

pub async fn nothing_is_in_an_empty_table(side: &dyn SyncSide) {
    check(side, "symbol", json!(["S0", 1, null]), &[false, false, false]).await;
    check(side, "symbol", json!([]), &[]).await;
}

pub async fn values_are_told_in_the_order_asked(side: &dyn SyncSide) {
    write(side, 3).await;
    check(side, "symbol", json!(["S2", "x", "S0", "S2", "s1", "S1 "]), &[true, false, true, true, false, false]).await;
}

pub async fn numbers_are_found_by_value(side: &dyn SyncSide) {
    write(side, 3).await;
    check(side, "close", json!([0.5, 1, "2.5", 3.5, null]), &[true, false, true, false, false]).await;
}

pub async fn a_number_is_found_in_a_column_of_text_as_it_prints(side: &dyn SyncSide) {
    let bar = a_market_metric().symbol("600519").build();
    side.sync().commit(&a_sync_batch().several("r1", vec![ValidatedRow::MarketMetric(bar)]).build()).await.unwrap();
    check(side, "symbol", json!([600_519, 600_519.5, "600519"]), &[true, false, true]).await;
}

pub async fn many_values_are_looked_up_at_once(side: &dyn SyncSide) {
    write(side, 500).await;
    let values: Vec<_> = (0..5_000).map(|n| json!(format!("S{n}"))).collect();
    let expected: Vec<bool> = (0..5_000).map(|n| n < 500).collect();
    check(side, "symbol", json!(values), &expected).await;
}

pub async fn an_absent_table_or_column_is_not_found(side: &dyn SyncSide) {
    for (table, column, entity) in
        [("no_such_table", "symbol", Entity::Table), ("market_metrics", "no_such_column", Entity::Column)]
    {
        let column = ColumnRef::parse(table, column).unwrap();
        assert_not_found(side.references().are_present(&column, &[json!("x")]).await, entity);
    }
}

/// Tests a [`ReferenceStore`](crate::reference::ReferenceStore) on a store that is a
/// [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! reference_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            reference_store,
            $fresh,
            [
                nothing_is_in_an_empty_table,
                values_are_told_in_the_order_asked,
                numbers_are_found_by_value,
                a_number_is_found_in_a_column_of_text_as_it_prints,
                many_values_are_looked_up_at_once,
                an_absent_table_or_column_is_not_found,
            ]
        );
    };
}
