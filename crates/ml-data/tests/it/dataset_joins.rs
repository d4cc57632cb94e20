//! Feature sources joined to datasets, from rows and documents: what is in the columns, and above all what is not.

use std::sync::Arc;

use ml_core::dataset::{DatasetName, DatasetVersion, JoinCounts};
use ml_core::document::DocumentStore as _;
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::{SyncStore as _, ValidatedRow};
use ml_core::table::{ColumnValues, Table};
use ml_core::testkit::build::{
    a_global_record, a_market_metric, a_raw_record, a_sync_batch, a_user_interaction, data_type, record_id, second,
};
use ml_core::testkit::clock::FixedClock;
use ml_core::testkit::memory::{MemoryArtifacts, MemoryDocuments, MemorySql};
use ml_data::dataset::builder::{DatasetBuilder, DatasetStores};
use ml_data::dataset::error::DatasetError;
use ml_data::dataset::join::FeatureSource;
use ml_data::dataset::spec::{DatasetSource, DatasetSpec};
use ml_data::dataset::split::SplitRule;
use ml_data::pipeline::{Pipeline, PipelineConfig};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Empty stores, and a builder at second 1000 that sorts next to nothing in memory.
struct World {
    sql: Arc<MemorySql>,
    documents: Arc<MemoryDocuments>,
    builder: DatasetBuilder,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        World::judging_by(Pipeline::default())
    }

    fn judging_by(pipeline: Pipeline) -> World {
        let sql = Arc::new(MemorySql::default());
        let documents = Arc::new(MemoryDocuments::default());
        let stores = DatasetStores {
            global_data: sql.clone(),
            market_metrics: sql.clone(),
            user_interactions: sql.clone(),
            documents: documents.clone(),
            references: sql.clone(),
            sync: sql.clone(),
            datasets: sql.clone(),
            artifacts: Arc::new(MemoryArtifacts::default()),
        };
        let clock = Arc::new(FixedClock::at(second(1000)));
        let folder = tempfile::tempdir().unwrap();
        let builder = DatasetBuilder::new(stores, Arc::new(pipeline), clock);
        let builder = builder.sorting_in(folder.path().to_owned()).sort_memory(500);
        World { sql, documents, builder, folder }
    }

    async fn commit(&self, rows: impl IntoIterator<Item = ValidatedRow>) {
        let batch = a_sync_batch().collection(Collection::RawRecords).rows(rows.into_iter().collect());
        self.sql.commit(&batch.replayed().build()).await.unwrap();
    }

    async fn upsert(&self, records: &[RawRecord]) {
        self.documents.upsert(Collection::SocialContent, records).await.unwrap();
    }

    async fn create(&self, join: &[FeatureSource], as_of: i64) -> Result<DatasetVersion, DatasetError> {
        self.create_spec(&spec(join), as_of).await
    }

    async fn create_spec(&self, spec: &DatasetSpec, as_of: i64) -> Result<DatasetVersion, DatasetError> {
        let name = DatasetName::parse("joined").unwrap();
        let version = self.builder.create(&name, spec, Some(second(as_of))).await;
        assert_eq!(std::fs::read_dir(self.folder.path()).unwrap().count(), 0, "temporary files are gone");
        version
    }

    /// Returns the table of a new version, and what became of its only feature source.
    async fn joined(&self, source: &FeatureSource, as_of: i64) -> (Table, JoinCounts) {
        let version = self.create(std::slice::from_ref(source), as_of).await.unwrap();
        let [counts] = &version.content.joins[..] else { panic!("one source is joined") };
        (self.builder.load(&version).await.unwrap(), counts.clone())
    }
}

fn spec(join: &[FeatureSource]) -> DatasetSpec {
    DatasetSpec { join: join.to_vec(), ..DatasetSpec::new(DatasetSource::of_data_type(data_type("text"))) }
}

fn source(yaml: &str) -> FeatureSource {
    serde_yaml_ng::from_str(yaml).unwrap()
}

fn prices() -> FeatureSource {
    source("{ name: price, table: market_metrics, on: { left: ticker, right: symbol }, columns: [close], ttl: 60s }")
}

fn moods(form: &str) -> FeatureSource {
    let key = "{ left: ticker, right: symbol }";
    source(&format!(
        "{{ name: mood, collection: social_content, data_type: social, on: {key}, columns: [mood]{form} }}"
    ))
}

/// A text about `ticker` from second `happened`, known then.
fn text(id: &str, ticker: &str, happened: i64) -> ValidatedRow {
    let features = json!({ "ticker": ticker });
    let features = features.as_object().unwrap().clone();
    let record = a_global_record().id(id).features(features);
    ValidatedRow::Global(record.event_time(second(happened)).created_at(second(happened)).build())
}

fn price(id: &str, symbol: &str, happened: i64, known: i64, close: f64) -> ValidatedRow {
    let metric = a_market_metric().id(id).symbol(symbol).close(close);
    ValidatedRow::MarketMetric(metric.event_time(second(happened)).created_at(second(known)).build())
}

/// A post with these fields, from second `happened` and ingested at second `known`.
fn post(id: &str, mut fields: Value, happened: i64, known: i64) -> RawRecord {
    fields["posted_at"] = json!(second(happened).to_rfc3339());
    fields["text"] = json!(format!("post {id}"));
    a_raw_record().id(id).data_type("social").content(fields).scraped_at(None).ingested_at(second(known)).build()
}

fn numbers(table: &Table, column: &str) -> Vec<Option<f64>> {
    let numbers = table.get(column).unwrap().as_numbers().unwrap();
    numbers.iter().map(|number| (!number.is_nan()).then_some(*number)).collect()
}

fn texts(table: &Table, column: &str) -> Vec<Option<String>> {
    let texts = table.get(column).unwrap().as_texts();
    texts.into_iter().map(|text| text.map(std::borrow::Cow::into_owned)).collect()
}

#[tokio::test]
async fn rows_get_the_latest_value_of_their_entity() {
    let world = World::new();
    world.commit([text("a", "AAPL", 100), text("b", "AAPL", 130), text("c", "MSFT", 100), text("d", "IBM", 500)]).await;
    world.commit([price("1", "AAPL", 90, 90, 1.0), price("2", "AAPL", 110, 110, 2.0)]).await;
    world.commit([price("3", "MSFT", 100, 100, 3.0), price("4", "IBM", 439, 439, 4.0)]).await;

    let (table, counts) = world.joined(&prices(), 900).await;

    assert_eq!(numbers(&table, "price.close"), [Some(1.0), Some(2.0), Some(3.0), None]);
    let expected =
        JoinCounts { source: "price".to_owned(), n_found: 3, n_too_old: 1, n_read: 4, ..JoinCounts::default() };
    assert_eq!(counts, expected);
    let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "event_time", "split", "text", "ticker", "price.close"]);
}

#[tokio::test]
async fn nothing_leaks_from_the_future_or_from_after_the_as_of_time() {
    let world = World::new();
    world.commit([text("a", "AAPL", 100)]).await;
    // In order: it happened a second late; it was known a second late; both are right.
    world.commit([price("1", "AAPL", 101, 101, 99.0), price("2", "AAPL", 99, 201, 98.0)]).await;
    world.commit([price("3", "AAPL", 60, 60, 1.0)]).await;
    world
        .upsert(&[
            post("1", json!({"symbol": "AAPL", "mood": "future"}), 101, 101),
            post("2", json!({"symbol": "AAPL", "mood": "late"}), 99, 201),
            post("3", json!({"symbol": "AAPL", "mood": "right"}), 60, 60),
        ])
        .await;
    for form in ["", ", form: raw, event_time: posted_at"] {
        let version = world.create(&[prices(), moods(form)], 200).await.unwrap();
        let table = world.builder.load(&version).await.unwrap();
        assert_eq!(numbers(&table, "price.close"), [Some(1.0)]);
        assert_eq!(texts(&table, "mood.mood"), [Some("right".to_owned())], "{form}");
        assert_eq!(version.content.joins[1].n_known_later, 1);
    }
    // Once it is known, the late value counts.
    let (table, _) = world.joined(&prices(), 201).await;
    assert_eq!(numbers(&table, "price.close"), [Some(98.0)]);
}

#[tokio::test]
async fn a_version_is_the_same_again_after_values_were_replaced_and_deleted() {
    let world = World::new();
    world.commit([text("a", "AAPL", 100), text("b", "MSFT", 100)]).await;
    world.commit([price("1", "AAPL", 90, 90, 1.0), price("2", "MSFT", 90, 90, 2.0)]).await;
    let first = world.create(&[prices()], 200).await.unwrap();

    world.commit([price("1", "AAPL", 90, 300, 10.0), price("3", "MSFT", 95, 300, 30.0)]).await;
    let deletion = a_sync_batch().collection(Collection::RawRecords).deleted(&["2"]).committed_at(second(400));
    world.sql.commit(&deletion.build()).await.unwrap();

    let again = world.create(&[prices()], 200).await.unwrap();
    assert_eq!((again.version, again.content.content_hash), (first.version, first.content.content_hash));
    let (table, _) = world.joined(&prices(), 350).await;
    assert_eq!(numbers(&table, "price.close"), [Some(10.0), Some(30.0)]);
    let (table, _) = world.joined(&prices(), 450).await;
    assert_eq!(
        numbers(&table, "price.close"),
        [Some(10.0), Some(30.0)],
        "what was deleted had been followed by another"
    );
}

#[tokio::test]
async fn of_values_of_one_instant_the_last_known_counts_then_the_greatest_id() {
    let world = World::new();
    world.commit([text("a", "AAPL", 100), text("b", "MSFT", 100)]).await;
    world.commit([price("9", "AAPL", 90, 91, 1.0), price("1", "AAPL", 90, 95, 2.0)]).await;
    world.commit([price("7", "MSFT", 90, 91, 3.0), price("8", "MSFT", 90, 91, 4.0)]).await;
    let (table, _) = world.joined(&prices(), 900).await;
    assert_eq!(numbers(&table, "price.close"), [Some(2.0), Some(4.0)]);
}

#[tokio::test]
async fn documents_are_joined_in_the_form_that_is_asked_for() {
    let world = World::new();
    world.commit([text("a", "7", 100), text("b", "8", 100)]).await;
    world
        .upsert(&[
            post("1", json!({"symbol": 7, "mood": " Good ", "by": {"name": "x"}}), 90, 90),
            post("2", json!({"symbol": "8", "mood": "bad", "by": {"name": "y"}}), 90, 90),
            post("3", json!({"mood": "of none"}), 90, 90),
            a_raw_record().id("4").data_type("social").content(json!("no fields")).ingested_at(second(90)).build(),
        ])
        .await;
    let key = "{ left: ticker, right: symbol }";
    let raw = format!(
        "{{ name: m, collection: social_content, data_type: social, form: raw, event_time: posted_at, on: {key} }}"
    );
    let (table, counts) = world.joined(&source(&raw), 900).await;
    let names: Vec<&str> = table.columns()[5..].iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["m.by.name", "m.mood", "m.posted_at", "m.text"], "all but the key, by name");
    assert_eq!(texts(&table, "m.mood"), [Some(" Good ".to_owned()), Some("bad".to_owned())]);
    assert_eq!(texts(&table, "m.by.name"), [Some("x".to_owned()), Some("y".to_owned())]);
    assert_eq!((counts.n_read, counts.n_unfit, counts.n_found), (4, 2, 2));

    let (table, counts) = world.joined(&moods(""), 900).await;
    assert_eq!(counts.n_unfit, 2, "what breaks a rule, and what has no entity");
    assert_eq!(texts(&table, "mood.mood").len(), 2);
}

#[tokio::test]
async fn white_space_is_no_entity() {
    let world = World::new();
    world.commit([text("a", "", 100), text("b", " \t", 100), text("c", "AAPL", 100)]).await;
    world.commit([price("1", " \t", 90, 90, 1.0), price("2", "AAPL", 90, 90, 2.0)]).await;
    let mood = |id, symbol| post(id, json!({"symbol": symbol, "mood": "good"}), 90, 90);
    world.upsert(&[mood("1", ""), mood("2", " \t"), mood("3", "AAPL")]).await;
    let (table, counts) = world.joined(&prices(), 900).await;
    assert_eq!(numbers(&table, "price.close"), [None, None, Some(2.0)]);
    assert_eq!((counts.n_read, counts.n_unfit, counts.n_found, counts.n_missing), (2, 1, 1, 2));
    for form in ["", ", form: raw, event_time: posted_at"] {
        let (table, counts) = world.joined(&moods(form), 900).await;
        assert_eq!(texts(&table, "mood.mood"), [None, None, Some("good".to_owned())], "{form}");
        assert_eq!((counts.n_read, counts.n_unfit, counts.n_found, counts.n_missing), (3, 2, 1, 2), "{form}");
    }
}

#[tokio::test]
async fn documents_that_name_what_no_table_has_are_joined_no_more_than_they_are_synced() {
    let config = PipelineConfig::from_yaml(
        "
schema_version: 1
data_types:
  social:
    normalise: []
    rules: [{ exists_in: { fields: symbol, table: market_metrics, column: symbol } }]
    target: { table: global_ml_data, content: text, event_time: posted_at }
",
    );
    let world = World::judging_by(Pipeline::new(&config.unwrap()).unwrap());
    world.commit([text("a", "AAPL", 100), text("b", "MSFT", 100), price("p", "AAPL", 10, 10, 1.0)]).await;
    let mood = |id, symbol| post(id, json!({"symbol": symbol, "mood": "good"}), 90, 90);
    world.upsert(&[mood("1", "AAPL"), mood("2", "MSFT")]).await;

    let (table, counts) = world.joined(&moods(""), 900).await;

    assert_eq!(texts(&table, "mood.mood"), [Some("good".to_owned()), None]);
    assert_eq!((counts.n_read, counts.n_unfit, counts.n_found), (2, 1, 1));
}

#[tokio::test]
async fn a_key_may_be_several_columns_and_the_rows_may_be_split_by_a_feature() {
    let world = World::new();
    let features = |user: &str| json!({"user": user, "item": "i"}).as_object().unwrap().clone();
    let row = |id: &str, user: &str| {
        let row = a_global_record().id(id).features(features(user)).event_time(second(100)).created_at(second(100));
        ValidatedRow::Global(row.build())
    };
    world.commit([row("a", "u"), row("b", "v")]).await;
    let act = |id: &str, user: &str, action: &str| {
        let act = a_user_interaction().id(id).user_id(user).item_id("i").action(action);
        ValidatedRow::UserInteraction(act.event_time(second(50)).created_at(second(50)).build())
    };
    world.commit([act("1", "u", "train"), act("2", "v", "test")]).await;
    let keys = "[{ left: user, right: user_id }, { left: item, right: item_id }]";
    let acts = source(&format!("{{ name: act, table: user_interactions, on: {keys}, prefix: last_ }}"));
    let split = SplitRule::parse("column:last_action", 0).unwrap();
    let spec = DatasetSpec { columns: Some(vec!["user".to_owned()]), split, ..spec(&[acts]) };

    let version = world.create_spec(&spec, 900).await.unwrap();

    assert_eq!((version.content.counts.train, version.content.counts.test), (1, 1));
    let table = world.builder.load(&version).await.unwrap();
    let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "event_time", "split", "user", "last_action", "last_value"]);
    assert_eq!(serde_json::from_value::<DatasetSpec>(version.content.spec).unwrap(), spec);
}

#[tokio::test]
async fn a_source_without_values_gives_columns_without_values() {
    let world = World::new();
    world.commit([text("a", "AAPL", 100)]).await;
    let (table, counts) = world.joined(&prices(), 900).await;
    let ColumnValues::Number(numbers) = &table.get("price.close").unwrap().values else { panic!("prices are numbers") };
    assert!(numbers[0].is_nan());
    assert_eq!((counts.n_missing, counts.n_read), (1, 0));
}

#[tokio::test]
async fn a_data_type_that_nobody_knows_of_is_refused_where_there_is_nothing_of_it() {
    let world = World::new();
    world.commit([text("a", "AAPL", 100)]).await;
    let error = async |of: &str| {
        let yaml = format!("{{ name: p, {of}, on: {{ left: ticker, right: s }} }}");
        world.create(&[source(&yaml)], 900).await.map_err(|error| error.to_string())
    };
    let known = "the data types are `ground_truth`, `market_metrics`, `raw_market`, `social`, `tabular`, `text`, `user_interactions`";
    assert_eq!(
        error("table: global_ml_data, data_type: txet").await.unwrap_err(),
        format!("feature source `p`: global_ml_data has nothing of data type `txet`; {known}")
    );
    let raw = "collection: social_content, form: raw, event_time: posted_at, data_type:";
    assert_eq!(
        error(&format!("{raw} scoial")).await.unwrap_err(),
        format!("feature source `p`: social_content has nothing of data type `scoial`; {known}")
    );
    error(&format!("{raw} social")).await.unwrap();
    let record = post("1", json!({"s": "AAPL"}), 90, 90);
    world.upsert(&[RawRecord { data_type: data_type("scoial"), ..record }]).await;
    error(&format!("{raw} scoial")).await.unwrap();
}

#[tokio::test]
async fn a_source_whose_columns_are_there_already_is_named() {
    let world = World::new();
    world.commit([text("a", "AAPL", 100), price("1", "AAPL", 90, 90, 1.0)]).await;
    world.upsert(&[post("1", json!({"symbol": "AAPL", "id": 7}), 90, 90)]).await;
    let on = "on: { left: ticker, right: symbol }, prefix: ''";
    let posts = source(&format!(
        "{{ name: m, collection: social_content, data_type: social, form: raw, event_time: posted_at, {on} }}"
    ));
    let err = world.create(&[posts], 900).await.unwrap_err().to_string();
    assert_eq!(err, "feature source `m` gives a column `id`, which is there already: give it another prefix");
    let prices = |name: &str| source(&format!("{{ name: {name}, table: market_metrics, {on} }}"));
    let err = world.create(&[prices("p"), prices("q")], 900).await.unwrap_err().to_string();
    assert_eq!(err, "feature source `q` gives a column `close`, which is there already: give it another prefix");
}

#[tokio::test]
async fn a_column_that_is_not_there_is_named() {
    let world = World::new();
    world.commit([text("a", "AAPL", 100)]).await;
    world.commit([price("1", "AAPL", 90, 90, 1.0)]).await;
    let error = async |yaml: &str| world.create(&[source(yaml)], 900).await.unwrap_err().to_string();
    assert_eq!(
        error("{ name: p, table: market_metrics, on: { left: tiker, right: symbol } }").await,
        "no column `tiker` to join by; the columns are `id`, `event_time`, `split`, `text`, `ticker`"
    );
    let columns = "its columns are `close`, `high`, `low`, `open`, `symbol`, `volume`";
    assert_eq!(
        error("{ name: p, table: market_metrics, on: { left: ticker, right: ticker } }").await,
        format!("feature source `p` has no column `ticker` to join by; {columns}")
    );
    assert_eq!(
        error("{ name: p, table: market_metrics, on: { left: ticker, right: symbol }, columns: [closing] }").await,
        format!("feature source `p` has no column `closing` to keep; {columns}")
    );
    let taken =
        error("{ name: p, table: market_metrics, on: { left: ticker, right: symbol }, prefix: '', columns: [id] }");
    assert_eq!(taken.await, "feature source `p` gives a column `id`, which is there already: give it another prefix");
    let unplanned = "{ name: p, collection: raw_records, data_type: unheard_of, on: { left: ticker, right: a } }";
    assert!(error(unplanned).await.contains("join it with `form: raw`"));
}

/// What happens to a price: it is committed at an instant, or its record is deleted then.
#[derive(Debug, Clone)]
enum Step {
    Commit { id: u8, symbol: u8, happened: i64, close: u8 },
    Delete { id: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let commit = (0_u8..6, 0_u8..2, 0_i64..30, any::<u8>()).prop_map(|(id, symbol, happened, close)| Step::Commit {
        id,
        symbol,
        happened,
        close,
    });
    let step = prop_oneof![5 => commit, 1 => (0_u8..6).prop_map(|id| Step::Delete { id })];
    prop::collection::vec(step, 0..25)
}

/// What a person would do: go through the steps up to the as-of time, and look at every price that is there then.
fn naive(steps: &[Step], rows: &[(u8, i64)], ttl: i64, as_of: i64) -> Vec<Option<f64>> {
    let mut there: Vec<Option<(u8, i64, i64, f64)>> = vec![None; 6];
    for (step, known) in steps.iter().zip(1..) {
        if known > as_of {
            break;
        }
        match step {
            Step::Delete { id } => there[usize::from(*id)] = None,
            Step::Commit { id, symbol, happened, close } => {
                let place = &mut there[usize::from(*id)];
                let close = f64::from(*close);
                // The same content again leaves the row as it is, and so when it was known.
                if place.is_none_or(|(a, b, _, c)| (a, b, c) != (*symbol, *happened, close)) {
                    *place = Some((*symbol, *happened, known, close));
                }
            }
        }
    }
    let value_of = |(symbol, at): &(u8, i64)| {
        let of_symbol = there.iter().enumerate().filter_map(|(id, price)| price.map(|price| (id, price)));
        let before = of_symbol.filter(|(_, (of, happened, ..))| of == symbol && happened <= at);
        let (_, (_, happened, _, close)) =
            before.max_by_key(|(id, (_, happened, known, _))| (*happened, *known, *id))?;
        (at - happened <= ttl).then_some(close)
    };
    rows.iter().map(value_of).collect()
}

async fn check_against_naive(steps: &[Step], rows: &[(u8, i64)], ttl: i64, as_of: i64) {
    let world = World::new();
    let rows_of_text = rows.iter().enumerate().map(|(n, (ticker, at))| {
        let ValidatedRow::Global(row) = text(&format!("r{n:03}"), &ticker.to_string(), *at) else { unreachable!() };
        ValidatedRow::Global(ml_core::global_data::GlobalRecord { created_at: second(0), ..row })
    });
    world.commit(rows_of_text).await;
    for (step, known) in steps.iter().zip(1..) {
        // As the feed brings it: a replay would bring back nothing that was deleted.
        let from = (known > 1).then(|| format!("t{}", known - 1));
        let batch = a_sync_batch().advance(from.as_deref(), &format!("t{known}")).committed_at(second(known));
        let batch = match step {
            Step::Commit { id, symbol, happened, close } => {
                let (id, symbol) = (id.to_string(), symbol.to_string());
                batch.rows(vec![price(&id, &symbol, *happened, known, f64::from(*close))])
            }
            Step::Delete { id } => batch.deleted(&[&id.to_string()]),
        };
        world.sql.commit(&batch.collection(Collection::RawRecords).build()).await.unwrap();
    }
    let prices = FeatureSource { ttl: Some(format!("{ttl}s").try_into().unwrap()), ..prices() };
    let (table, _) = world.joined(&prices, as_of).await;
    assert_eq!(numbers(&table, "price.close"), naive(steps, rows, ttl, as_of));
    assert_eq!(table.get("id").unwrap().as_texts()[0].as_deref(), Some(record_id("r000").as_str()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_dataset_has_what_a_naive_reading_of_history_finds(
        steps in steps(),
        rows in prop::collection::vec((0_u8..3, 0_i64..40), 1..12),
        ttl in 1_i64..20,
        as_of in 0_i64..30,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check_against_naive(&steps, &rows, ttl, as_of));
    }
}
