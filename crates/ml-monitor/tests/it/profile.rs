//! Profiles are the same for the same rows, survive being stored, and stay readable.

use std::collections::BTreeMap;

use chrono::DateTime;
use ml_core::table::{Column, ColumnValues, Table};
use ml_monitor::profile::{ProfileKind, ProfileOptions, ReferenceProfile, ValueProfile};
use proptest::prelude::*;

fn awkward_number() -> impl Strategy<Value = f64> {
    prop_oneof![proptest::num::f64::ANY, -1e3..1e3f64, Just(f64::NAN), Just(f64::INFINITY), Just(f64::MAX), Just(-0.0),]
}

fn table() -> impl Strategy<Value = Table> {
    let row = (awkward_number(), proptest::option::of(".{0,12}"), any::<Option<bool>>(), any::<Option<i64>>());
    proptest::collection::vec(row, 0..80).prop_map(|rows| {
        Table::new(vec![
            Column::numbers("number", rows.iter().map(|row| row.0).collect()),
            Column { name: "text".into(), values: ColumnValues::Text(rows.iter().map(|row| row.1.clone()).collect()) },
            Column { name: "boolean".into(), values: ColumnValues::Boolean(rows.iter().map(|row| row.2).collect()) },
            Column { name: "integer".into(), values: ColumnValues::Integer(rows.iter().map(|row| row.3).collect()) },
        ])
        .unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_rows_give_the_same_bytes_which_read_back(table in table()) {
        let options = ProfileOptions::default();
        let profile = ReferenceProfile::of(&table, &options);
        let json = profile.to_json();

        prop_assert_eq!(&ReferenceProfile::of(&table, &options).to_json(), &json);
        let read = ReferenceProfile::from_json(&json).unwrap();
        prop_assert_eq!(&read, &profile);
        prop_assert_eq!(read.to_json(), json);
    }
}

#[test]
fn columns_are_taken_as_their_values_suggest() {
    let headlines: Vec<String> = (0..100).map(|i| format!("headline number {i} of the day")).collect();
    let table = Table::new(vec![
        Column::texts("headline", headlines),
        Column::texts("topic", (0..100).map(|i| if i % 2 == 0 { "sport" } else { "trade" })),
        Column::numbers("price", (0..100).map(f64::from).collect()),
        Column::numbers("zip", (0..100).map(|i| f64::from(98_000 + i % 7)).collect()),
        Column { name: "is_new".into(), values: ColumnValues::Boolean(vec![Some(true); 100]) },
        Column { name: "at".into(), values: ColumnValues::Time(vec![DateTime::from_timestamp(0, 0); 100]) },
    ]);
    let options = ProfileOptions { kinds: BTreeMap::from([("zip".to_owned(), ProfileKind::Categorical)]) };

    let profile = ReferenceProfile::of(&table.unwrap(), &options);

    let kinds: Vec<_> = profile.columns.iter().map(|column| column.values.kind_name()).collect();
    assert_eq!(kinds, ["text", "categorical", "numeric", "categorical", "categorical", "time"]);
    let ValueProfile::Categorical(zip) = &profile.columns[3].values else { panic!("asked for categories") };
    assert_eq!(zip.n_distinct, 7);
}

#[test]
fn a_profile_of_another_format_says_so() {
    for bytes in [&b""[..], b"{}", br#"{"format":"9","n_rows":1}"#, b"\xff"] {
        let err = ReferenceProfile::from_json(bytes).unwrap_err();
        assert!(err.to_string().contains("newer release"), "{err}");
    }
}

/// The sample is of format 1; a later format keeps it, and adds its own beside it.
#[test]
fn the_stored_sample_of_format_1_is_read() {
    let sample = include_bytes!("../samples/reference-profile-v1.json");
    let profile = ReferenceProfile::from_json(sample).unwrap();
    let names: Vec<_> = profile.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["price", "headline", "topic", "at"]);
    assert_eq!(profile.n_rows, 40);
    assert!(profile.target.is_some() && profile.predictions.is_some());
    assert_eq!(profile.to_json(), sample.trim_ascii_end());
}
