//! What a search declares: what to vary, how to try it, and what to compare by.

use std::fmt;

use ml_core::metrics::FigureInfo;

use super::path::ParamPath;
use super::reader;
use super::split::SplitSpec;
use super::values::Values;
use crate::spec::{Fault, PipelineSpec};

/// The version of the format of search files.
pub const SEARCH_VERSION: u64 = 1;

/// A search, as declared in YAML.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSpec {
    /// How candidates are found and judged.
    pub method: Method,
    /// What candidates are compared by.
    pub score: &'static FigureInfo,
    /// Where all randomness of the search comes from: draws and folds.
    pub seed: u64,
    /// How the training rows are divided.
    pub split: SplitSpec,
    /// What is varied. Several spaces are searched one after the other, for parts that do not go together.
    pub spaces: Vec<Space>,
    /// In how many folds the search itself is scored; `None` when it is not.
    pub nested_folds: Option<usize>,
}

/// Parts of a pipeline with what each may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// By place, the less deep first.
    pub params: Vec<(ParamPath, Values)>,
}

/// How candidates are found and judged.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// Every combination, on all rows.
    Grid,
    /// So many combinations by chance, on all rows.
    Random {
        /// How many.
        trials: usize,
    },
    /// Many candidates on little, and fewer and fewer of them on more and more.
    Halving(Halving),
}

/// How candidates are thinned out.
///
/// Source: Jamieson and Talwalkar, *Non-stochastic best arm identification and hyperparameter optimization* (2016).
#[derive(Debug, Clone, PartialEq)]
pub struct Halving {
    /// How many candidates are drawn by chance; `None` for every combination.
    pub trials: Option<usize>,
    /// One in so many stays in each round, and gets so many times as much.
    pub factor: usize,
    /// How many rounds there are; `None` for as many as end with fewer than `factor` candidates.
    pub rounds: Option<usize>,
    /// What there is more and more of.
    pub resource: Resource,
}

/// What candidates get more of from round to round; all of it in the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// Rows to fit on.
    Rows,
    /// A number of the pipeline, such as that of iterations.
    Param(ParamPath),
}

/// Everything that is wrong with a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchSpecError {
    /// The faults; at least one.
    pub faults: Vec<Fault>,
}

impl std::error::Error for SearchSpecError {}

impl fmt::Display for SearchSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.as_slice() {
            [fault] => write!(f, "invalid search: {fault}"),
            faults => {
                write!(f, "invalid search, {} faults", faults.len())?;
                faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
            }
        }
    }
}

impl SearchSpec {
    /// Reads a search file for `pipeline`.
    ///
    /// # Errors
    /// [`SearchSpecError`] with every fault of the file: among them places that the pipeline does not have, and values that
    /// make it invalid.
    pub fn from_yaml(text: &str, pipeline: &PipelineSpec) -> Result<SearchSpec, SearchSpecError> {
        let search = reader::read(text, pipeline)?;
        super::candidate::candidates(pipeline, &search)?;
        Ok(search)
    }
}

impl Method {
    /// Returns the name in search files.
    pub fn name(&self) -> &'static str {
        match self {
            Method::Grid => "grid",
            Method::Random { .. } => "random",
            Method::Halving(_) => "halving",
        }
    }
}
