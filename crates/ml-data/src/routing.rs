//! Which data type lives in which collection or table, and which result goes to which store.
//!
//! The table is data, see [`RoutingConfig`]; its default is the section `routing` of `config/database.yaml`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use ml_core::record::{Collection, DataType};
use ml_core::result::ResultKind;

const DEFAULT_DATABASE: &str = include_str!("../../../config/database.yaml");

/// The routing table as it is written in `config/database.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingConfig {
    /// Every known data type and its route.
    pub data_types: BTreeMap<DataType, DataRoute>,
    /// Every kind of result and its store.
    pub results: BTreeMap<ResultKind, ResultRoute>,
}

/// Where the records of a data type are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRoute {
    /// The collection they are ingested into.
    pub collection: Collection,
    /// Where they are read from by default.
    pub read_from: ReadFrom,
}

/// What holds the records that a reader of a data type gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadFrom {
    /// The collection they were ingested into, as they were sent.
    Documents,
    /// Validated rows of the table `global_ml_data`.
    GlobalMlData,
    /// Validated rows of the table `market_metrics`.
    MarketMetrics,
    /// Validated rows of the table `user_interactions`.
    UserInteractions,
    /// Validated rows of the table `ground_truth`.
    GroundTruth,
}

/// What a kind of result is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultRoute {
    /// The document store, at once.
    Documents,
    /// The outbox in SQL, from where it is published to the document store.
    Outbox,
    /// A table of its own.
    Sql,
}

/// The section of `config/database.yaml` that belongs here; the others are the composition root's.
#[derive(Deserialize)]
struct DatabaseFile {
    routing: RoutingConfig,
}

impl Default for RoutingConfig {
    fn default() -> RoutingConfig {
        let file: DatabaseFile =
            serde_yaml_ng::from_str(DEFAULT_DATABASE).expect("the committed database.yaml is tested to parse");
        file.routing
    }
}

/// A checked routing table: every kind of result has a store that can hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    data_types: BTreeMap<DataType, DataRoute>,
    results: BTreeMap<ResultKind, ResultRoute>,
}

/// The routing table contradicts itself; every fault is listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", faults.join("; "))]
pub struct InvalidRouting {
    /// What is wrong, each with its key.
    pub faults: Vec<String>,
}

/// The data type has no route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown data type `{data_type}`{}; known are {}; another one is declared under `routing.data_types` in database.yaml",
    Suggestion(.nearest),
    Names(.known)
)]
pub struct UnknownDataType {
    /// What was asked for.
    pub data_type: DataType,
    /// The known data types, sorted.
    pub known: Vec<DataType>,
    /// The known data type that is spelled most like it, if one is.
    pub nearest: Option<DataType>,
}

impl Routing {
    /// Checks the table.
    ///
    /// # Errors
    /// [`InvalidRouting`], with every fault, when no data type is known, or a kind of result has no store or one that
    /// cannot hold it.
    pub fn new(config: &RoutingConfig) -> Result<Routing, InvalidRouting> {
        let mut faults = Vec::new();
        if config.data_types.is_empty() {
            faults.push("data_types is empty: nothing could be ingested".to_owned());
        }
        for kind in ResultKind::ALL {
            faults.extend(result_fault(kind, config.results.get(&kind).copied()));
        }
        if !faults.is_empty() {
            return Err(InvalidRouting { faults });
        }
        Ok(Routing { data_types: config.data_types.clone(), results: config.results.clone() })
    }

    /// Returns where the records of `data_type` are.
    ///
    /// # Errors
    /// [`UnknownDataType`], which lists the known ones.
    pub fn data_route(&self, data_type: &DataType) -> Result<DataRoute, UnknownDataType> {
        self.data_types.get(data_type).copied().ok_or_else(|| UnknownDataType {
            data_type: data_type.clone(),
            known: self.data_types.keys().cloned().collect(),
            nearest: self.nearest(data_type),
        })
    }

    /// Returns what `kind` is written to.
    pub fn result_route(&self, kind: ResultKind) -> ResultRoute {
        self.results[&kind]
    }

    /// Returns the known data types, sorted.
    pub fn data_types(&self) -> impl Iterator<Item = &DataType> {
        self.data_types.keys()
    }

    fn nearest(&self, data_type: &DataType) -> Option<DataType> {
        let distance = |known: &DataType| strsim::damerau_levenshtein(known.as_str(), data_type.as_str());
        let nearest = self.data_types.keys().min_by_key(|known| distance(known))?;
        (distance(nearest) <= 3).then(|| nearest.clone())
    }
}

impl Default for Routing {
    fn default() -> Routing {
        Routing::new(&RoutingConfig::default()).expect("the committed routing table is tested to be sound")
    }
}

fn result_fault(kind: ResultKind, route: Option<ResultRoute>) -> Option<String> {
    let is_figure = matches!(kind, ResultKind::ModelPerformance | ResultKind::ValidationResults);
    let name = kind.name();
    match route {
        None => Some(format!("results.{name} is missing")),
        Some(ResultRoute::Sql) if !is_figure => {
            Some(format!("results.{name} is `sql`: there is no table for it, use `documents` or `outbox`"))
        }
        Some(ResultRoute::Documents) if is_figure => Some(format!(
            "results.{name} must be `sql`, or `outbox` to publish a copy: it is kept in a table of its own in any case"
        )),
        Some(_) => None,
    }
}

struct Names<'a>(&'a [DataType]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(|name| format!("`{name}`")).collect();
        f.write_str(&names.join(", "))
    }
}

struct Suggestion<'a>(&'a Option<DataType>);

impl fmt::Display for Suggestion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |nearest| write!(f, ", did you mean `{nearest}`?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_type(name: &str) -> DataType {
        DataType::parse(name).unwrap()
    }

    #[test]
    fn text_social_and_raw_market_stay_in_documents() {
        let routing = Routing::default();
        let route = |name| routing.data_route(&data_type(name)).unwrap();
        assert_eq!(route("text").collection, Collection::TextCorpus);
        assert_eq!(route("social").collection, Collection::SocialContent);
        assert_eq!(route("raw_market").collection, Collection::MarketData);
        assert_eq!(route("text").read_from, ReadFrom::Documents);
        for name in ["market_metrics", "user_interactions", "ground_truth", "tabular"] {
            assert_eq!(route(name).collection, Collection::RawRecords, "{name}");
            assert_ne!(route(name).read_from, ReadFrom::Documents, "{name}");
        }
    }

    #[test]
    fn an_unknown_data_type_lists_the_known_ones_and_the_nearest() {
        let err = Routing::default().data_route(&data_type("txet")).unwrap_err();
        assert_eq!(
            err.to_string(),
            "unknown data type `txet`, did you mean `text`?; known are `ground_truth`, `market_metrics`, `raw_market`, \
             `social`, `tabular`, `text`, `user_interactions`; another one is declared under `routing.data_types` in \
             database.yaml"
        );
        let err = Routing::default().data_route(&data_type("xylophone")).unwrap_err();
        assert_eq!(err.nearest, None);
    }

    #[test]
    fn every_fault_of_the_table_is_listed() {
        let mut config = RoutingConfig::default();
        config.results.remove(&ResultKind::Predictions);
        config.results.insert(ResultKind::Embeddings, ResultRoute::Sql);
        config.results.insert(ResultKind::ModelPerformance, ResultRoute::Documents);
        assert_eq!(Routing::new(&config).unwrap_err().faults.len(), 3);
    }

    #[test]
    fn unknown_keys_are_refused() {
        let text = "data_types: { text: { collection: text_corpus, read_from: documents, x: 1 } }\nresults: {}";
        let err = serde_yaml_ng::from_str::<RoutingConfig>(text).unwrap_err();
        assert!(err.to_string().contains("unknown field `x`"), "{err}");
    }
}
