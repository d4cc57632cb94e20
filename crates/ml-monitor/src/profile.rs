//! Statistics of the rows that a model was fitted on, stored with its version: what drift is measured against.
//!
//! A profile is small whatever the number of rows, and the same rows always give the same bytes.

use std::collections::BTreeMap;

use ml_core::table::{Column, ColumnValues, Table};
use serde::{Deserialize, Serialize};

use crate::numbers::share;

mod categories;
mod numeric;
mod text;
mod times;

pub use categories::{CategoryCount, CategoryProfile};
pub use numeric::NumericProfile;
pub use text::TextProfile;
pub use times::TimeProfile;

pub(crate) use categories::most_frequent;
pub(crate) use numeric::bin_counts;
pub(crate) use text::text_lengths;

/// What the values of a column are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileKind {
    /// A quantity.
    Numeric,
    /// One of some values.
    Categorical,
    /// Free text.
    Text,
}

/// How to profile a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileOptions {
    /// How to take columns, by name; the others are taken as their values suggest.
    pub kinds: BTreeMap<String, ProfileKind>,
}

/// The stored bytes are not a profile.
#[derive(Debug, thiserror::Error)]
#[error("the stored reference profile cannot be read; was it made by a newer release?")]
pub struct ProfileError(#[source] serde_json::Error);

/// Statistics of the rows that a model was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceProfile {
    /// How many rows there were.
    pub n_rows: u64,
    /// The columns that the model reads, in their order.
    pub columns: Vec<ColumnProfile>,
    /// The true values of the target.
    pub target: Option<ColumnProfile>,
    /// What the model predicted for rows it was not fitted on.
    pub predictions: Option<ColumnProfile>,
}

/// What one column is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// The name of the column.
    pub name: String,
    /// Its values.
    pub values: ValueProfile,
}

/// What the values of a column are like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ValueProfile {
    /// Quantities.
    Numeric(NumericProfile),
    /// One of some values each.
    Categorical(CategoryProfile),
    /// Free text.
    Text(Box<TextProfile>),
    /// Instants.
    Time(TimeProfile),
}

/// The stored form; another form gets another tag, and this one stays readable.
#[derive(Serialize, Deserialize)]
#[serde(tag = "format")]
enum StoredProfile {
    #[serde(rename = "1")]
    V1(ReferenceProfile),
}

impl ReferenceProfile {
    /// Profiles the columns of `table`; no rows make a profile that nothing can be compared with.
    pub fn of(table: &Table, options: &ProfileOptions) -> ReferenceProfile {
        let columns = table.columns().iter().map(|column| ColumnProfile::of(column, options)).collect();
        ReferenceProfile { n_rows: table.n_rows() as u64, columns, target: None, predictions: None }
    }

    /// Adds the true values of the target.
    #[must_use]
    pub fn with_target(self, target: &Column, options: &ProfileOptions) -> ReferenceProfile {
        ReferenceProfile { target: Some(ColumnProfile::of(target, options)), ..self }
    }

    /// Adds what the model predicted, preferably for rows it was not fitted on.
    #[must_use]
    pub fn with_predictions(self, predictions: &Column, options: &ProfileOptions) -> ReferenceProfile {
        ReferenceProfile { predictions: Some(ColumnProfile::of(predictions, options)), ..self }
    }

    /// Returns the bytes to store with the model version; equal profiles give equal bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let stored = StoredProfile::V1(self.clone());
        serde_json::to_vec(&stored).expect("a profile has text keys and finite numbers only")
    }

    /// Reads what [`ReferenceProfile::to_json`] wrote, in this release or an earlier one.
    ///
    /// # Errors
    /// [`ProfileError`] for anything else.
    pub fn from_json(bytes: &[u8]) -> Result<ReferenceProfile, ProfileError> {
        let StoredProfile::V1(profile) = serde_json::from_slice(bytes).map_err(ProfileError)?;
        Ok(profile)
    }
}

impl ColumnProfile {
    /// Profiles one column.
    pub fn of(column: &Column, options: &ProfileOptions) -> ColumnProfile {
        let values = match (&column.values, options.kinds.get(&column.name)) {
            (ColumnValues::Time(times), _) => ValueProfile::Time(TimeProfile::of(times)),
            (_, Some(ProfileKind::Categorical)) | (ColumnValues::Boolean(_), None) => {
                ValueProfile::Categorical(CategoryProfile::of(&column.as_texts()))
            }
            (_, Some(ProfileKind::Text)) => ValueProfile::Text(Box::new(TextProfile::of(&column.as_texts()))),
            _ => match column.as_numbers() {
                Ok(numbers) => ValueProfile::Numeric(NumericProfile::of(&numbers)),
                Err(_) => ValueProfile::of_texts(column),
            },
        };
        ColumnProfile { name: column.name.clone(), values }
    }
}

impl ValueProfile {
    /// Returns the name used in messages, such as `numeric`.
    pub fn kind_name(&self) -> &'static str {
        match self {
            ValueProfile::Numeric(_) => "numeric",
            ValueProfile::Categorical(_) => "categorical",
            ValueProfile::Text(_) => "text",
            ValueProfile::Time(_) => "time",
        }
    }

    /// Returns the number of values that are missing, infinite ones among them, and of all values.
    pub fn n_missing_of(&self) -> (u64, u64) {
        match self {
            ValueProfile::Numeric(profile) => {
                (profile.summary.n_missing + profile.summary.n_infinite, profile.summary.n_values())
            }
            ValueProfile::Categorical(profile) => (profile.n_missing, profile.n_missing + profile.n_present()),
            ValueProfile::Text(profile) => (profile.n_missing, profile.n_missing + profile.n_present),
            ValueProfile::Time(profile) => (profile.n_missing, profile.n_missing + profile.n_present),
        }
    }

    /// Returns the share of values that are missing, in `0..=1`; 0 when there are none.
    pub fn missing_share(&self) -> f64 {
        let (n_missing, n_values) = self.n_missing_of();
        share(n_missing, n_values)
    }

    fn of_texts(column: &Column) -> ValueProfile {
        let texts = column.as_texts();
        if categories::look_like_categories(&texts) {
            ValueProfile::Categorical(CategoryProfile::of(&texts))
        } else {
            ValueProfile::Text(Box::new(TextProfile::of(&texts)))
        }
    }
}
