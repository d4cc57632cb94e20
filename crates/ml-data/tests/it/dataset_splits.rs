//! Every split rule, over tables of any shape: nothing is lost, proportions hold, the order of rows does not matter.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use ml_core::dataset::Split;
use ml_core::table::{Column, ColumnValues, Table};
use ml_core::testkit::build::second;
use ml_data::dataset::error::DatasetError;
use ml_data::dataset::split::{Fractions, SplitRule};
use proptest::prelude::*;

/// A row as the rules see it.
#[derive(Debug, Clone)]
struct Row {
    second: i64,
    class: Option<u8>,
    user: u8,
}

fn rows(max: usize) -> impl Strategy<Value = Vec<Row>> {
    let row = (0i64..40, prop::option::weighted(0.9, 0u8..4), 0u8..30).prop_map(|(second, class, user)| Row {
        second,
        class,
        user,
    });
    prop::collection::vec(row, 1..max)
}

fn fractions() -> impl Strategy<Value = Fractions> {
    (1u32..10, 0u32..10, 0u32..10).prop_map(|(train, validation, test)| {
        let total = f64::from(train + validation + test);
        Fractions::new(f64::from(train) / total, f64::from(validation) / total, f64::from(test) / total).unwrap()
    })
}

fn table_of(rows: &[Row]) -> Table {
    let text = |name: &str, values| Column { name: name.to_owned(), values: ColumnValues::Text(values) };
    Table::new(vec![
        Column::texts("id", (0..rows.len()).map(|idx| format!("row-{idx}"))),
        Column {
            name: "event_time".to_owned(),
            values: ColumnValues::Time(rows.iter().map(|row| Some(second(row.second))).collect()),
        },
        text("class", rows.iter().map(|row| row.class.map(|class| class.to_string())).collect()),
        text("user", rows.iter().map(|row| Some(row.user.to_string())).collect()),
    ])
    .unwrap()
}

fn rules(fractions: Fractions, seed: u64) -> Vec<SplitRule> {
    let (class, user) = ("class".to_owned(), "user".to_owned());
    vec![
        SplitRule::None {},
        SplitRule::Random { fractions, seed },
        SplitRule::Stratified { column: class, fractions, seed },
        SplitRule::Entity { column: user, fractions, seed },
        SplitRule::TimeCuts { validation_from: Some(second(10)), test_from: second(20) },
    ]
}

fn count(splits: &[Split], split: Split) -> usize {
    splits.iter().filter(|candidate| **candidate == split).count()
}

proptest! {
    #[test]
    fn each_row_gets_a_split_whatever_the_order(
        rows in rows(80), fractions in fractions(), seed: u64, order in any::<prop::sample::Index>(),
    ) {
        let table = table_of(&rows);
        let mut turned: Vec<usize> = (0..rows.len()).collect();
        turned.rotate_left(order.index(rows.len()));
        turned.reverse();
        for rule in rules(fractions, seed) {
            let splits = rule.assign(&table).unwrap();
            prop_assert_eq!(splits.len(), rows.len());
            let expected: Vec<Split> = turned.iter().map(|&row| splits[row]).collect();
            prop_assert_eq!(rule.assign(&table.take(&turned)).unwrap(), expected, "{:?}", rule);
        }
    }

    #[test]
    fn a_row_keeps_its_random_split_when_others_go(rows in rows(80), fractions in fractions(), seed: u64) {
        let table = table_of(&rows);
        let rule = SplitRule::Random { fractions, seed };
        let splits = rule.assign(&table).unwrap();
        let half: Vec<usize> = (0..rows.len()).step_by(2).collect();
        let expected: Vec<Split> = half.iter().map(|&row| splits[row]).collect();
        prop_assert_eq!(rule.assign(&table.take(&half)).unwrap(), expected);
    }

    #[test]
    fn classes_are_divided_in_exact_proportion(rows in rows(200), fractions in fractions(), seed: u64) {
        let splits = SplitRule::Stratified { column: "class".into(), fractions, seed }.assign(&table_of(&rows)).unwrap();
        let mut splits_by_class: HashMap<Option<u8>, Vec<Split>> = HashMap::new();
        for (row, split) in rows.iter().zip(splits) {
            splits_by_class.entry(row.class).or_default().push(split);
        }
        for splits in splits_by_class.values() {
            for split in Split::ALL {
                let exact = fractions.of(split) * splits.len() as f64;
                prop_assert!((count(splits, split) as f64 - exact).abs() < 1.0);
            }
        }
    }

    #[test]
    fn an_entity_is_in_one_split(rows in rows(200), fractions in fractions(), seed: u64) {
        let splits = SplitRule::Entity { column: "user".into(), fractions, seed }.assign(&table_of(&rows)).unwrap();
        let mut split_by_user = HashMap::new();
        for (row, split) in rows.iter().zip(splits) {
            prop_assert_eq!(*split_by_user.entry(row.user).or_insert(split), split);
        }
    }

    #[test]
    fn the_past_trains_and_the_future_tests(rows in rows(200), fractions in fractions()) {
        let times: Vec<DateTime<Utc>> = rows.iter().map(|row| second(row.second)).collect();
        let result = SplitRule::Time { fractions }.assign(&table_of(&rows));
        let used: Vec<Split> = Split::ALL.into_iter().filter(|split| fractions.of(*split) > 0.0).collect();
        let mut instants = times.clone();
        instants.sort();
        instants.dedup();
        if instants.len() < used.len() {
            let is_refused = matches!(result, Err(DatasetError::TooFewInstants { .. }));
            prop_assert!(is_refused);
            return Ok(());
        }

        let splits = result.unwrap();
        let times_of = |split| times.iter().zip(&splits).filter(move |(_, it)| **it == split).map(|(time, _)| *time);
        for pair in used.windows(2) {
            let (before, after) = (times_of(pair[0]).max().unwrap(), times_of(pair[1]).min().unwrap());
            prop_assert!(before < after, "{} of {:?} is not before {} of {:?}", before, pair[0], after, pair[1]);
        }
    }
}

#[test]
fn random_sizes_are_near_the_fractions() {
    let rows = vec![Row { second: 0, class: None, user: 0 }; 20_000];
    let fractions = Fractions::parse("70/20/10").unwrap();
    let table = table_of(&rows);
    let splits = SplitRule::Random { fractions, seed: 3 }.assign(&table).unwrap();
    for split in Split::ALL {
        // Five standard deviations of a binomial share of 20,000 are below 0.017.
        let share = count(&splits, split) as f64 / rows.len() as f64;
        assert!((share - fractions.of(split)).abs() < 0.017, "{split}: {share}");
    }
    assert_ne!(splits, SplitRule::Random { fractions, seed: 4 }.assign(&table).unwrap(), "the seed counts");
}

#[test]
fn time_is_cut_where_the_sizes_come_nearest() {
    let distinct: Vec<Row> = (0..10).map(|second| Row { second, class: None, user: 0 }).collect();
    let rule = SplitRule::parse("time:70/10/20", 0).unwrap();
    let splits = rule.assign(&table_of(&distinct)).unwrap();
    assert_eq!(Split::ALL.map(|split| count(&splits, split)), [7, 1, 2]);

    // Six rows of one instant stay together: 2/8 and 8/2 are equally far from 5/5, and the earlier cut wins.
    let tied: Vec<Row> = [0, 1, 2, 2, 2, 2, 2, 2, 3, 4].map(|second| Row { second, class: None, user: 0 }).to_vec();
    let splits = SplitRule::parse("time:50/50", 0).unwrap().assign(&table_of(&tied)).unwrap();
    assert_eq!(count(&splits, Split::Train), 2);
}

#[test]
fn cuts_are_the_first_instants_of_their_splits() {
    let rows: Vec<Row> = (0..6).map(|second| Row { second, class: None, user: 0 }).collect();
    let cuts = SplitRule::TimeCuts { validation_from: Some(second(2)), test_from: second(4) };
    let splits = cuts.assign(&table_of(&rows)).unwrap();
    let names = splits.iter().map(|split| split.name()).collect::<Vec<_>>();
    assert_eq!(names, ["train", "train", "validation", "validation", "test", "test"]);

    let backwards = SplitRule::TimeCuts { validation_from: Some(second(4)), test_from: second(4) - TimeDelta::days(1) };
    assert!(matches!(backwards.assign(&table_of(&rows)), Err(DatasetError::InvalidSpec { .. })));
}
