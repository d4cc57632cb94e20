//! The rule on the items of arrays.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::{Rule, Subject};
use crate::field::FieldList;
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::Items`]: how many there are, and what each must meet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Items {
    /// The fields to look at, which are arrays.
    pub fields: FieldList,
    /// The fewest that are accepted.
    #[serde(default)]
    pub min: Option<usize>,
    /// The most that are accepted.
    #[serde(default)]
    pub max: Option<usize>,
    /// Whether no two items may be the same.
    #[serde(default)]
    pub unique: bool,
    /// What each item must meet.
    #[serde(default)]
    pub each: Vec<ItemRule>,
}

/// A rule on an item: on the item itself where its arguments name no field, else on the fields of the item, which is an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ItemRule {
    /// On the item.
    Itself(Rule),
    /// On its fields.
    Fields(Rule),
}

impl<'de> Deserialize<'de> for ItemRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ItemRule, D::Error> {
        use serde::de::Error as _;
        let mut value = Value::deserialize(deserializer)?;
        // A rule of which only the name is written, such as `email`, or with arguments without fields, is on the item itself.
        if let Value::String(name) = &value {
            value = json!({ name: {} });
        }
        let arguments = value.as_object_mut().and_then(|rule| rule.values_mut().next()).and_then(Value::as_object_mut);
        if let Some(arguments) = arguments
            && !["fields", "field", "left", "of", "when"].iter().any(|key| arguments.contains_key(*key))
        {
            arguments.insert("fields".to_owned(), Value::from("item"));
            let rule: Rule = serde_json::from_value(value).map_err(D::Error::custom)?;
            if !rule.is_on_values() {
                return Err(D::Error::custom(format!("`{}` needs fields: it is not about one value", rule.name())));
            }
            return Ok(ItemRule::Itself(rule));
        }
        Ok(ItemRule::Fields(serde_json::from_value(value).map_err(D::Error::custom)?))
    }
}

impl ItemRule {
    fn rule(&self) -> &Rule {
        match self {
            ItemRule::Itself(rule) | ItemRule::Fields(rule) => rule,
        }
    }
}

impl Items {
    pub(super) fn fault(&self) -> Option<String> {
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            return Some(format!("no number of items is between {min} and {max}"));
        }
        if self.min.is_none() && self.max.is_none() && !self.unique && self.each.is_empty() {
            return Some("nothing is asked for: use min, max, unique or each".to_owned());
        }
        self.each.iter().find_map(|each| super::fault_of_inner(each.rule()))
    }

    pub(super) fn fault_of(&self, value: &Value, subject: Subject<'_>) -> Option<String> {
        let Value::Array(items) = value else { return Some(format!("{} is not an array", shown(value))) };
        let n_items = items.len();
        let noun = if n_items == 1 { "item" } else { "items" };
        if let Some(min) = self.min.filter(|min| n_items < *min) {
            return Some(format!("has {n_items} {noun}, at least {min} are needed"));
        }
        if let Some(max) = self.max.filter(|max| n_items > *max) {
            return Some(format!("has {n_items} {noun}, at most {max} are accepted"));
        }
        if self.unique
            && let Some((first, second)) = same(items)
        {
            return Some(format!("items {first} and {second} are both {}", shown(&items[first])));
        }
        let faults = |(index, item)| self.fault_of_item(item, subject).map(|fault| format!("item {index}: {fault}"));
        items.iter().enumerate().find_map(faults)
    }

    fn fault_of_item(&self, item: &Value, subject: Subject<'_>) -> Option<String> {
        self.each.iter().find_map(|each| match (each, item) {
            (ItemRule::Itself(rule), item) => rule.fault_of(item, subject),
            (ItemRule::Fields(rule), Value::Object(fields)) => {
                let mut reasons = Reasons::default();
                rule.check(Subject { fields, ..subject }, &mut reasons);
                let reason = reasons.into_vec().into_iter().next()?;
                Some(match reason.field {
                    Some(field) => format!("{field}: {}", reason.message),
                    None => reason.message,
                })
            }
            (ItemRule::Fields(_), item) => Some(format!("{} is not an object with fields", shown(item))),
        })
    }
}

/// Returns the places of two items that are the same, the first such pair.
fn same(items: &[Value]) -> Option<(usize, usize)> {
    // Hashing needs each item as text; short arrays, which most are, are compared as they are.
    if items.len() <= 16 {
        let places = 0..items.len();
        return places.into_iter().find_map(|second| {
            items[..second].iter().position(|item| *item == items[second]).map(|first| (first, second))
        });
    }
    let mut seen = std::collections::HashMap::with_capacity(items.len());
    items
        .iter()
        .enumerate()
        .find_map(|(second, item)| seen.insert(item.to_string(), second).map(|first| (first, second)))
}
