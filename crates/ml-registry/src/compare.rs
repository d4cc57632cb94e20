//! What differs between two model versions.

use ml_core::artifact::ArtifactRef;
use ml_core::model::{ModelVersion, SignatureColumn};
use serde::Serialize;

/// One field in which two versions differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field, dotted, such as `lineage.dataset` or `tags.owner`.
    pub field: String,
    /// Its value in the first version; absent where it has none.
    pub left: Option<String>,
    /// Its value in the second version.
    pub right: Option<String>,
}

/// Returns the fields in which the versions differ, in the order of their declaration; tags and columns by name.
///
/// The number of the version, its times and its aliases always differ and are left out. Figures are kept elsewhere: the
/// caller adds those of both.
pub fn compare(left: &ModelVersion, right: &ModelVersion) -> Vec<Difference> {
    let left_fields = fields(left);
    let right_fields = fields(right);
    let mut differences = Vec::new();
    for (field, value) in &left_fields {
        let other = find(&right_fields, field);
        if other != Some(value) {
            let difference =
                Difference { field: field.clone(), left: Some(value.clone()), right: other.map(str::to_owned) };
            differences.push(difference);
        }
    }
    for (field, value) in right_fields {
        if find(&left_fields, &field).is_none() {
            differences.push(Difference { field, left: None, right: Some(value) });
        }
    }
    differences
}

fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

fn fields(version: &ModelVersion) -> Vec<(String, String)> {
    let content = &version.content;
    let lineage = &content.lineage;
    let fixed = [
        ("name", Some(content.name.to_string())),
        ("stage", Some(version.stage.to_string())),
        ("description", Some(content.description.clone())),
        ("source", content.source.clone()),
        ("user_id", Some(content.user_id.clone())),
        ("artifact", content.artifact.as_ref().map(describe_artifact)),
        ("reference_profile", content.reference_profile.as_ref().map(describe_artifact)),
        ("lineage.run_id", lineage.run_id.as_ref().map(ToString::to_string)),
        ("lineage.dataset", lineage.dataset.clone()),
        ("lineage.dataset_hash", lineage.dataset_hash.map(|digest| digest.to_string())),
        ("lineage.pipeline", lineage.pipeline.as_ref().map(describe_artifact)),
        ("lineage.app_version", Some(lineage.app_version.clone())),
        ("lineage.framework", Some(lineage.framework.clone())),
    ];
    let mut fields: Vec<(String, String)> =
        fixed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    fields.extend(content.signature.inputs.iter().map(|column| describe_column("inputs", column)));
    fields.extend(content.signature.outputs.iter().map(|column| describe_column("outputs", column)));
    fields.extend(content.tags.iter().map(|(key, value)| (format!("tags.{key}"), value.clone())));
    fields
}

fn describe_artifact(artifact: &ArtifactRef) -> String {
    format!("{} ({} bytes)", artifact.digest, artifact.size_bytes)
}

fn describe_column(side: &str, column: &SignatureColumn) -> (String, String) {
    let presence = if column.required { "required" } else { "optional" };
    (format!("signature.{side}.{}", column.name), format!("{}, {presence}", column.kind.name()))
}
