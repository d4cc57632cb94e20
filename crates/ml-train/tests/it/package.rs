//! Packages: what stands beside the model, and what is refused at load.

use std::path::PathBuf;

use ml_core::table::{Column, Table};
use ml_train::card::{CardContent, CardData, CardInput};
use ml_train::error::ModelFormatError;
use ml_train::evaluate::compare;
use ml_train::model::TrainedModel;
use ml_train::package::{GoldenRows, MAX_GOLDEN_CHARS, Package, Papers};
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::{Trained, train};
use proptest::prelude::*;

use crate::stored;

/// A classifier of the colour of a fruit, with everything a card can tell.
const PIPELINE: &str = "
version: 1
name: fruit
task: classification
target: fruit
seed: 4
features:
  - { columns: [weight], steps: [standardise] }
  - { columns: [colour], steps: [one_hot] }
estimator: { kind: logistic_regression, c: 5.0 }
card:
  intended_use: Sorts fruit by weight and colour.
  out_of_scope: Vegetables.
  limitations: Grapes were never seen.
  owner: the orchard
  licence: CC0-1.0
";

pub(crate) fn fruit() -> Table {
    let weight = |row: usize| 100.0 + (row * 37 % 90) as f64;
    let is_apple = |row: usize| weight(row) > 145.0;
    let rows = 0..40;
    Table::new(vec![
        Column::texts("fruit", rows.clone().map(|row| if is_apple(row) { "apple" } else { "plum" })),
        Column::numbers("weight", rows.clone().map(weight).collect()),
        Column::texts("colour", rows.map(|row| ["red", "green", "blue"][row % 3])),
    ])
    .unwrap()
}

fn trained(pipeline: &str, table: &Table) -> Trained {
    train(&PipelineSpec::from_yaml(pipeline).unwrap(), table, &Silent).unwrap()
}

fn all_rows(table: &Table) -> Vec<usize> {
    (0..table.n_rows()).collect()
}

fn package_of(pipeline: &str, table: &Table) -> Package {
    let Trained { model, summary } = trained(pipeline, table);
    let rows = all_rows(table);
    let comparison = compare(&model, table, &rows[..30], &rows[30..]).unwrap();
    let data = CardData { dataset: "fruit@1".to_owned(), content_hash: "0f".repeat(32), scored_on: "test".to_owned() };
    let inputs = [CardInput { name: "weight".to_owned(), missing_share: 0.25, values: "100 to 189".to_owned() }];
    let content = CardContent {
        model: &model,
        summary: Some(&summary),
        comparison: Some(&comparison),
        data: Some(&data),
        inputs: &inputs,
        made_by: "a test",
    };
    let card = Some(content.to_markdown());
    let golden = GoldenRows::record(&model, table, &rows).unwrap();
    Package { model, papers: Papers { golden, reference_profile: Some("{\"format\":\"1\"}".to_owned()), card } }
}

pub(crate) fn fruit_package() -> Vec<u8> {
    package_of(PIPELINE, &fruit()).to_bytes().unwrap()
}

fn sample_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}

#[test]
fn a_package_comes_back_whole() {
    let package = package_of(PIPELINE, &fruit());
    let bytes = package.to_bytes().unwrap();
    let loaded = Package::from_bytes(&bytes).unwrap();

    assert_eq!(loaded.papers, package.papers);
    assert_eq!(loaded.model.predict(&fruit()).unwrap(), package.model.predict(&fruit()).unwrap());
    assert!(loaded.to_bytes().unwrap() == bytes, "stored again it differs");
    assert_eq!(Papers::from_bytes(&bytes).unwrap(), package.papers);
    assert_eq!(loaded.papers.golden.unwrap().inputs().unwrap().n_rows(), 8);
}

/// Set `ML_WRITE_SAMPLES` to write the sample of a new format version; never overwrite that of an old one.
#[test]
fn a_package_of_format_version_2_still_loads() {
    let path = sample_path("package-v2.bin");
    if std::env::var_os("ML_WRITE_SAMPLES").is_some() && !path.exists() {
        std::fs::write(&path, fruit_package()).unwrap();
    }
    let package = Package::from_bytes(&std::fs::read(&path).unwrap()).unwrap();

    // The tolerance was the default when the sample was written.
    let pipeline = PIPELINE.replace("c: 5.0", "c: 5.0, tolerance: 0.01");
    assert_eq!(package.model.spec(), &PipelineSpec::from_yaml(&pipeline).unwrap());
    assert_eq!(package.papers.reference_profile.as_deref(), Some("{\"format\":\"1\"}"));
    assert!(package.papers.card.unwrap().starts_with("# fruit\n"));
    assert_eq!(package.papers.golden.unwrap().inputs().unwrap().n_rows(), 8);
}

#[test]
fn a_package_of_format_version_1_has_no_papers() {
    for name in ["model-v1.bin", "boosted-v1.bin"] {
        let bytes = std::fs::read(sample_path(name)).unwrap();
        assert_eq!(Package::from_bytes(&bytes).unwrap().papers, Papers::default(), "{name}");
        assert_eq!(Papers::from_bytes(&bytes).unwrap(), Papers::default(), "{name}");
    }
}

#[test]
fn the_same_training_gives_the_same_package_with_one_thread_and_with_two() {
    let packed = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(fruit_package)
    };
    assert!(packed(1) == packed(2));
}

#[test]
fn a_model_that_predicts_otherwise_than_it_did_is_refused() {
    let other = PIPELINE.replace("c: 5.0", "c: 0.001");
    let package = Package { papers: package_of(&other, &fruit()).papers, ..package_of(PIPELINE, &fruit()) };
    let err = Package::from_bytes(&package.to_bytes().unwrap()).unwrap_err();
    assert!(matches!(err, ModelFormatError::GoldenDiffers { .. }), "{err}");
    let message = err.to_string();
    assert!(
        message.starts_with("the model does not predict what it did when it was packaged, row 1 has the score"),
        "{message}"
    );

    let Trained { model, .. } =
        trained(&PIPELINE.replace("columns: [colour]", "columns: [fruit2]"), &with_other_name());
    let package = Package { model, papers: package_of(PIPELINE, &fruit()).papers };
    let err = TrainedModel::from_bytes(&package.to_bytes().unwrap()).unwrap_err();
    assert!(matches!(err, ModelFormatError::GoldenUnscored(_)), "{err}");
}

fn with_other_name() -> Table {
    let mut columns = fruit().into_columns();
    "fruit2".clone_into(&mut columns[2].name);
    Table::new(columns).unwrap()
}

#[test]
fn golden_rows_of_a_regression_are_numbers() {
    let pipeline = "{version: 1, name: w, task: regression, target: weight, estimator: ridge, features: \
                    [{columns: [colour], steps: [one_hot]}]}";
    let table = fruit();
    let model = trained(pipeline, &table).model;
    let golden = GoldenRows::record(&model, &table, &all_rows(&table)).unwrap();
    let other = trained(&pipeline.replace("estimator: ridge", "estimator: {kind: ridge, alpha: 100}"), &table).model;
    let package = Package { model: other, papers: Papers { golden, ..Papers::default() } };
    let message = Package::from_bytes(&package.to_bytes().unwrap()).unwrap_err().to_string();
    assert!(message.contains("row 1 is 1") && message.contains(" in place of 1"), "{message}");
}

#[test]
fn golden_rows_hold_the_history_that_derived_columns_need() {
    let pipeline = "{version: 1, name: w, task: regression, target: weight, estimator: ridge, derive: [{column: before, op: \
                    rolling_mean, of: day, window: 5, by: colour, order: day}], features: [{columns: [before]}]}";
    let mut table = fruit();
    table.push(Column::numbers("day", (0..40).map(f64::from).collect())).unwrap();
    let model = trained(pipeline, &table).model;
    let golden = GoldenRows::record(&model, &table, &all_rows(&table)).unwrap().unwrap();
    let inputs = golden.inputs().unwrap();
    assert_eq!(inputs.n_rows(), 12);
    assert_eq!(model.predict(&inputs).unwrap().missing.len(), 4, "the first rows of the entity lack history");
}

#[test]
fn golden_rows_can_be_fewer_or_none_and_their_texts_are_cut() {
    let table = Table::new(vec![
        Column::texts("kind", ["a", "b", "a", "b"]),
        Column::texts("text", ["long ".repeat(1000), "short".to_owned(), "long".to_owned(), "short one".to_owned()]),
    ])
    .unwrap();
    let pipeline = "{version: 1, name: t, task: classification, target: kind, golden_rows: 2, estimator: \
                    multinomial_naive_bayes, features: [{columns: [text], steps: [tfidf: {}]}]}";
    let pipeline = pipeline.replace("[tfidf: {}]", "[{tfidf: {}}]");
    let model = trained(&pipeline, &table).model;
    let golden = GoldenRows::record(&model, &table, &[0, 1, 2, 3]).unwrap().unwrap();
    let inputs = golden.inputs().unwrap();
    let texts = inputs.get("text").unwrap().as_texts();
    assert_eq!(texts.len(), 2);
    assert_eq!(texts[0].as_ref().unwrap().chars().count(), MAX_GOLDEN_CHARS);

    let none = trained(&pipeline.replace("golden_rows: 2", "golden_rows: 0"), &table).model;
    assert_eq!(GoldenRows::record(&none, &table, &[0, 1, 2, 3]).unwrap(), None);

    let err = PipelineSpec::from_yaml(&pipeline.replace("golden_rows: 2", "golden_rows: 1001")).unwrap_err();
    assert_eq!(err.to_string(), "invalid pipeline: `golden_rows`: must be at most 1000, not 1001");
}

#[test]
fn the_card_says_what_is_known() {
    let card = package_of(PIPELINE, &fruit()).papers.card.unwrap();
    for expected in [
        "# fruit\n\nA `logistic_regression` that predicts the category `fruit`, one of 2, from 2 inputs.\n",
        "## Intended use\n\nSorts fruit by weight and colour.\n\nNot for: Vegetables.\n\nOwner: the orchard\n\nLicence: CC0-1.0\n",
        "| weight | number | 25.0 % | 100 to 189 |\n| colour | text | - | - |\n",
        "Dataset `fruit@1`, content hash `0f0f",
        "Fitted on 40 of 40 rows of the train split, as 4 features.\n",
        "| plum | 20 | 50.0 % |\n",
        "On 10 rows of the test split, which it was not fitted on.\n\n| figure | model | majority_class |\n",
        "## Limitations\n\nGrapes were never seen.\n",
        "By a test with smartcore 0.7, seed 4.\n",
        "  kind: logistic_regression\n  c: 5.0\n",
    ] {
        assert!(card.contains(expected), "{expected:?} is not in the card:\n{card}");
    }
}

#[test]
fn a_card_in_a_pipeline_file_has_known_fields() {
    let err = PipelineSpec::from_yaml(&PIPELINE.replace("owner:", "author:")).unwrap_err().to_string();
    assert!(err.starts_with("invalid pipeline: `card`: unknown field `author`, expected one of"), "{err}");
}

proptest! {
    #[test]
    fn a_changed_byte_anywhere_is_refused(index in any::<prop::sample::Index>(), change in 1_u8..) {
        static PACKAGES: std::sync::LazyLock<[Vec<u8>; 3]> = std::sync::LazyLock::new(|| {
            [fruit_package(), stored::trained().to_bytes().unwrap(), std::fs::read(sample_path("package-v2.bin")).unwrap()]
        });
        for package in PACKAGES.iter() {
            let mut bytes = package.clone();
            let position = index.index(bytes.len());
            bytes[position] ^= change;
            let err = Package::from_bytes(&bytes).unwrap_err();
            let is_told = match position {
                0..8 => matches!(err, ModelFormatError::NotAModel),
                8..10 => matches!(err, ModelFormatError::UnsupportedVersion { .. } | ModelFormatError::Corrupt),
                10..18 => matches!(err, ModelFormatError::WrongLength { .. }),
                _ => matches!(err, ModelFormatError::Corrupt),
            };
            prop_assert!(is_told, "byte {position}: {err}");
            prop_assert_eq!(Papers::from_bytes(&bytes).unwrap_err().to_string(), err.to_string());
        }
    }
}
