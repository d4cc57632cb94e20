//! Linear support vectors on features weighed by naive Bayes.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{LinearPredictor, LinearSvm, Link};
use crate::error::TrainError;
use crate::estimator::naive_bayes::FeatureSums;
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{ClassWeight, Estimator, Fitted, FittedPredictor, Target, TrainingData};
use crate::matrix::FeatureMatrix;
use crate::progress::Progress;
use crate::spec::Task;

/// Every feature is multiplied by how much more frequent it is in a class than in the rest (the logarithm of the ratio), a
/// linear SVM is fitted on that, and its weights are drawn towards their mean.
///
/// Source: Wang and Manning, *Baselines and bigrams: simple, good sentiment and topic classification* (2012), who count a
/// word once per text: `tfidf: { binary: true, idf: false, norm: none }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NbSvm {
    /// What is added to each count.
    pub alpha: f64,
    /// How far weights keep to what the SVM says: 1 wholly, 0 not at all.
    pub beta: f64,
    /// How much the loss counts against the size of the weights.
    pub c: f64,
    /// When projected gradients differ by less, the iteration ends.
    pub tolerance: f64,
    /// The most passes over the rows.
    pub max_iterations: usize,
    /// How much a row of a class counts.
    pub class_weight: ClassWeight,
}

impl Default for NbSvm {
    fn default() -> NbSvm {
        let class_weight = ClassWeight::None;
        NbSvm { alpha: 1.0, beta: 0.25, c: 1.0, tolerance: 0.1, max_iterations: 1000, class_weight }
    }
}

impl Estimator for NbSvm {
    fn kind(&self) -> &'static str {
        NbSvm::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        CLASSIFICATION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default()
            .positive("alpha", self.alpha)
            .share("beta", self.beta)
            .positive("c", self.c)
            .positive("tolerance", self.tolerance)
            .at_least("max_iterations", 1, self.max_iterations)
            .list()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let (_, n_classes) = data.target.classes(self.kind())?;
        let sums = FeatureSums::of(self.kind(), data)?;
        let positives: Vec<usize> = if n_classes == 2 { vec![1] } else { (0..n_classes).collect() };
        let fitted: Vec<(f64, Vec<f64>, Vec<String>)> = positives
            .par_iter()
            .map(|&positive| {
                let found = self.fit_class(data, &sums, positive, progress);
                progress.advance(positives.len() as u64);
                found
            })
            .collect::<Result<_, _>>()?;
        let n_features = data.features.n_columns();
        let mut weights = vec![0.0; n_features * positives.len()];
        for (output, (_, of_class, _)) in fitted.iter().enumerate() {
            for (weight, of_class) in weights.iter_mut().skip(output).step_by(positives.len()).zip(of_class) {
                *weight = *of_class;
            }
        }
        let intercepts = fitted.iter().map(|(intercept, ..)| *intercept).collect();
        let mut warnings: Vec<String> = fitted.into_iter().flat_map(|(.., warnings)| warnings).collect();
        warnings.dedup();
        let predictor = LinearPredictor::new(Link::Margin, intercepts, weights);
        Ok(Fitted { predictor: FittedPredictor::Linear(predictor), warnings })
    }
}

impl NbSvm {
    /// Returns intercept and weights of a class against the rest.
    fn fit_class(
        &self,
        data: TrainingData<'_>,
        sums: &FeatureSums,
        positive: usize,
        progress: &dyn Progress,
    ) -> Result<(f64, Vec<f64>, Vec<String>), TrainError> {
        let ratios = sums.log_ratios(positive, self.alpha);
        let features = FeatureMatrix::Sparse(data.features.to_sparse().with_columns_scaled(&ratios));
        let (classes, n_classes) = data.target.classes(self.kind())?;
        let class_weights = self.class_weight.weights(classes, n_classes);
        let svm = LinearSvm {
            c: self.c,
            tolerance: Some(self.tolerance),
            max_iterations: self.max_iterations,
            ..LinearSvm::default()
        };
        let indices = classes.iter().map(|&class| usize::from(class == positive)).collect();
        let target = Target::Classes { indices, n_classes: 2 };
        // Against the rest, only the rows of the class itself have its weight; of two classes each has its own.
        let rest_weight = if n_classes == 2 { class_weights[1 - positive] } else { 1.0 };
        let data = TrainingData { features: &features, target: &target, ..data };
        let fitted = svm.fit_margins(self.kind(), &[rest_weight, class_weights[positive]], data, progress)?;
        let FittedPredictor::Linear(linear) = fitted.predictor else { unreachable!("an SVM is a linear model") };
        let mean = linear.weights().iter().map(|weight| weight.abs()).sum::<f64>() / ratios.len().max(1) as f64;
        let drawn_in = linear
            .weights()
            .iter()
            .zip(&ratios)
            .map(|(weight, ratio)| ratio * ((1.0 - self.beta) * mean + self.beta * weight));
        Ok((linear.intercepts()[0], drawn_in.collect(), fitted.warnings))
    }
}
