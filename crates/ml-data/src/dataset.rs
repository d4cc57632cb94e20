//! Immutable dataset versions: what goes into one, how it is split, stored, read back and exported.
//!
//! A [`spec::DatasetSpec`] says which validated rows, which columns and which [`split::SplitRule`].
//! [`builder::DatasetBuilder`] reads those rows as they were known at one instant, joins feature sources to them by [`join`],
//! makes a table of it all, and stores the table once as [`parquet`], under a content hash that does not depend on the file format. [`load`] reads it back and
//! verifies it; [`export`] writes it for others. Nothing here changes a row: cleaning is the pipeline's work, before, and
//! preprocessing is the trainer's, after.

pub mod builder;
pub mod content_hash;
pub mod error;
pub mod export;
pub mod join;
pub mod load;
pub mod parquet;
pub mod rows;
pub mod spec;
pub mod split;

pub(crate) mod blocking;
mod cells;
mod collector;
mod gathering;
mod named_cells;
mod paging;
mod sort;
mod source;

/// The first column of every dataset: the id of the row, text.
pub const ID_COLUMN: &str = "id";

/// The second column of every dataset: when the row happened.
pub const EVENT_TIME_COLUMN: &str = "event_time";

/// The third column of every dataset: `train`, `validation` or `test`.
pub const SPLIT_COLUMN: &str = "split";

/// The main text of global records, where any row has one.
pub const TEXT_COLUMN: &str = "text";

/// Stands before the name of a feature that is called like one of the columns above, as in `feature.split`.
pub const FEATURE_PREFIX: &str = "feature.";
