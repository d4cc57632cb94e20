//! Feature sources joined to the rows of a dataset, point in time correct.
//!
//! Each row of the dataset names an entity and happened at some instant. Of a feature source it gets the latest value of that
//! entity that happened at or before that instant and is not older than the time to live; a value exactly so old counts. Nothing
//! is in it that was first known after the as-of time of the dataset. Where there is no such value, the columns are missing, and
//! [`JoinCounts`](ml_core::dataset::JoinCounts) says for how many rows.
//!
//! - *Entities* agree when all columns of the key do, as they print: `7` and `"7"` are the same. A row or value of which one of
//!   them is missing, or is white space alone, has no entity, and is joined to nothing.
//! - *Ties*: of several values of one entity and instant the one that was known last counts, and of those the one with the
//!   greatest id, in the order of bytes.
//! - *The latest value counts whole*: what is missing in it is missing in the row, and is not looked for in an older one.
//! - *Rows in SQL* are read in the version that was known at the as-of time, deleted and replaced ones included, so that the same
//!   join as of the same time gives the same dataset whatever comes later.
//! - *Documents* are kept in their newest version only. One that was replaced after the as-of time is left out, for its earlier
//!   form is gone; one that was deleted is gone whole. Neither can let anything from after the as-of time in, but a dataset that is
//!   made again as of the same time may lack what was replaced or deleted in between. Rows in SQL have no such gap.
//!
//! The stores list by id, so rows and values are sorted here by entity and instant, in bounded memory, and passed once.

mod codec;
mod columns;
mod documents;
mod feature_source;
mod joiner;
mod read;
mod timeline;
mod ttl;

pub use feature_source::{DocumentForm, EntityKey, FeatureOrigin, FeatureSource};
pub use ttl::{InvalidTtl, Ttl};

pub(super) use feature_source::check;
pub(super) use joiner::Joiner;
pub(super) use read::{Reading, read_values};
