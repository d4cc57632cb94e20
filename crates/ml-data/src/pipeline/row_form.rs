//! The form that sync gives to records, for rows that are scored and go into no store.
//!
//! A model sees at scoring what it saw at training: the same steps, and the names of the columns of a dataset. Rules are not
//! asked, for no row may be passed over; a field that a step cannot bring into form stays as it is, and a model that reads it
//! says so.

use serde_json::Value;

use ml_core::record::{DataType, SourceApp};

use super::Pipeline;
use crate::field::Fields;
use crate::normalise::Step;
use crate::reason::Reasons;
use crate::target::Target;

/// What is done to the fields of a row before it is scored.
#[derive(Debug, Clone, PartialEq)]
pub struct RowForm {
    steps: Vec<Step>,
    target: Target,
}

impl Pipeline {
    /// Returns the form of the rows of `data_type`: of those from `source_app`, where one is given. `None` where no pipeline is
    /// declared for the data type.
    pub fn row_form(&self, data_type: &DataType, source_app: Option<&SourceApp>) -> Option<RowForm> {
        let type_plan = self.plans.get(data_type)?;
        let plan = source_app.and_then(|source_app| type_plan.apps.get(source_app)).unwrap_or(&type_plan.plan);
        Some(RowForm { steps: plan.steps.clone(), target: plan.target.clone() })
    }

    /// Returns the applications whose records of `data_type` have another form than the rest, sorted.
    pub fn apps_with_own_form(&self, data_type: &DataType) -> Vec<&SourceApp> {
        let Some(type_plan) = self.plans.get(data_type) else { return Vec::new() };
        let common = &type_plan.plan;
        let differs =
            type_plan.apps.iter().filter(|(_, plan)| plan.steps != common.steps || plan.target != common.target);
        differs.map(|(source_app, _)| source_app).collect()
    }
}

impl RowForm {
    /// Brings `fields` into the form of a dataset: normalised, flat, and named as its columns.
    pub fn apply(&self, mut fields: Fields) -> Fields {
        let mut unfit = Reasons::default();
        for step in &self.steps {
            step.apply(&mut fields, &mut unfit);
        }
        for (column, names) in self.target.columns() {
            let found = names.first_filled(&fields).map(|(name, _)| name.clone());
            if let Some(name) = found.filter(|name| name.as_str() != column)
                && let Some(value) = name.remove(&mut fields)
            {
                fields.insert(column.to_owned(), value);
            }
        }
        if !fields.values().any(Value::is_object) {
            return fields;
        }
        let mut flat = Fields::new();
        for (name, value) in fields {
            flatten(name, value, &mut flat);
        }
        flat
    }
}

/// Puts the fields of objects under dotted names.
pub(crate) fn flatten(name: String, value: Value, flat: &mut Fields) {
    match value {
        Value::Object(fields) => {
            for (inner, value) in fields {
                flatten(format!("{name}.{inner}"), value, flat);
            }
        }
        value => drop(flat.insert(name, value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(data_type: &str, source_app: Option<&str>, row: Value, expected: Value) {
        let source_app = source_app.map(|name| SourceApp::parse(name).unwrap());
        let form = Pipeline::default().row_form(&DataType::parse(data_type).unwrap(), source_app.as_ref()).unwrap();
        let Value::Object(fields) = row else { panic!("{row} is not an object") };
        assert_eq!(Value::Object(form.apply(fields)), expected);
    }

    #[test]
    fn rows_get_the_form_of_a_dataset() {
        check(
            "text",
            None,
            json!({"body": "<p>Rates   rise</p>", "posted_at": "2024-01-02", "by": {"name": "x", "ids": [1]}}),
            json!({"text": "Rates rise", "event_time": "2024-01-02", "by.name": "x", "by.ids": [1]}),
        );
        check(
            "raw_market",
            None,
            json!({"ticker": " A ", "date": "2024-01-02", "close": "1.5"}),
            json!({"symbol": "A", "event_time": "2024-01-02", "close": 1.5}),
        );
    }

    #[test]
    fn rows_of_an_application_get_its_own_form() {
        let row = json!({"text": "x", "topic": " Sport "});
        check("text", Some("demo-news"), row.clone(), json!({"text": "x", "topic": "sport"}));
        check("text", Some("another"), row.clone(), row.clone());
        check("text", None, row.clone(), row);
        let apps = Pipeline::default();
        let apps = apps.apps_with_own_form(&DataType::parse("text").unwrap());
        assert_eq!(apps, [&SourceApp::parse("demo-news").unwrap()]);
    }

    #[test]
    fn what_a_step_cannot_read_stays() {
        let row = json!({"symbol": "A", "close": "much"});
        check("raw_market", None, row.clone(), row);
    }
}
