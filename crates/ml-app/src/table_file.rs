//! A file of rows as a table, to be scored.

use std::path::Path;

use anyhow::{Context as _, bail};

use ml_core::table::Table;
use ml_data::dataset::rows;
use ml_data::ingest::InputFormat;
use ml_data::pipeline::RowForm;

use crate::ingesting;

/// Reads all rows of `path`, or of standard input for `-`, each brought into `form`. A row that cannot be read is an error: none
/// may be passed over.
pub(crate) fn read(path: &Path, format: Option<InputFormat>, form: Option<&RowForm>) -> anyhow::Result<Table> {
    let input = ingesting::input(path);
    let name = input.name().to_owned();
    let (table, rejections) = rows::read_table(input, format, form)?;
    if let Some(first) = rejections.first() {
        return Err(anyhow::anyhow!("{first}")).context("a row cannot be read, so nothing was scored");
    }
    if table.n_rows() == 0 {
        bail!("{name} has no rows with fields");
    }
    Ok(table)
}
