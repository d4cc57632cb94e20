//! How a caller follows, and stops, a training.

/// What a training is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Computing the derived columns.
    Derive,
    /// Fitting the preprocessing and applying it to the training rows.
    Preprocess,
    /// Fitting the estimator.
    Fit,
}

impl Stage {
    /// Returns the stage in words, such as `fitting the estimator`.
    pub fn description(self) -> &'static str {
        match self {
            Stage::Derive => "deriving columns",
            Stage::Preprocess => "fitting the preprocessing",
            Stage::Fit => "fitting the estimator",
        }
    }
}

/// How well an iterative fit does so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Losses {
    /// How many iterations are done.
    pub n_iterations: u64,
    /// The mean loss of the rows that are learnt from.
    pub training: f64,
    /// The mean loss of the rows set aside to see when to stop, if there are any.
    pub validation: Option<f64>,
}

/// Follows a training. Methods are called from several threads, and should return at once.
pub trait Progress: Send + Sync {
    /// `stage` begins; the ones before it are over.
    fn begin(&self, stage: Stage);

    /// One more of the `total` parts of the current stage is done.
    fn advance(&self, total: u64);

    /// The fit came this far; only fits that repeat themselves tell.
    fn losses(&self, losses: &Losses);

    /// Returns whether the training should stop as soon as it can.
    fn is_cancelled(&self) -> bool;
}

/// Follows nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _stage: Stage) {}

    fn advance(&self, _total: u64) {}

    fn losses(&self, _losses: &Losses) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}
