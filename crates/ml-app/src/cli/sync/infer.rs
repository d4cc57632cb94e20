//! `ml-app sync infer`: a mapping and rules that the records suggest.

use anyhow::bail;

use ml_core::record::{DataType, SourceApp};
use ml_data::infer::{InferRequest, Inference, infer};

use crate::cli::Context;
use crate::output::Report;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What kind of records to look at, such as text
    #[arg(long, value_name = "TYPE")]
    data_type: DataType,
    /// Only records from this application; the fragment is then for it alone
    #[arg(long, value_name = "APP")]
    source_app: Option<SourceApp>,
    /// How many records to look at
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = sample_size)]
    sample: usize,
}

/// Reads how many records to look at; all numbers among them are held in memory.
fn sample_size(text: &str) -> Result<usize, String> {
    let n: usize = text.parse().map_err(|_| "a whole number is needed".to_owned())?;
    if (1..=100_000).contains(&n) { Ok(n) } else { Err("from 1 to 100000 records can be looked at".to_owned()) }
}

impl Report for Inference {
    fn text(&self) -> String {
        self.to_yaml().trim_end().to_owned()
    }
}

/// Runs the command.
pub(super) async fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let app = &context.app;
    let collection = app.data.routing().data_route(&args.data_type)?.collection;
    let (data_type, source_app) = (args.data_type.clone(), args.source_app.clone());
    let request = InferRequest { collection, data_type, source_app, n_sample: args.sample };
    let inference = infer(&*app.documents.records, &request).await?;
    if inference.n_sampled == 0 {
        let from = args.source_app.as_ref().map(|app| format!(" from `{app}`")).unwrap_or_default();
        bail!("there are no records of `{}`{from} in {collection}: `ml-app ingest` brings some in", args.data_type);
    }
    context.output.print(&inference)
}
