//! Parts of the pipeline that the user's files map themselves: nothing of the built-in ones is left in them.
//!
//! Merged key by key, the columns of the built-in target would be columns of the user's, and the built-in rules would judge what
//! they do not know of. Where the files only say other steps or rules, these take the place of the built-in ones and the rest stays.

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::source::YamlText;

const SECTION: &str = "pipeline";

/// Data types, each with the application whose part is meant, or none for all of it.
pub(super) type OwnParts = Vec<(String, Option<String>)>;

/// Returns the parts for which one of `layers`, each of which can be read, declares a target, the built-in layers aside.
pub(super) fn of(layers: &[YamlText]) -> OwnParts {
    let mut own = OwnParts::new();
    for layer in layers.iter().filter(|layer| !layer.is_built_in()) {
        for sections in layer.data().unwrap_or_default().values() {
            for (data_type, part) in inner(sections.get(SECTION), "data_types") {
                if has_target(part) {
                    own.push((data_type.clone(), None));
                }
                let apps = inner(Some(part), "source_apps").filter(|(_, app)| has_target(app));
                own.extend(apps.map(|(app, _)| (data_type.clone(), Some(app.clone()))));
            }
        }
    }
    own
}

fn inner<'a>(value: Option<&'a Value>, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let found = value.and_then(Value::as_dict).and_then(|fields| fields.get(key)?.as_dict());
    found.into_iter().flatten()
}

fn has_target(part: &Value) -> bool {
    part.as_dict().is_some_and(|fields| fields.contains_key("target"))
}

/// A layer without these parts, where it is built in.
pub(super) struct WithoutOwn<'a, L> {
    layer: L,
    own: &'a OwnParts,
}

impl<'a, L: Provider> WithoutOwn<'a, L> {
    /// Looks at `layer`, which is built in, without what is the user's `own`.
    pub(super) fn new(layer: L, own: &'a OwnParts) -> WithoutOwn<'a, L> {
        WithoutOwn { layer, own }
    }
}

impl<L: Provider> Provider for WithoutOwn<'_, L> {
    fn metadata(&self) -> Metadata {
        self.layer.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut data = self.layer.data()?;
        for sections in data.values_mut() {
            let Some(data_types) = inner_mut(sections.get_mut(SECTION), "data_types") else { continue };
            for (data_type, app) in self.own {
                match app {
                    None => drop(data_types.remove(data_type)),
                    Some(app) => {
                        let apps = inner_mut(data_types.get_mut(data_type), "source_apps");
                        apps.and_then(|apps| apps.remove(app));
                    }
                }
            }
        }
        Ok(data)
    }
}

fn inner_mut<'a>(value: Option<&'a mut Value>, key: &str) -> Option<&'a mut Dict> {
    let Some(Value::Dict(_, fields)) = value else { return None };
    match fields.get_mut(key) {
        Some(Value::Dict(_, inner)) => Some(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::{Config, ConfigArgs};

    /// Returns what is in force of `data_types` with `files`, each with its path in the folder, and the profile `p`.
    fn data_types(files: &[(&str, &str)]) -> Value {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("p")).unwrap();
        for (path, text) in files {
            std::fs::write(folder.path().join(path), text).unwrap();
        }
        let (profile, folder) = (Some("p".to_owned()), Some(folder.path().to_owned()));
        let config = Config::load(&ConfigArgs { folder, profile, ..ConfigArgs::default() }).unwrap();
        serde_json::to_value(config.pipeline.data_types).unwrap()
    }

    #[test]
    fn a_data_type_with_a_target_stands_by_itself() {
        let text = "data_types:
  tabular: { target: { table: user_interactions, user_id: u, item_id: i, action: a, event_time: t } }
  text: { rules: [{ required: body }], target: { table: global_ml_data } }
";
        let own = data_types(&[("pipeline.yaml", text)]);
        let target = json!({
            "table": "user_interactions", "user_id": "u", "item_id": "i", "action": "a", "event_time": "t"
        });
        assert_eq!(own["tabular"]["target"], target);
        let text = json!({
            "normalise": [], "rules": [{"required": "body"}], "target": {"table": "global_ml_data"}, "source_apps": {}
        });
        assert_eq!(own["text"], text);
        assert_eq!(own["social"], data_types(&[])["social"]);
    }

    #[test]
    fn steps_or_rules_alone_take_the_place_of_the_built_in_ones() {
        let built_in = data_types(&[]);
        let own = data_types(&[("pipeline.yaml", "data_types: { raw_market: { rules: [{ required: symbol }] } }")]);
        assert_eq!(own["raw_market"]["rules"], json!([{"required": "symbol"}]));
        assert_eq!(own["raw_market"]["normalise"], built_in["raw_market"]["normalise"]);
        assert_eq!(own["raw_market"]["target"], built_in["raw_market"]["target"]);
    }

    #[test]
    fn an_application_with_a_target_stands_by_itself() {
        let text = "data_types: { text: { source_apps: { demo-news: { target: { table: global_ml_data } } } } }";
        let (own, built_in) = (data_types(&[("pipeline.yaml", text)]), data_types(&[]));
        let part = json!({"normalise": [], "rules": [], "target": {"table": "global_ml_data"}});
        assert_eq!(own["text"]["source_apps"]["demo-news"], part);
        assert_eq!(own["text"]["rules"], built_in["text"]["rules"]);
    }

    #[test]
    fn the_files_themselves_are_merged_profile_on_top() {
        let base =
            "data_types: { tabular: { rules: [{ required: a }], target: { table: global_ml_data, content: a } } }";
        let profile = "data_types: { tabular: { target: { content: b } } }";
        let own = data_types(&[("pipeline.yaml", base), ("p/pipeline.yaml", profile)]);
        assert_eq!(own["tabular"]["target"], json!({"table": "global_ml_data", "content": "b"}));
        assert_eq!(own["tabular"]["rules"], json!([{"required": "a"}]));
    }
}
