//! Models as bytes: what is written stays readable, and what is not a model is an error that says why.

use std::path::PathBuf;

use ml_core::table::{Column, Table};
use ml_train::error::ModelFormatError;
use ml_train::model::TrainedModel;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train;
use proptest::prelude::*;

/// A pipeline with a step of each kind.
const PIPELINE: &str = "
version: 1
name: sample
task: classification
target: topic
seed: 1
derive:
  - { column: longer, op: diff, of: length, order: day }
features:
  - { columns: [title, text], steps: [{ tfidf: { ngrams: [1, 2], stop_words: english } }] }
  - { columns: [length], steps: [{ impute: median }, { clip: { min: 0 } }, log1p, standardise] }
  - { columns: [longer], steps: [{ impute: { constant: 0 } }, flag_positive] }
  - { columns: [day], steps: [min_max] }
  - { columns: [source], steps: [{ impute: most_frequent }, one_hot] }
  - { columns: [city], steps: [ordinal] }
estimator: { kind: logistic_regression, c: 5.0, tolerance: 0.01 }
";

pub(crate) fn table() -> Table {
    Table::new(vec![
        Column::texts("topic", ["sport", "money", "sport", "money", "sport", "money"]),
        Column::texts("title", ["Cup final", "Rates rise", "Final whistle", "Bank rates", "Cup upset", "Shares rise"]),
        Column::texts(
            "text",
            ["A late goal.", "The bank said so.", "No goal at all.", "Up again.", "Goal!", "A good day."],
        ),
        Column::texts("source", ["wire", "wire", "blog", "wire", "blog", "blog"]),
        Column::texts("city", ["Oslo", "Rome", "Oslo", "Bern", "Rome", "Bern"]),
        Column::numbers("length", vec![12.0, f64::NAN, 14.0, 9.0, 5.0, 11.0]),
        Column::numbers("day", vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    ])
    .unwrap()
}

fn sample_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples/model-v1.bin")
}

pub(crate) fn trained() -> TrainedModel {
    train(&PipelineSpec::from_yaml(PIPELINE).unwrap(), &table(), &Silent).unwrap().model
}

/// Set `ML_WRITE_SAMPLES` to write the sample of a new format version; never overwrite that of an old one.
#[test]
fn a_model_of_format_version_1_still_loads() {
    let path = sample_path();
    if std::env::var_os("ML_WRITE_SAMPLES").is_some() && !path.exists() {
        std::fs::write(&path, trained().to_bytes().unwrap()).unwrap();
    }
    let model = TrainedModel::from_bytes(&std::fs::read(&path).unwrap()).unwrap();

    assert_eq!(model.spec(), &PipelineSpec::from_yaml(PIPELINE).unwrap());
    assert_eq!(model.classes(), ["money", "sport"]);
    let predictions = model.predict(&table()).unwrap();
    let labels: Vec<&str> = (0..6).map(|row| predictions.label(row).unwrap()).collect();
    assert_eq!(labels, ["sport", "money", "sport", "money", "sport", "money"]);
    let probabilities = predictions.probabilities.unwrap();
    assert!((probabilities.row(0)[1] - SAMPLE_PROBABILITY).abs() < 1e-12, "{:?}", probabilities.row(0));
}

/// The probability of `sport` of the first row when the sample was written.
const SAMPLE_PROBABILITY: f64 = 0.774_244_921_832_311_3;

/// Trees that split by numbers, missing values and categories.
const BOOSTED_PIPELINE: &str = "
version: 1
name: boosted-sample
task: classification
target: topic
seed: 1
features:
  - { columns: [length, day] }
  - { columns: [city, source], steps: [{ category: { max_categories: 3 } }] }
estimator: { kind: gradient_boosting, max_iterations: 5, min_samples_leaf: 1, max_leaf_nodes: 4 }
";

/// Rows of [`table`], not all of them, often enough for categories to be told apart.
fn boosted_table() -> Table {
    let rows: Vec<usize> = (0..60).map(|row| row * row % 6).collect();
    table().take(&rows)
}

fn boosted() -> TrainedModel {
    train(&PipelineSpec::from_yaml(BOOSTED_PIPELINE).unwrap(), &boosted_table(), &Silent).unwrap().model
}

#[test]
fn a_boosted_model_of_format_version_1_still_loads() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples/boosted-v1.bin");
    if std::env::var_os("ML_WRITE_SAMPLES").is_some() && !path.exists() {
        std::fs::write(&path, boosted().to_bytes().unwrap()).unwrap();
    }
    let model = TrainedModel::from_bytes(&std::fs::read(&path).unwrap()).unwrap();

    assert_eq!(model.spec(), &PipelineSpec::from_yaml(BOOSTED_PIPELINE).unwrap());
    let predictions = model.predict(&table()).unwrap();
    let labels: Vec<&str> = (0..6).map(|row| predictions.label(row).unwrap()).collect();
    assert_eq!(labels, ["sport", "money", "sport", "money", "sport", "sport"]);
    let probabilities = predictions.probabilities.unwrap();
    assert!((probabilities.row(1)[1] - BOOSTED_PROBABILITY).abs() < 1e-12, "{:?}", probabilities.row(1));
}

/// The probability of `sport` of the second row, whose length is missing, when the sample was written.
const BOOSTED_PROBABILITY: f64 = 0.297_947_595_479_488_46;

#[test]
fn bytes_that_are_not_a_model_say_why() {
    let bytes = trained().to_bytes().unwrap();
    let read = |bytes: &[u8]| TrainedModel::from_bytes(bytes).unwrap_err();

    assert!(matches!(read(b""), ModelFormatError::NotAModel));
    assert!(matches!(read(b"PK\x03\x04 something else"), ModelFormatError::NotAModel));
    for length in [8, 9, 17, 30, 49, 50, 100, bytes.len() - 1] {
        assert!(matches!(read(&bytes[..length]), ModelFormatError::WrongLength { .. }), "{length}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert!(matches!(read(&longer), ModelFormatError::WrongLength { .. }));

    let mut newer = bytes.clone();
    newer[8] = 3;
    let err = read(&newer).to_string();
    assert!(err.starts_with("the model has format version 3, this release reads versions up to 2"), "{err}");

    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(matches!(read(&flipped), ModelFormatError::Corrupt));
}

/// Puts the right length and digest before `content`.
pub(crate) fn sealed(content: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    let length = (content.len() as u64).to_le_bytes();
    let prefix = [b"MLTRAIN\0".as_slice(), &2_u16.to_le_bytes(), &length].concat();
    let digest = sha2::Sha256::digest([prefix.as_slice(), content].concat());
    [prefix.as_slice(), &digest, content].concat()
}

pub(crate) const HEADER_BYTES: usize = 50;

#[test]
fn a_model_of_another_framework_that_does_not_decode_says_so() {
    let bytes = trained().to_bytes().unwrap();
    let mut content = bytes[HEADER_BYTES..].to_vec();
    let find = |content: &[u8], text: &[u8]| content.windows(text.len()).position(|window| window == text).unwrap();
    let version = find(&content, b"\xa30.7");
    content[version + 3] = b'6';
    assert!(TrainedModel::from_bytes(&sealed(&content)).is_ok(), "what decodes, loads");

    let predictor = find(&content, b"\xa6linear");
    content[predictor + 1] = b'x';
    let err = TrainedModel::from_bytes(&sealed(&content)).unwrap_err().to_string();
    assert_eq!(
        err,
        "the model was fitted with smartcore 0.6, this release has smartcore 0.7: use the release that wrote it, or train again"
    );
}

#[test]
fn parts_that_do_not_fit_each_other_are_refused() {
    let bytes = trained().to_bytes().unwrap();
    assert_eq!(sealed(&bytes[HEADER_BYTES..]), bytes);

    let content = &bytes[HEADER_BYTES..];
    let find = |text: &[u8]| content.windows(text.len()).position(|window| window == text).unwrap();
    let mut renamed = content.to_vec();
    // One class name less: the list of two becomes a list of one, and its second name a key of the map.
    let classes = find(b"\x92\xa5money\xa5sport");
    renamed[classes] = 0x91;
    assert!(matches!(TrainedModel::from_bytes(&sealed(&renamed)), Err(ModelFormatError::Undecodable(_))));

    let mut other_task = content.to_vec();
    let task = find(b"classification");
    other_task.splice(task - 1..task + 14, b"\xaaregression".iter().copied());
    assert!(matches!(TrainedModel::from_bytes(&sealed(&other_task)), Err(ModelFormatError::Inconsistent(_))));
}

proptest! {
    /// Content that was tampered with under a right checksum is refused or predicts; it never panics.
    #[test]
    fn tampered_content_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        static BYTES: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| trained().to_bytes().unwrap());
        let mut content = BYTES[HEADER_BYTES..].to_vec();
        for (index, byte) in changes {
            let index = index.index(content.len());
            content[index] = byte;
        }
        if let Ok(model) = TrainedModel::from_bytes(&sealed(&content)) {
            // Either outcome is fine: names of columns may have changed, for example.
            let _ = model.predict(&table());
        }
    }

    #[test]
    fn tampered_trees_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        static BYTES: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| boosted().to_bytes().unwrap());
        let mut content = BYTES[HEADER_BYTES..].to_vec();
        for (index, byte) in changes {
            let index = index.index(content.len());
            content[index] = byte;
        }
        if let Ok(model) = TrainedModel::from_bytes(&sealed(&content)) {
            let _ = model.predict(&table());
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(TrainedModel::from_bytes(&bytes).is_err());
        prop_assert!(TrainedModel::from_bytes(&sealed(&bytes)).is_err());
    }
}
