//! Cases of [`ValidatedQuery`], which every validated table answers alike: by time, by app, as of an instant, in pages.

use chrono::{DateTime, Utc};
use serde_json::{Map, json};

use super::awkward;
use super::pages::joined;
use crate::error::StoreError;
use crate::global_data::{GlobalRecord, ValidatedQuery};
use crate::id::RecordId;
use crate::market_metric::MarketMetric;
use crate::page::{Page, PageRequest};
use crate::record::{Collection, SourceApp};
use crate::sync::ValidatedRow;
use crate::testkit::build::{
    a_global_record, a_market_metric, a_sync_batch, a_user_interaction, at, data_type, record_id, second, source_app,
};
use crate::testkit::side::SyncSide;
use crate::user_interaction::UserInteraction;

/// A validated table that is queried.
#[derive(Debug, Clone, Copy)]
enum Table {
    Global,
    Market,
    Interactions,
}

const TABLES: [Table; 3] = [Table::Global, Table::Market, Table::Interactions];

/// What the cases need to know of a row of any table.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    id: RecordId,
    app: SourceApp,
    event_time: DateTime<Utc>,
    known_time: DateTime<Utc>,
    value: f64,
}

/// A row that happened and was known at second zero.
fn row(id: &str) -> Row {
    Row { id: record_id(id), app: source_app("app"), event_time: second(0), known_time: second(0), value: 0.5 }
}

impl Row {
    fn happened(self, event_time: DateTime<Utc>) -> Row {
        Row { event_time, ..self }
    }

    fn known(self, known_time: DateTime<Utc>) -> Row {
        Row { known_time, ..self }
    }

    fn value(self, value: f64) -> Row {
        Row { value, ..self }
    }

    fn of_app(self, app: &str) -> Row {
        Row { app: source_app(app), ..self }
    }
}

impl Table {
    fn validated(self, row: &Row) -> ValidatedRow {
        let (id, app) = (row.id.as_str(), row.app.as_str());
        match self {
            Table::Global => {
                let features = Map::from_iter([("value".to_owned(), json!(row.value))]);
                let builder = a_global_record().id(id).source_app(app).features(features);
                ValidatedRow::Global(builder.event_time(row.event_time).created_at(row.known_time).build())
            }
            Table::Market => {
                let builder = a_market_metric().id(id).source_app(app).close(row.value);
                ValidatedRow::MarketMetric(builder.event_time(row.event_time).created_at(row.known_time).build())
            }
            Table::Interactions => {
                let builder = a_user_interaction().id(id).source_app(app).value(Some(row.value));
                ValidatedRow::UserInteraction(builder.event_time(row.event_time).created_at(row.known_time).build())
            }
        }
    }

    async fn list(
        self,
        side: &dyn SyncSide,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<Row, RecordId>, StoreError> {
        Ok(match self {
            Table::Global => rows_of(side.global().list(query, page).await?),
            Table::Market => rows_of(side.market().list(query, page).await?),
            Table::Interactions => rows_of(side.interactions().list(query, page).await?),
        })
    }

    async fn count(self, side: &dyn SyncSide, query: &ValidatedQuery) -> u64 {
        let count = match self {
            Table::Global => side.global().count(query).await,
            Table::Market => side.market().count(query).await,
            Table::Interactions => side.interactions().count(query).await,
        };
        count.unwrap()
    }
}

fn rows_of<T: Into<Row>>(page: Page<T, RecordId>) -> Page<Row, RecordId> {
    Page { items: page.items.into_iter().map(Into::into).collect(), next_cursor: page.next_cursor }
}

impl From<GlobalRecord> for Row {
    fn from(row: GlobalRecord) -> Row {
        let value = row.features["value"].as_f64().unwrap();
        Row { id: row.id, app: row.source_app, event_time: row.event_time, known_time: row.created_at, value }
    }
}

impl From<MarketMetric> for Row {
    fn from(row: MarketMetric) -> Row {
        let (event_time, known_time) = (row.event_time, row.created_at);
        Row { id: row.id, app: row.source_app, event_time, known_time, value: row.close }
    }
}

impl From<UserInteraction> for Row {
    fn from(row: UserInteraction) -> Row {
        let (event_time, known_time) = (row.event_time, row.created_at);
        Row { id: row.id, app: row.source_app, event_time, known_time, value: row.value.unwrap() }
    }
}

async fn commit(side: &dyn SyncSide, table: Table, rows: &[Row]) {
    // A record has its rows in one table only; the cases have namesakes in several, so these come from several collections.
    let collection = match table {
        Table::Global => Collection::TextCorpus,
        Table::Market => Collection::MarketData,
        Table::Interactions => Collection::RawRecords,
    };
    let rows = rows.iter().map(|row| table.validated(row)).collect();
    side.sync().commit(&a_sync_batch().collection(collection).rows(rows).replayed().build()).await.unwrap();
}

/// Lists and counts, and compares both with the rows expected.
async fn check_query(side: &dyn SyncSide, table: Table, query: &ValidatedQuery, expected: &[Row]) {
    let page = table.list(side, query, PageRequest::first(1000)).await.unwrap();
    assert_eq!(page.items, expected, "{table:?}, {query:?}");
    assert_eq!(page.next_cursor, None, "{table:?}, {query:?}");
    assert_eq!(table.count(side, query).await, expected.len() as u64, "count of {table:?}, {query:?}");
}

fn all() -> ValidatedQuery {
    ValidatedQuery::default()
}

fn known_by(instant: DateTime<Utc>) -> ValidatedQuery {
    ValidatedQuery { known_by: Some(instant), ..all() }
}

pub async fn an_empty_table_has_no_rows(side: &dyn SyncSide) {
    for table in TABLES {
        check_query(side, table, &all(), &[]).await;
        check_query(side, table, &known_by(second(0)), &[]).await;
    }
}

pub async fn rows_are_listed_by_id(side: &dyn SyncSide) {
    for table in TABLES {
        let mut rows = awkward::TEXTS.map(row).to_vec();
        rows.reverse();
        commit(side, table, &rows).await;
        rows.reverse();
        check_query(side, table, &all(), &rows).await;
        let list = joined(1, async |page| table.list(side, &all(), page).await).await;
        assert_eq!(list, rows, "{table:?}");
    }
}

pub async fn tables_are_apart(side: &dyn SyncSide) {
    for (table, value) in TABLES.into_iter().zip([1.0, 2.0, 3.0]) {
        commit(side, table, &[row("same").value(value)]).await;
    }
    for (table, value) in TABLES.into_iter().zip([1.0, 2.0, 3.0]) {
        check_query(side, table, &all(), &[row("same").value(value)]).await;
    }
}

pub async fn pages_joined_give_the_list(side: &dyn SyncSide) {
    let rows: Vec<Row> = (0..10).map(|number| row(&format!("r{number}"))).collect();
    for table in TABLES {
        commit(side, table, &rows).await;
        for limit in [1, 3, 9, 10, 11] {
            let list = joined(limit, async |page| table.list(side, &all(), page).await).await;
            assert_eq!(list, rows, "{table:?} in pages of {limit}");
        }
    }
}

pub async fn pages_as_of_an_instant_joined_give_the_list(side: &dyn SyncSide) {
    // Every third row was corrected later, and every fourth came later.
    let id = |number: i32| format!("r{number:02}");
    for table in TABLES {
        let early: Vec<Row> = (0..20).filter(|n| n % 4 != 3).map(|n| row(&id(n)).known(second(1))).collect();
        let corrected: Vec<Row> =
            (0..20).filter(|n| n % 3 == 0 && n % 4 != 3).map(|n| row(&id(n)).value(9.0).known(second(5))).collect();
        let late: Vec<Row> = (0..20).filter(|n| n % 4 == 3).map(|n| row(&id(n)).known(second(5))).collect();
        for rows in [&early, &corrected, &late] {
            commit(side, table, rows).await;
        }
        for limit in [1, 2, 7, 100] {
            let list = joined(limit, async |page| table.list(side, &known_by(second(4)), page).await).await;
            assert_eq!(list, early, "{table:?} in pages of {limit}");
        }
    }
}

pub async fn rows_added_between_pages_shift_nothing(side: &dyn SyncSide) {
    for table in TABLES {
        commit(side, table, &["b", "d", "f", "h"].map(row)).await;
        let first = table.list(side, &all(), PageRequest::first(2)).await.unwrap();
        commit(side, table, &["a", "c", "e", "z"].map(row)).await;

        let rest = PageRequest::first(10).after(first.next_cursor.unwrap());
        let rest = table.list(side, &all(), rest).await.unwrap();

        assert_eq!(first.items, ["b", "d"].map(row), "{table:?}");
        assert_eq!(rest.items, ["e", "f", "h", "z"].map(row), "{table:?}");
    }
}

pub async fn event_times_bound_a_query(side: &dyn SyncSide) {
    let rows = ["a", "b", "c"].into_iter().zip(1..).map(|(id, time)| row(id).happened(second(time)));
    let rows: Vec<Row> = rows.collect();
    for table in TABLES {
        commit(side, table, &rows).await;
        check_query(side, table, &ValidatedQuery { event_from: Some(second(2)), ..all() }, &rows[1..]).await;
        check_query(side, table, &ValidatedQuery { event_before: Some(second(2)), ..all() }, &rows[..1]).await;
        let between = ValidatedQuery { event_from: Some(second(2)), event_before: Some(second(3)), ..all() };
        check_query(side, table, &between, &rows[1..2]).await;
        let nothing = ValidatedQuery { event_from: Some(second(2)), event_before: Some(second(2)), ..all() };
        check_query(side, table, &nothing, &[]).await;
    }
}

pub async fn times_compare_across_centuries(side: &dyn SyncSide) {
    let times = awkward::times();
    let with_time = |(number, time): (usize, &DateTime<Utc>)| row(&format!("t{number}")).happened(*time).known(*time);
    let rows: Vec<Row> = times.iter().enumerate().map(with_time).collect();
    for table in TABLES {
        commit(side, table, &rows).await;
        for (number, time) in times.iter().copied().enumerate() {
            check_query(side, table, &ValidatedQuery { event_from: Some(time), ..all() }, &rows[number..]).await;
            check_query(side, table, &ValidatedQuery { event_before: Some(time), ..all() }, &rows[..number]).await;
            check_query(side, table, &known_by(time), &rows[..=number]).await;
        }
    }
}

pub async fn apps_bound_a_query(side: &dyn SyncSide) {
    let rows = [row("a").of_app("crm"), row("b").of_app("shop"), row("c").of_app("crm")];
    for table in TABLES {
        commit(side, table, &rows).await;
        let of = |app| ValidatedQuery { source_app: Some(source_app(app)), ..all() };
        check_query(side, table, &of("crm"), &[rows[0].clone(), rows[2].clone()]).await;
        check_query(side, table, &of("c.m"), &[]).await;
        check_query(side, table, &of("CRM"), &[]).await;
    }
}

pub async fn data_types_bound_a_query_where_there_are_several(side: &dyn SyncSide) {
    let social = ValidatedQuery { data_type: Some(data_type("social")), ..all() };
    for table in TABLES {
        commit(side, table, &[row("a"), row("b")]).await;
    }
    // Global rows of the cases are texts; the other tables hold a single type and ignore the bound.
    check_query(side, Table::Global, &social, &[]).await;
    let text = ValidatedQuery { data_type: Some(data_type("text")), ..all() };
    check_query(side, Table::Global, &text, &[row("a"), row("b")]).await;
    check_query(side, Table::Market, &social, &[row("a"), row("b")]).await;
    check_query(side, Table::Interactions, &social, &[row("a"), row("b")]).await;
}

pub async fn rows_that_came_later_are_left_out(side: &dyn SyncSide) {
    let late = at("2026-01-05T00:00:02.000001Z");
    let rows = [row("a").known(second(1)), row("b").known(second(2)), row("c").known(late)];
    for table in TABLES {
        commit(side, table, &rows).await;
        check_query(side, table, &known_by(second(0)), &[]).await;
        check_query(side, table, &known_by(second(2)), &rows[..2]).await;
        check_query(side, table, &known_by(late), &rows).await;
    }
}

pub async fn former_versions_answer_as_of_reads(side: &dyn SyncSide) {
    let versions = [1, 3, 5].map(|time| row("a").value(time as f64).known(second(time)));
    let other = row("b").known(second(4));
    for table in TABLES {
        commit(side, table, &[versions[0].clone(), other.clone()]).await;
        commit(side, table, &versions[1..2]).await;
        commit(side, table, &versions[2..]).await;
        check_query(side, table, &known_by(second(0)), &[]).await;
        check_query(side, table, &known_by(second(1)), &versions[..1]).await;
        check_query(side, table, &known_by(second(2)), &versions[..1]).await;
        check_query(side, table, &known_by(second(3)), &versions[1..2]).await;
        check_query(side, table, &known_by(second(4)), &[versions[1].clone(), other.clone()]).await;
        check_query(side, table, &known_by(second(99)), &[versions[2].clone(), other.clone()]).await;
        check_query(side, table, &all(), &[versions[2].clone(), other.clone()]).await;
    }
}

pub async fn a_row_that_returns_to_former_content_is_a_new_version(side: &dyn SyncSide) {
    let versions = [(1, 10.0), (2, 20.0), (3, 10.0)].map(|(time, value)| row("a").value(value).known(second(time)));
    for table in TABLES {
        for version in &versions {
            commit(side, table, std::slice::from_ref(version)).await;
        }
        for (version, time) in versions.iter().zip(1..) {
            check_query(side, table, &known_by(second(time)), std::slice::from_ref(version)).await;
        }
    }
}

pub async fn bounds_apply_to_the_version_that_was_known(side: &dyn SyncSide) {
    let before = row("a").of_app("crm").happened(second(10)).known(second(1));
    let after = row("a").of_app("shop").happened(second(20)).known(second(2));
    for table in TABLES {
        commit(side, table, std::slice::from_ref(&before)).await;
        commit(side, table, std::slice::from_ref(&after)).await;
        let up_to = ValidatedQuery { event_before: Some(second(15)), ..all() };
        check_query(side, table, &up_to, &[]).await;
        let then = ValidatedQuery { known_by: Some(second(1)), ..up_to };
        check_query(side, table, &then, std::slice::from_ref(&before)).await;
        let from = ValidatedQuery { event_from: Some(second(15)), known_by: Some(second(1)), ..all() };
        check_query(side, table, &from, &[]).await;
        let crm_now = ValidatedQuery { source_app: Some(source_app("crm")), known_by: Some(second(2)), ..all() };
        check_query(side, table, &crm_now, &[]).await;
    }
}

pub async fn an_unchanged_row_stays_known_since_the_first_time(side: &dyn SyncSide) {
    for table in TABLES {
        commit(side, table, &[row("a").known(second(1))]).await;
        commit(side, table, &[row("a").known(second(9))]).await;
        check_query(side, table, &all(), &[row("a").known(second(1))]).await;
        check_query(side, table, &known_by(second(1)), &[row("a").known(second(1))]).await;
    }
}

pub async fn numbers_keep_every_bit(side: &dyn SyncSide) {
    let values = [0.1 + 0.2, -0.0, 1e300, -1e-300, f64::MIN_POSITIVE, f64::MAX, 1.0 / 3.0, 9_007_199_254_740_993.0];
    let rows: Vec<Row> = values.iter().zip(0..).map(|(value, n)| row(&format!("r{n}")).value(*value)).collect();
    for table in TABLES {
        commit(side, table, &rows).await;
        check_query(side, table, &all(), &rows).await;
    }
}

pub async fn many_rows_are_read_in_pages(side: &dyn SyncSide) {
    let rows: Vec<Row> = (0..5000).map(|number| row(&format!("r{number:05}")).value(f64::from(number))).collect();
    for table in TABLES {
        commit(side, table, &rows).await;
        assert_eq!(table.count(side, &all()).await, 5000, "{table:?}");
        let list = joined(1999, async |page| table.list(side, &known_by(second(1)), page).await).await;
        assert_eq!(list, rows, "{table:?}");
    }
}

/// Tests [`ValidatedQuery`](crate::global_data::ValidatedQuery) on the three tables that answer it, on a store that is a
/// [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! validated_query_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            validated_query,
            $fresh,
            [
                an_empty_table_has_no_rows,
                rows_are_listed_by_id,
                tables_are_apart,
                pages_joined_give_the_list,
                pages_as_of_an_instant_joined_give_the_list,
                rows_added_between_pages_shift_nothing,
                event_times_bound_a_query,
                times_compare_across_centuries,
                apps_bound_a_query,
                data_types_bound_a_query_where_there_are_several,
                rows_that_came_later_are_left_out,
                former_versions_answer_as_of_reads,
                a_row_that_returns_to_former_content_is_a_new_version,
                bounds_apply_to_the_version_that_was_known,
                an_unchanged_row_stays_known_since_the_first_time,
                numbers_keep_every_bit,
                many_rows_are_read_in_pages,
            ]
        );
    };
}
