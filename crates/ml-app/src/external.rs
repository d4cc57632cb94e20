//! Models that another program fits: the contract of `docs/extending.md`.
//!
//! The program gets the train split as a Parquet file and says what it made of it in a file: an ONNX model or a package. That is
//! read, tried and evaluated like anything that is fitted here before it is registered.

mod child;
mod folder;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use ml_core::table::{ColumnSchema, Table};
use ml_data::dataset::export::{ExportFormat, export};
use ml_train::estimator::External;
use ml_train::model::TrainedModel;
use ml_train::onnx::{self, OnnxImport};
use ml_train::package::Package;
use ml_train::spec::{PipelineSpec, Task};
use ml_train::train::{Trained, TrainingSummary};

use child::Ended;
use folder::ScratchFolder;

/// The version of the contract.
const CONTRACT_VERSION: u32 = 1;

const REQUEST: &str = "request.json";
const TRAIN: &str = "train.parquet";
const ONNX: &str = "model.onnx";
const PACKAGE: &str = "model.mlpackage";
const ANSWER: &str = "model.json";

/// What the program is told, as JSON.
#[derive(Debug, Serialize)]
struct Request<'a> {
    version: u32,
    name: &'a str,
    task: Task,
    target: &'a str,
    seed: u64,
    /// The columns to learn from, in order; the file has these and the target.
    columns: Vec<ColumnSchema>,
    n_rows: usize,
    train: String,
    output: String,
    settings: &'a serde_yaml_ng::Mapping,
}

/// What the program may say beside an ONNX model.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Answer {
    /// The columns that the model reads, in the order of its inputs.
    columns: Vec<String>,
    /// The classes, in the order of its scores.
    classes: Vec<String>,
    /// What the user should know.
    warnings: Vec<String>,
}

/// Has the program fit a model on the rows of `table` at `rows`, those without a target left out.
pub(crate) fn train(
    spec: &PipelineSpec,
    external: &External,
    table: &Table,
    rows: &[usize],
    stop: &CancellationToken,
) -> anyhow::Result<Trained> {
    ensure!(
        !external.command.is_empty(),
        "`estimator.command` is empty: name the program that fits, and its arguments"
    );
    let (train, summary) = train_split(spec, table, rows)?;
    let scratch = ScratchFolder::new()?;
    write_request(spec, external, &train, &scratch)?;
    run(external, &scratch, stop)?;
    let (model, warnings) = read_model(spec, &scratch)?;
    check_model(spec, &model)?;
    Ok(Trained { model, summary: TrainingSummary { warnings, ..summary } })
}

/// Returns the columns that the program gets, at the rows that have a target, and what it is about them.
fn train_split(spec: &PipelineSpec, table: &Table, rows: &[usize]) -> anyhow::Result<(Table, TrainingSummary)> {
    let columns: Vec<&str> = spec.features.iter().flat_map(|feature| &feature.columns).map(String::as_str).collect();
    let n_features = columns.len();
    let train = table.select(&[columns, vec![spec.target.as_str()]].concat())?;
    let targets = train.get(&spec.target)?.as_texts();
    let kept: Vec<usize> = rows.iter().copied().filter(|&row| targets[row].is_some()).collect();
    ensure!(!kept.is_empty(), "none of the {} rows of the train split has a value of `{}`", rows.len(), spec.target);
    let mut class_counts: BTreeMap<String, usize> = BTreeMap::new();
    if spec.task == Task::Classification {
        for label in kept.iter().filter_map(|&row| targets[row].as_deref()) {
            *class_counts.entry(label.to_owned()).or_default() += 1;
        }
    }
    let n_dropped = rows.len() - kept.len();
    let reason = format!("target `{}` is missing", spec.target);
    let summary = TrainingSummary {
        n_rows: rows.len(),
        n_rows_used: kept.len(),
        dropped: (n_dropped > 0).then_some((reason, n_dropped)).into_iter().collect(),
        n_features,
        class_counts,
        warnings: Vec::new(),
    };
    Ok((train.take(&kept), summary))
}

fn write_request(
    spec: &PipelineSpec,
    external: &External,
    train: &Table,
    scratch: &ScratchFolder,
) -> anyhow::Result<()> {
    let path = scratch.path(TRAIN);
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    export(train, ExportFormat::Parquet, BufWriter::new(file))?;
    let is_feature = |column: &ColumnSchema| column.name != spec.target;
    let request = Request {
        version: CONTRACT_VERSION,
        name: &spec.name,
        task: spec.task,
        target: &spec.target,
        seed: spec.seed,
        columns: train.schema().into_iter().filter(is_feature).collect(),
        n_rows: train.n_rows(),
        train: path.display().to_string(),
        output: scratch.folder().display().to_string(),
        settings: &external.settings,
    };
    let path = scratch.path(REQUEST);
    fs::write(&path, serde_json::to_vec_pretty(&request)?).with_context(|| format!("cannot write {}", path.display()))
}

fn run(external: &External, scratch: &ScratchFolder, stop: &CancellationToken) -> anyhow::Result<()> {
    let [program, arguments @ ..] = external.command.as_slice() else { bail!("`estimator.command` is empty") };
    let environment = [
        ("ML_EXTERNAL_VERSION", CONTRACT_VERSION.to_string().into()),
        ("ML_EXTERNAL_REQUEST", scratch.path(REQUEST).into_os_string()),
        ("ML_EXTERNAL_TRAIN", scratch.path(TRAIN).into_os_string()),
        ("ML_EXTERNAL_OUTPUT", scratch.folder().as_os_str().to_owned()),
    ];
    let timeout = (external.timeout_seconds > 0).then(|| Duration::from_secs(external.timeout_seconds));
    match child::run(program, arguments, &environment, timeout, stop)? {
        Ended::Itself(status) if status.success() => Ok(()),
        Ended::Itself(status) => {
            bail!("`{program}` did not fit a model, it ended with {status}; what it said is above")
        }
        Ended::Late => bail!(
            "`{program}` was ended after {} s: give it more with `timeout_seconds`, or 0 for no limit",
            external.timeout_seconds
        ),
        Ended::Stopped => bail!("the training was cancelled, and `{program}` was ended; nothing was registered"),
    }
}

/// Reads what the program left behind.
fn read_model(spec: &PipelineSpec, scratch: &ScratchFolder) -> anyhow::Result<(TrainedModel, Vec<String>)> {
    let (onnx_path, package_path) = (scratch.path(ONNX), scratch.path(PACKAGE));
    let answer = read_answer(scratch)?;
    match (onnx_path.exists(), package_path.exists()) {
        (false, false) => {
            bail!("the program ended well, but left neither `{ONNX}` nor `{PACKAGE}` in $ML_EXTERNAL_OUTPUT")
        }
        (true, true) => bail!("the program left both `{ONNX}` and `{PACKAGE}`: leave one of them"),
        (false, true) => {
            let package =
                Package::from_bytes(&fs::read(&package_path)?).with_context(|| format!("`{PACKAGE}` does not load"))?;
            Ok((package.model, answer.warnings))
        }
        (true, false) => {
            let wanted = OnnxImport {
                name: spec.name.clone(),
                target: spec.target.clone(),
                task: Some(spec.task),
                pipeline: Some(spec.clone()),
                columns: if answer.columns.is_empty() {
                    default_columns(spec, &fs::read(&onnx_path)?)
                } else {
                    answer.columns
                },
                classes: answer.classes,
            };
            let package = onnx::import(fs::read(&onnx_path)?, &wanted).with_context(|| {
                format!("`{ONNX}` cannot be used; `{ANSWER}` beside it can name `columns` and `classes`")
            })?;
            Ok((package.model, answer.warnings))
        }
    }
}

fn read_answer(scratch: &ScratchFolder) -> anyhow::Result<Answer> {
    let path = scratch.path(ANSWER);
    if !path.exists() {
        return Ok(Answer::default());
    }
    serde_json::from_slice(&fs::read(&path)?).with_context(|| format!("`{ANSWER}` of the program cannot be read"))
}

/// A graph with an input for each column names them itself; one with a single input reads the columns of the pipeline.
fn default_columns(spec: &PipelineSpec, onnx: &[u8]) -> Vec<String> {
    let columns: Vec<String> = spec.features.iter().flat_map(|feature| feature.columns.clone()).collect();
    match onnx::Graph::from_onnx(onnx) {
        Ok(graph) if graph.inputs().iter().all(|input| columns.contains(&input.name)) => Vec::new(),
        _ => columns,
    }
}

/// Sees to it that the model answers the question of the pipeline, from its columns.
fn check_model(spec: &PipelineSpec, model: &TrainedModel) -> anyhow::Result<()> {
    let given = model.spec();
    ensure!(
        given.task == spec.task && given.target == spec.target,
        "the program was asked for a {} of `{}`, and gave a {} of `{}`",
        spec.task.name(),
        spec.target,
        given.task.name(),
        given.target,
    );
    let is_known = |name: &String| spec.features.iter().any(|feature| feature.columns.contains(name));
    let unknown = model.signature().inputs.iter().map(|input| &input.name).find(|name| !is_known(name));
    if let Some(name) = unknown {
        bail!("the model of the program reads `{name}`, which is none of the `features` of the pipeline");
    }
    Ok(())
}

/// Returns the external estimator of `spec`, if that is what it has.
pub(crate) fn of(spec: &PipelineSpec) -> Option<&External> {
    match &spec.estimator {
        ml_train::estimator::EstimatorSpec::External(external) => Some(external),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ml_core::table::Column;

    use super::*;

    fn spec(yaml: &str) -> PipelineSpec {
        PipelineSpec::from_yaml(yaml).unwrap()
    }

    const PIPELINE: &str = "{version: 1, name: e, task: classification, target: kind, features: [{columns: [text]}], \
                            estimator: {kind: external, command: [sh, -c, SCRIPT]}}";

    fn trained(script: &str) -> anyhow::Result<Trained> {
        let spec = spec(&PIPELINE.replace("SCRIPT", &serde_json::to_string(script).unwrap()));
        let table = Table::new(vec![Column::texts("kind", ["a", "b"]), Column::texts("text", ["x", "y"])]).unwrap();
        train(&spec, of(&spec).unwrap(), &table, &[0, 1], &CancellationToken::new())
    }

    #[track_caller]
    fn check(script: &str, expected: &str) {
        let message = format!("{:#}", trained(script).unwrap_err());
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn what_the_program_does_wrong_is_said() {
        check("exit 3", "it ended with exit status: 3");
        check("true", "left neither `model.onnx` nor `model.mlpackage`");
        check("cd $ML_EXTERNAL_OUTPUT && touch model.onnx model.mlpackage", "left both");
        check("echo no > $ML_EXTERNAL_OUTPUT/model.onnx", "`model.onnx` cannot be used");
        check("echo no > $ML_EXTERNAL_OUTPUT/model.mlpackage", "`model.mlpackage` does not load");
        check("cd $ML_EXTERNAL_OUTPUT && touch model.onnx && echo '{\"x\": 1}' > model.json", "unknown field `x`");
    }

    #[test]
    fn the_request_says_what_is_asked_for() {
        let script = "cd $ML_EXTERNAL_OUTPUT && test -s train.parquet && test $ML_EXTERNAL_REQUEST = $PWD/request.json && \
                      grep -q '\"target\": \"kind\"' request.json && grep -q '\"n_rows\": 2' request.json && exit 42";
        check(script, "it ended with exit status: 42");
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let spec = spec(&PIPELINE.replace("SCRIPT", "sleep 600").replace("external,", "external, timeout_seconds: 1,"));
        let table = Table::new(vec![Column::texts("kind", ["a"]), Column::texts("text", ["x"])]).unwrap();
        let err = train(&spec, of(&spec).unwrap(), &table, &[0], &CancellationToken::new()).unwrap_err();
        assert!(err.to_string().contains("was ended after 1 s"), "{err}");
        let stop = CancellationToken::new();
        stop.cancel();
        let err = train(&spec, of(&spec).unwrap(), &table, &[0], &stop).unwrap_err();
        assert!(err.to_string().contains("the training was cancelled"), "{err}");
    }
}
