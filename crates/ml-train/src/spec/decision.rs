//! When a row is taken for a class, where that is not when the class is the likeliest.

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::estimator::EstimatorSpec;
use crate::evaluate::threshold::Costs;
use crate::spec::{PipelineSpec, Task};

/// A threshold for one of two classes: stated, or of least cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionSpec {
    /// The class that the threshold is for; by default the second one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// A row whose probability of the class, or decision score for it, is at least this is taken for one of the class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// What it costs to take another row for one of the class. With both costs the threshold is found in training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_positive_cost: Option<f64>,
    /// What it costs to miss a row of the class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_negative_cost: Option<f64>,
}

impl DecisionSpec {
    /// Returns the costs by which the threshold is to be found, if it is.
    pub(crate) fn costs(&self) -> Option<Costs> {
        let (false_positive, false_negative) = self.false_positive_cost.zip(self.false_negative_cost)?;
        Some(Costs { positive: self.positive.clone(), false_positive, false_negative })
    }
}

/// Finds what is wrong with the decision of a pipeline.
pub(super) fn faults(spec: &PipelineSpec, faults: &mut Vec<Fault>) {
    let Some(decision) = &spec.decision else { return };
    if spec.task != Task::Classification {
        faults.push(Fault::new("decision", "is for `task: classification` only: remove it"));
    }
    if matches!(spec.estimator, EstimatorSpec::External(_)) {
        faults.push(Fault::new("decision", "is not for `external`: leave it to the program that fits"));
    }
    let costs = (decision.false_positive_cost, decision.false_negative_cost);
    match (decision.threshold, costs) {
        (Some(threshold), (None, None)) if !threshold.is_finite() => {
            faults.push(Fault::new("decision.threshold", format!("must be a number, not {threshold}")));
        }
        (Some(_), (None, None)) => {}
        (None, (Some(_), Some(_))) => {
            if let Some(fault) = decision.costs().and_then(|costs| costs.fault()) {
                faults.push(Fault::new("decision", fault));
            }
        }
        _ => {
            let message = "needs a `threshold`, or `false_positive_cost` and `false_negative_cost` to find one by";
            faults.push(Fault::new("decision", message));
        }
    }
}
