//! What a pipeline file says about the use of its model.

use serde::{Deserialize, Serialize};

/// What people should know before they use the model; it is printed on the model card as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CardSpec {
    /// What the model is for, and for whom.
    pub intended_use: String,
    /// What it must not be used for.
    pub out_of_scope: String,
    /// Where it is known to fail.
    pub limitations: String,
    /// Who answers for it.
    pub owner: String,
    /// Under which licence it may be used.
    pub licence: String,
}

impl CardSpec {
    /// Returns whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == CardSpec::default()
    }
}
