//! Commands that write, spelled out: the driver's own bulk calls hide what the server says of each.

use ml_core::error::StoreError;
use mongodb::bson::{RawArrayBuf, RawDocumentBuf, rawdoc};
use mongodb::error::{ErrorKind, WriteError, WriteFailure};
use mongodb::options::Acknowledgment;

use crate::store::MongoDocuments;

/// How many deletions go into one command.
const DELETIONS_AT_ONCE: usize = 1000;

impl MongoDocuments {
    /// Deletes the documents with these ids, in the order given, and returns how many there were.
    pub(crate) async fn delete_by_ids(
        &self,
        operation: &'static str,
        collection: &str,
        ids: &[&str],
    ) -> Result<u64, StoreError> {
        let mut n_deleted = 0;
        for ids in ids.chunks(DELETIONS_AT_ONCE) {
            // A statement for each, and not one for all, so that the deletions happen in the order given.
            let deletions: Vec<RawDocumentBuf> =
                ids.iter().map(|id| rawdoc! { "q": { "_id": *id }, "limit": 1 }).collect();
            let command = self.write_command("delete", collection, "deletes", true, deletions);
            n_deleted += self.run(operation, || self.run_write(&command)).await?;
        }
        Ok(n_deleted)
    }

    /// Makes a command that writes; the driver adds no write concern to commands.
    pub(crate) fn write_command(
        &self,
        verb: &str,
        collection: &str,
        list: &str,
        ordered: bool,
        statements: Vec<RawDocumentBuf>,
    ) -> RawDocumentBuf {
        let mut array = RawArrayBuf::new();
        for statement in statements {
            array.push(statement);
        }
        let members = match self.write_concern.w {
            Some(Acknowledgment::Nodes(number)) => rawdoc! { "w": i64::from(number) },
            _ => rawdoc! { "w": "majority" },
        };
        let mut write_concern = members;
        write_concern.append(mongodb::bson::raw::cstr!("j"), self.write_concern.journal.unwrap_or(true));
        let mut command = RawDocumentBuf::new();
        command.append(c_str(verb), collection);
        command.append(mongodb::bson::raw::cstr!("ordered"), ordered);
        command.append(mongodb::bson::raw::cstr!("writeConcern"), write_concern);
        command.append(c_str(list), array);
        command
    }

    /// Runs a command that writes and returns how many documents it found; a refused statement is an error.
    pub(crate) async fn run_write(&self, command: &RawDocumentBuf) -> mongodb::error::Result<u64> {
        let answer = self.database.run_raw_command(command.clone()).await?;
        if let Some(refused) = answer.get_array("writeErrors").ok().and_then(|errors| errors.iter().next()) {
            let refused: WriteError = mongodb::bson::deserialize_from_bson(refused.clone())?;
            return Err(ErrorKind::Write(WriteFailure::WriteError(refused)).into());
        }
        if let Some(unconfirmed) = answer.get("writeConcernError") {
            let unconfirmed = mongodb::bson::deserialize_from_bson(unconfirmed.clone())?;
            return Err(ErrorKind::Write(WriteFailure::WriteConcernError(unconfirmed)).into());
        }
        let n_found = answer.get("n").and_then(|n| n.as_i64().or_else(|| n.as_i32().map(i64::from)));
        Ok(n_found.unwrap_or_default() as u64)
    }
}

fn c_str(text: &str) -> &mongodb::bson::raw::CStr {
    text.try_into().expect("the words of commands have no NUL")
}
