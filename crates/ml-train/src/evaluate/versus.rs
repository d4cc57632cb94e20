//! A challenger against a champion on the same rows: whether one is better, or the rows cannot tell.

mod mcnemar;

use std::collections::BTreeMap;

use ml_core::metrics::{FigureInfo, find_figure};
use serde::{Deserialize, Serialize};

use crate::error::EvaluateError;

use super::bootstrap::{BootstrapOptions, resample};
use super::figures::{figures, primary_figure};
use super::gauge::Gauge;
use super::interval::Interval;
use super::measured::rows_of;
use super::outcome::{Outcome, OutcomeValues};
use crate::spec::Task;

pub use mcnemar::McNemar;

/// What the rows say of two models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The challenger is better by more than chance explains.
    ChallengerBetter,
    /// The champion is better by more than chance explains.
    ChampionBetter,
    /// Chance alone may explain the difference.
    NoSignificantDifference,
}

impl Verdict {
    /// Returns the verdict in words.
    pub fn description(self) -> &'static str {
        match self {
            Verdict::ChallengerBetter => "the challenger is better",
            Verdict::ChampionBetter => "the champion is better",
            Verdict::NoSignificantDifference => "no significant difference",
        }
    }

    fn of(gain: f64, p_value: f64, confidence: f64) -> Verdict {
        if p_value >= 1.0 - confidence || gain == 0.0 {
            Verdict::NoSignificantDifference
        } else if gain > 0.0 {
            Verdict::ChallengerBetter
        } else {
            Verdict::ChampionBetter
        }
    }
}

/// How a difference was tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairedTest {
    /// McNemar's test with the mid-p-value, on the rows that one of the two alone has right.
    McNemar,
    /// Both models measured on the same resamples of the rows.
    PairedBootstrap,
}

/// One figure of both models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FigureVersus {
    /// Of the champion.
    pub champion: f64,
    /// Of the challenger.
    pub challenger: f64,
    /// Challenger minus champion.
    pub difference: f64,
    /// Where the difference lies; absent where the rows do not tell.
    pub interval: Option<Interval>,
    /// The chance of a difference that large between models that are equally good.
    pub p_value: f64,
    /// How it was tested.
    pub test: PairedTest,
    /// What follows at the confidence that was asked for.
    pub verdict: Verdict,
}

/// Two models on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Versus {
    /// How many rows both models predict.
    pub n_samples: usize,
    /// How many rows one of the two predicts and the other does not; they are left out.
    pub n_left_out: usize,
    /// The figure that decides.
    pub decided_by: String,
    /// What it says.
    pub verdict: Verdict,
    /// How sure the intervals and verdicts are.
    pub confidence: f64,
    /// How often the rows were drawn anew.
    pub n_resamples: usize,
    /// Where the randomness came from.
    pub seed: u64,
    /// Who has which rows right; absent for a regression.
    pub mcnemar: Option<McNemar>,
    /// Every figure that both models have. One of many may differ by chance alone: only the one that decides was chosen
    /// before looking.
    pub figures: BTreeMap<String, FigureVersus>,
}

/// Compares two models by what they predict for the same rows; `decided_by` is the figure whose verdict counts, by default
/// [`primary_figure`].
///
/// # Errors
/// [`EvaluateError::NotComparable`] for models of different tasks, targets that differ, rows that only one predicts, and a
/// figure that the two do not both have.
pub fn compare_outcomes(
    champion: &Outcome,
    challenger: &Outcome,
    decided_by: Option<&str>,
    options: &BootstrapOptions,
) -> Result<Versus, EvaluateError> {
    let (champion, challenger, n_left_out) = on_same_rows(champion, challenger)?;
    let n_samples = champion.n_samples();
    let mcnemar = same_truths(&champion, &challenger)?;
    let task = if mcnemar.is_some() { Task::Classification } else { Task::Regression };
    let decided_by = decided_by.unwrap_or_else(|| primary_figure(task));

    let gauges = [Gauge::new(&champion), Gauge::new(&challenger)];
    let shared = shared_names(&gauges);
    let n_resamples = options.resamples_for(gauges[0].cost() + gauges[1].cost());
    let difference = |weights: &[u32]| {
        let measured = gauges.each_ref().map(|gauge| gauge.measure(weights));
        shared.iter().map(|(_, places)| measured[1][places[1]] - measured[0][places[0]]).collect()
    };
    let distributions = resample(&rows_of(&champion), n_resamples, options.seed, difference);
    let of_both = [figures(&champion)?.by_name, figures(&challenger)?.by_name];
    let mut compared = BTreeMap::new();
    for ((figure, _), distribution) in shared.iter().zip(distributions) {
        let (Some(&before), Some(&after)) = (of_both[0].get(figure.name), of_both[1].get(figure.name)) else {
            continue;
        };
        let (p_value, test) = match &mcnemar {
            Some(mcnemar) if figure.name == "accuracy" => (mcnemar.mid_p, PairedTest::McNemar),
            _ => (distribution.chance_of_zero(), PairedTest::PairedBootstrap),
        };
        let gain = figure.gain(after, before);
        let versus = FigureVersus {
            champion: before,
            challenger: after,
            difference: after - before,
            interval: distribution.interval(options.confidence),
            p_value,
            test,
            verdict: Verdict::of(gain, p_value, options.confidence),
        };
        compared.insert(figure.name.to_owned(), versus);
    }
    let Some(decisive) = compared.get(decided_by) else {
        let names: Vec<&str> = compared.keys().map(String::as_str).collect();
        return Err(not_comparable(
            format!("there is no `{decided_by}` of both models to decide by"),
            format!("decide by one of {}", names.join(", ")),
        ));
    };
    Ok(Versus {
        n_samples,
        n_left_out,
        decided_by: decided_by.to_owned(),
        verdict: decisive.verdict,
        confidence: options.confidence,
        n_resamples,
        seed: options.seed,
        mcnemar,
        figures: compared,
    })
}

/// Returns the figures that both gauges measure, and where.
fn shared_names(gauges: &[Gauge; 2]) -> Vec<(&'static FigureInfo, [usize; 2])> {
    let of_champion = gauges[0].names().iter().enumerate();
    of_champion
        .filter_map(|(place, name)| {
            let in_challenger = gauges[1].names().iter().position(|other| other == name)?;
            Some((find_figure(name)?, [place, in_challenger]))
        })
        .collect()
}

/// Returns both outcomes on the rows that both have, and how many rows one of them alone has.
fn on_same_rows(champion: &Outcome, challenger: &Outcome) -> Result<(Outcome, Outcome, usize), EvaluateError> {
    let mut kept = [Vec::new(), Vec::new()];
    let (left, right) = (&champion.positions, &challenger.positions);
    let (mut at_left, mut at_right) = (0, 0);
    while at_left < left.len() && at_right < right.len() {
        match left[at_left].cmp(&right[at_right]) {
            std::cmp::Ordering::Less => at_left += 1,
            std::cmp::Ordering::Greater => at_right += 1,
            std::cmp::Ordering::Equal => {
                kept[0].push(at_left);
                kept[1].push(at_right);
                at_left += 1;
                at_right += 1;
            }
        }
    }
    if kept[0].is_empty() {
        return Err(not_comparable("no row is predicted by both models", "choose rows that both can score"));
    }
    let n_left_out = left.len() + right.len() - 2 * kept[0].len();
    Ok((champion.take(&kept[0]), challenger.take(&kept[1]), n_left_out))
}

/// Checks that both models were to predict the same, and returns who has which rows right; `None` for numbers.
fn same_truths(champion: &Outcome, challenger: &Outcome) -> Result<Option<McNemar>, EvaluateError> {
    let different = || not_comparable("the models predict different targets", "compare models with the same target");
    match (&champion.values, &challenger.values) {
        (OutcomeValues::Classes(left), OutcomeValues::Classes(right)) => {
            let mut counts = McNemarCounts::default();
            for row in 0..left.truth.len() {
                let truth = &left.classes[left.truth[row]];
                if *truth != right.classes[right.truth[row]] {
                    return Err(different());
                }
                let is_right = |outcome: &super::outcome::ClassOutcome| outcome.predicted[row] == outcome.truth[row];
                match (is_right(left), is_right(right)) {
                    (true, true) => counts.both += 1,
                    (true, false) => counts.champion_only += 1,
                    (false, true) => counts.challenger_only += 1,
                    (false, false) => counts.neither += 1,
                }
            }
            let McNemarCounts { both, champion_only, challenger_only, neither } = counts;
            Ok(Some(McNemar::new(both, champion_only, challenger_only, neither)))
        }
        (OutcomeValues::Numbers(left), OutcomeValues::Numbers(right)) if left.truth == right.truth => Ok(None),
        (OutcomeValues::Numbers(_), OutcomeValues::Numbers(_)) => Err(different()),
        _ => Err(not_comparable(
            "one model is a classification and the other a regression",
            "compare models of the same task",
        )),
    }
}

#[derive(Default)]
struct McNemarCounts {
    both: u64,
    champion_only: u64,
    challenger_only: u64,
    neither: u64,
}

fn not_comparable(what: impl Into<String>, way_out: impl Into<String>) -> EvaluateError {
    EvaluateError::NotComparable { what: what.into(), way_out: way_out.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::outcome::{ClassOutcome, NumberOutcome};

    fn of_classes(truth: &[usize], predicted: &[usize]) -> Outcome {
        let values = OutcomeValues::Classes(ClassOutcome {
            classes: vec!["ham".to_owned(), "spam".to_owned()],
            n_known: 2,
            truth: truth.to_vec(),
            predicted: predicted.to_vec(),
            scores: None,
            are_probabilities: false,
        });
        Outcome {
            positions: (0..truth.len()).collect(),
            n_without_target: 0,
            n_without_prediction: 0,
            unknown_categories: BTreeMap::new(),
            values,
        }
    }

    fn of_numbers(truth: Vec<f64>, predicted: Vec<f64>) -> Outcome {
        let positions = (0..truth.len()).collect();
        let values = OutcomeValues::Numbers(NumberOutcome { truth, predicted });
        Outcome { positions, n_without_target: 0, n_without_prediction: 0, unknown_categories: BTreeMap::new(), values }
    }

    /// Every other row is of the second class; the model is wrong in each row that `is_wrong` names.
    fn wrong_where(n_rows: usize, is_wrong: impl Fn(usize) -> bool) -> Outcome {
        let truth: Vec<usize> = (0..n_rows).map(|row| row % 2).collect();
        let predicted: Vec<usize> = (0..n_rows).map(|row| if is_wrong(row) { 1 - row % 2 } else { row % 2 }).collect();
        of_classes(&truth, &predicted)
    }

    #[test]
    fn a_model_is_not_better_than_itself() {
        let outcome = wrong_where(200, |row| row % 7 == 0);
        let versus = compare_outcomes(&outcome, &outcome, None, &BootstrapOptions::default()).unwrap();
        assert_eq!(versus.verdict, Verdict::NoSignificantDifference);
        assert_eq!(versus.figures["accuracy"].p_value, 1.0);
        assert_eq!(versus.figures["f1_macro"].verdict, Verdict::NoSignificantDifference);
    }

    #[test]
    fn a_few_rows_do_not_decide_and_many_do() {
        let champion = wrong_where(1000, |row| row % 10 == 0);
        let slightly_better = wrong_where(1000, |row| row % 10 == 0 && row > 30);
        let much_better = wrong_where(1000, |row| row % 40 == 0);
        let verdict = |challenger| {
            compare_outcomes(&champion, challenger, None, &BootstrapOptions::default()).unwrap().figures["accuracy"]
                .clone()
        };
        assert_eq!(verdict(&slightly_better).verdict, Verdict::NoSignificantDifference);
        let found = verdict(&much_better);
        assert_eq!(found.verdict, Verdict::ChallengerBetter);
        assert!(found.p_value < 1e-6 && found.interval.unwrap().low > 0.0, "{found:?}");
    }

    #[test]
    fn a_lower_error_is_better() {
        let truth: Vec<f64> = (0..300).map(f64::from).collect();
        let off_by =
            |size: f64| truth.iter().map(|truth| truth + if *truth % 2.0 == 0.0 { size } else { -size }).collect();
        let champion = of_numbers(truth.clone(), off_by(2.0));
        let challenger = of_numbers(truth.clone(), off_by(1.0));
        let options = BootstrapOptions::default();
        let versus = compare_outcomes(&champion, &challenger, None, &options).unwrap();
        assert_eq!((versus.decided_by.as_str(), versus.verdict), ("rmse", Verdict::ChallengerBetter));
        let turned = compare_outcomes(&challenger, &champion, Some("mae"), &options).unwrap();
        assert_eq!(turned.verdict, Verdict::ChampionBetter);
    }

    #[test]
    fn rows_of_one_model_alone_are_left_out() {
        let champion = wrong_where(100, |_| false);
        let challenger = wrong_where(100, |_| false).take(&(20..100).collect::<Vec<_>>());
        let versus = compare_outcomes(&champion, &challenger, None, &BootstrapOptions::default()).unwrap();
        assert_eq!((versus.n_samples, versus.n_left_out), (80, 20));
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        let classes = wrong_where(10, |_| false);
        let numbers = of_numbers(vec![0.0; 10], vec![0.0; 10]);
        let err = |left: &Outcome, right: &Outcome, figure: Option<&str>| {
            compare_outcomes(left, right, figure, &BootstrapOptions::default()).unwrap_err().to_string()
        };
        assert!(err(&classes, &numbers, None).contains("the same task"));
        assert!(err(&classes, &of_classes(&[0; 10], &[0; 10]), None).contains("different targets"));
        assert!(err(&classes, &classes, Some("rmse")).contains("decide by one of accuracy"));
        assert!(err(&classes, &classes.take(&[]), None).contains("no row is predicted by both"));
    }
}
