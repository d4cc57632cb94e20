//! A pipeline as a YAML document with every setting in it, for what changes parts of one.

use serde_yaml_ng::{Mapping, Value};

use super::{Fault, PIPELINE_VERSION, PipelineSpec, SpecError, reader};

impl PipelineSpec {
    /// Returns the document that declares this pipeline, settings that have their default value included.
    ///
    /// # Errors
    /// [`SpecError`] for a number that YAML does not have; no pipeline that was read has one.
    pub(crate) fn to_value(&self) -> Result<Value, SpecError> {
        let serializer = serde_yaml_ng::value::Serializer;
        let value = serde_yaml_ng::with::singleton_map_recursive::serialize(self, serializer).map_err(unwritable)?;
        let mut document = Mapping::from_iter([(Value::from("version"), Value::from(PIPELINE_VERSION))]);
        if let Value::Mapping(parts) = value {
            document.extend(parts.into_iter().filter(|(_, part)| !part.is_null()));
        }
        Ok(Value::Mapping(document))
    }

    /// Reads a document that [`PipelineSpec::to_value`] gave, or one with other parts.
    ///
    /// # Errors
    /// [`SpecError`] with every fault that does not depend on how parts fit each other; those, [`PipelineSpec::check`] finds.
    pub(crate) fn from_value(document: &Value) -> Result<PipelineSpec, SpecError> {
        reader::read_value(document)
    }

    /// Returns the pipeline as a file, settings that have their default value included.
    ///
    /// # Errors
    /// [`SpecError`] for a number that YAML does not have; no pipeline that was read has one.
    pub fn to_yaml(&self) -> Result<String, SpecError> {
        serde_yaml_ng::to_string(&self.to_value()?).map_err(unwritable)
    }
}

fn unwritable(error: serde_yaml_ng::Error) -> SpecError {
    SpecError { faults: vec![Fault::new("", format!("the pipeline cannot be written as YAML: {error}"))] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_is_read_as_it_was_written() {
        let spec = PipelineSpec::from_yaml(
            "version: 1\nname: m\ntask: regression\ntarget: y\ntarget_transform: log\nseed: 18446744073709551615\n\
             derive: [{ column: d, op: lag, of: x, order: t, periods: 2 }]\nfeatures:\n  \
             - { columns: [x, d], steps: [{ impute: median }, log1p, { clip: { min: 0.5 } }, standardise] }\n  \
             - { columns: [c], steps: [{ impute: { constant: none } }, { one_hot: { unknown: error } }] }\n  \
             - { columns: [t], steps: [{ tfidf: { ngrams: [1, 2], max_df: 0.5, max_features: 9 } }] }\n\
             estimator: { kind: gradient_boosting, max_depth: 3 }\nbaselines: [mean, { kind: column, column: x }]\n",
        )
        .unwrap();
        assert_eq!(PipelineSpec::from_yaml(&spec.to_yaml().unwrap()).unwrap(), spec);
    }
}
