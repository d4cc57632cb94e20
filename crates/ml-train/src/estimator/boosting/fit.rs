//! The loop of boosting: derivatives, a tree for each output, new sums; and when to stop.

use super::bins::{BinnedRows, MAX_BINS_WITH_MISSING};
use super::grow::{Grower, GrownTree, GrowthLimits};
use super::histogram::{Derivatives, MAX_ROWS, Scale, Sums, power_of_two};
use super::loss::{Classes, Objective, Pass};
use super::sampling::{ValidationSplit, draw_features, draw_rows};
use super::split::SplitLimits;
use super::tree::Trees;
use super::{BoostedLink, BoostedTrees, GradientBoosting, RegressionLoss};
use crate::error::TrainError;
use crate::estimator::{Target, TrainingData};
use crate::matrix::DenseMatrix;
use crate::progress::{Losses, Progress};

/// The most derivatives at a time: one per row and output (2 GiB).
const MAX_DERIVATIVES: usize = 1 << 27;

/// The most memory for histograms (1 GiB).
const MAX_HISTOGRAM_BYTES: usize = 1 << 30;

/// Fits, and returns what the user should know besides.
pub(super) fn fit(
    settings: &GradientBoosting,
    data: TrainingData<'_>,
    progress: &dyn Progress,
) -> Result<(BoostedTrees, Vec<String>), TrainError> {
    let kind = GradientBoosting::KIND;
    let features = data.features.to_dense().map_err(|source| TrainError::TooWide { kind, source })?;
    let goal = Goal::new(settings, data.target)?;
    check_size(&features, goal.objective.n_outputs())?;
    check_histograms(settings, &features)?;

    let n_rows = features.n_rows();
    let classes = if let Target::Classes { indices, .. } = data.target { Some(indices.as_slice()) } else { None };
    let rows = if settings.stops_early(n_rows) {
        ValidationSplit::draw(n_rows, classes, settings.validation_share, data.seed)
    } else {
        ValidationSplit::none(n_rows)
    };
    let categories = data.preprocessor.categories_by_feature();
    let binned = BinnedRows::new(&features, &rows.training, &categories, settings.max_bins, data.seed);

    let mut boosting = Boosting::new(settings, &goal, &binned, &rows, data.seed);
    // A tree is a thousand small pieces of work for several threads. Handed over by one of them, each begins at once; by a
    // thread that is none of them, and then waits, each would begin with waking them up.
    rayon::scope(|_| boosting.run(progress))?;
    Ok(boosting.finish(&goal))
}

fn check_size(features: &DenseMatrix, n_outputs: usize) -> Result<(), TrainError> {
    let (kind, n_rows) = (GradientBoosting::KIND, features.n_rows());
    if n_rows == 0 || features.n_columns() == 0 {
        let what = format!("`{kind}` needs rows and features, there are {n_rows} and {}", features.n_columns());
        return Err(TrainError::data(what, "give rows whose target is not missing"));
    }
    if n_rows > MAX_ROWS {
        let what = format!("`{kind}` learns from at most {MAX_ROWS} rows, there are {n_rows}");
        return Err(TrainError::data(what, "give a sample of them"));
    }
    if n_rows.saturating_mul(n_outputs) > MAX_DERIVATIVES {
        let what = format!("{n_rows} rows of {n_outputs} classes are too many for `{kind}`");
        return Err(TrainError::data(what, "group the classes, or give a sample of the rows"));
    }
    Ok(())
}

/// Every leaf that may still be split has a histogram, unless the rows are too few for so many leaves.
fn check_histograms(settings: &GradientBoosting, features: &DenseMatrix) -> Result<(), TrainError> {
    let n_leaves = settings.max_leaf_nodes.min(features.n_rows() / settings.min_samples_leaf + 1);
    let size = features.n_columns().saturating_mul(size_of::<Sums>() * MAX_BINS_WITH_MISSING);
    if size.saturating_mul(n_leaves) <= MAX_HISTOGRAM_BYTES {
        return Ok(());
    }
    let n_columns = features.n_columns();
    let what = format!("{n_columns} features with {n_leaves} leaves are too many for `{}`", GradientBoosting::KIND);
    Err(TrainError::data(what, "name fewer columns, lower `max_leaf_nodes`, or raise `min_samples_leaf`"))
}

/// What is made small, and how its sums become predictions.
struct Goal {
    objective: Objective,
    link: BoostedLink,
    /// What sums of trees are multiplied by. A power of two, which numbers of any size survive without a change.
    unit: f64,
}

impl Goal {
    fn new(settings: &GradientBoosting, target: &Target) -> Result<Goal, TrainError> {
        match target {
            Target::Classes { indices, n_classes } => {
                let weights = settings.class_weight.weights(indices, *n_classes);
                let classes = Classes { indices: indices.clone(), weights };
                let (objective, link) = if *n_classes == 2 {
                    (Objective::LogLoss(classes), BoostedLink::LogOdds)
                } else {
                    (Objective::Softmax(classes), BoostedLink::Softmax)
                };
                Ok(Goal { objective, link, unit: 1.0 })
            }
            Target::Numbers(numbers) if settings.loss == RegressionLoss::Poisson => {
                check_counts(numbers)?;
                Ok(Goal { objective: Objective::Poisson(numbers.clone()), link: BoostedLink::Log, unit: 1.0 })
            }
            Target::Numbers(numbers) => {
                let greatest = numbers.iter().fold(0.0_f64, |greatest, number| greatest.max(number.abs()));
                let exponent = if greatest > 0.0 { (greatest.log2().floor() as i32).clamp(-1000, 1000) } else { 0 };
                let scaled = numbers.iter().map(|number| number * power_of_two(-exponent)).collect();
                let objective = if settings.loss == RegressionLoss::AbsoluteError {
                    Objective::AbsoluteError(scaled)
                } else {
                    Objective::SquaredError(scaled)
                };
                Ok(Goal { objective, link: BoostedLink::Identity, unit: power_of_two(exponent) })
            }
        }
    }
}

fn check_counts(numbers: &[f64]) -> Result<(), TrainError> {
    let way_out = "use `loss: squared_error`";
    if let Some(number) = numbers.iter().find(|number| **number < 0.0) {
        return Err(TrainError::data(format!("`loss: poisson` is for counts, and the target has {number}"), way_out));
    }
    if numbers.iter().all(|number| *number == 0.0) {
        return Err(TrainError::data("`loss: poisson` needs a target that is not 0 in every row", way_out));
    }
    Ok(())
}

/// A fit that is under way.
struct Boosting<'a> {
    settings: &'a GradientBoosting,
    objective: &'a Objective,
    binned: &'a BinnedRows,
    rows: &'a ValidationSplit,
    seed: u64,
    is_validation: Vec<bool>,
    initial: Vec<f64>,
    /// Row by row, one per output.
    sums: Vec<f64>,
    derivatives: Vec<Derivatives>,
    rounded: Vec<Sums>,
    /// One per output and iteration in turn.
    trees: Vec<GrownTree>,
    best: Best,
}

/// The iteration after which the loss of the rows set aside was least.
struct Best {
    n_iterations: usize,
    loss: f64,
}

impl<'a> Boosting<'a> {
    fn new(
        settings: &'a GradientBoosting,
        goal: &'a Goal,
        binned: &'a BinnedRows,
        rows: &'a ValidationSplit,
        seed: u64,
    ) -> Boosting<'a> {
        let objective = &goal.objective;
        let (n_rows, n_outputs) = (binned.n_rows(), objective.n_outputs());
        let mut is_validation = vec![false; n_rows];
        for &row in &rows.validation {
            is_validation[row as usize] = true;
        }
        let initial = objective.initial(&rows.training);
        Boosting {
            settings,
            objective,
            binned,
            rows,
            seed,
            is_validation,
            sums: initial.repeat(n_rows),
            initial,
            derivatives: vec![Derivatives::default(); n_rows * n_outputs],
            rounded: vec![Sums::default(); n_rows],
            trees: Vec::new(),
            best: Best { n_iterations: 0, loss: f64::INFINITY },
        }
    }

    fn run(&mut self, progress: &dyn Progress) -> Result<(), TrainError> {
        let settings = self.settings;
        let limits = GrowthLimits {
            max_leaf_nodes: settings.max_leaf_nodes,
            max_depth: settings.max_depth,
            splits: SplitLimits { min_samples_leaf: settings.min_samples_leaf, l2: settings.l2 },
        };
        let mut grower = Grower::new(self.binned, limits);
        for iteration in 0..=settings.max_iterations {
            if progress.is_cancelled() {
                return Err(TrainError::Cancelled);
            }
            let pass = self.objective.differentiate(&self.sums, &self.is_validation, &mut self.derivatives);
            let stops = self.judge(iteration, &pass, progress);
            if stops || iteration == settings.max_iterations {
                break;
            }
            self.iterate(&mut grower, iteration, &pass);
            progress.advance(settings.max_iterations as u64);
        }
        Ok(())
    }

    /// Tells the losses after some iterations, and returns whether there have been enough.
    fn judge(&mut self, n_iterations: usize, pass: &Pass, progress: &dyn Progress) -> bool {
        let (Some(training), validation) = (pass.training.mean(), pass.validation.mean()) else { return true };
        progress.losses(&Losses { n_iterations: n_iterations as u64, training, validation });
        let Some(loss) = validation else {
            self.best.n_iterations = n_iterations;
            return false;
        };
        if loss < self.best.loss - self.settings.tolerance {
            self.best = Best { n_iterations, loss };
        }
        n_iterations - self.best.n_iterations >= self.settings.patience
    }

    /// Adds a tree for each output.
    fn iterate(&mut self, grower: &mut Grower<'_>, iteration: usize, pass: &Pass) {
        let n_outputs = self.initial.len();
        let rows = draw_rows(&self.rows.training, self.settings.row_share, self.seed, iteration);
        let scale = Scale::new(self.binned.n_rows(), pass.greatest);
        for output in 0..n_outputs {
            let of_rows = self.derivatives.iter().skip(output).step_by(n_outputs);
            self.rounded.iter_mut().zip(of_rows).for_each(|(sums, derivatives)| *sums = scale.round(*derivatives));
            let share = self.settings.feature_share;
            let features = draw_features(self.binned.n_features(), share, self.seed, self.trees.len());
            let mut tree = grower.grow(&rows, &self.rounded, scale, features);
            self.add(&mut tree, output, rows.len());
            self.trees.push(tree);
        }
    }

    /// Sets the values of the leaves and adds them to the sums.
    fn add(&mut self, tree: &mut GrownTree, output: usize, n_grown_on: usize) {
        let n_outputs = self.initial.len();
        for (leaf, rows) in tree.leaves_mut() {
            let value = self.objective.leaf_value(rows, &self.sums).unwrap_or(leaf.value);
            leaf.value = value * self.settings.learning_rate;
            for &row in rows {
                self.sums[row as usize * n_outputs + output] += leaf.value;
            }
        }
        if n_grown_on < self.binned.n_rows() {
            let mut is_outside = vec![true; self.binned.n_rows()];
            for &row in tree.rows() {
                is_outside[row as usize] = false;
            }
            for row in (0..self.binned.n_rows()).filter(|&row| is_outside[row]) {
                self.sums[row * n_outputs + output] += tree.value_of(self.binned, row as u32);
            }
        }
    }

    /// Keeps the trees of the best iteration and before.
    fn finish(self, goal: &Goal) -> (BoostedTrees, Vec<String>) {
        let n_features = self.binned.n_features();
        let mut trees = Trees::default();
        let (mut gains, mut n_splits) = (vec![0.0; n_features], vec![0; n_features]);
        for tree in self.trees.iter().take(self.best.n_iterations * self.initial.len()) {
            trees.push(tree, self.binned, goal.unit);
            for (split, _) in tree.nodes.iter().filter_map(|node| node.split.as_ref()) {
                gains[split.feature] += split.gain;
                n_splits[split.feature] += 1;
            }
        }
        let mut warnings = Vec::new();
        if self.best.n_iterations == 0 {
            warnings.push(format!(
                "`{}` predicts the same for every row: no tree lowered the loss of the {} rows set aside for early stopping",
                GradientBoosting::KIND,
                self.rows.validation.len()
            ));
        }
        let predictor = BoostedTrees {
            link: goal.link,
            n_features,
            initial: self.initial.iter().map(|sum| sum * goal.unit).collect(),
            trees,
            gains,
            n_splits,
        };
        (predictor, warnings)
    }
}
