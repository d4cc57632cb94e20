//! Rules on which fields hold something, beyond `required`.

use super::Subject;
use crate::field::{FieldList, FieldPath};
use crate::reason::Reasons;
use crate::shown::shown;

/// None of the fields holds anything.
pub(super) fn check_absent(names: &FieldList, subject: Subject<'_>, reasons: &mut Reasons) {
    for name in names {
        if let Some(value) = name.get_filled(subject.fields) {
            reasons.add(name, "absent", format!("{} is there, and nothing may be", shown(value)));
        }
    }
}

/// At most one of the fields holds something.
pub(super) fn check_exclusive(names: &FieldList, subject: Subject<'_>, reasons: &mut Reasons) {
    let mut filled = names.iter().filter(|name| name.get_filled(subject.fields).is_some());
    if let (Some(first), Some(second)) = (filled.next(), filled.next()) {
        reasons.add(second, "exclusive", format!("holds something, and so does `{first}`; one alone may"));
    }
}

/// All of the fields hold something, or none does.
pub(super) fn check_together(names: &FieldList, subject: Subject<'_>, reasons: &mut Reasons) {
    let is_filled = |name: &&FieldPath| name.get_filled(subject.fields).is_some();
    let Some(filled) = names.iter().find(is_filled) else { return };
    for name in names.iter().filter(|name| !is_filled(name)) {
        reasons.add(name, "together", format!("holds nothing, and `{filled}` does; all or none may"));
    }
}
