//! Layers that name another backend than the one in force: what they say of that role is about something else.
//!
//! The built-in file keeps the documents in an SQLite file; a profile that puts them on MongoDB would otherwise inherit the
//! path of that file, which MongoDB does not have.

use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::source::YamlText;

const SECTION: &str = "database";

/// The parts of the section that name a backend.
const ROLES: [&str; 2] = ["documents", "sql"];

/// A layer without the roles that it gives to other backends than those chosen.
pub(super) struct ForChosen<'a> {
    layer: &'a YamlText,
    chosen: &'a [(&'static str, String)],
}

impl<'a> ForChosen<'a> {
    /// Looks at `layer` in the light of what was `chosen`.
    pub(super) fn new(layer: &'a YamlText, chosen: &'a [(&'static str, String)]) -> ForChosen<'a> {
        ForChosen { layer, chosen }
    }
}

/// Returns the backend that all layers together choose for each role.
pub(super) fn chosen(merged: &Figment) -> Vec<(&'static str, String)> {
    let backend = |role| merged.extract_inner(&format!("{SECTION}.{role}.backend")).ok();
    ROLES.into_iter().filter_map(|role| Some((role, backend(role)?))).collect()
}

impl Provider for ForChosen<'_> {
    fn metadata(&self) -> Metadata {
        self.layer.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut data = self.layer.data()?;
        for sections in data.values_mut() {
            let Some(Value::Dict(_, roles)) = sections.get_mut(SECTION) else { continue };
            for (role, backend) in self.chosen {
                if roles.get(*role).is_some_and(|fields| names_another(fields, backend)) {
                    roles.remove(*role);
                }
            }
        }
        Ok(data)
    }
}

fn names_another(fields: &Value, backend: &str) -> bool {
    let named = fields.as_dict().and_then(|fields| fields.get("backend")?.as_str());
    named.is_some_and(|named| named != backend)
}
