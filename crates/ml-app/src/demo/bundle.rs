//! What is bundled: records of two applications, and the pipeline of a model for each.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use ml_train::spec::PipelineSpec;

use crate::training::PipelineFile;

/// The seed of everything in the demo that draws.
pub(super) const SEED: u64 = 42;

/// Records of one application, and what is learnt from them.
pub(super) struct Subject {
    /// What it is about, for the report.
    pub(super) title: &'static str,
    /// The figure to tell, by its name.
    pub(super) headline: &'static str,
    /// The name of the file.
    file_name: &'static str,
    /// The records.
    bytes: &'static [u8],
    /// The pipeline file.
    pipeline: &'static str,
    /// What kind of records they are.
    pub(super) data_type: &'static str,
    /// The application they are said to come from.
    pub(super) source_app: &'static str,
    /// The fields that identify a record.
    pub(super) id_fields: &'static [&'static str],
    /// The dataset that is made of them.
    pub(super) dataset: &'static str,
    /// How it is split.
    pub(super) split: &'static str,
}

/// News by topic, and prices of shares.
pub(super) const SUBJECTS: [Subject; 2] = [
    Subject {
        title: "topic of a news item",
        headline: "accuracy",
        file_name: "news.jsonl",
        bytes: include_bytes!("../../demo/news.jsonl"),
        pipeline: include_str!("../../../../config/pipelines/news-topic.yaml"),
        data_type: "text",
        source_app: "demo-news",
        id_fields: &["id"],
        dataset: "demo-news",
        split: "time:75/25",
    },
    Subject {
        title: "next-day volatility of a share",
        headline: "rmse",
        file_name: "prices.csv",
        bytes: include_bytes!("../../demo/prices.csv"),
        pipeline: include_str!("../../../../config/pipelines/volatility.yaml"),
        data_type: "raw_market",
        source_app: "demo-prices",
        id_fields: &["symbol", "date"],
        dataset: "demo-prices",
        split: "time:2017-02-08",
    },
];

impl Subject {
    /// Writes the records into `folder`, so that people can look at them, and returns where.
    pub(super) fn unpack(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let path = folder.join(self.file_name);
        crate::file::replace(&path, |file| Ok(std::io::Write::write_all(file, self.bytes)?))?;
        Ok(path)
    }

    /// Returns the pipeline of the model.
    pub(super) fn pipeline(&self) -> anyhow::Result<PipelineFile> {
        let spec = PipelineSpec::from_yaml(self.pipeline).context("the bundled pipeline does not load")?;
        Ok(PipelineFile { text: self.pipeline.to_owned(), spec })
    }
}
