//! Preprocessing, estimators, training, scoring and evaluation over tables in memory.
//!
//! Everything here is a synchronous function over data: no stores, no files, no async runtime. A pipeline is declared in
//! YAML ([`spec::PipelineSpec`]), fitted by [`train::train`], kept as one file ([`package::Package`]) and scored by
//! [`model::TrainedModel::predict`]. The same table, pipeline and seed give the same bytes, whatever the number of threads.
//!
//! smartcore fits some of the estimators; its types are not seen outside of this crate.

pub mod card;
pub mod decision;
pub mod derive;
pub mod error;
pub mod estimator;
pub mod evaluate;
pub mod explain;
pub mod matrix;
pub mod model;
pub mod onnx;
pub mod package;
pub mod predict;
pub mod preprocess;
pub mod progress;
pub mod selection;
pub mod spec;
pub mod text;
pub mod train;
pub mod transform;

mod ahead;
mod frame;
mod packed;
mod random;
mod unfit;
