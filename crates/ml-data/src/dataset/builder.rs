//! Making a dataset version: read, split, hash, store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ml_core::artifact::ArtifactStore;
use ml_core::clock::{Clock, to_microseconds};
use ml_core::dataset::{DatasetName, DatasetStore, DatasetVersion, JoinCounts, NewDatasetVersion, Split, SplitCounts};
use ml_core::digest::Digest;
use ml_core::document::DocumentStore;
use ml_core::global_data::GlobalDataStore;
use ml_core::market_metric::MarketMetricStore;
use ml_core::reference::ReferenceStore;
use ml_core::sync::SyncStore;
use ml_core::table::{Column, ColumnSchema, Table};
use ml_core::user_interaction::UserInteractionStore;
use tracing::{info, instrument};

use super::blocking::blocking;
use super::collector::{RowCollector, Wanted};
use super::content_hash::content_hash;
use super::error::DatasetError;
use super::gathering::Gathering;
use super::join::{Joiner, Reading, read_values};
use super::load;
use super::parquet::table_to_parquet;
use super::sort::SortRoom;
use super::source::{explain_empty, read_rows};
use super::spec::DatasetSpec;
use super::split::{SplitRule, counts_of, find_named};
use super::{EVENT_TIME_COLUMN, FEATURE_PREFIX, ID_COLUMN, SPLIT_COLUMN};
use crate::pipeline::Pipeline;

/// How much memory the sorts of all joins of a dataset take together.
pub const SORT_BYTES: usize = 64 << 20;

/// Where rows come from and where versions go.
#[derive(Clone)]
pub struct DatasetStores {
    /// Rows of `global_ml_data`.
    pub global_data: Arc<dyn GlobalDataStore>,
    /// Rows of `market_metrics`.
    pub market_metrics: Arc<dyn MarketMetricStore>,
    /// Rows of `user_interactions`.
    pub user_interactions: Arc<dyn UserInteractionStore>,
    /// Documents that are joined.
    pub documents: Arc<dyn DocumentStore>,
    /// Looks up what the rules on those documents want to be in a table.
    pub references: Arc<dyn ReferenceStore>,
    /// Writes all of these rows, and settles the past before it is read.
    pub sync: Arc<dyn SyncStore>,
    /// Dataset versions.
    pub datasets: Arc<dyn DatasetStore>,
    /// The files that hold the rows of versions.
    pub artifacts: Arc<dyn ArtifactStore>,
}

/// How far the making of a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetProgress {
    /// Rows are read.
    Reading {
        /// How many have been read.
        n_rows: u64,
        /// How many there are.
        n_total: u64,
    },
    /// The values of a feature source are read and joined.
    Joining {
        /// Which, counted from 1.
        number: usize,
        /// How many there are.
        n_sources: usize,
    },
    /// All rows are read, and are split, hashed and written.
    Packing {
        /// How many there are.
        n_rows: u64,
    },
}

/// Is told after every page of rows how far the making of a version is.
pub type DatasetObserver<'a> = &'a (dyn Fn(DatasetProgress) + Send + Sync);

/// Makes dataset versions and reads them back.
#[derive(Clone)]
pub struct DatasetBuilder {
    stores: DatasetStores,
    pipeline: Arc<Pipeline>,
    clock: Arc<dyn Clock>,
    sort_room: SortRoom,
}

/// A table in the form in which it is stored.
struct Packed {
    schema: Vec<ColumnSchema>,
    content_hash: Digest,
    counts: SplitCounts,
    file: Vec<u8>,
}

impl DatasetBuilder {
    /// Works on `stores`, in the time of `clock`. Documents that are joined have the form that `pipeline` gives them.
    ///
    /// Joins sort in [`SORT_BYTES`] of memory, and in the system's folder of temporary files.
    pub fn new(stores: DatasetStores, pipeline: Arc<Pipeline>, clock: Arc<dyn Clock>) -> DatasetBuilder {
        let sort_room = SortRoom { folder: std::env::temp_dir(), n_bytes: SORT_BYTES };
        DatasetBuilder { stores, pipeline, clock, sort_room }
    }

    /// Sorts in `folder` what does not fit into memory. Nothing is left there, also when the process is killed.
    #[must_use]
    pub fn sorting_in(self, folder: PathBuf) -> DatasetBuilder {
        DatasetBuilder { sort_room: SortRoom { folder, ..self.sort_room }, ..self }
    }

    /// Sorts at most `n_bytes` in memory.
    #[must_use]
    pub fn sort_memory(self, n_bytes: usize) -> DatasetBuilder {
        DatasetBuilder { sort_room: SortRoom { n_bytes, ..self.sort_room }, ..self }
    }

    /// Takes a snapshot of the rows that `spec` asks for, as they were known at `as_of` (now, where absent).
    ///
    /// The same spec and as-of time give the same content hash, whatever arrived later and whatever was on its way: the past
    /// is settled up to the as-of time before it is read. Where the newest version has the same
    /// spec and content hash, that one is returned. Memory is that of the table and of its file.
    ///
    /// # Errors
    /// [`DatasetError::InvalidSpec`] and [`DatasetError::FutureAsOf`] before anything is read, [`DatasetError::Empty`] when no
    /// row passes, [`DatasetError::UnknownColumn`] and the errors of [`SplitRule::assign`] for rows that do not suit the spec.
    pub async fn create(
        &self,
        name: &DatasetName,
        spec: &DatasetSpec,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<DatasetVersion, DatasetError> {
        self.create_observed(name, spec, as_of, &|_| ()).await
    }

    /// As [`DatasetBuilder::create`], and tells `observer` how far it is.
    ///
    /// # Errors
    /// Those of [`DatasetBuilder::create`].
    #[instrument(skip_all, fields(dataset.name = %name))]
    pub async fn create_observed(
        &self,
        name: &DatasetName,
        spec: &DatasetSpec,
        as_of: Option<DateTime<Utc>>,
        observer: DatasetObserver<'_>,
    ) -> Result<DatasetVersion, DatasetError> {
        spec.check()?;
        let now = self.clock.now();
        let as_of = to_microseconds(as_of.unwrap_or(now));
        if as_of > now {
            return Err(DatasetError::FutureAsOf { as_of, now });
        }

        self.stores.sync.settle(as_of).await?;
        let joiners = self.joiners(spec);
        let gathering = read_rows(&self.stores, spec, wanted_columns(spec), joiners, as_of, observer).await?;
        let Gathering { rows, joiners } = gathering;
        if rows.n_rows() == 0 {
            return Err(DatasetError::Empty(explain_empty(&self.stores, spec, as_of).await?));
        }
        check_keys(spec, &rows.known_columns())?;
        let (features, joins) = self.join(joiners, rows.known_columns(), as_of, observer).await?;
        observer(DatasetProgress::Packing { n_rows: rows.n_rows() as u64 });
        let (packed, spec) = pack(rows, features, spec.clone()).await?;
        let file = self.stores.artifacts.put(packed.file).await?;
        let version = NewDatasetVersion {
            name: name.clone(),
            spec: serde_json::to_value(&spec).expect("a spec is plain data with text keys"),
            as_of,
            counts: packed.counts,
            schema: packed.schema,
            joins,
            content_hash: packed.content_hash,
            file,
            created_at: now,
        };
        let version = self.stores.datasets.create_version(&version).await?;
        let (number, n_rows) = (version.version, version.content.counts.total());
        info!(dataset.version = number, dataset.n_rows = n_rows, "dataset {name}@{number} has {n_rows} rows");
        Ok(version)
    }

    fn joiners(&self, spec: &DatasetSpec) -> Vec<Joiner> {
        let room = self.sort_room.shared_by(spec.join.len());
        spec.join.iter().map(|source| Joiner::new(source.clone(), room.clone())).collect()
    }

    /// Joins one feature source after the other, each of which has all rows, and returns the columns of all of them. None may have
    /// the name of a column that is `known`, or of another source.
    async fn join(
        &self,
        joiners: Vec<Joiner>,
        mut known: Vec<String>,
        as_of: DateTime<Utc>,
        observer: DatasetObserver<'_>,
    ) -> Result<(Vec<Column>, Vec<JoinCounts>), DatasetError> {
        let reading = Reading { stores: &self.stores, pipeline: &self.pipeline, as_of };
        let n_sources = joiners.len();
        let (mut columns, mut counts) = (Vec::new(), Vec::with_capacity(n_sources));
        for (joiner, number) in joiners.into_iter().zip(1..) {
            observer(DatasetProgress::Joining { number, n_sources });
            let joiner = read_values(&reading, joiner).await?;
            let joined = blocking(move || joiner.finish()).await?;
            if let Some(Column { name, .. }) = joined.columns.iter().find(|column| known.contains(&column.name)) {
                let source = &joined.counts.source;
                let reason = format!(
                    "feature source `{source}` gives a column `{name}`, which is there already: give it another prefix"
                );
                return Err(DatasetError::InvalidSpec { reason });
            }
            known.extend(joined.columns.iter().map(|column| column.name.clone()));
            columns.extend(joined.columns);
            counts.push(joined.counts);
        }
        Ok((columns, counts))
    }

    /// Returns the rows of `version`, verified; see [`load::load`].
    pub async fn load(&self, version: &DatasetVersion) -> Result<Table, DatasetError> {
        load::load(self.stores.artifacts.as_ref(), version).await
    }

    /// Returns the rows of `version` that are in `split`, verified; see [`load::load_split`].
    pub async fn load_split(&self, version: &DatasetVersion, split: Split) -> Result<Table, DatasetError> {
        load::load_split(self.stores.artifacts.as_ref(), version, split).await
    }
}

/// Returns the columns that have to be read: those of the dataset, and the one that decides the split.
fn wanted_columns(spec: &DatasetSpec) -> Wanted {
    let Some(columns) = &spec.columns else { return Wanted::All };
    Wanted::Only(columns.iter().map(String::as_str).chain(spec.split.column()).map(str::to_owned).collect())
}

/// Refuses joins by columns that no row has.
fn check_keys(spec: &DatasetSpec, known: &[String]) -> Result<(), DatasetError> {
    for key in spec.join.iter().flat_map(|source| &source.on) {
        let feature = format!("{FEATURE_PREFIX}{}", key.left);
        if !known.iter().any(|column| *column == key.left || *column == feature) {
            let (column, known) = (key.left.clone(), known.to_vec());
            return Err(DatasetError::UnknownColumn { column, purpose: "to join by", known });
        }
    }
    Ok(())
}

/// Makes the table, splits it, hashes it and encodes it, away from the threads that wait for stores.
async fn pack(
    rows: RowCollector,
    features: Vec<Column>,
    spec: DatasetSpec,
) -> Result<(Packed, DatasetSpec), DatasetError> {
    blocking(move || {
        let (table, counts) = assemble(rows, features, &spec)?;
        let content_hash = content_hash(&table);
        let file = table_to_parquet(&table)?;
        Ok((Packed { schema: table.schema(), content_hash, counts, file }, spec))
    })
    .await
}

/// Returns the table of the dataset: id, event time, split, the columns asked for, and those of the feature sources.
fn assemble(
    rows: RowCollector,
    features: Vec<Column>,
    spec: &DatasetSpec,
) -> Result<(Table, SplitCounts), DatasetError> {
    let feature_names: Vec<String> = features.iter().map(|feature| feature.name.clone()).collect();
    let mut known = rows.known_columns();
    known.extend(feature_names.iter().cloned());
    let mut table = rows.finish()?;
    for feature in features {
        table.push(feature)?;
    }
    check_columns(spec, &table, &known)?;
    let splits = spec.split.assign(&table)?;

    let order = column_order(spec, &table, &feature_names);
    let mut columns: BTreeMap<String, Column> =
        table.into_columns().into_iter().map(|column| (column.name.clone(), column)).collect();
    let split = Column::texts(SPLIT_COLUMN, splits.iter().map(|split| split.name()));
    columns.insert(SPLIT_COLUMN.to_owned(), split);
    let columns = order.iter().filter_map(|name| columns.remove(name)).collect();
    Ok((Table::new(columns)?, counts_of(&splits)))
}

fn check_columns(spec: &DatasetSpec, table: &Table, known: &[String]) -> Result<(), DatasetError> {
    let asked_for = spec.columns.iter().flatten().map(|column| (column.as_str(), "to keep"));
    for (column, purpose) in asked_for.chain(spec.split.column().map(|column| (column, "to split by"))) {
        let is_made_here = column == SPLIT_COLUMN && purpose == "to keep";
        if !is_made_here && find_named(table, column).is_none() {
            return Err(DatasetError::UnknownColumn { column: column.to_owned(), purpose, known: known.to_vec() });
        }
    }
    Ok(())
}

/// Returns the names of the dataset's columns: the leading three, then those of the spec, or all of them, then the features.
fn column_order(spec: &DatasetSpec, table: &Table, features: &[String]) -> Vec<String> {
    let leading = [ID_COLUMN, EVENT_TIME_COLUMN, SPLIT_COLUMN];
    let mut order: Vec<String> = leading.map(str::to_owned).into();
    let given_split = format!("{FEATURE_PREFIX}{SPLIT_COLUMN}");
    let is_given = matches!(&spec.split, SplitRule::Column { column } if *column == SPLIT_COLUMN);
    match &spec.columns {
        Some(names) => {
            let others = names.iter().filter(|name| !leading.contains(&name.as_str()));
            order.extend(others.filter_map(|name| find_named(table, name)).map(|column| column.name.clone()));
            let missing: Vec<String> = features.iter().filter(|name| !order.contains(name)).cloned().collect();
            order.extend(missing);
        }
        // What the given split says is in the column `split` already.
        None => order.extend(
            table.columns()[2..]
                .iter()
                .map(|column| &column.name)
                .filter(|name| !(is_given && **name == given_split))
                .cloned(),
        ),
    }
    order
}
