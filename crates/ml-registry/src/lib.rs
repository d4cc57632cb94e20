//! The model registry: named models, their immutable numbered versions, the names and stages that move between them,
//! and the artifacts behind them.
//!
//! [`registry::Registry`] is the service that commands and handlers talk to; it works over any
//! [`ml_core::model::ModelStore`] and [`ml_core::artifact::ArtifactStore`]. [`fs_artifacts::FsArtifacts`] keeps artifacts in
//! a folder. Nothing here trains, scores or knows a database.

pub mod bundle;
pub mod compare;
mod durable;
pub mod error;
pub mod fs_artifacts;
pub mod gate;
pub mod registry;
mod suggest;
