//! Windows that drift, windows that do not, and windows that cannot be judged.

use ml_core::table::{Column, ColumnValues, Table};
use ml_monitor::drift::report::{DriftFindings, DriftScope, DriftThresholds, Verdict, drift_report};
use ml_monitor::profile::{ProfileOptions, ReferenceProfile};

/// `n` numbers spread evenly over `low..high`, in a scrambled order.
fn spread(n: u32, low: f64, high: f64) -> Vec<f64> {
    (0..n).map(|i| low + (high - low) * ((0.37 + f64::from(i) * 0.618_033_988_749_894_9) % 1.0)).collect()
}

fn topics(n: usize, shares: [usize; 3]) -> Column {
    let total: usize = shares.iter().sum();
    let topic = |i: usize| match i % total {
        rest if rest < shares[0] => "sport",
        rest if rest < shares[0] + shares[1] => "trade",
        _ => "health",
    };
    Column::texts("topic", (0..n).map(topic))
}

fn texts(n: usize, subject: &str) -> Column {
    let text = |i: usize| format!("{subject} story {} about {subject} and the weather in town {}", i % 90 + 10, i % 7);
    Column::texts("text", (0..n).map(text))
}

fn table(n: u32, low: f64, high: f64, shares: [usize; 3], subject: &str) -> Table {
    Table::new(vec![
        Column::numbers("price", spread(n, low, high)),
        topics(n as usize, shares),
        texts(n as usize, subject),
    ])
    .unwrap()
}

fn reference() -> ReferenceProfile {
    ReferenceProfile::of(&table(4000, 0.0, 1.0, [5, 3, 2], "market"), &ProfileOptions::default())
}

fn judge(current: &Table) -> DriftFindings {
    drift_report(&reference(), current, None, &DriftThresholds::default())
}

fn verdicts(findings: &DriftFindings) -> Vec<Verdict> {
    findings.columns.iter().map(|column| column.verdict).collect()
}

#[test]
fn more_of_the_same_is_stable_however_much() {
    for n in [60, 400, 50_000] {
        let findings = judge(&table(n, 0.0, 1.0, [5, 3, 2], "market"));
        assert_eq!(findings.verdict, Verdict::Stable, "{n} rows: {findings:#?}");
        assert_eq!(verdicts(&findings), [Verdict::Stable; 3]);
    }
}

#[test]
fn a_slight_change_of_a_huge_window_is_no_alarm() {
    let findings = judge(&table(200_000, 0.0, 1.05, [51, 29, 20], "market"));
    assert!(!findings.is_drifted(), "{findings:#?}");
    assert!(findings.columns[0].tests.iter().any(|test| test.p_value < 0.01), "chance alone does not explain it");
}

#[test]
fn each_kind_of_column_drifts_on_its_own() {
    let cases = [
        (table(500, 0.4, 1.4, [5, 3, 2], "market"), "price"),
        (table(500, 0.0, 1.0, [2, 3, 5], "market"), "topic"),
        (table(500, 0.0, 1.0, [5, 3, 2], "football"), "text"),
    ];
    for (current, expected) in cases {
        let findings = judge(&current);
        let drifted: Vec<_> =
            findings.columns_that_are(Verdict::Drifted).map(|column| column.column.as_str()).collect();
        assert_eq!(drifted, [expected], "{findings:#?}");
        assert!(findings.is_drifted());
    }
}

#[test]
fn values_that_go_missing_are_drift() {
    let mut prices = spread(400, 0.0, 1.0);
    prices.iter_mut().step_by(3).for_each(|price| *price = f64::NAN);
    let current = table(400, 0.0, 1.0, [5, 3, 2], "market");
    let current =
        Table::new(vec![Column::numbers("price", prices), current.columns()[1].clone(), current.columns()[2].clone()]);

    let findings = judge(&current.unwrap());

    assert_eq!(verdicts(&findings), [Verdict::Drifted, Verdict::Stable, Verdict::Stable]);
    assert!((findings.columns[0].missing_share_current - 134.0 / 400.0).abs() < 1e-12);
    assert_eq!(findings.columns[0].n_current, 266);
}

#[test]
fn a_window_of_nothing_but_missing_values_has_drifted_and_does_not_fail() {
    let none: Vec<Option<String>> = vec![None; 100];
    let current = Table::new(vec![
        Column::numbers("price", vec![f64::NAN; 100]),
        Column { name: "topic".into(), values: ColumnValues::Text(none.clone()) },
        Column { name: "text".into(), values: ColumnValues::Text(none) },
    ]);
    assert_eq!(verdicts(&judge(&current.unwrap())), [Verdict::Drifted; 3]);
}

#[test]
fn infinite_values_count_as_missing() {
    let current = Table::new(vec![Column::numbers("price", vec![f64::INFINITY; 100])]).unwrap();
    let price = &judge(&current).columns[0];
    assert_eq!((price.verdict, price.n_current, price.missing_share_current), (Verdict::Drifted, 0, 1.0));
}

#[test]
fn what_cannot_be_judged_says_why() {
    let small = judge(&table(20, 5.0, 6.0, [0, 0, 1], "x"));
    assert_eq!((small.verdict, verdicts(&small)), (Verdict::NotEnoughRows, vec![Verdict::NotEnoughRows; 3]));

    let empty = judge(&Table::default());
    assert_eq!((empty.verdict, verdicts(&empty)), (Verdict::NotEnoughRows, vec![Verdict::Absent; 3]));

    let other_kind = Table::new(vec![Column::texts("price", (0..100).map(|i| format!("{i} dollars")))]).unwrap();
    assert_eq!(verdicts(&judge(&other_kind)), [Verdict::NotComparable, Verdict::Absent, Verdict::Absent]);
}

#[test]
fn predictions_are_compared_with_the_target_when_there_is_nothing_better() {
    let options = ProfileOptions::default();
    let reference = reference().with_target(&topics(4000, [5, 3, 2]), &options);
    let current = table(500, 0.0, 1.0, [5, 3, 2], "market");

    let findings = drift_report(&reference, &current, Some(&topics(500, [1, 1, 8])), &DriftThresholds::default());

    let drifted: Vec<_> = findings.columns_that_are(Verdict::Drifted).map(|column| column.scope).collect();
    assert_eq!(drifted, [DriftScope::Prediction]);
}

/// A window drawn from the reference itself must not raise an alarm more often than the p-values say.
#[test]
fn false_alarms_are_rare() {
    let mut state = 7u64;
    let mut uniform = || {
        // Knuth's MMIX generator: any would do, as long as the figures stay the same.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut draw = |n: usize| {
        let numbers: Vec<f64> = (0..n).map(|_| -uniform().ln()).collect();
        let topic = |share: f64| {
            if share < 0.5 {
                "sport"
            } else if share < 0.8 {
                "trade"
            } else {
                "health"
            }
        };
        let topics: Vec<&str> = (0..n).map(|_| topic(uniform())).collect();
        Table::new(vec![Column::numbers("price", numbers), Column::texts("topic", topics)]).unwrap()
    };
    let reference = ReferenceProfile::of(&draw(3000), &ProfileOptions::default());
    let alarms = (0..300)
        .filter(|_| drift_report(&reference, &draw(60), None, &DriftThresholds::default()).is_drifted())
        .count();
    // Four tests below 0.01 each make at most 12 of 300 on average.
    assert!(alarms <= 20, "{alarms} alarms in 300 windows without drift");
}
