//! ONNX models beside ONNX Runtime: classical ones that scikit-learn exported, and transformers that packages ship. The golden
//! figures are those of `tests/golden/onnx/generate.py`.

use std::path::PathBuf;

use ml_core::table::{Column, ColumnKind, ColumnValues, Table};
use ml_train::error::ModelFormatError;
use ml_train::evaluate::bootstrap::BootstrapOptions;
use ml_train::evaluate::evaluate;
use ml_train::evaluate::importance::ImportanceOptions;
use ml_train::evaluate::leaks::TimeOrder;
use ml_train::evaluate::study::{Study, StudyOptions, StudyRows, study};
use ml_train::model::TrainedModel;
use ml_train::onnx::{Graph, OnnxImport, Tensor, import, is_onnx};
use ml_train::package::Package;
use ml_train::progress::Silent;
use ml_train::spec::Task;
use proptest::prelude::*;
use serde_json::Value;

/// Both engines of this crate and ONNX Runtime compute in single precision, in orders of their own.
const TOLERANCE: f64 = 1e-5;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/onnx")
}

fn golden(file: &str) -> serde_json::Map<String, Value> {
    serde_json::from_slice(&std::fs::read(folder().join(file)).unwrap()).unwrap()
}

fn onnx(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.onnx"))).unwrap()
}

fn wanted() -> OnnxImport {
    OnnxImport {
        name: "imported".to_owned(),
        target: "answer".to_owned(),
        task: None,
        pipeline: None,
        columns: Vec::new(),
        classes: Vec::new(),
    }
}

/// What is said to an import of the model called `name`, of which one does not name its classes.
fn wanted_of(name: &str) -> OnnxImport {
    let classes = if name == "perceptron" { &["setosa", "versicolor", "virginica"][..] } else { &[] };
    OnnxImport { classes: classes.iter().map(|&class| class.to_owned()).collect(), ..wanted() }
}

fn table_of(columns: &Value) -> Table {
    let column = |(name, values): (&String, &Value)| {
        let values = values.as_array().unwrap();
        if values.iter().any(Value::is_string) {
            return Column::texts(name, values.iter().map(|value| value.as_str().unwrap()));
        }
        Column::numbers(name, values.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect())
    };
    Table::new(columns.as_object().unwrap().iter().map(column).collect()).unwrap()
}

fn is_close(left: f64, right: f64) -> bool {
    (left - right).abs() <= TOLERANCE * left.abs().max(right.abs()).max(1.0)
}

#[test]
fn every_exported_model_gives_what_onnx_runtime_gives() {
    for (name, expected) in golden("golden.json") {
        let package = import(onnx(&name), &wanted_of(&name)).unwrap_or_else(|err| panic!("{name}: {err}"));
        let table = table_of(&expected["columns"]);
        let predictions = package.model.predict(&table).unwrap();
        assert!(predictions.missing.is_empty(), "{name}: {:?}", predictions.missing);
        if let Some(numbers) = expected["numbers"].as_array() {
            for (row, number) in numbers.iter().enumerate() {
                let (found, expected) = (predictions.number(row).unwrap(), number.as_f64().unwrap());
                assert!(is_close(found, expected), "{name}, row {row}: {found} in place of {expected}");
            }
            continue;
        }
        let is_scored_by_shares = name != "support-vectors";
        assert_eq!(predictions.probabilities.is_some(), is_scored_by_shares, "{name}");
        let scores = predictions.class_scores().unwrap();
        for (row, expected_scores) in expected["scores"].as_array().unwrap().iter().enumerate() {
            assert_eq!(predictions.label(row).unwrap(), expected["labels"][row], "{name}, row {row}");
            let expected_scores = expected_scores.as_array().unwrap();
            assert_eq!(scores.row(row).len(), expected_scores.len(), "{name}");
            for (found, expected) in scores.row(row).iter().zip(expected_scores) {
                let expected = expected.as_f64().unwrap();
                assert!(is_close(*found, expected), "{name}, row {row}: {found} in place of {expected}");
            }
        }
    }
}

#[test]
fn an_imported_model_is_stored_and_evaluated_like_any_other() {
    let expected = &golden("golden.json")["forest"];
    let package = import(onnx("forest"), &wanted()).unwrap();
    let bytes = package.to_bytes().unwrap();
    let loaded = Package::from_bytes(&bytes).unwrap();
    let mut table = table_of(&expected["columns"]);
    assert_eq!(loaded.model.predict(&table).unwrap(), package.model.predict(&table).unwrap());
    assert!(loaded.to_bytes().unwrap() == bytes, "stored again it differs");
    assert_eq!(loaded.papers.golden.unwrap().inputs().unwrap().n_rows(), 3);
    assert_eq!(loaded.model.framework().to_string(), "skl2onnx 1.20.0");

    let labels = expected["labels"].as_array().unwrap().iter().map(|label| label.as_str().unwrap());
    table.push(Column::texts("answer", labels)).unwrap();
    let evaluation = evaluate(&loaded.model, &table).unwrap();
    assert_eq!((evaluation.metrics["accuracy"], evaluation.estimator.as_str()), (1.0, "external"));
}

/// The model called `name`, and its golden rows several times over, with what it makes of them as the truth.
fn judged(name: &str) -> (TrainedModel, Table) {
    let expected = &golden("golden.json")[name];
    let model = import(onnx(name), &wanted_of(name)).unwrap().model;
    let once = table_of(&expected["columns"]);
    let rows: Vec<usize> = (0..10 * once.n_rows()).map(|row| row % once.n_rows()).collect();
    let mut table = once.take(&rows);
    let labels = expected["labels"].as_array().unwrap();
    table.push(Column::texts("answer", rows.iter().map(|&row| labels[row].as_str().unwrap()))).unwrap();
    (model, table)
}

fn studied(model: &TrainedModel, table: &Table, options: &StudyOptions<'_>) -> Result<Study, String> {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    let (train, scored) = rows.split_at(table.n_rows() / 2);
    let rows = StudyRows { table, train, validation: &[], scored, time_order: TimeOrder::NotExpected };
    study(model, rows, options, &Silent).map_err(|err| err.to_string())
}

#[test]
fn the_columns_that_matter_to_an_imported_model_are_told() {
    for (name, columns_that_matter) in [("forest", &["X_3", "X_4"][..]), ("words", &["text"])] {
        let (model, table) = judged(name);
        let options = StudyOptions {
            bootstrap: BootstrapOptions { resamples: 100, ..BootstrapOptions::default() },
            importance: Some(ImportanceOptions::default()),
            champion: Some(&model),
            ..StudyOptions::default()
        };
        let found = studied(&model, &table, &options).unwrap().importance.unwrap();
        assert_eq!(found.baseline, 1.0, "{name}");
        assert_eq!(found.columns.len(), model.signature().inputs.len(), "{name}");
        let most = &found.columns[0];
        assert!(most.mean > 0.1 && columns_that_matter.contains(&&*most.column), "{name}: {found:?}");
    }
}

#[test]
fn an_imported_model_has_no_learning_curve() {
    let (model, table) = judged("forest");
    let options = StudyOptions { learning_curve: true, ..StudyOptions::default() };
    assert_eq!(
        studied(&model, &table, &options).unwrap_err(),
        "a learning curve fits a model anew, and `imported` was not fitted by this program: leave it out, or train on shares of \
         the rows where the model comes from"
    );
}

#[test]
fn the_signature_comes_from_the_graph() {
    let kinds = |name: &str, columns: &[&str]| {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        let package = import(onnx(name), &OnnxImport { columns, ..wanted() }).unwrap();
        let inputs = &package.model.signature().inputs;
        let inputs: Vec<(String, ColumnKind)> = inputs.iter().map(|input| (input.name.clone(), input.kind)).collect();
        (inputs, package.model.signature().outputs[0].kind)
    };
    let named = |name: &str, kind| (name.to_owned(), kind);
    let (number, text) = (ColumnKind::Number, ColumnKind::Text);
    assert_eq!(kinds("mixed", &[]), (vec![named("age", number), named("city", text)], text));
    assert_eq!(kinds("mixed", &["years", "place"]).0, [named("years", number), named("place", text)]);
    assert_eq!(kinds("tree", &[]).0[3], named("X_4", number));
    assert_eq!(kinds("ridge", &[]).1, number);
}

#[test]
fn what_an_import_lacks_is_said() {
    let refused = |name: &str, wanted: OnnxImport| import(onnx(name), &wanted).unwrap_err().to_string();
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();

    let message = refused("tree", OnnxImport { columns: names(&["a", "b"]), ..wanted() });
    assert!(message.starts_with("2 columns are named, which do not fit the inputs `X`"), "{message}");
    let message = refused("tree", OnnxImport { columns: names(&["a", "b", "a", "c"]), ..wanted() });
    assert!(message.starts_with("a column is named twice"), "{message}");
    let message = refused("tree", OnnxImport { target: "X_1".to_owned(), ..wanted() });
    assert!(message.starts_with("`X_1` is both read and predicted"), "{message}");
    let message = refused("tree", OnnxImport { classes: names(&["a", "b"]), ..wanted() });
    assert!(message.contains("a score for each of 2 classes") || message.contains("none of its classes"), "{message}");
    let message = refused("ridge", OnnxImport { task: Some(Task::Classification), ..wanted() });
    assert_eq!(message, "the model does not name its classes: name them, in the order of its scores");
    let message = refused("tree", OnnxImport { task: Some(Task::Regression), ..wanted() });
    assert!(message.starts_with("no output is one number for each row"), "{message}");

    assert!(!is_onnx(b"{\"a\": 1}\n"));
    assert!(!is_onnx(b""));
    assert!(is_onnx(&onnx("tree")));
}

#[test]
fn rows_that_the_model_cannot_take_have_no_prediction_and_a_reason() {
    let model = import(onnx("mixed"), &wanted()).unwrap().model;
    let cities = vec![Some("Oslo".to_owned()), None, Some("Rome".to_owned())];
    let table = Table::new(vec![
        Column::numbers("age", vec![f64::NAN, 30.0, f64::INFINITY]),
        Column { name: "city".to_owned(), values: ColumnValues::Text(cities) },
    ])
    .unwrap();
    let predictions = model.predict(&table).unwrap();
    assert!(predictions.label(0).is_some(), "the model fills a missing age itself");
    assert_eq!(predictions.missing_reason(1), Some("`city` is missing"));
    assert_eq!(predictions.missing_reason(2), Some("`age` is not a finite number"));

    let without = Table::new(vec![Column::numbers("age", vec![1.0])]).unwrap();
    assert!(model.predict(&without).unwrap_err().to_string().contains("reads column `city`, which is missing"));
}

#[test]
fn a_stored_graph_that_does_not_decode_says_so() {
    let bytes = import(onnx("tree"), &wanted()).unwrap().to_bytes().unwrap();
    let mut content = bytes[crate::stored::HEADER_BYTES..].to_vec();
    let operator = b"TreeEnsembleClassifier";
    // The last one names the operator, the one before it the node.
    let at = content.windows(operator.len()).rposition(|window| window == operator).unwrap();
    content[at] = b'X';
    let err = Package::from_bytes(&crate::stored::sealed(&content)).unwrap_err();
    assert!(matches!(err, ModelFormatError::Undecodable(_)), "{err}");
}

/// The transformers that `tests/golden/onnx/transformers.py` downloads, unless they are not there.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn transformers() -> Option<PathBuf> {
    let folder = std::env::var_os("ML_ONNX_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        println!("skipped: no transformers, see tests/golden/onnx/transformers.py and ML_ONNX_DIR");
    }
    folder
}

#[test]
fn transformers_that_packages_ship_give_what_onnx_runtime_gives() {
    let Some(folder) = transformers() else { return };
    for (name, expected) in golden("transformers.json") {
        let graph = Graph::from_onnx(&std::fs::read(folder.join(format!("{name}.onnx"))).unwrap()).unwrap();
        for (tokens, run) in expected["tokens"].as_array().unwrap().iter().zip(expected["runs"].as_array().unwrap()) {
            let ids: Vec<f64> = tokens.as_array().unwrap().iter().map(|token| token.as_f64().unwrap()).collect();
            let n_tokens = ids.len();
            let inputs = graph.inputs().iter().map(|input| {
                let values = match input.name.as_str() {
                    "attention_mask" => vec![1.0; n_tokens],
                    "token_type_ids" => vec![0.0; n_tokens],
                    _ => ids.clone(),
                };
                Tensor::integers(vec![1, n_tokens], values).unwrap()
            });
            let outputs = graph.run(inputs.collect(), &[expected["output"].as_str().unwrap()]).unwrap();
            let shape: Vec<Value> = outputs[0].shape.iter().map(|&size| Value::from(size)).collect();
            assert_eq!(Value::from(shape), run["shape"], "{name}");
            let values = outputs[0].as_numbers().unwrap();
            let ends = [("first", &values[..8]), ("last", &values[values.len() - 8..])];
            for (end, found) in ends {
                for (found, expected) in found.iter().zip(run[end].as_array().unwrap()) {
                    let expected = expected.as_f64().unwrap();
                    // Hundreds of sums of hundreds of products, in single precision.
                    assert!((found - expected).abs() < 1e-4, "{name}, {end}: {found} in place of {expected}");
                }
            }
        }
    }
}

/// Reads a graph and runs it on anything; what comes of it does not matter, as long as it comes back.
fn read_and_run(bytes: Vec<u8>) {
    if let Ok(package) = import(bytes, &wanted()) {
        let columns =
            package.model.signature().inputs.iter().map(|input| Column::numbers(&input.name, vec![1.0, f64::NAN]));
        let _ = package.model.predict(&Table::new(columns.collect()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn tampered_graphs_never_panic(
        which in 0_usize..19,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let name = golden("golden.json").keys().nth(which).unwrap().clone();
        let mut bytes = onnx(&name);
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_and_run(bytes);
    }

    #[test]
    fn random_bytes_are_no_graph(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_and_run(bytes);
    }
}
