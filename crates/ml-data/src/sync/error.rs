//! What can go wrong in a sync.

use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::record::Collection;

/// A sync or a replay that did not come to its end. What was committed before stays.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Someone else moved the checkpoint after it was read.
    #[error("another sync of {collection} is running: wait for it to end, or stop it, and run this one again")]
    AnotherSync {
        /// The collection that both follow.
        collection: Collection,
        /// The store's own error.
        #[source]
        source: StoreError,
    },
    /// A store failed.
    #[error("the sync of {collection} stopped")]
    Store {
        /// The collection at hand.
        collection: Collection,
        /// The store's own error.
        #[source]
        source: StoreError,
    },
    /// The position has expired and the documents are all gone, which would delete every row.
    #[error(
        "{collection} has no documents, and SQL has rows that were made from them: check that the right document store is \
         configured; if they are meant to be gone, `ml-app sync --reconcile` deletes the rows too"
    )]
    Emptied {
        /// The empty collection.
        collection: Collection,
    },
    /// A record breaks a rule that lets nothing of its batch pass.
    #[error(
        "record `{raw_id}` of {collection} breaks the blocking rule `{rule}` ({place}): {message}; nothing of its batch was written: \
         mend or delete the record, or give the rule the severity `quarantine` or `warn`, and run `ml-app sync` again"
    )]
    Blocked {
        /// The collection the record is in.
        collection: Collection,
        /// The record.
        raw_id: RecordId,
        /// Where the rule stands in pipeline.yaml.
        place: String,
        /// The kind of rule.
        rule: String,
        /// What is wrong.
        message: String,
    },
    /// A rule looks values up in a table or column that is not there.
    #[error(
        "the rule `exists_in` ({place}) has nothing to look into: make the table, or name another one and its column in \
         pipeline.yaml"
    )]
    Reference {
        /// Where the rule stands in pipeline.yaml.
        place: String,
        /// What is not there.
        #[source]
        source: StoreError,
    },
    /// The quarantine could not be read.
    #[error("the quarantine cannot be read")]
    Quarantine(#[source] StoreError),
}

impl SyncError {
    pub(super) fn of_commit(collection: Collection, source: StoreError) -> SyncError {
        match source {
            StoreError::Conflict { .. } => SyncError::AnotherSync { collection, source },
            _ => SyncError::Store { collection, source },
        }
    }
}
