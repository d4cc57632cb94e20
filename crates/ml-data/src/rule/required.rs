//! Rules that fields hold something.

use crate::field::{FieldList, Fields};
use crate::reason::Reasons;

pub(super) fn check(names: &FieldList, fields: &Fields, reasons: &mut Reasons) {
    for name in names {
        match name.get(fields) {
            None | Some(serde_json::Value::Null) => reasons.add(name, "required", "is missing".to_owned()),
            Some(_) if name.get_filled(fields).is_none() => reasons.add(name, "required", "is blank".to_owned()),
            Some(_) => {}
        }
    }
}

pub(super) fn check_any(names: &FieldList, fields: &Fields, reasons: &mut Reasons) {
    if names.first_filled(fields).is_none()
        && let Some(first) = names.iter().next()
    {
        reasons.add(first, "required_any", format!("none of {} holds anything", names.names()));
    }
}
