//! The threshold at which the mistakes of a classification into two classes cost least.

use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::error::EvaluateError;

use super::bootstrap::{BootstrapOptions, resample};
use super::interval::Interval;
use super::measured::rows_of;
use super::outcome::{ClassOutcome, Outcome, OutcomeValues};

/// The most points of a drawn cost curve.
const MAX_POINTS: usize = 200;

/// What mistakes cost, in any unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// The class that the threshold is for; by default the second one.
    pub positive: Option<String>,
    /// What it costs to take another row for one of the class.
    pub false_positive: f64,
    /// What it costs to miss a row of the class.
    pub false_negative: f64,
}

/// What happens at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AtThreshold {
    /// Rows with at least that score are taken for the class.
    pub threshold: f64,
    /// Rows of the class that are found.
    pub true_positives: u64,
    /// Other rows that are taken for it.
    pub false_positives: u64,
    /// Other rows that are not.
    pub true_negatives: u64,
    /// Rows of the class that are missed.
    pub false_negatives: u64,
    /// The mean cost of a row.
    pub cost_per_row: f64,
}

/// A threshold by what mistakes cost, and what it saves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdChoice {
    /// The class that the threshold is for.
    pub positive: String,
    /// What mistakes cost.
    pub costs: Costs,
    /// How many rows it was chosen on.
    pub n_chosen_on: usize,
    /// Whether those are other rows than the ones that it is judged on here; if not, what it saves is flattered.
    pub is_judged_elsewhere: bool,
    /// The threshold that would be best for probabilities that can be believed; absent for other scores.
    pub theoretical: Option<f64>,
    /// At the threshold that the model predicts by.
    pub usual: AtThreshold,
    /// At the chosen threshold.
    pub chosen: AtThreshold,
    /// By how much the chosen threshold lowers the mean cost of a row.
    pub saving_per_row: f64,
    /// Where that lies.
    pub saving_interval: Option<Interval>,
    /// How many rows it is judged on.
    pub n_samples: usize,
    /// The mean cost of a row by threshold, on the rows that it was chosen on.
    pub curve: Vec<(f64, f64)>,
}

impl Costs {
    /// Returns what is wrong with the costs, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        let is_cost = |cost: f64| cost.is_finite() && cost >= 0.0;
        if !is_cost(self.false_positive) || !is_cost(self.false_negative) {
            return Some("a cost is a number of at least 0".to_owned());
        }
        (self.false_positive == 0.0 && self.false_negative == 0.0)
            .then(|| "one of the two costs must be above 0".to_owned())
    }
}

/// Rows by their score for one class.
struct Scored {
    is_positive: Vec<bool>,
    scores: Vec<f64>,
}

/// Chooses the threshold that costs least on `chosen_on`, and judges it on `judged_on`. Where there are no rows to choose on,
/// it is chosen on those that it is judged on. `decision` is that of the model, if it has one.
///
/// # Errors
/// [`EvaluateError::NoThreshold`] for anything but scores of two classes, a class that is none of them, and costs that are
/// none.
pub fn choose_threshold(
    chosen_on: Option<&Outcome>,
    judged_on: &Outcome,
    costs: &Costs,
    decision: Option<Decision>,
    options: &BootstrapOptions,
) -> Result<ThresholdChoice, EvaluateError> {
    if let Some(fault) = costs.fault() {
        return Err(no_threshold(fault));
    }
    let outcome = two_classes(judged_on)?;
    let positive = positive_class(outcome, costs)?;
    let judged = Scored::of(outcome, positive)?;
    let chosen_rows = match chosen_on {
        Some(chosen_on) => Scored::of(two_classes(chosen_on)?, positive)?,
        None => Scored::of(outcome, positive)?,
    };
    let likeliest = usual_threshold(outcome);
    let usual = decision.map_or(likeliest, |own| own.threshold_for(positive, outcome.are_probabilities));
    let curve = cost_curve(&chosen_rows, costs);
    let threshold = cheapest(&curve, usual);

    let row_costs = |threshold: f64| judged.row_costs(threshold, costs);
    let savings: Vec<f64> =
        row_costs(usual).iter().zip(row_costs(threshold)).map(|(before, after)| before - after).collect();
    let rows = rows_of(judged_on);
    let mean = |weights: &[u32]| {
        let sum: f64 = savings.iter().zip(weights).map(|(saving, &weight)| saving * f64::from(weight)).sum();
        vec![sum / savings.len() as f64]
    };
    let n_resamples = options.resamples_for(savings.len());
    let interval = resample(&rows, n_resamples, options.seed, mean)[0].interval(options.confidence);
    let theoretical = costs.false_positive / (costs.false_positive + costs.false_negative);
    Ok(ThresholdChoice {
        positive: outcome.classes[positive].clone(),
        costs: costs.clone(),
        n_chosen_on: chosen_rows.scores.len(),
        is_judged_elsewhere: chosen_on.is_some(),
        theoretical: outcome.are_probabilities.then_some(theoretical),
        usual: judged.at(usual, costs),
        chosen: judged.at(threshold, costs),
        saving_per_row: savings.iter().sum::<f64>() / savings.len() as f64,
        saving_interval: interval,
        n_samples: savings.len(),
        curve: thinned(curve),
    })
}

/// Returns the threshold for the class at `positive` that costs least on all rows of `outcomes` together.
///
/// # Errors
/// Those of [`choose_threshold`], and where there is no row.
pub(crate) fn least_cost_threshold(outcomes: &[Outcome], positive: usize, costs: &Costs) -> Result<f64, EvaluateError> {
    let mut rows = Scored { is_positive: Vec::new(), scores: Vec::new() };
    let mut usual = 0.0;
    for outcome in outcomes {
        let outcome = two_classes(outcome)?;
        let scored = Scored::of(outcome, positive)?;
        rows.is_positive.extend(scored.is_positive);
        rows.scores.extend(scored.scores);
        usual = usual_threshold(outcome);
    }
    if rows.scores.is_empty() {
        return Err(no_threshold("no row has a prediction".to_owned()));
    }
    Ok(cheapest(&cost_curve(&rows, costs), usual))
}

/// Returns the threshold beyond which a class is the likelier of two.
fn usual_threshold(outcome: &ClassOutcome) -> f64 {
    if outcome.are_probabilities { 0.5 } else { 0.0 }
}

fn two_classes(outcome: &Outcome) -> Result<&ClassOutcome, EvaluateError> {
    match &outcome.values {
        OutcomeValues::Classes(outcome) if outcome.classes.len() == 2 && outcome.n_known == 2 => Ok(outcome),
        OutcomeValues::Classes(outcome) => {
            Err(no_threshold(format!("it is for two classes, and there are {}", outcome.classes.len())))
        }
        OutcomeValues::Numbers(_) => Err(no_threshold("it is for two classes, and numbers are predicted".to_owned())),
    }
}

fn positive_class(outcome: &ClassOutcome, costs: &Costs) -> Result<usize, EvaluateError> {
    let Some(positive) = &costs.positive else { return Ok(1) };
    let place = outcome.classes.iter().position(|class| class == positive);
    place.ok_or_else(|| {
        no_threshold(format!("`{positive}` is no class; the classes are `{}`", outcome.classes.join("` and `")))
    })
}

impl Scored {
    fn of(outcome: &ClassOutcome, positive: usize) -> Result<Scored, EvaluateError> {
        let Some((is_positive, scores)) = outcome.ranking_of(positive) else {
            return Err(no_threshold("the model gives classes without scores".to_owned()));
        };
        Ok(Scored { is_positive, scores })
    }

    fn row_costs(&self, threshold: f64, costs: &Costs) -> Vec<f64> {
        let cost = |(&is_positive, &score): (&bool, &f64)| match (score >= threshold, is_positive) {
            (true, false) => costs.false_positive,
            (false, true) => costs.false_negative,
            _ => 0.0,
        };
        self.is_positive.iter().zip(&self.scores).map(cost).collect()
    }

    fn at(&self, threshold: f64, costs: &Costs) -> AtThreshold {
        let count = |chosen: bool, positive: bool| {
            let rows = self.is_positive.iter().zip(&self.scores);
            rows.filter(|&(&is_positive, &score)| (score >= threshold) == chosen && is_positive == positive).count()
                as u64
        };
        let (false_positives, false_negatives) = (count(true, false), count(false, true));
        let cost = false_positives as f64 * costs.false_positive + false_negatives as f64 * costs.false_negative;
        AtThreshold {
            threshold,
            true_positives: count(true, true),
            false_positives,
            true_negatives: count(false, false),
            false_negatives,
            cost_per_row: cost / self.scores.len() as f64,
        }
    }
}

/// Returns the mean cost of a row at every threshold that matters, ascending: below all scores, between each two, above all.
fn cost_curve(rows: &Scored, costs: &Costs) -> Vec<(f64, f64)> {
    let n_rows = rows.scores.len() as f64;
    let mut order: Vec<usize> = (0..rows.scores.len()).collect();
    order.sort_unstable_by(|&left, &right| rows.scores[left].total_cmp(&rows.scores[right]));
    let n_negative = rows.is_positive.iter().filter(|is_positive| !**is_positive).count();
    let (mut false_positives, mut false_negatives) = (n_negative, 0);
    let mut curve = Vec::new();
    let mut below: Option<f64> = None;
    for ties in order.chunk_by(|&left, &right| rows.scores[left] == rows.scores[right]) {
        let score = rows.scores[ties[0]];
        let threshold = below.map_or(score, |below| f64::midpoint(below, score));
        // Two scores may have no number between them; the threshold still has to tell them apart.
        let threshold = if below.is_some_and(|below| threshold <= below) { score } else { threshold };
        curve.push((threshold, cost_of(false_positives, false_negatives, costs) / n_rows));
        for &row in ties {
            if rows.is_positive[row] {
                false_negatives += 1;
            } else {
                false_positives -= 1;
            }
        }
        below = Some(score);
    }
    if let Some(highest) = below {
        curve.push((highest.next_up(), cost_of(false_positives, false_negatives, costs) / n_rows));
    }
    curve
}

fn cost_of(false_positives: usize, false_negatives: usize, costs: &Costs) -> f64 {
    false_positives as f64 * costs.false_positive + false_negatives as f64 * costs.false_negative
}

/// Returns the threshold of least cost; of several the one nearest to the usual.
fn cheapest(curve: &[(f64, f64)], usual: f64) -> f64 {
    let nearer = |left: &&(f64, f64), right: &&(f64, f64)| {
        let distance = |point: &(f64, f64)| (point.0 - usual).abs();
        left.1.total_cmp(&right.1).then(distance(left).total_cmp(&distance(right)))
    };
    curve.iter().min_by(nearer).map_or(usual, |point| point.0)
}

fn thinned(curve: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if curve.len() <= MAX_POINTS {
        return curve;
    }
    let last = curve.len() - 1;
    (0..MAX_POINTS).map(|place| curve[place * last / (MAX_POINTS - 1)]).collect()
}

fn no_threshold(reason: String) -> EvaluateError {
    EvaluateError::NoThreshold { reason }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::estimator::Scores;

    fn outcome(rows: &[(bool, f64)]) -> Outcome {
        let values = OutcomeValues::Classes(ClassOutcome {
            classes: vec!["ham".to_owned(), "spam".to_owned()],
            n_known: 2,
            truth: rows.iter().map(|row| usize::from(row.0)).collect(),
            predicted: rows.iter().map(|row| usize::from(row.1 > 0.5)).collect(),
            scores: Some(Scores { n_classes: 2, values: rows.iter().flat_map(|row| [1.0 - row.1, row.1]).collect() }),
            are_probabilities: true,
        });
        Outcome {
            positions: (0..rows.len()).collect(),
            n_without_target: 0,
            n_without_prediction: 0,
            unknown_categories: BTreeMap::new(),
            values,
        }
    }

    fn costs(false_positive: f64, false_negative: f64) -> Costs {
        Costs { positive: None, false_positive, false_negative }
    }

    const ROWS: [(bool, f64); 6] = [(false, 0.1), (false, 0.2), (true, 0.3), (false, 0.4), (true, 0.6), (true, 0.9)];

    fn choose(costs: &Costs) -> Result<ThresholdChoice, EvaluateError> {
        choose_threshold(None, &outcome(&ROWS), costs, None, &BootstrapOptions::default())
    }

    #[test]
    fn a_dear_miss_lowers_the_threshold_and_a_dear_alarm_raises_it() {
        let dear_miss = choose(&costs(1.0, 10.0)).unwrap();
        assert_eq!(dear_miss.chosen.threshold, 0.25);
        assert_eq!((dear_miss.chosen.false_positives, dear_miss.chosen.false_negatives), (1, 0));
        assert!((dear_miss.saving_per_row - 9.0 / 6.0).abs() < 1e-12);
        let dear_alarm = choose(&costs(10.0, 1.0)).unwrap();
        assert_eq!(dear_alarm.chosen.threshold, 0.5);
        assert_eq!(dear_alarm.saving_per_row, 0.0);
        assert!(!dear_alarm.is_judged_elsewhere);
    }

    #[test]
    fn it_is_chosen_on_other_rows_where_there_are_some() {
        let chosen_on = outcome(&[(false, 0.7), (true, 0.8), (true, 0.95)]);
        let options = BootstrapOptions::default();
        let choice = choose_threshold(Some(&chosen_on), &outcome(&ROWS), &costs(1.0, 1.0), None, &options).unwrap();
        assert_eq!(choice.chosen.threshold, 0.75);
        assert_eq!((choice.n_chosen_on, choice.n_samples), (3, 6));
        assert!(choice.is_judged_elsewhere && choice.saving_per_row < 0.0);
    }

    #[test]
    fn the_other_class_can_be_the_positive_one() {
        let choice = choose(&Costs { positive: Some("ham".to_owned()), ..costs(1.0, 10.0) }).unwrap();
        assert_eq!(choice.positive, "ham");
        assert_eq!(choice.chosen.false_negatives, 0);
    }

    #[test]
    fn the_threshold_that_the_model_decides_by_is_what_another_is_compared_with() {
        let own = Some(Decision { positive: 1, threshold: 0.25 });
        let options = BootstrapOptions::default();
        let choice = choose_threshold(None, &outcome(&ROWS), &costs(1.0, 10.0), own, &options).unwrap();
        assert_eq!((choice.usual.threshold, choice.chosen.threshold, choice.saving_per_row), (0.25, 0.25, 0.0));
        let of_ham = Costs { positive: Some("ham".to_owned()), ..costs(10.0, 1.0) };
        let choice = choose_threshold(None, &outcome(&ROWS), &of_ham, own, &options).unwrap();
        assert_eq!(choice.usual.threshold, 0.75);
        assert_eq!(least_cost_threshold(&[outcome(&ROWS)], 1, &costs(1.0, 10.0)).unwrap(), 0.25);
    }

    #[test]
    fn what_has_no_threshold_is_said() {
        let message = |costs| choose(&costs).unwrap_err().to_string();
        assert!(message(costs(-1.0, 1.0)).contains("at least 0"));
        assert!(message(costs(0.0, 0.0)).contains("above 0"));
        assert!(message(Costs { positive: Some("eggs".to_owned()), ..costs(1.0, 1.0) }).contains("`ham` and `spam`"));
    }

    #[test]
    fn never_choosing_the_class_is_a_threshold_too() {
        let rows = outcome(&[(true, 0.2), (false, 0.9)]);
        let choice = choose_threshold(None, &rows, &costs(100.0, 1.0), None, &BootstrapOptions::default()).unwrap();
        assert!(choice.chosen.threshold > 0.9);
        assert_eq!((choice.chosen.true_positives, choice.chosen.false_positives), (0, 0));
    }
}
