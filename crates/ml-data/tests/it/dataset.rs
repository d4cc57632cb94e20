//! Dataset versions over memory stores: what is in them, and that it stays so.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use ml_core::artifact::ArtifactStore;
use ml_core::dataset::{DatasetName, DatasetVersion, NewDatasetVersion, Split};
use ml_core::digest::Digest;
use ml_core::error::{Entity, StoreError};
use ml_core::record::{Collection, DataType, SourceApp};
use ml_core::sync::{SyncStore, ValidatedRow};
use ml_core::table::{ColumnKind, ColumnValues, Table};
use ml_core::testkit::build::{a_global_record, a_market_metric, a_sync_batch, a_user_interaction, second};
use ml_core::testkit::clock::FixedClock;
use ml_core::testkit::memory::{MemoryArtifacts, MemoryDocuments, MemorySql};
use ml_data::dataset::builder::{DatasetBuilder, DatasetProgress, DatasetStores};
use ml_data::dataset::error::DatasetError;
use ml_data::dataset::parquet::table_to_parquet;
use ml_data::dataset::spec::{DatasetSource, DatasetSpec};
use ml_data::dataset::split::{SplitRule, split_of};
use ml_data::pipeline::Pipeline;
use serde_json::{Value, json};

/// A builder over empty stores, at second 1000.
struct World {
    sql: Arc<MemorySql>,
    artifacts: Arc<MemoryArtifacts>,
    builder: DatasetBuilder,
}

impl World {
    fn new() -> World {
        let sql = Arc::new(MemorySql::default());
        let artifacts = Arc::new(MemoryArtifacts::default());
        let stores = DatasetStores {
            global_data: sql.clone(),
            market_metrics: sql.clone(),
            user_interactions: sql.clone(),
            documents: Arc::new(MemoryDocuments::default()),
            references: sql.clone(),
            sync: sql.clone(),
            datasets: sql.clone(),
            artifacts: artifacts.clone(),
        };
        let clock = Arc::new(FixedClock::at(second(1000)));
        let builder = DatasetBuilder::new(stores, Arc::new(Pipeline::default()), clock);
        World { sql, artifacts, builder }
    }

    async fn commit(&self, rows: impl IntoIterator<Item = ValidatedRow>) {
        let batch = a_sync_batch().collection(Collection::RawRecords).rows(rows.into_iter().collect());
        let batch = batch.replayed().build();
        self.sql.commit(&batch).await.unwrap();
    }

    async fn create(&self, spec: &DatasetSpec) -> Result<DatasetVersion, DatasetError> {
        self.builder.create(&name(), spec, None).await
    }

    async fn create_as_of(&self, spec: &DatasetSpec, seconds: i64) -> DatasetVersion {
        self.builder.create(&name(), spec, Some(second(seconds))).await.unwrap()
    }

    async fn table(&self, spec: &DatasetSpec) -> Table {
        let version = self.create(spec).await.unwrap();
        self.builder.load(&version).await.unwrap()
    }

    async fn error(&self, spec: &DatasetSpec) -> String {
        self.create(spec).await.unwrap_err().to_string()
    }
}

fn name() -> DatasetName {
    DatasetName::parse("news").unwrap()
}

/// A text known at second `known_at`, with these features.
fn text_row(id: &str, known_at: i64, features: &Value) -> ValidatedRow {
    let features = features.as_object().unwrap().clone();
    ValidatedRow::Global(a_global_record().id(id).created_at(second(known_at)).features(features).build())
}

fn texts_spec() -> DatasetSpec {
    DatasetSpec::new(DatasetSource::of_data_type(DataType::parse("text").unwrap()))
}

fn names(table: &Table) -> Vec<&str> {
    table.columns().iter().map(|column| column.name.as_str()).collect()
}

fn column<'t>(table: &'t Table, name: &str) -> &'t ColumnValues {
    &table.get(name).unwrap().values
}

fn texts(values: &[&str]) -> ColumnValues {
    ColumnValues::Text(values.iter().map(|value| Some((*value).to_owned())).collect())
}

#[tokio::test]
async fn an_observer_sees_every_page_and_the_end_of_reading() {
    let world = World::new();
    world.commit((0..1500).map(|index| text_row(&format!("r{index:04}"), 1, &json!({"n": index})))).await;
    let seen = Mutex::new(Vec::new());
    let observer = |progress: DatasetProgress| seen.lock().unwrap().push(progress);

    world.builder.create_observed(&name(), &texts_spec(), None, &observer).await.unwrap();

    let reading = |n_rows| DatasetProgress::Reading { n_rows, n_total: 1500 };
    assert_eq!(*seen.lock().unwrap(), [reading(1000), reading(1500), DatasetProgress::Packing { n_rows: 1500 }]);
}

#[tokio::test]
async fn a_version_says_what_is_in_it() {
    let world = World::new();
    world
        .commit([text_row("b", 1, &json!({"label": "up"})), text_row("a", 2, &json!({"label": "down", "score": 1}))])
        .await;
    let version = world.create(&texts_spec()).await.unwrap();

    let content = &version.content;
    assert_eq!((version.version, content.counts.train, content.counts.total()), (1, 2, 2));
    assert_eq!((content.as_of, content.created_at), (second(1000), second(1000)));
    let spec: DatasetSpec = serde_json::from_value(content.spec.clone()).unwrap();
    assert_eq!(spec, texts_spec());
    let schema: Vec<_> = content.schema.iter().map(|it| (it.name.as_str(), it.kind, it.nullable)).collect();
    let expected = [
        ("id", ColumnKind::Text, false),
        ("event_time", ColumnKind::Time, false),
        ("split", ColumnKind::Text, false),
        ("text", ColumnKind::Text, false),
        ("label", ColumnKind::Text, false),
        ("score", ColumnKind::Integer, true),
    ];
    assert_eq!(schema, expected);

    let table = world.builder.load(&version).await.unwrap();
    assert_eq!(column(&table, "id"), &texts(&["a", "b"]));
    assert_eq!(column(&table, "label"), &texts(&["down", "up"]));
    assert_eq!(column(&table, "score"), &ColumnValues::Integer(vec![Some(1), None]));
}

#[tokio::test]
async fn what_came_later_is_not_in_an_as_of_read() {
    let world = World::new();
    world.commit([text_row("kept", 10, &json!({"v": 1})), text_row("changed", 10, &json!({"v": 1}))]).await;
    let before = world.create_as_of(&texts_spec(), 20).await;

    world.commit([text_row("changed", 30, &json!({"v": 2})), text_row("added", 30, &json!({"v": 1}))]).await;
    let again = world.create_as_of(&texts_spec(), 20).await;
    assert_eq!(again, before, "the newest version has the same spec and rows");

    let after = world.create_as_of(&texts_spec(), 30).await;
    assert_eq!(after.version, 2);
    let table = world.builder.load(&after).await.unwrap();
    assert_eq!(column(&table, "id"), &texts(&["added", "changed", "kept"]));
    assert_eq!(column(&table, "v"), &ColumnValues::Integer(vec![Some(1), Some(2), Some(1)]));

    let once_more = world.create_as_of(&texts_spec(), 20).await;
    assert_eq!(once_more.version, 3, "only the newest version is taken again");
    assert_eq!(once_more.content.content_hash, before.content.content_hash);
    assert_eq!(once_more.content.file, before.content.file);
}

#[tokio::test]
async fn the_future_is_refused() {
    let world = World::new();
    world.commit([text_row("a", 1, &json!({}))]).await;
    let as_of = second(1000) + TimeDelta::microseconds(1);
    let err = world.builder.create(&name(), &texts_spec(), Some(as_of)).await.unwrap_err();
    assert!(matches!(err, DatasetError::FutureAsOf { .. }), "{err:?}");
}

#[tokio::test]
async fn the_order_of_arrival_does_not_matter() {
    let rows: Vec<_> = (0..50).map(|idx| text_row(&format!("r{idx}"), idx, &json!({"v": idx}))).collect();
    let spec = DatasetSpec { split: SplitRule::parse("random:80/20", 1).unwrap(), ..texts_spec() };
    let forwards = World::new();
    forwards.commit(rows.clone()).await;
    let backwards = World::new();
    backwards.commit(rows.into_iter().rev()).await;
    let one = forwards.create(&spec).await.unwrap();
    let other = backwards.create(&spec).await.unwrap();
    assert_eq!(one.content.content_hash, other.content.content_hash);
    assert_eq!(one.content.file, other.content.file);
}

#[tokio::test]
async fn more_rows_than_a_page_are_all_read() {
    let world = World::new();
    world.commit((0..2_500).map(|idx| text_row(&format!("r{idx:05}"), 0, &json!({"v": idx})))).await;
    let table = world.table(&texts_spec()).await;
    assert_eq!(column(&table, "v"), &ColumnValues::Integer((0..2_500).map(Some).collect()));
}

#[tokio::test]
async fn kinds_unite_over_all_rows() {
    let world = World::new();
    world
        .commit([
            text_row("a", 0, &json!({"number": 1, "mixed": 1.5, "time": "2024-01-02T03:04:05Z", "flag": true})),
            text_row("b", 0, &json!({"number": 2.5, "mixed": "x", "nested": {"b": [1], "a": null}, "flag": null})),
        ])
        .await;
    let table = world.table(&texts_spec()).await;
    assert_eq!(names(&table)[4..], ["flag", "mixed", "nested", "number", "time"]);
    assert_eq!(column(&table, "number"), &ColumnValues::Number(vec![1.0, 2.5]));
    assert_eq!(column(&table, "mixed"), &texts(&["1.5", "x"]));
    assert_eq!(column(&table, "flag"), &ColumnValues::Boolean(vec![Some(true), None]));
    assert_eq!(column(&table, "nested"), &ColumnValues::Text(vec![None, Some(r#"{"a":null,"b":[1]}"#.to_owned())]));
    assert_eq!(column(&table, "time"), &ColumnValues::Text(vec![Some("2024-01-02T03:04:05Z".to_owned()), None]));
}

#[tokio::test]
async fn columns_come_in_the_order_asked_for() {
    let world = World::new();
    world.commit([text_row("a", 0, &json!({"x": 1, "y": 2, "z": 3}))]).await;
    let columns = ["z", "id", "text", "x"].map(str::to_owned).to_vec();
    let table = world.table(&DatasetSpec { columns: Some(columns), ..texts_spec() }).await;
    assert_eq!(names(&table), ["id", "event_time", "split", "z", "text", "x"]);
    assert_eq!(column(&table, "text"), &texts(&["shares rose on monday"]));

    let unknown = DatasetSpec { columns: Some(vec!["x".into(), "w".into()]), ..texts_spec() };
    let expected = "no column `w` to keep; the columns are `id`, `event_time`, `split`, `text`, `x`, `y`, `z`";
    assert_eq!(world.error(&unknown).await, expected);
}

#[tokio::test]
async fn a_feature_called_like_a_leading_column_keeps_its_values() {
    let world = World::new();
    world.commit([text_row("a", 0, &json!({"id": 7, "split": "test", "text": "raw"}))]).await;
    let table = world.table(&texts_spec()).await;
    assert_eq!(names(&table), ["id", "event_time", "split", "text", "feature.id", "feature.split", "feature.text"]);

    let given = DatasetSpec { split: SplitRule::parse("column:split", 0).unwrap(), ..texts_spec() };
    let table = world.table(&given).await;
    assert_eq!(names(&table), ["id", "event_time", "split", "text", "feature.id", "feature.text"]);
    assert_eq!(column(&table, "split"), &texts(&["test"]));
}

#[tokio::test]
async fn a_given_split_is_read_from_a_column_that_need_not_be_kept() {
    let world = World::new();
    let folds = ["Train", "VAL", "test", "dev", "valid", "validation"];
    world
        .commit(folds.iter().enumerate().map(|(idx, fold)| text_row(&idx.to_string(), 0, &json!({"fold": fold}))))
        .await;
    let split = SplitRule::parse("column:fold", 0).unwrap();
    let spec = DatasetSpec { columns: Some(vec!["text".into()]), split, ..texts_spec() };
    let version = world.create(&spec).await.unwrap();
    let counts = version.content.counts;
    assert_eq!((counts.train, counts.validation, counts.test), (1, 4, 1));

    let table = world.builder.load(&version).await.unwrap();
    assert_eq!(names(&table), ["id", "event_time", "split", "text"]);
    let rows = split_of(&table).unwrap();
    assert_eq!((rows.train, rows.validation, rows.test), (vec![0], vec![1, 3, 4, 5], vec![2]));
    let test = world.builder.load_split(&version, Split::Test).await.unwrap();
    assert_eq!(column(&test, "id"), &texts(&["2"]));
}

#[tokio::test]
async fn a_split_that_cannot_be_read_names_the_row() {
    let world = World::new();
    world.commit([text_row("a", 0, &json!({"fold": "train"})), text_row("b", 0, &json!({"fold": "holdout"}))]).await;
    let by = |rule: &str| DatasetSpec { split: SplitRule::parse(rule, 0).unwrap(), ..texts_spec() };
    let expected = "row `b` has `holdout` in column `fold`: a split is `train`, `validation` or `test`";
    assert_eq!(world.error(&by("column:fold")).await, expected);
    let expected = "no column `folds` to split by; the columns are `id`, `event_time`, `split`, `text`, `fold`";
    assert_eq!(world.error(&by("column:folds")).await, expected);

    let world = World::new();
    world.commit([text_row("a", 0, &json!({"user": "u"})), text_row("b", 0, &json!({}))]).await;
    assert_eq!(world.error(&by("entity:user:80/20")).await, "row `b` has no `user`, which decides its split");
}

#[tokio::test]
async fn no_rows_is_an_error_that_names_the_filter() {
    let world = World::new();
    let expected = "no rows for the dataset: `global_ml_data` is empty; ingest and sync some records first";
    assert_eq!(world.error(&texts_spec()).await, expected);

    let social = a_global_record().id("s").data_type("social").build();
    world.commit([text_row("a", 0, &json!({})), text_row("b", 0, &json!({})), ValidatedRow::Global(social)]).await;
    let absent = DatasetSpec::new(DatasetSource::of_data_type(DataType::parse("tweets").unwrap()));
    let expected = "no rows for the dataset: `global_ml_data` has 3 rows, data type `tweets` leaves 0; the data types there \
                    are `social`, `text`";
    assert_eq!(world.error(&absent).await, expected);

    let later = DatasetSpec {
        source_app: Some(SourceApp::parse("newsroom").unwrap()),
        event_from: Some(second(1)),
        event_before: Some(second(2)),
        ..texts_spec()
    };
    let message = world.error(&later).await;
    assert!(
        message.contains("data type `text` leaves 2, source app `newsroom` leaves 2, event time from "),
        "{message}"
    );
    assert!(message.ends_with(" leaves 0"), "{message}");
}

#[tokio::test]
async fn market_metrics_keep_their_columns_even_when_empty() {
    let world = World::new();
    let bar = |id: &str| a_market_metric().id(id).open(None).build();
    world.commit([ValidatedRow::MarketMetric(bar("a")), ValidatedRow::MarketMetric(bar("b"))]).await;
    let table = world.table(&DatasetSpec::new(DatasetSource::MarketMetrics {})).await;
    assert_eq!(names(&table), ["id", "event_time", "split", "symbol", "open", "high", "low", "close", "volume"]);
    assert_eq!(table.get("open").unwrap().values.kind(), ColumnKind::Number);
    assert_eq!(table.get("open").unwrap().values.n_missing(), 2);
    assert_eq!(column(&table, "close"), &ColumnValues::Number(vec![185.64, 185.64]));
}

#[tokio::test]
async fn user_interactions_keep_their_columns() {
    let world = World::new();
    let bought = a_user_interaction().id("a").action("purchase").value(Some(2.0)).build();
    world.commit([ValidatedRow::UserInteraction(bought)]).await;
    let table = world.table(&DatasetSpec::new(DatasetSource::UserInteractions {})).await;
    assert_eq!(names(&table), ["id", "event_time", "split", "user_id", "item_id", "action", "value"]);
    assert_eq!(column(&table, "value"), &ColumnValues::Number(vec![2.0]));
}

#[tokio::test]
async fn rows_that_are_not_those_of_the_version_are_corrupt() {
    let world = World::new();
    world.commit([text_row("a", 0, &json!({"v": 1}))]).await;
    let version = world.create(&texts_spec()).await.unwrap();
    let refused = async |content: NewDatasetVersion| {
        let err = world.builder.load(&DatasetVersion { version: 1, content }).await.unwrap_err();
        let DatasetError::Store(StoreError::Corrupt { entity, key, .. }) = err else { panic!("{err:?}") };
        assert_eq!((entity, key.as_str()), (Entity::DatasetVersion, "news@1"));
    };

    refused(NewDatasetVersion { content_hash: Digest::of(b"other rows"), ..version.content.clone() }).await;

    let table = world.builder.load(&version).await.unwrap();
    let fewer = table_to_parquet(&table.take(&[])).unwrap();
    let file = world.artifacts.put(fewer).await.unwrap();
    refused(NewDatasetVersion { file, ..version.content.clone() }).await;

    let file = world.artifacts.put(b"not parquet".to_vec()).await.unwrap();
    refused(NewDatasetVersion { file, ..version.content.clone() }).await;
}
