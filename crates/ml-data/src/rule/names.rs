//! The arguments of rules that need nothing but fields.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::field::FieldList;

/// Fields, written as a name, a list of names, or `{ fields: … }`, beside which severity and share can stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(FieldList);

impl Deref for Names {
    type Target = FieldList;

    fn deref(&self) -> &FieldList {
        &self.0
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Named {
            fields: FieldList,
        }
        let value = Value::deserialize(deserializer)?;
        let fields = if value.is_object() {
            Named::deserialize(value).map(|named| named.fields)
        } else {
            FieldList::deserialize(value)
        };
        fields.map(Names).map_err(serde::de::Error::custom)
    }
}
