//! What becomes of a record, by data type and source app: normalisation, rules, and the table it is mapped to.
//!
//! [`PipelineConfig`] is what `config/pipeline.yaml` says, [`Pipeline`] is that checked and made ready to judge records.

mod batch;
mod files;
mod judge;
mod row_form;
mod settle;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use ml_core::digest::Digest;
use ml_core::record::{DataType, SourceApp};

use crate::normalise::Step;
use crate::rule::{Declared, Dedup, Rule, Severity, Unique};
use crate::target::{ChildRows, Mapping, Target};

pub use self::batch::judge_batch;
pub(crate) use self::judge::Blocked;
pub use self::judge::{Judged, Verdict};
pub use self::row_form::RowForm;
pub(crate) use self::row_form::flatten;
pub(crate) use self::settle::SettleError;

const DEFAULT_PIPELINE: &str = include_str!("../../../config/pipeline.yaml");

/// The pipeline as it is written in `config/pipeline.yaml`.
///
/// Steps, rules and targets are kept as they are written, so that [`Pipeline::new`] can report every fault at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineConfig {
    /// The version of the mapping; written into every row of `global_ml_data`.
    pub schema_version: i32,
    /// What becomes of records, by data type.
    pub data_types: BTreeMap<DataType, TypeConfig>,
}

/// What becomes of the records of a data type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeConfig {
    /// Normalisation, in order: each a [`Step`].
    #[serde(default)]
    pub normalise: Vec<Value>,
    /// Conditions on the normalised record: each a [`Rule`].
    #[serde(default)]
    pub rules: Vec<Value>,
    /// The table that it is mapped to: a [`Mapping`].
    pub target: Value,
    /// What holds in addition for the records of an application.
    #[serde(default)]
    pub source_apps: BTreeMap<SourceApp, AppConfig>,
}

/// What holds for the records of one application, in addition to what holds for their data type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppConfig {
    /// Normalisation, before that of the data type: what is peculiar to the application is mended first.
    pub normalise: Vec<Value>,
    /// Conditions, after those of the data type.
    pub rules: Vec<Value>,
    /// The table, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Value>,
}

/// The pipeline file is not one; every fault is listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", faults.join("; "))]
pub struct InvalidPipeline {
    /// What is wrong, each with its place.
    pub faults: Vec<String>,
}

impl PipelineConfig {
    /// Reads the text of a pipeline file.
    ///
    /// # Errors
    /// [`InvalidPipeline`] when it is not YAML, or a key is unknown or missing. Steps and rules are checked by
    /// [`Pipeline::new`].
    pub fn from_yaml(text: &str) -> Result<PipelineConfig, InvalidPipeline> {
        serde_yaml_ng::from_str(text).map_err(|error| InvalidPipeline { faults: vec![error.to_string()] })
    }
}

impl Default for PipelineConfig {
    fn default() -> PipelineConfig {
        PipelineConfig::from_yaml(DEFAULT_PIPELINE).expect("the committed pipeline.yaml is tested to parse")
    }
}

/// A checked pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    digest: Digest,
    schema_version: i32,
    plans: BTreeMap<DataType, TypePlan>,
    /// Every rule that is declared.
    rules: Vec<RuleInfo>,
}

/// What is declared of a rule beside its condition.
#[derive(Debug, Clone, PartialEq)]
struct RuleInfo {
    /// Where it stands, such as `data_types.text.rules[2]`.
    place: String,
    severity: Severity,
    mostly: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
struct TypePlan {
    plan: Plan,
    apps: BTreeMap<SourceApp, Plan>,
}

/// Everything that is done with the records of one data type and application.
#[derive(Debug, Clone, PartialEq)]
struct Plan {
    steps: Vec<Step>,
    rules: Vec<PlannedRule>,
    /// The rules on who owns a value, again.
    owned: Vec<OwnedRule>,
    target: Target,
    /// The array whose items become rows.
    children: Option<ChildRows>,
}

/// A rule, and its place among all that are declared.
#[derive(Debug, Clone, PartialEq)]
struct PlannedRule {
    id: usize,
    rule: Rule,
    /// Whether who breaks it is quarantined whatever the rest of the batch does.
    is_plain: bool,
}

/// A rule on who owns a value.
#[derive(Debug, Clone, PartialEq)]
struct OwnedRule {
    id: usize,
    severity: Severity,
    /// What it covers, such as `text.symbol+date`; that of duplicates is told by application too.
    scope: String,
    unique: Unique,
    /// How duplicates are told apart, where the better one is kept.
    dedup: Option<Dedup>,
}

/// The rules of one list, and what they are declared for.
struct DeclaredFor {
    name: String,
    rules: Vec<(usize, Declared)>,
}

impl Pipeline {
    /// Checks `config`.
    ///
    /// # Errors
    /// [`InvalidPipeline`], with every fault and its place, such as `data_types.text.rules[2]`.
    pub fn new(config: &PipelineConfig) -> Result<Pipeline, InvalidPipeline> {
        let mut faults = Vec::new();
        let mut plans = BTreeMap::new();
        let mut rules = Vec::new();
        for (data_type, type_config) in &config.data_types {
            if let Some(plan) = type_plan(data_type, type_config, &mut rules, &mut faults) {
                plans.insert(data_type.clone(), plan);
            }
        }
        if config.data_types.is_empty() {
            faults.push("data_types is empty: no record would pass".to_owned());
        }
        if !faults.is_empty() {
            return Err(InvalidPipeline { faults });
        }
        let digest = Digest::of(serde_json::to_string(config).expect("a configuration has text keys").as_bytes());
        Ok(Pipeline { digest, schema_version: config.schema_version, plans, rules })
    }

    /// Returns the digest of the configuration: what a row was made by.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the data types that have a plan, sorted.
    pub fn data_types(&self) -> impl Iterator<Item = &DataType> {
        self.plans.keys()
    }

    fn find_plan(&self, data_type: &DataType, source_app: &SourceApp) -> Option<&Plan> {
        let type_plan = self.plans.get(data_type)?;
        Some(type_plan.apps.get(source_app).unwrap_or(&type_plan.plan))
    }
}

impl Default for Pipeline {
    fn default() -> Pipeline {
        Pipeline::new(&PipelineConfig::default()).expect("the committed pipeline is tested to be sound")
    }
}

/// Reads the plan of a data type; nothing, with at least one fault more, when it is faulty.
fn type_plan(
    data_type: &DataType,
    config: &TypeConfig,
    infos: &mut Vec<RuleInfo>,
    faults: &mut Vec<String>,
) -> Option<TypePlan> {
    let place = format!("data_types.{data_type}");
    let steps = parse_each(&config.normalise, &format!("{place}.normalise"), Step::fault, faults);
    let common = declared(data_type.to_string(), &config.rules, &format!("{place}.rules"), infos, faults);
    let mapping: Option<Mapping> = parse(&config.target, &format!("{place}.target"), faults);
    let mut apps = BTreeMap::new();
    for (source_app, app) in &config.source_apps {
        let place = format!("{place}.source_apps.{source_app}");
        let mut app_steps = parse_each(&app.normalise, &format!("{place}.normalise"), Step::fault, faults);
        let name = format!("{data_type}@{source_app}");
        let own = declared(name, &app.rules, &format!("{place}.rules"), infos, faults);
        let app_mapping = match &app.target {
            Some(value) => parse(value, &format!("{place}.target"), faults),
            None => mapping.clone(),
        };
        app_steps.extend(steps.iter().cloned());
        if let Some(mapping) = app_mapping {
            apps.insert(source_app.clone(), plan(app_steps, &[&common, &own], mapping));
        }
    }
    let plan = plan(steps, &[&common], mapping?);
    Some(TypePlan { plan, apps })
}

/// Reads the rules of one list, and adds what is declared of them to `infos`.
fn declared(
    name: String,
    values: &[Value],
    place: &str,
    infos: &mut Vec<RuleInfo>,
    faults: &mut Vec<String>,
) -> DeclaredFor {
    let mut rules = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let place = format!("{place}[{index}]");
        let Some(rule) = parse::<Declared>(value, &place, faults) else { continue };
        faults.extend(rule.fault().map(|fault| format!("{place}: {fault}")));
        rules.push((infos.len(), rule.clone()));
        infos.push(RuleInfo { place, severity: rule.severity, mostly: rule.mostly });
    }
    DeclaredFor { name, rules }
}

/// Joins lists of rules into a plan.
fn plan(steps: Vec<Step>, lists: &[&DeclaredFor], mapping: Mapping) -> Plan {
    let Mapping { target, children } = mapping;
    let mut plan = Plan { steps, rules: Vec::new(), owned: Vec::new(), target, children };
    for list in lists {
        for (id, Declared { rule, severity, mostly }) in &list.rules {
            let (id, severity) = (*id, *severity);
            match rule {
                Rule::Unique(unique) => {
                    let scope = unique.scope(&list.name);
                    plan.owned.push(OwnedRule { id, severity, scope, unique: unique.clone(), dedup: None });
                }
                Rule::Dedup(dedup) => {
                    let (unique, dedup) = (dedup.unique(), Some(dedup.clone()));
                    let scope = unique.scope(&list.name);
                    plan.owned.push(OwnedRule { id, severity, scope, unique, dedup });
                }
                _ => {
                    let is_plain = severity == Severity::Quarantine && mostly.is_none();
                    plan.rules.push(PlannedRule { id, rule: rule.clone(), is_plain });
                }
            }
        }
    }
    plan
}

fn parse_each<T: DeserializeOwned>(
    values: &[Value],
    place: &str,
    fault_of: impl Fn(&T) -> Option<String>,
    faults: &mut Vec<String>,
) -> Vec<T> {
    let mut parsed = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let place = format!("{place}[{index}]");
        let Some(item) = parse(value, &place, faults) else { continue };
        faults.extend(fault_of(&item).map(|fault| format!("{place}: {fault}")));
        parsed.push(item);
    }
    parsed
}

fn parse<T: DeserializeOwned>(value: &Value, place: &str, faults: &mut Vec<String>) -> Option<T> {
    match T::deserialize(value) {
        Ok(item) => Some(item),
        Err(error) => {
            faults.push(format!("{place}: {error}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_pipeline_is_sound_and_covers_the_default_routing() {
        let pipeline = Pipeline::default();
        let routed: Vec<String> = crate::routing::Routing::default().data_types().map(ToString::to_string).collect();
        let planned: Vec<String> = pipeline.data_types().map(ToString::to_string).collect();
        assert_eq!(planned, routed);
    }

    #[test]
    fn every_fault_is_listed_with_its_place() {
        let text = "
schema_version: 1
data_types:
  text:
    normalise:
      - trim: []
      - trimm: text
    rules:
      - required: text
      - range: { fields: a, min: 2, max: 1 }
    target: { table: global_ml_data, contents: text }
    source_apps:
      news:
        rules:
          - regex: { fields: a, matches: '(' }
";
        let err = Pipeline::new(&PipelineConfig::from_yaml(text).unwrap()).unwrap_err();
        let places: Vec<&str> = err.faults.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
        assert_eq!(
            places,
            [
                "data_types.text.normalise[0]",
                "data_types.text.normalise[1]",
                "data_types.text.rules[1]",
                "data_types.text.target",
                "data_types.text.source_apps.news.rules[0]",
            ],
            "{err}"
        );
    }

    #[test]
    fn unknown_keys_are_refused() {
        let err = PipelineConfig::from_yaml("schema_version: 1\ndata_types: {}\nx: 1").unwrap_err();
        assert!(err.to_string().contains("unknown field `x`"), "{err}");
    }

    #[test]
    fn printing_and_reading_again_gives_the_same_configuration() {
        let config = PipelineConfig::default();
        let text = serde_yaml_ng::to_string(&config).unwrap();
        assert_eq!(PipelineConfig::from_yaml(&text).unwrap(), config);
    }
}
