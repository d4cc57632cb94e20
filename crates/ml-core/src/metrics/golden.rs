//! The figures against scikit-learn's on the same predictions, and laws that hold for any predictions.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// The agreement that the platform promises; sums of doubles in another order differ by less.
const TOLERANCE: f64 = 1e-9;

fn cases(kind: &str) -> Vec<Value> {
    let cases: Value = serde_json::from_str(include_str!("golden/cases.json")).unwrap();
    cases[kind].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn classes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|class| class.as_u64().unwrap() as usize).collect()
}

#[track_caller]
fn check(case: &Value, figure: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    let difference = (found - expected).abs() / expected.abs().max(1.0);
    assert!(difference <= TOLERANCE, "{} of {}: {found} is not {expected}", figure, case["name"]);
}

#[track_caller]
fn check_scores(case: &Value, name: &str, found: Scores, expected: &Value) {
    check(case, &format!("{name} precision"), found.precision, &expected["precision"]);
    check(case, &format!("{name} recall"), found.recall, &expected["recall"]);
    check(case, &format!("{name} f1"), found.f1, &expected["f1"]);
}

#[test]
fn classification_agrees_with_scikit_learn() {
    for case in cases("classification") {
        let n_classes = case["n_classes"].as_u64().unwrap() as usize;
        let (truth, predicted) = (classes(&case["truth"]), classes(&case["predicted"]));
        let matrix = ConfusionMatrix::new(&truth, &predicted, n_classes).unwrap();

        assert_eq!(serde_json::to_value(matrix.rows().collect::<Vec<_>>()).unwrap(), case["confusion"]);
        check(&case, "accuracy", matrix.accuracy(), &case["scores"]["accuracy"]);
        let averages = matrix.averages();
        check_scores(&case, "macro", averages.macro_average, &case["scores"]["macro"]);
        check_scores(&case, "micro", averages.micro_average, &case["scores"]["micro"]);
        check_scores(&case, "weighted", averages.weighted_average, &case["scores"]["weighted"]);
        check(&case, "balanced accuracy", matrix.totals().balanced_accuracy(), &case["balanced_accuracy"]);
        check(&case, "mcc", matrix.totals().matthews_correlation(), &case["mcc"]);
        check(&case, "kappa", matrix.totals().cohen_kappa().unwrap(), &case["cohen_kappa"]);
        for (class, found) in matrix.per_class().iter().enumerate() {
            let expected = &case["per_class"][class];
            check_scores(&case, "class", found.scores, expected);
            assert_eq!(Some(found.support), expected["support"].as_u64());
        }
    }
}

#[test]
fn probabilities_and_rankings_agree_with_scikit_learn() {
    let (mut n_binary, mut n_one_vs_rest) = (0, 0);
    for case in cases("classification") {
        let n_classes = case["n_classes"].as_u64().unwrap() as usize;
        let (truth, probabilities) = (classes(&case["truth"]), numbers(&case["probabilities"]));

        check(&case, "log loss", log_loss(&truth, &probabilities, n_classes).unwrap(), &case["log_loss"]);
        if let Some(expected) = case.get("roc_auc") {
            let in_class: Vec<bool> = truth.iter().map(|&class| class == 1).collect();
            let scores: Vec<f64> = probabilities.chunks(2).map(|row| row[1]).collect();
            check(&case, "ROC AUC", roc_auc_binary(&in_class, &scores).unwrap(), expected);
            n_binary += 1;
        }
        if let Some(expected) = case.get("roc_auc_ovr_macro") {
            let areas = roc_auc_one_vs_rest(&truth, &probabilities, n_classes).unwrap();
            check(&case, "macro ROC AUC", areas.macro_average, expected);
            check(&case, "weighted ROC AUC", areas.weighted_average, &case["roc_auc_ovr_weighted"]);
            n_one_vs_rest += 1;
        }
    }
    assert_eq!((n_binary, n_one_vs_rest), (2, 3));
}

#[test]
fn calibration_agrees_with_scikit_learn() {
    let mut n_binary = 0;
    for case in cases("classification") {
        let n_classes = case["n_classes"].as_u64().unwrap() as usize;
        let (truth, probabilities) = (classes(&case["truth"]), numbers(&case["probabilities"]));
        check(&case, "Brier score", brier_score(&truth, &probabilities, n_classes).unwrap(), &case["brier"]);
        if let Some(expected) = case.get("brier_binary") {
            let in_class: Vec<bool> = truth.iter().map(|&class| class == 1).collect();
            let of_class: Vec<f64> = probabilities.chunks(2).map(|row| row[1]).collect();
            check(&case, "binary Brier score", brier_score_binary(&in_class, &of_class).unwrap(), expected);
            n_binary += 1;
        }

        let is_right: Vec<bool> =
            truth.iter().zip(classes(&case["predicted"])).map(|(&truth, predicted)| truth == predicted).collect();
        let highest: Vec<f64> =
            probabilities.chunks(n_classes).map(|row| row.iter().copied().fold(0.0, f64::max)).collect();
        let bins = reliability_curve(&is_right, &highest, 10).unwrap();
        let expected = &case["reliability"];
        let counts: Vec<u64> = bins.iter().map(|bin| bin.n_samples).collect();
        assert_eq!(serde_json::to_value(counts).unwrap(), expected["counts"], "{}", case["name"]);
        for (bin, found) in bins.iter().enumerate() {
            check(&case, "observed share", found.observed_share, &expected["observed"][bin]);
            check(&case, "mean probability", found.mean_probability, &expected["mean"][bin]);
        }
        check(&case, "calibration error", expected_calibration_error(&bins), &expected["error"]);
    }
    assert_eq!(n_binary, 2);
}

#[test]
fn curves_agree_with_scikit_learn() {
    let (mut n_curves, mut n_areas) = (0, 0);
    for case in cases("classification") {
        let n_classes = case["n_classes"].as_u64().unwrap() as usize;
        let (truth, probabilities) = (classes(&case["truth"]), numbers(&case["probabilities"]));
        let curve_of = |class: usize| {
            let in_class: Vec<bool> = truth.iter().map(|&truth| truth == class).collect();
            let scores: Vec<f64> = probabilities.chunks(n_classes).map(|row| row[class]).collect();
            RankingCurve::new(&in_class, &scores).unwrap()
        };
        if let Some(expected) = case.get("average_precision_macro") {
            let sum: f64 = (0..n_classes).map(|class| curve_of(class).average_precision().unwrap()).sum();
            check(&case, "macro average precision", sum / n_classes as f64, expected);
            n_areas += 1;
        }
        let Some(roc) = case.get("roc_curve") else { continue };
        let curve = curve_of(1);
        check(&case, "average precision", curve.average_precision().unwrap(), &case["average_precision"]);
        assert_eq!(curve.points.len(), numbers(&roc["thresholds"]).len());
        // Its curve of precision and recall ends where every row of the class is chosen.
        let precision = numbers(&case["precision_recall_curve"]["precision"]);
        for (position, point) in curve.points.iter().enumerate() {
            check(&case, "threshold", point.threshold, &roc["thresholds"][position]);
            check(&case, "true positive rate", curve.true_positive_rate(point), &roc["tpr"][position]);
            check(&case, "false positive rate", curve.false_positive_rate(point), &roc["fpr"][position]);
            if position < precision.len() {
                let expected = &case["precision_recall_curve"];
                check(&case, "precision", point.precision(), &expected["precision"][position]);
                check(&case, "recall", curve.true_positive_rate(point), &expected["recall"][position]);
            }
        }
        n_curves += 1;
    }
    assert_eq!((n_curves, n_areas), (2, 5));
}

#[test]
fn regression_agrees_with_scikit_learn() {
    for case in cases("regression") {
        let (truth, predicted) = (numbers(&case["truth"]), numbers(&case["predicted"]));
        check(&case, "mae", mean_absolute_error(&truth, &predicted).unwrap(), &case["mae"]);
        check(&case, "rmse", root_mean_squared_error(&truth, &predicted).unwrap(), &case["rmse"]);
        check(&case, "r2", r2_score(&truth, &predicted).unwrap(), &case["r2"]);
        check(&case, "max error", max_error(&truth, &predicted).unwrap(), &case["max_error"]);
        let median = median_absolute_error(&truth, &predicted).unwrap();
        check(&case, "median absolute error", median, &case["median_absolute_error"]);
        let explained = explained_variance(&truth, &predicted).unwrap();
        check(&case, "explained variance", explained, &case["explained_variance"]);
        check(&case, "pinball loss", mean_pinball_loss(&truth, &predicted, 0.9).unwrap(), &case["pinball"]);
        match pearson_r(&truth, &predicted) {
            Ok(correlation) => check(&case, "correlation", correlation, &case["pearson_r"]),
            Err(err) => assert!(case["pearson_r"].is_null(), "{}: {err}", case["name"]),
        }
        check(&case, "mape", mean_absolute_percentage_error(&truth, &predicted).unwrap(), &case["mape"]);
    }
}

const N_CLASSES: usize = 4;

/// Rows of true class, predicted class and a score.
fn rows() -> impl Strategy<Value = Vec<(usize, usize, f64)>> {
    prop::collection::vec((0..N_CLASSES, 0..N_CLASSES, (-5_i32..5).prop_map(f64::from)), 1..60)
}

/// Rows, and the same rows in another order.
/// True class, predicted class and score of each row.
type Rows = Vec<(usize, usize, f64)>;

fn rows_in_two_orders() -> impl Strategy<Value = (Rows, Rows)> {
    rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

fn matrix(rows: &[(usize, usize, f64)]) -> ConfusionMatrix {
    let truth: Vec<usize> = rows.iter().map(|row| row.0).collect();
    let predicted: Vec<usize> = rows.iter().map(|row| row.1).collect();
    ConfusionMatrix::new(&truth, &predicted, N_CLASSES).unwrap()
}

fn area(rows: &[(usize, usize, f64)]) -> Result<f64, MetricError> {
    let truth: Vec<bool> = rows.iter().map(|row| row.0 == 0).collect();
    let scores: Vec<f64> = rows.iter().map(|row| row.2).collect();
    roc_auc_binary(&truth, &scores)
}

fn regression_figures(rows: &[(usize, usize, f64)]) -> [f64; 3] {
    let truth: Vec<f64> = rows.iter().map(|row| row.0 as f64).collect();
    let predicted: Vec<f64> = rows.iter().map(|row| row.2).collect();
    [
        mean_absolute_error(&truth, &predicted).unwrap(),
        root_mean_squared_error(&truth, &predicted).unwrap(),
        r2_score(&truth, &predicted).unwrap_or(0.0),
    ]
}

proptest! {
    #[test]
    fn shares_stay_between_0_and_1(rows in rows()) {
        let matrix = matrix(&rows);
        let averages = matrix.averages();
        let mut scores: Vec<Scores> = matrix.per_class().iter().map(|class| class.scores).collect();
        scores.extend([averages.macro_average, averages.micro_average, averages.weighted_average]);
        for figure in scores.iter().flat_map(|scores| [scores.precision, scores.recall, scores.f1]) {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&figure), "{figure}");
        }
        if let Ok(area) = area(&rows) {
            prop_assert!((0.0..=1.0).contains(&area), "{area}");
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter((rows, shuffled) in rows_in_two_orders()) {
        prop_assert_eq!(matrix(&rows), matrix(&shuffled));
        prop_assert_eq!(area(&rows), area(&shuffled));
        for (figure, shuffled) in regression_figures(&rows).into_iter().zip(regression_figures(&shuffled)) {
            prop_assert!((figure - shuffled).abs() <= TOLERANCE * figure.abs().max(1.0));
        }
    }

    #[test]
    fn turning_a_ranking_round_turns_its_area_round(rows in rows()) {
        let turned: Vec<_> = rows.iter().map(|&(truth, predicted, score)| (truth, predicted, -score)).collect();
        if let (Ok(area), Ok(turned)) = (area(&rows), area(&turned)) {
            prop_assert!((area + turned - 1.0).abs() <= TOLERANCE);
        }
    }

    #[test]
    fn no_error_is_larger_on_average_than_its_root_mean_square(rows in rows()) {
        let [mae, rmse, r2] = regression_figures(&rows);
        prop_assert!(mae <= rmse + TOLERANCE);
        prop_assert!(r2 <= 1.0);
    }
}
