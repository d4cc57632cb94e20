//! Tables of the pipeline that stand in files of their own: lookups, and rates of exchange.
//!
//! They are read into the configuration before it is checked, so that its digest covers them.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::{InvalidPipeline, PipelineConfig};
use crate::normalise::{check_rate, date_of_rates};

/// The largest table that is read.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

impl PipelineConfig {
    /// Puts the tables that steps name by `file` in their place. A file is looked for in `folders`, the last first.
    ///
    /// # Errors
    /// [`InvalidPipeline`], with every file that is not there or cannot be read as a table, and its place.
    pub fn with_files(mut self, folders: &[PathBuf]) -> Result<PipelineConfig, InvalidPipeline> {
        let mut faults = Vec::new();
        for (data_type, config) in &mut self.data_types {
            let place = format!("data_types.{data_type}");
            read_all(&mut config.normalise, &format!("{place}.normalise"), folders, &mut faults);
            for (source_app, app) in &mut config.source_apps {
                let place = format!("{place}.source_apps.{source_app}.normalise");
                read_all(&mut app.normalise, &place, folders, &mut faults);
            }
        }
        if faults.is_empty() { Ok(self) } else { Err(InvalidPipeline { faults }) }
    }
}

fn read_all(steps: &mut [Value], place: &str, folders: &[PathBuf], faults: &mut Vec<String>) {
    for (index, step) in steps.iter_mut().enumerate() {
        let read = match step.as_object_mut().and_then(|step| step.iter_mut().next()) {
            Some((name, Value::Object(arguments))) if name == "lookup" => put(arguments, "table", folders, read_table),
            Some((name, Value::Object(arguments))) if name == "convert_currency" => {
                match arguments.get_mut("rates").and_then(Value::as_object_mut) {
                    Some(rates) => put(rates, "by_date", folders, read_rates),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        };
        faults.extend(read.err().map(|fault| format!("{place}[{index}]: {fault}")));
    }
}

/// Replaces `file` by what it holds under `key`.
fn put(
    arguments: &mut Map<String, Value>,
    key: &str,
    folders: &[PathBuf],
    read: fn(&Path) -> Result<Value, String>,
) -> Result<(), String> {
    let Some(Value::String(name)) = arguments.get("file") else { return Ok(()) };
    if let Some(other) = ["table", "by_date"].into_iter().find(|other| arguments.contains_key(*other)) {
        return Err(format!("both file and {other} are given, and one is needed"));
    }
    let named = Path::new(name);
    let candidates = folders.iter().rev().map(|folder| folder.join(named));
    let Some(path) = candidates.into_iter().find(|path| path.is_file()) else {
        let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        return Err(format!("there is no file `{name}` in {}", folders.join(" or ")));
    };
    let fault = |fault: String| format!("{}: {fault}", path.display());
    let size = std::fs::metadata(&path).map_err(|error| fault(error.to_string()))?.len();
    if size > MAX_BYTES {
        return Err(fault(format!("the table has more than the {MAX_BYTES} bytes that are read")));
    }
    let table = read(&path).map_err(fault)?;
    arguments.remove("file");
    arguments.insert(key.to_owned(), table);
    Ok(())
}

/// Reads a table of what stands for what: the first two columns of CSV, or a mapping in YAML.
fn read_table(path: &Path) -> Result<Value, String> {
    if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        return serde_yaml_ng::from_str(&text)
            .map(|Table(table)| Value::Object(table))
            .map_err(|error| error.to_string());
    }
    let mut reader = csv::Reader::from_path(path).map_err(|error| error.to_string())?;
    let mut table = Map::new();
    for (line, row) in (2..).zip(reader.records()) {
        let row = row.map_err(|error| error.to_string())?;
        let (Some(key), Some(value)) = (row.get(0), row.get(1)) else {
            return Err(format!("row {line} has fewer than two columns"));
        };
        if table.insert(key.to_owned(), Value::from(value)).is_some() {
            return Err(format!("row {line} has `{key}` for the second time"));
        }
    }
    Ok(Value::Object(table))
}

/// A mapping in which no key stands twice.
struct Table(Map<String, Value>);

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Table, D::Error> {
        deserializer.deserialize_map(TableVisitor)
    }
}

struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = Table;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of what stands for what")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Table, A::Error> {
        let mut table = Map::new();
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            if table.contains_key(&key) {
                return Err(A::Error::custom(format!("`{key}` stands there for the second time")));
            }
            table.insert(key, value);
        }
        Ok(Table(table))
    }
}

/// Reads rates of exchange from the columns `date`, `currency` and `rate` of CSV.
fn read_rates(path: &Path) -> Result<Value, String> {
    let mut reader = csv::Reader::from_path(path).map_err(|error| error.to_string())?;
    let headers = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| {
        let found = headers.iter().position(|header| header.trim() == name);
        found.ok_or_else(|| format!("there is no column `{name}`: date, currency and rate are needed"))
    };
    let columns = [column("date")?, column("currency")?, column("rate")?];
    let mut by_date = Map::new();
    for (line, row) in (2..).zip(reader.records()) {
        let row = row.map_err(|error| error.to_string())?;
        let [date, currency, rate] = columns.map(|column| row.get(column).unwrap_or_default().trim());
        let fault = |fault: String| format!("row {line}: {fault}");
        let date = date_of_rates(date).map_err(fault)?.to_string();
        let rate: f64 = rate.parse().map_err(|_| fault(format!("`{rate}` is not a number")))?;
        check_rate(currency, rate).map_err(fault)?;
        let rates = by_date.entry(&date).or_insert_with(|| json!({}));
        if let Some(rates) = rates.as_object_mut()
            && rates.insert(currency.to_owned(), json!(rate)).is_some()
        {
            return Err(format!("row {line} has `{currency}` on {date} for the second time"));
        }
    }
    if by_date.is_empty() {
        return Err("there is no rate in it".to_owned());
    }
    Ok(Value::Object(by_date))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Pipeline;

    const CONFIG: &str = "
schema_version: 1
data_types:
  text:
    normalise:
      - lookup: { fields: a, file: names.csv }
      - convert_currency: { fields: b, from: USD, to: EUR, date_field: at, rates: { source: invented, base: EUR, file: rates.csv } }
    target: { table: global_ml_data }
";

    fn read(files: &[(&str, &str)]) -> Result<PipelineConfig, InvalidPipeline> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        PipelineConfig::from_yaml(CONFIG).unwrap().with_files(&[folder.path().to_owned()])
    }

    #[test]
    fn tables_take_the_place_of_their_files() {
        let rates = ("rates.csv", "date,currency,rate\n2024-05-31,USD,1.1\n");
        let config = read(&[("names.csv", "from,to\nx,y\n"), rates]).unwrap();
        let digest = Pipeline::new(&config).unwrap().digest();
        let other = read(&[("names.csv", "from,to\nx,z\n"), rates]).unwrap();
        assert_ne!(Pipeline::new(&other).unwrap().digest(), digest, "the digest covers the tables");
    }

    #[test]
    fn what_is_wrong_in_a_file_is_told_with_its_row() {
        let names = ("names.csv", "from,to\nx,y\n");
        for (rows, expected) in [
            ("", "rates.csv: there is no rate in it"),
            (
                "2024-05-31,USD,1.1\n2024-13-01,USD,1.1\n",
                "rates.csv: row 3: `2024-13-01` is not a date such as 2024-05-31",
            ),
            ("31.05.2024,USD,1.1\n", "row 2: `31.05.2024` is not a date such as 2024-05-31"),
            ("2024-05-31,USD,x\n", "row 2: `x` is not a number"),
            ("2024-05-31,USD,0\n", "row 2: the rate of USD is 0: a number above 0 is needed"),
            ("2024-05-31,US,1\n", "row 2: `US` is not a currency code of ISO 4217"),
            ("2024-05-31,USD,1\n2024-5-31,USD,2\n", "row 3 has `USD` on 2024-05-31 for the second time"),
        ] {
            let err = read(&[names, ("rates.csv", &format!("date,currency,rate\n{rows}"))]).unwrap_err();
            assert!(err.to_string().ends_with(expected), "{err}");
        }
        let config = CONFIG.replace("names.csv", "names.yaml");
        let read = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("names.yaml"), text).unwrap();
            std::fs::write(folder.path().join("rates.csv"), "date,currency,rate\n2024-05-31,USD,1.1\n").unwrap();
            PipelineConfig::from_yaml(&config).unwrap().with_files(&[folder.path().to_owned()])
        };
        assert!(Pipeline::new(&read("x: y\n1: z\n").unwrap()).is_ok());
        let err = read("x: y\nz: y\nx: z\n").unwrap_err().to_string();
        assert!(err.contains("names.yaml: `x` stands there for the second time"), "{err}");
        assert!(read("- x\n").unwrap_err().to_string().contains("a mapping of what stands for what"));
    }

    #[test]
    fn a_file_beside_a_table_is_refused() {
        let config = CONFIG.replace("file: names.csv", "file: names.csv, table: { x: y }");
        let config = config.replace("file: rates.csv", "file: rates.csv, by_date: { 2024-05-31: { USD: 1 } }");
        let faults = PipelineConfig::from_yaml(&config).unwrap().with_files(&[]).unwrap_err().faults;
        assert_eq!(faults[0], "data_types.text.normalise[0]: both file and table are given, and one is needed");
        assert_eq!(faults[1], "data_types.text.normalise[1]: both file and by_date are given, and one is needed");
    }

    #[test]
    fn every_faulty_file_is_told_with_its_place() {
        let faults = read(&[("rates.csv", "date,currency\n")]).unwrap_err().faults;
        assert!(faults[0].starts_with("data_types.text.normalise[0]: there is no file `names.csv` in "), "{faults:?}");
        assert!(faults[1].contains("there is no column `rate`"), "{faults:?}");
        let unread = Pipeline::new(&PipelineConfig::from_yaml(CONFIG).unwrap()).unwrap_err();
        assert_eq!(unread.faults.len(), 2, "{unread}");
    }
}
