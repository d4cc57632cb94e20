//! What is joined to the rows of a dataset, as it is written in a spec or a file.

use std::collections::BTreeSet;

use ml_core::record::{Collection, DataType, SourceApp};
use serde::{Deserialize, Serialize};

use super::ttl::Ttl;
use crate::dataset::error::DatasetError;
use crate::dataset::spec::DatasetSource;
use crate::field::FieldPath;

/// A feature source: values of entities over time, of which each row of a dataset gets the latest up to its event time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct FeatureSource {
    /// What counts and messages call it; unique within a spec.
    pub name: String,
    /// Where its values are.
    pub origin: FeatureOrigin,
    /// Only values from this application.
    pub source_app: Option<SourceApp>,
    /// Which columns name the entity; all of them have to agree.
    pub on: Vec<EntityKey>,
    /// These columns; all but those of the key where absent.
    pub columns: Option<Vec<String>>,
    /// Stands before the names of the columns.
    pub prefix: String,
    /// Older values do not count; however old where absent.
    pub ttl: Option<Ttl>,
}

/// Where the values of a feature source are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeatureOrigin {
    /// Validated rows in SQL, as they were known at the as-of time.
    Rows(DatasetSource),
    /// Records of a collection, unless their version was first known after the as-of time.
    Documents {
        /// The collection.
        collection: Collection,
        /// Which of its records.
        data_type: DataType,
        /// In which form they are joined.
        form: DocumentForm,
    },
}

/// In which form documents are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentForm {
    /// As the row that sync makes of a record; one that breaks a rule is left out.
    Pipeline,
    /// The fields as they were sent, those of objects under dotted names.
    Raw {
        /// When it happened; the field that the sender named, else the scrape time, else the time of ingest, where absent.
        event_time: Option<FieldPath>,
    },
}

/// A column of the rows and the column of the source that has to agree with it, both read as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityKey {
    /// In the rows of the dataset.
    pub left: String,
    /// In the feature source.
    pub right: String,
}

/// A feature source as people write it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a feature source such as `{ name: price, table: market_metrics, on: { left: ticker, right: symbol } }`"
)]
struct Written {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collection: Option<Collection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_type: Option<DataType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<WrittenForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_time: Option<FieldPath>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_app: Option<SourceApp>,
    on: OneOrMore,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<Ttl>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenForm {
    Pipeline,
    Raw,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "`on` names a column of the rows and one of the source, as in `on: { left: ticker, right: symbol }`, or lists several such"
)]
enum OneOrMore {
    One(EntityKey),
    More(Vec<EntityKey>),
}

impl FeatureSource {
    /// Returns the name that a column of the source has in the dataset.
    pub(super) fn column_name(&self, column: &str) -> String {
        format!("{}{column}", self.prefix)
    }
}

/// Refuses what no rows could satisfy.
///
/// # Errors
/// [`DatasetError::InvalidSpec`] for two sources of one name, no key, an empty list of columns, or one column twice.
pub(in crate::dataset) fn check(sources: &[FeatureSource]) -> Result<(), DatasetError> {
    let invalid = |reason: String| Err(DatasetError::InvalidSpec { reason });
    let mut names = BTreeSet::new();
    let mut columns = BTreeSet::new();
    for source in sources {
        let name = &source.name;
        if name.trim().is_empty() {
            return invalid("a feature source has an empty name".to_owned());
        }
        if !names.insert(name) {
            return invalid(format!("two feature sources are called `{name}`: give each a name of its own"));
        }
        if source.on.is_empty() {
            return invalid(format!(
                "feature source `{name}` says no key to join by: give `on: {{ left: …, right: … }}`"
            ));
        }
        let Some(wanted) = &source.columns else { continue };
        if wanted.is_empty() {
            return invalid(format!(
                "feature source `{name}` has an empty list of columns: leave it out to get all of them"
            ));
        }
        for column in wanted {
            let column = source.column_name(column);
            if columns.contains(&column) {
                return invalid(format!(
                    "feature source `{name}` gives a column `{column}`, which is there already: give it another prefix"
                ));
            }
            columns.insert(column);
        }
    }
    Ok(())
}

impl TryFrom<Written> for FeatureSource {
    type Error = String;

    fn try_from(written: Written) -> Result<FeatureSource, String> {
        let origin = written.origin().map_err(|reason| format!("feature source `{}`: {reason}", written.name))?;
        let on = match written.on {
            OneOrMore::One(key) => vec![key],
            OneOrMore::More(keys) => keys,
        };
        let prefix = written.prefix.unwrap_or_else(|| format!("{}.", written.name));
        let Written { name, source_app, columns, ttl, .. } = written;
        Ok(FeatureSource { name, origin, source_app, on, columns, prefix, ttl })
    }
}

impl Written {
    fn origin(&self) -> Result<FeatureOrigin, String> {
        let is_form_given = self.form.is_some() || self.event_time.is_some();
        match (self.table.as_deref(), self.collection) {
            (Some(_), None) if is_form_given => {
                Err("`form` and `event_time` are for documents: rows of a table have their form".to_owned())
            }
            (Some("global_ml_data"), None) => {
                let data_type = self.data_type.clone().ok_or("`global_ml_data` needs a `data_type`")?;
                Ok(FeatureOrigin::Rows(DatasetSource::GlobalMlData { data_type }))
            }
            (Some("market_metrics"), None) if self.data_type.is_none() => {
                Ok(FeatureOrigin::Rows(DatasetSource::MarketMetrics {}))
            }
            (Some("user_interactions"), None) if self.data_type.is_none() => {
                Ok(FeatureOrigin::Rows(DatasetSource::UserInteractions {}))
            }
            (Some(table @ ("market_metrics" | "user_interactions")), None) => {
                Err(format!("`{table}` holds one data type: leave `data_type` out"))
            }
            (Some(table), None) => Err(format!(
                "there is no table `{table}` to join: use `global_ml_data`, `market_metrics` or `user_interactions`"
            )),
            (None, Some(collection)) => {
                let data_type = self.data_type.clone().ok_or("a `collection` needs a `data_type`")?;
                Ok(FeatureOrigin::Documents { collection, data_type, form: self.document_form()? })
            }
            _ => Err("give either a `table` or a `collection`".to_owned()),
        }
    }

    fn document_form(&self) -> Result<DocumentForm, String> {
        match (self.form, &self.event_time) {
            (Some(WrittenForm::Raw), event_time) => Ok(DocumentForm::Raw { event_time: event_time.clone() }),
            (_, None) => Ok(DocumentForm::Pipeline),
            (_, Some(_)) => {
                Err("the pipeline says which field is the event time: `event_time` is for `form: raw`".to_owned())
            }
        }
    }
}

impl From<FeatureSource> for Written {
    fn from(source: FeatureSource) -> Written {
        let FeatureSource { name, origin, source_app, mut on, columns, prefix, ttl } = source;
        let (mut table, mut collection, mut form, mut event_time) = (None, None, None, None);
        let data_type = match origin {
            FeatureOrigin::Rows(rows) => {
                table = Some(rows.table().to_owned());
                rows.data_type().cloned()
            }
            FeatureOrigin::Documents { collection: of, data_type, form: documents } => {
                collection = Some(of);
                form = Some(WrittenForm::Pipeline);
                if let DocumentForm::Raw { event_time: field } = documents {
                    form = Some(WrittenForm::Raw);
                    event_time = field;
                }
                Some(data_type)
            }
        };
        let on = if on.len() == 1 { OneOrMore::One(on.remove(0)) } else { OneOrMore::More(on) };
        let prefix = Some(prefix);
        Written { name, table, collection, data_type, form, event_time, source_app, on, columns, prefix, ttl }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<FeatureSource, String> {
        serde_yaml_ng::from_str(yaml).map_err(|err| err.to_string())
    }

    #[test]
    fn what_is_written_is_read_back() {
        for yaml in [
            "{ name: price, table: market_metrics, on: { left: ticker, right: symbol }, columns: [close], ttl: 7d }",
            "{ name: news, table: global_ml_data, data_type: text, on: [{ left: a, right: b }, { left: c, right: d }] }",
            "{ name: acts, table: user_interactions, source_app: shop, on: { left: user, right: user_id }, prefix: '' }",
            "{ name: posts, collection: social_content, data_type: social, on: { left: a, right: by.id } }",
            "{ name: raw, collection: market_data, data_type: raw_market, form: raw, event_time: t, on: { left: a, right: s } }",
        ] {
            let source = read(yaml).unwrap();
            let json = serde_json::to_value(&source).unwrap();
            assert_eq!(serde_json::from_value::<FeatureSource>(json).unwrap(), source, "{yaml}");
        }
    }

    #[test]
    fn a_column_has_the_name_of_its_source_before_it() {
        let source = read("{ name: price, table: market_metrics, on: { left: a, right: symbol } }").unwrap();
        assert_eq!(source.column_name("close"), "price.close");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let on = "on: { left: a, right: b }";
        for (yaml, reason) in [
            (format!("{{ name: x, {on} }}"), "give either a `table` or a `collection`"),
            (format!("{{ name: x, table: market_metrics, collection: market_data, {on} }}"), "give either"),
            (format!("{{ name: x, table: ground_truth, {on} }}"), "there is no table `ground_truth` to join"),
            (format!("{{ name: x, table: market_metrics, data_type: text, {on} }}"), "leave `data_type` out"),
            (format!("{{ name: x, table: global_ml_data, {on} }}"), "needs a `data_type`"),
            (format!("{{ name: x, table: market_metrics, form: raw, {on} }}"), "are for documents"),
            (
                format!("{{ name: x, collection: market_data, data_type: t, event_time: at, {on} }}"),
                "is for `form: raw`",
            ),
            (format!("{{ name: x, table: market_metrics, colums: [a], {on} }}"), "unknown field `colums`"),
            ("x".to_owned(), "expected a feature source such as `{ name: price,"),
            ("{ name: x, table: market_metrics, on: k }".to_owned(), "as in `on: { left: ticker, right: symbol }`"),
        ] {
            let err = read(&yaml).unwrap_err();
            assert!(err.contains(reason), "{yaml}: {err}");
        }
    }

    #[test]
    fn names_and_columns_must_be_their_own() {
        let price =
            read("{ name: price, table: market_metrics, on: { left: a, right: symbol }, columns: [close] }").unwrap();
        assert!(check(std::slice::from_ref(&price)).is_ok());
        let reason = |other: FeatureSource| check(&[price.clone(), other]).unwrap_err().to_string();
        assert!(reason(price.clone()).contains("two feature sources are called `price`"));
        let same_columns = FeatureSource { name: "other".to_owned(), ..price.clone() };
        assert!(reason(same_columns).contains("a column `price.close`"));
        let keyless = FeatureSource { name: "other".to_owned(), on: Vec::new(), ..price.clone() };
        assert!(reason(keyless).contains("no key to join by"));
        let empty = FeatureSource { name: "other".to_owned(), columns: Some(Vec::new()), ..price.clone() };
        assert!(reason(empty).contains("empty list of columns"));
    }
}
