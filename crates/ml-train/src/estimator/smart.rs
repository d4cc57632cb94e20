//! Estimators that smartcore fits. Its types are named in here and nowhere else.

pub(super) mod boundary;
mod forest;
mod least_squares;
mod neighbours;
mod tree;

pub use forest::ForestPredictor;
pub use least_squares::{LinearRegression, Ridge};
pub use neighbours::{KNearestNeighbours, NeighbourSearch, NeighbourWeights, NeighboursPredictor};
pub use tree::TreePredictor;
