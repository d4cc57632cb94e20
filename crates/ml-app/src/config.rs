//! The effective configuration: built-in defaults, then files, then a profile's files, then the environment, then flags.
//!
//! Every section is a struct of its own that refuses unknown keys. A fault names the file or variable it comes from, and all
//! sections with faults are reported at once.

mod backends;
mod database;
mod environment;
mod fault;
mod own;
mod retention;
mod settings;
mod source;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use figment::providers::Serialized;
use figment::{Figment, Provider as _};
use serde::de::DeserializeOwned;

use ml_data::pipeline::{InvalidPipeline, Pipeline, PipelineConfig};

use self::backends::ForChosen;
pub(crate) use self::database::{DatabaseConfig, DocumentBackend, SqlBackend};
use self::environment::Environment;
use self::own::{OwnParts, WithoutOwn};
pub(crate) use self::settings::Settings;
use self::source::YamlText;

/// The folder looked into when no `--config` is given.
const DEFAULT_FOLDER: &str = "config";

/// The sections, by the file they are written in, with the text that is built in.
const SECTIONS: [(&str, &str); 3] = [
    ("settings", include_str!("../../../config/settings.yaml")),
    ("database", include_str!("../../../config/database.yaml")),
    ("pipeline", include_str!("../../../config/pipeline.yaml")),
];

/// Where to look, and what the command line says.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigArgs {
    /// The folder with the files; by default `./config` where it exists.
    pub(crate) folder: Option<PathBuf>,
    /// The subfolder whose files come on top.
    pub(crate) profile: Option<String>,
    /// The data folder, if a flag gives it.
    pub(crate) data_dir: Option<PathBuf>,
}

/// Everything that can be configured.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Folders and who is at work.
    pub(crate) settings: Settings,
    /// Backends and routing.
    pub(crate) database: DatabaseConfig,
    /// Normalisation, rules and mapping by data type.
    pub(crate) pipeline: PipelineConfig,
    /// The files that were read, in order.
    pub(crate) files: Vec<PathBuf>,
    /// The values as merged, before they were parsed.
    merged: Figment,
}

/// What is wrong with the configuration, all of it.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {}:{}", faults(.0.len()), list(.0))]
pub(crate) struct ConfigError(pub(crate) Vec<String>);

fn faults(n: usize) -> String {
    if n == 1 { "a fault".to_owned() } else { format!("{n} faults") }
}

fn list(faults: &[String]) -> String {
    faults.iter().fold(String::new(), |mut text, fault| {
        let _ = write!(text, "\n  - {fault}");
        text
    })
}

impl Config {
    /// Reads and checks the configuration.
    pub(crate) fn load(args: &ConfigArgs) -> anyhow::Result<Config> {
        let (merged, files) = merge(args)?;
        let mut errors = Vec::new();
        let settings = section::<Settings>(&merged, "settings", &mut errors);
        let database = section::<DatabaseConfig>(&merged, "database", &mut errors);
        let pipeline = section::<PipelineConfig>(&merged, "pipeline", &mut errors);
        unknown_sections(&merged, &mut errors);
        let (Some(settings), Some(database), Some(pipeline)) = (settings, database, pipeline) else {
            return Err(ConfigError(errors).into());
        };
        errors.extend(settings.faults());
        errors.extend(database.faults());
        let place = |invalid: InvalidPipeline| invalid.faults.into_iter().map(|fault| format!("pipeline.{fault}"));
        let pipeline = match pipeline.with_files(&folders(args)?) {
            Ok(pipeline) => pipeline,
            Err(invalid) => {
                errors.extend(place(invalid));
                return Err(ConfigError(errors).into());
            }
        };
        if let Err(invalid) = Pipeline::new(&pipeline) {
            errors.extend(place(invalid));
        }
        if !errors.is_empty() {
            return Err(ConfigError(errors).into());
        }
        Ok(Config { settings, database, pipeline, files, merged })
    }

    /// Returns what may well be meant otherwise, though nothing contradicts it.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let routes = &self.database.routing.data_types;
        let without = self.pipeline.data_types.keys().filter(|data_type| !routes.contains_key(data_type));
        without
            .map(|data_type| {
                format!(
                    "pipeline.data_types.{data_type}: `ml-app ingest` does not know this data type: give it a collection under \
                     `routing.data_types` in database.yaml"
                )
            })
            .collect()
    }

    /// Returns the effective values with secrets masked.
    pub(crate) fn masked(&self) -> anyhow::Result<serde_json::Value> {
        let mut values: serde_json::Value = self.merged.extract()?;
        mask(&mut values);
        Ok(values)
    }
}

fn merge(args: &ConfigArgs) -> anyhow::Result<(Figment, Vec<PathBuf>)> {
    let mut layers: Vec<YamlText> = SECTIONS.iter().map(|(name, text)| YamlText::built_in(name, text)).collect();
    let mut files = Vec::new();
    for folder in folders(args)? {
        for (name, _) in SECTIONS {
            let path = folder.join(format!("{name}.yaml"));
            if !path.is_file() {
                continue;
            }
            let text = std::fs::read_to_string(&path)
                .map_err(|error| anyhow::Error::new(error).context(format!("cannot read {}", path.display())))?;
            layers.push(YamlText::file(name, &path, text));
            files.push(path);
        }
    }
    let faulty: Vec<String> =
        layers.iter().filter_map(|layer| layer.data().err()).map(|error| error.to_string()).collect();
    if !faulty.is_empty() {
        return Err(ConfigError(faulty).into());
    }
    let own = own::of(&layers);
    let chosen = backends::chosen(&stack(&layers, &[], &own, args));
    Ok((stack(&layers, &chosen, &own, args), files))
}

/// Puts the layers on one another, the environment and the flags on top.
fn stack(layers: &[YamlText], chosen: &[(&'static str, String)], own: &OwnParts, args: &ConfigArgs) -> Figment {
    let mut merged = Figment::new();
    for text in layers {
        let layer = ForChosen::new(text, chosen);
        merged = if text.is_built_in() { merged.merge(WithoutOwn::new(layer, own)) } else { merged.merge(layer) };
    }
    merged = merged.merge(Environment::new());
    if let Some(data_dir) = &args.data_dir {
        merged = merged.merge(Serialized::default("settings.data_dir", data_dir));
    }
    merged
}

fn folders(args: &ConfigArgs) -> anyhow::Result<Vec<PathBuf>> {
    let folder = match &args.folder {
        Some(folder) if !folder.is_dir() => {
            anyhow::bail!("`{}` is not a folder: --config takes the folder that holds settings.yaml", folder.display())
        }
        Some(folder) => folder.clone(),
        None => Path::new(DEFAULT_FOLDER).to_owned(),
    };
    let Some(profile) = &args.profile else {
        return Ok(vec![folder]);
    };
    let profile_folder = folder.join(profile);
    if !profile_folder.is_dir() {
        anyhow::bail!("no profile `{profile}`: there is no folder {}", profile_folder.display());
    }
    Ok(vec![folder, profile_folder])
}

fn section<T: DeserializeOwned>(merged: &Figment, name: &str, errors: &mut Vec<String>) -> Option<T> {
    match merged.extract_inner(name) {
        Ok(section) => Some(section),
        Err(error) => {
            errors.extend(error.into_iter().map(|error| fault::shown(name, &error)));
            None
        }
    }
}

fn unknown_sections(merged: &Figment, errors: &mut Vec<String>) {
    let Ok(values) = merged.extract::<serde_json::Map<String, serde_json::Value>>() else {
        return;
    };
    for name in values.keys() {
        if !SECTIONS.iter().any(|(known, _)| known == name) {
            errors.push(format!("unknown section `{name}`: the sections are `settings`, `database`, `pipeline`"));
        }
    }
}

/// Replaces the values of keys that name a secret, and passwords inside URLs.
fn mask(value: &mut serde_json::Value) {
    const SECRET_WORDS: [&str; 4] = ["password", "secret", "token", "credential"];
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                let is_secret = SECRET_WORDS.iter().any(|word| key.contains(word));
                if is_secret && !value.is_null() {
                    *value = serde_json::Value::from("********");
                } else {
                    mask(value);
                }
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(mask),
        serde_json::Value::String(text) => {
            if let Some(masked) = mask_url(text) {
                *text = masked;
            }
        }
        _ => {}
    }
}

fn mask_url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user_info, host) = authority.rsplit_once('@')?;
    let (user, _) = user_info.split_once(':')?;
    Some(format!("{scheme}://{user}:********@{host}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let mut value = serde_json::json!({
            "sql": {"password": "p", "url": "postgres://me:p4ss@host:5432/db"},
            "list": ["mongodb://u:x@h1,h2/?replicaSet=r"],
            "token": null,
        });
        mask(&mut value);
        assert_eq!(
            value,
            serde_json::json!({
                "sql": {"password": "********", "url": "postgres://me:********@host:5432/db"},
                "list": ["mongodb://u:********@h1,h2/?replicaSet=r"],
                "token": null,
            })
        );
    }

    #[test]
    fn the_built_in_configuration_is_sound() {
        let args = ConfigArgs { folder: Some(std::env::temp_dir()), ..ConfigArgs::default() };
        Config::load(&args).unwrap();
    }
}
