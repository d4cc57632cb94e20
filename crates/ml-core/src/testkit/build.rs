//! Builders of valid values: `a_run().status(RunStatus::Running).build()`.
//!
//! A default is sound by itself and says nothing special; a test sets what it is about. Content hashes are computed from
//! the content when the value is built.

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::{ExperimentId, OutboxId, RecordId, ReportId, ResultId, RunId};
use crate::model::{ModelAlias, ModelName};
use crate::record::{DataType, SourceApp};

/// Declares the chained setters of a builder that wraps the value it builds: `name(argument: Type) => field = expression;`
macro_rules! setters {
    ($builder:ident { $($(#[$doc:meta])* $name:ident($argument:ident: $type:ty) => $($field:ident).+ = $value:expr;)* }) => {
        impl $builder {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $argument: $type) -> $builder {
                self.0.$($field).+ = $value;
                self
            })*
        }
    };
}

/// Declares `build` for a builder that needs to compute nothing.
macro_rules! build_as_is {
    ($builder:ident => $value:ty) => {
        impl $builder {
            /// Returns the value.
            pub fn build(self) -> $value {
                self.0
            }
        }
    };
}

mod dataset;
mod evaluation;
mod experiment;
mod model;
mod outbox;
mod quarantine;
mod record;
mod result;
mod sync;
mod validated;

pub use dataset::{DatasetVersionBuilder, a_dataset_version};
pub use evaluation::{
    DriftReportBuilder, ModelPerformanceBuilder, ValidationResultBuilder, a_drift_report, a_model_performance,
    a_validation_result,
};
pub use experiment::{ExperimentBuilder, RunBuilder, a_dataset_input, a_metric, a_run, an_experiment};
pub use model::{ModelVersionBuilder, RegisteredModelBuilder, a_model_version, a_registered_model};
pub use outbox::{OutboxEntryBuilder, an_outbox_entry};
pub use quarantine::{QuarantinedRecordBuilder, a_quarantined_record, a_reason};
pub use record::{RawRecordBuilder, a_raw_record};
pub use result::{
    EmbeddingBuilder, IntermediateResultBuilder, PredictionBuilder, a_prediction, an_embedding, an_intermediate_result,
};
pub use sync::{SyncBatchBuilder, a_sync_batch};
pub use validated::{
    GlobalRecordBuilder, GroundTruthBuilder, MarketMetricBuilder, UserInteractionBuilder, a_global_record,
    a_ground_truth, a_market_metric, a_user_interaction,
};

/// Returns the instant `seconds` after 2026-01-05T00:00:00Z, the time at which values are built.
pub fn second(seconds: i64) -> DateTime<Utc> {
    at("2026-01-05T00:00:00Z") + TimeDelta::seconds(seconds)
}

/// Reads an instant such as `2026-01-05T10:00:00Z`.
pub fn at(rfc3339: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(rfc3339).expect("a test writes RFC 3339 times").to_utc()
}

/// Declares functions that read a checked text.
macro_rules! parsers {
    ($($(#[$doc:meta])* $name:ident: $type:ident),* $(,)?) => {$(
        $(#[$doc])*
        pub fn $name(text: &str) -> $type {
            $type::parse(text).expect("a test writes valid names")
        }
    )*};
}

parsers! {
    /// Reads the id of a record.
    record_id: RecordId,
    /// Reads the id of a run.
    run_id: RunId,
    /// Reads the id of an experiment.
    experiment_id: ExperimentId,
    /// Reads the id of a result.
    result_id: ResultId,
    /// Reads the id of a publication.
    outbox_id: OutboxId,
    /// Reads the id of a report.
    report_id: ReportId,
    /// Reads the name of a registered model.
    model_name: ModelName,
    /// Reads an alias.
    model_alias: ModelAlias,
    /// Reads a data type.
    data_type: DataType,
    /// Reads a source app.
    source_app: SourceApp,
}
