//! Categories as means of the target.
//!
//! A category's mean is drawn to the mean of all rows, the more the fewer rows it has. Training rows are encoded by the
//! means of other rows alone: with their own among them, a category of one row would give its target away.
//!
//! Sources: Micci-Barreca, *A preprocessing scheme for high-cardinality categorical attributes* (2001). Smoothing and folds
//! are those of scikit-learn's `TargetEncoder`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Block, CategoryEncoder, Encoding, TextColumn, TransformContext, Transformer};
use crate::error::{PredictError, TrainError};
use crate::estimator::Target;
use crate::random::SplitMix64;
use crate::spec::{Smoothing, TargetEncodeSpec};

/// The stream of random numbers that draws the folds.
const FOLDS_STREAM: u64 = 4 << 40;

/// The means of the categories of each column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetEncoder {
    categories: CategoryEncoder,
    /// What is averaged: one output, or one per class when there are more than two.
    classes: Vec<usize>,
    /// Per column, output by output, one mean per category.
    means: Vec<Vec<f64>>,
    /// Per output, for categories that the training rows do not have.
    overall: Vec<f64>,
}

/// The outputs of some rows: numbers, or for each class whether a row is of it.
struct Outputs {
    classes: Vec<usize>,
    values: Vec<Vec<f64>>,
}

impl Outputs {
    fn of(target: &Target) -> Outputs {
        match target {
            Target::Numbers(numbers) => Outputs { classes: Vec::new(), values: vec![numbers.clone()] },
            Target::Classes { indices, n_classes } => {
                // The second of two classes says all there is to say.
                let classes: Vec<usize> = if *n_classes > 2 { (0..*n_classes).collect() } else { vec![1] };
                let is_of = |class: usize| indices.iter().map(|&index| f64::from(u8::from(index == class))).collect();
                Outputs { values: classes.iter().map(|&class| is_of(class)).collect(), classes }
            }
        }
    }
}

impl TargetEncoder {
    /// Learns the means, and returns with them the block of the training rows, each encoded by rows of other folds.
    pub(super) fn fit(
        spec: &TargetEncodeSpec,
        columns: &[TextColumn<'_>],
        target: &Target,
        seed: u64,
        context: &mut TransformContext,
    ) -> Result<(TargetEncoder, Block<'static>), TrainError> {
        let categories = CategoryEncoder::fit(Encoding::Ordinal, spec.unknown, columns);
        let outputs = Outputs::of(target);
        let rows: Vec<usize> = (0..target.len()).collect();
        let positions: Vec<Vec<usize>> = (0..columns.len())
            .map(|index| Ok(known(categories.positions(index, &columns[index], context)?)))
            .collect::<Result<_, PredictError>>()?;
        let fold_of_row = folds(spec, target, seed);
        let mut means = Vec::with_capacity(columns.len());
        let mut encoded: Vec<Cow<'static, [f64]>> = Vec::with_capacity(columns.len() * outputs.values.len());
        for (positions, categories) in positions.iter().zip(categories.categories()) {
            let mut of_column = Vec::with_capacity(categories.len() * outputs.values.len());
            for values in &outputs.values {
                of_column.extend(category_means(spec.smooth, positions, categories.len(), values, &rows));
                encoded.push(Cow::Owned(cross_fitted(spec, positions, categories.len(), values, &fold_of_row)));
            }
            means.push(of_column);
        }
        let overall = outputs.values.iter().map(|values| mean(values.iter().copied())).collect();
        let encoder = TargetEncoder { categories, classes: outputs.classes, means, overall };
        Ok((encoder, Block::Numbers(encoded)))
    }

    /// Returns the means of each column, output by output, in the order of [`CategoryEncoder::categories`].
    pub fn means(&self) -> &[Vec<f64>] {
        &self.means
    }

    pub(super) fn inconsistency(&self, n_inputs: usize) -> Option<String> {
        let n_outputs = self.overall.len();
        let fits = n_outputs > 0
            && (self.classes.is_empty() && n_outputs == 1 || self.classes.len() == n_outputs)
            && self.means.len() == self.categories.categories().len()
            && self
                .means
                .iter()
                .zip(self.categories.categories())
                .all(|(means, categories)| categories.len().checked_mul(n_outputs) == Some(means.len()));
        if !fits {
            return Some("the means of categories do not fit the categories".to_owned());
        }
        self.categories.inconsistency(n_inputs)
    }
}

/// Every category of the training rows is known to them.
fn known(positions: Vec<Option<usize>>) -> Vec<usize> {
    positions.into_iter().map(Option::unwrap_or_default).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}

/// Returns the smoothed mean of each category over `rows`, of which there is at least one.
fn category_means(
    smooth: Smoothing,
    positions: &[usize],
    n_categories: usize,
    values: &[f64],
    rows: &[usize],
) -> Vec<f64> {
    let overall = mean(rows.iter().map(|&row| values[row]));
    let (mut counts, mut sums) = (vec![0.0_f64; n_categories], vec![0.0; n_categories]);
    for &row in rows {
        counts[positions[row]] += 1.0;
        sums[positions[row]] += values[row];
    }
    let Smoothing::Rows(n_rows) = smooth else {
        return bayes_means(positions, values, rows, overall, &counts, &sums);
    };
    let smoothed = |(sum, count): (&f64, &f64)| {
        if count + n_rows > 0.0 { (sum + n_rows * overall) / (count + n_rows) } else { overall }
    };
    sums.iter().zip(&counts).map(smoothed).collect()
}

/// Weighs the mean of a category against that of all rows by the variance within it and that of all.
fn bayes_means(
    positions: &[usize],
    values: &[f64],
    rows: &[usize],
    overall: f64,
    counts: &[f64],
    sums: &[f64],
) -> Vec<f64> {
    let variance = mean(rows.iter().map(|&row| (values[row] - overall).powi(2)));
    let means: Vec<f64> = sums.iter().zip(counts).map(|(sum, count)| sum / count).collect();
    let mut squares = vec![0.0; counts.len()];
    for &row in rows {
        squares[positions[row]] += (values[row] - means[positions[row]]).powi(2);
    }
    (0..counts.len())
        .map(|category| {
            let between = variance * counts[category];
            let share = between / (between + squares[category] / counts[category]);
            // There is no share for a category without rows, nor where every target is the same.
            if share.is_nan() { overall } else { share * means[category] + (1.0 - share) * overall }
        })
        .collect()
}

/// Encodes each row by the means of the rows of other folds.
fn cross_fitted(
    spec: &TargetEncodeSpec,
    positions: &[usize],
    n_categories: usize,
    values: &[f64],
    fold_of_row: &[usize],
) -> Vec<f64> {
    let mut encoded = vec![0.0; values.len()];
    let n_folds = fold_of_row.iter().max().map_or(0, |last| last + 1);
    for fold in 0..n_folds {
        let (inside, mut outside): (Vec<usize>, Vec<usize>) =
            (0..values.len()).partition(|&row| fold_of_row[row] == fold);
        if outside.is_empty() {
            // A single row has no others.
            outside.clone_from(&inside);
        }
        let means = category_means(spec.smooth, positions, n_categories, values, &outside);
        for row in inside {
            encoded[row] = means[positions[row]];
        }
    }
    encoded
}

/// Returns the fold of each row. Folds are of the same size but for one row, and have the same share of each class.
fn folds(spec: &TargetEncodeSpec, target: &Target, seed: u64) -> Vec<usize> {
    let n_folds = spec.folds.min(target.len()).max(1);
    let mut random = SplitMix64::new(seed, FOLDS_STREAM);
    match target {
        Target::Numbers(numbers) => {
            let mut folds: Vec<usize> = Vec::with_capacity(numbers.len());
            for fold in 0..n_folds {
                let size = numbers.len() / n_folds + usize::from(fold < numbers.len() % n_folds);
                folds.extend(std::iter::repeat_n(fold, size));
            }
            if spec.shuffle {
                random.shuffle(&mut folds);
            }
            folds
        }
        Target::Classes { indices, n_classes } => {
            let mut folds_by_class = stratified(indices, *n_classes, n_folds);
            if spec.shuffle {
                for folds in &mut folds_by_class {
                    random.shuffle(folds);
                }
            }
            let mut next = vec![0; *n_classes];
            let fold_of = |&class: &usize| {
                next[class] += 1;
                folds_by_class[class][next[class] - 1]
            };
            indices.iter().map(fold_of).collect()
        }
    }
}

/// Returns for each class the folds of its rows. Rows sorted by class take turns with the folds, so that neither the folds
/// nor the shares of a class differ by more than a row; classes count in the order in which they first appear.
fn stratified(indices: &[usize], n_classes: usize, n_folds: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = Vec::new();
    let mut counts = vec![0; n_classes];
    for &class in indices {
        if counts[class] == 0 {
            order.push(class);
        }
        counts[class] += 1;
    }
    let mut folds_by_class: Vec<Vec<usize>> = vec![Vec::new(); n_classes];
    let mut turn = 0;
    for class in order {
        let mut folds: Vec<usize> = (turn..turn + counts[class]).map(|turn| turn % n_folds).collect();
        folds.sort_unstable();
        turn += counts[class];
        folds_by_class[class] = folds;
    }
    folds_by_class
}

impl Transformer for TargetEncoder {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs * self.overall.len()
    }

    fn name_outputs(&self, inputs: Vec<String>) -> Vec<String> {
        if self.overall.len() < 2 {
            return inputs;
        }
        inputs
            .iter()
            .flat_map(|input| self.classes.iter().map(move |class| format!("{input} of class {class}")))
            .collect()
    }

    fn transform<'a>(&self, block: Block<'a>, context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        let columns = block.texts()?;
        self.categories.check_width(columns)?;
        let mut encoded = Vec::with_capacity(self.n_outputs(columns.len()));
        for (index, column) in columns.iter().enumerate() {
            let positions = self.categories.positions(index, column, context)?;
            let n_categories = self.categories.categories()[index].len();
            for (output, &overall) in self.overall.iter().enumerate() {
                let means = &self.means[index][output * n_categories..(output + 1) * n_categories];
                let value = |position: &Option<usize>| position.map_or(overall, |position| means[position]);
                encoded.push(Cow::Owned(positions.iter().map(value).collect()));
            }
        }
        Ok(Block::Numbers(encoded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[&'static str]) -> TextColumn<'static> {
        values.iter().map(|value| (!value.is_empty()).then_some(Cow::Borrowed(*value))).collect()
    }

    fn fit(spec: &TargetEncodeSpec, categories: &[&'static str], target: &Target) -> (TargetEncoder, Vec<f64>) {
        let columns = [column(categories)];
        let mut context = TransformContext::default();
        let (encoder, block) = TargetEncoder::fit(spec, &columns, target, 7, &mut context).unwrap();
        let cells = block.numbers().unwrap()[0].to_vec();
        (encoder, cells)
    }

    #[test]
    fn a_row_is_not_encoded_by_its_own_target() {
        let categories = ["a", "b", "a", "c", "b", "a", "", "a", "c", ""];
        let encoded = |row: usize, by: f64| {
            let mut numbers: Vec<f64> = (0..10).map(f64::from).collect();
            numbers[row] += by;
            fit(&TargetEncodeSpec::default(), &categories, &Target::Numbers(numbers)).1
        };
        for row in 0..10 {
            let (before, after) = (encoded(row, 0.0), encoded(row, 1000.0));
            assert_eq!(before[row], after[row], "row {row} sees itself");
            assert_ne!(before, after, "no row sees row {row}");
        }
    }

    #[test]
    fn folds_have_the_same_share_of_each_class() {
        let indices: Vec<usize> = (0..100).map(|row| usize::from(row % 10 == 0)).collect();
        let folds = folds(&TargetEncodeSpec::default(), &Target::Classes { indices: indices.clone(), n_classes: 2 }, 1);
        for fold in 0..5 {
            let rows: Vec<usize> = (0..100).filter(|&row| folds[row] == fold).collect();
            assert_eq!(rows.len(), 20);
            assert_eq!(rows.iter().filter(|&&row| indices[row] == 1).count(), 2);
        }
    }

    #[test]
    fn unknown_categories_get_the_mean_of_all_and_are_counted() {
        let spec = TargetEncodeSpec { smooth: Smoothing::Rows(0.0), ..TargetEncodeSpec::default() };
        let (encoder, _) = fit(&spec, &["a", "a", "b", ""], &Target::Numbers(vec![1.0, 3.0, 6.0, 10.0]));
        let mut context = TransformContext { columns: vec!["city".to_owned()], ..TransformContext::default() };
        let block = Block::Texts(vec![column(&["a", "b", "", "z"])]);
        let block = encoder.transform(block, &mut context).unwrap();
        assert_eq!(block.numbers().unwrap()[0][..], [2.0, 6.0, 10.0, 5.0]);
        assert_eq!(context.unknown_categories["city"], 1);
    }

    #[test]
    fn one_row_and_equal_targets_are_no_trouble() {
        let (_, encoded) = fit(&TargetEncodeSpec::default(), &["a"], &Target::Numbers(vec![2.0]));
        assert_eq!(encoded, [2.0]);
        let (_, encoded) = fit(&TargetEncodeSpec::default(), &["a", "b", "a"], &Target::Numbers(vec![2.0; 3]));
        assert_eq!(encoded, [2.0; 3]);
    }
}
