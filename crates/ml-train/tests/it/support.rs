//! Reading raw files into tables, and other things that several tests need.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use ml_core::table::{Column, ColumnValues, Table};
use ml_train::spec::PipelineSpec;

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of a data set, unless the data sets are not there.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn data_set(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ML_DATA_DIR").map_or_else(|| workspace().join("../shared/data"), PathBuf::from);
    let set = folder.join(name);
    if !set.is_dir() {
        println!("skipped: no ../shared/data");
        return None;
    }
    Some(set)
}

/// A pipeline of `config/pipelines`.
pub(crate) fn bundled_pipeline(name: &str) -> PipelineSpec {
    let path = workspace().join("config/pipelines").join(name);
    PipelineSpec::from_yaml(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn open(path: &Path) -> Box<dyn Read> {
    let file = File::open(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(GzDecoder::new(file))
    } else {
        Box::new(file)
    }
}

/// Reads what a pipeline needs of a CSV or JSONL file, and the column `split`.
pub(crate) fn read_for(spec: &PipelineSpec, path: &Path) -> Table {
    if path.to_string_lossy().contains(".csv") {
        return read_csv(path);
    }
    let mut columns: Vec<&str> = vec![&spec.target, "split"];
    for column in spec.features.iter().flat_map(|feature| &feature.columns) {
        if !columns.contains(&column.as_str()) {
            columns.push(column);
        }
    }
    read_jsonl(path, &columns)
}

/// Reads string fields of a JSONL file.
fn read_jsonl(path: &Path, columns: &[&str]) -> Table {
    let mut texts: Vec<Vec<Option<String>>> = vec![Vec::new(); columns.len()];
    for line in BufReader::new(open(path)).lines() {
        let record: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        for (column, values) in columns.iter().zip(&mut texts) {
            values.push(record[column].as_str().map(str::to_owned));
        }
    }
    let named = columns.iter().zip(texts);
    Table::new(
        named.map(|(name, values)| Column { name: (*name).to_owned(), values: ColumnValues::Text(values) }).collect(),
    )
    .unwrap()
}

/// Reads a CSV file; columns of which every value is a number or empty are numbers.
pub(crate) fn read_csv(path: &Path) -> Table {
    let mut reader = csv::Reader::from_reader(open(path));
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let mut texts: Vec<Vec<Option<String>>> = vec![Vec::new(); names.len()];
    for record in reader.records() {
        for (field, values) in record.unwrap().iter().zip(&mut texts) {
            values.push((!field.is_empty()).then(|| field.to_owned()));
        }
    }
    Table::new(names.into_iter().zip(texts).map(|(name, values)| typed_column(name, values)).collect()).unwrap()
}

fn typed_column(name: String, texts: Vec<Option<String>>) -> Column {
    let number = |text: &Option<String>| text.as_ref().map_or(Ok(f64::NAN), |text| text.parse());
    match texts.iter().map(number).collect::<Result<Vec<f64>, _>>() {
        Ok(numbers) => Column::numbers(name, numbers),
        Err(_) => Column { name, values: ColumnValues::Text(texts) },
    }
}

/// The rows whose column `split` is `train`, and those whose is `test`.
pub(crate) fn splits(table: &Table) -> (Vec<usize>, Vec<usize>) {
    let split = table.get("split").unwrap().as_texts();
    (0..table.n_rows()).partition(|&row| split[row].as_deref() == Some("train"))
}
