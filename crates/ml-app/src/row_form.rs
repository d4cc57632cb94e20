//! Which form the rows had that a model version was trained on, so that rows to score get the same.

use ml_core::model::ModelVersion;
use ml_core::record::DataType;
use ml_data::dataset::spec::{DatasetSource, DatasetSpec};
use ml_data::pipeline::{Pipeline, RowForm};

use crate::compose::App;
use crate::dataset_ref::DatasetRef;

/// Returns the form in which sync puts rows like those that `version` was trained on, by the present pipeline.yaml.
///
/// Where the lineage of the version does not lead to one form, rows are scored as they are, and a warning says so.
pub(crate) async fn training_form(app: &App, version: &ModelVersion) -> anyhow::Result<Option<RowForm>> {
    let unknown = |reason: String| {
        tracing::warn!("rows are scored as they are, without the normalisation of pipeline.yaml: {reason}");
        Ok(None)
    };
    let model = version.reference();
    let Some(dataset) = &version.content.lineage.dataset else {
        return unknown(format!("`{model}` does not say which dataset it was trained on"));
    };
    let reference: DatasetRef = dataset.parse().map_err(anyhow::Error::msg)?;
    let Some(dataset_version) = reference.find(app).await? else {
        return unknown(format!("dataset `{dataset}`, which `{model}` was trained on, is not in this store"));
    };
    let spec: DatasetSpec = serde_json::from_value(dataset_version.content.spec)?;
    let pipeline = Pipeline::new(&app.config.pipeline)?;
    match form_of(app, &pipeline, &spec) {
        Some(form) => Ok(Some(form)),
        None => unknown(format!("pipeline.yaml does not say which data type the rows of `{dataset}` are")),
    }
}

/// Returns the form of the rows of a dataset; `None` where its table takes several data types of different forms, or none.
fn form_of(app: &App, pipeline: &Pipeline, spec: &DatasetSpec) -> Option<RowForm> {
    let source_app = spec.source_app.as_ref();
    if let DatasetSource::GlobalMlData { data_type } = &spec.source {
        if source_app.is_none() {
            tell_of_own_forms(pipeline, data_type);
        }
        return pipeline.row_form(data_type, source_app);
    }
    let table = spec.source.table();
    let of_table = app.config.pipeline.data_types.iter().filter(|(_, plan)| plan.target["table"] == table);
    let mut forms = of_table.filter_map(|(data_type, _)| pipeline.row_form(data_type, source_app));
    let form = forms.next()?;
    forms.all(|other| other == form).then_some(form)
}

/// A dataset of all applications may have rows of one that has a form of its own, which rows to score do not tell.
fn tell_of_own_forms(pipeline: &Pipeline, data_type: &DataType) {
    for source_app in pipeline.apps_with_own_form(data_type) {
        tracing::info!("rows are not normalised as those of `{source_app}`: the dataset is of all applications");
    }
}
