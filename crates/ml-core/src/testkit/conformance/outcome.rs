//! Checks that a call failed, in the right way.

use std::fmt::Debug;

use crate::error::{Entity, StoreError};

/// Panics unless `result` says that there is no such `expected`.
#[track_caller]
pub(super) fn assert_not_found<T: Debug>(result: Result<T, StoreError>, expected: Entity) {
    let err = result.unwrap_err();
    assert!(matches!(err, StoreError::NotFound { entity, .. } if entity == expected), "{err:?}");
}

/// Panics unless `result` says that the key of an `expected` is taken.
#[track_caller]
pub(super) fn assert_already_exists<T: Debug>(result: Result<T, StoreError>, expected: Entity) {
    let err = result.unwrap_err();
    assert!(matches!(err, StoreError::AlreadyExists { entity, .. } if entity == expected), "{err:?}");
}

/// Panics unless `result` says that an `expected` is not as the caller thought.
#[track_caller]
pub(super) fn assert_conflict<T: Debug>(result: Result<T, StoreError>, expected: Entity) {
    let err = result.unwrap_err();
    assert!(matches!(err, StoreError::Conflict { entity, .. } if entity == expected), "{err:?}");
}

/// Panics unless `result` says that something stored, or said to be stored, cannot be read.
#[track_caller]
pub(super) fn assert_corrupt<T: Debug>(result: Result<T, StoreError>) {
    let err = result.unwrap_err();
    assert!(matches!(err, StoreError::Corrupt { .. }), "{err:?}");
}
