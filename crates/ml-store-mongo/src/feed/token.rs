//! Positions as text. Their parts are hexadecimal BSON, so that whatever the server or an id is made of fits in.

use ml_core::document::ResumeToken;
use ml_core::error::{Entity, StoreError};
use mongodb::bson::{Bson, Document, RawDocumentBuf};

use crate::codec::read::hexadecimal;

/// Marks our tokens, so that those of another store are told apart.
const PREFIX: &str = "mongodb:";

/// How far a reader is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Position {
    /// Still reading what was there when it began.
    Snapshot(Snapshot),
    /// After this position in the server's stream of changes.
    Streamed(RawDocumentBuf),
    /// After the record that was ingested last, on a server without a stream.
    Polled {
        /// Its time in milliseconds, and its id; absent at the beginning.
        after: Option<(i64, String)>,
    },
}

/// A place in the snapshot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Snapshot {
    /// Where the stream was before the snapshot began.
    pub(super) stream: RawDocumentBuf,
    /// The last id read; absent at the beginning.
    pub(super) after: Option<Bson>,
}

/// Returns the position as text.
pub(super) fn write(position: &Position) -> ResumeToken {
    let text = match position {
        Position::Streamed(stream) => format!("stream:{}", hexadecimal(stream.as_bytes())),
        Position::Snapshot(Snapshot { stream, after: None }) => format!("snapshot:{}:", hexadecimal(stream.as_bytes())),
        Position::Snapshot(Snapshot { stream, after: Some(id) }) => {
            format!("snapshot:{}:{}", hexadecimal(stream.as_bytes()), text_of(id))
        }
        Position::Polled { after: None } => "poll:".to_owned(),
        Position::Polled { after: Some((millis, id)) } => format!("poll:{millis}:{id}"),
    };
    ResumeToken::new(format!("{PREFIX}{text}"))
}

/// Returns an id as the cursor of a list.
pub(super) fn write_id(id: &Bson) -> ResumeToken {
    ResumeToken::new(format!("{PREFIX}id:{}", text_of(id)))
}

/// Reads the cursor of a list; what is none is corrupt.
pub(super) fn read_id(token: &ResumeToken) -> Result<Bson, StoreError> {
    let id = token.as_str().strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix("id:"));
    let id = id.and_then(document).and_then(|document| id_of(&document));
    id.ok_or_else(|| {
        StoreError::corrupt(Entity::Checkpoint, token.as_str(), "it is not the place of a document in a list")
    })
}

fn text_of(id: &Bson) -> String {
    let id = Document::from_iter([("_id".to_owned(), id.clone())]);
    let id = RawDocumentBuf::try_from(id).expect("a value that was read can be written");
    hexadecimal(id.as_bytes())
}

/// Reads a position; what is none, or one of another store, is corrupt.
pub(super) fn read(token: &ResumeToken) -> Result<Position, StoreError> {
    let position = token.as_str().strip_prefix(PREFIX).and_then(parse);
    position.ok_or_else(|| {
        let reason = "it is not a position of a document store on MongoDB";
        StoreError::corrupt(Entity::Checkpoint, token.as_str(), reason)
    })
}

fn parse(text: &str) -> Option<Position> {
    let (kind, rest) = text.split_once(':')?;
    Some(match kind {
        "stream" => Position::Streamed(document(rest)?),
        "snapshot" => {
            let (stream, id) = rest.split_once(':')?;
            let after = if id.is_empty() { None } else { Some(id_of(&document(id)?)?) };
            Position::Snapshot(Snapshot { stream: document(stream)?, after })
        }
        "poll" if rest.is_empty() => Position::Polled { after: None },
        "poll" => {
            let (millis, id) = rest.split_once(':')?;
            Position::Polled { after: Some((millis.parse().ok()?, id.to_owned())) }
        }
        _ => return None,
    })
}

/// Returns the id of a document as it is on the server.
pub(super) fn id_of(document: &RawDocumentBuf) -> Option<Bson> {
    document.get("_id").ok()??.try_into().ok()
}

fn document(hexadecimal: &str) -> Option<RawDocumentBuf> {
    if !hexadecimal.is_ascii() || !hexadecimal.len().is_multiple_of(2) {
        return None;
    }
    let byte = |at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).ok();
    let bytes: Option<Vec<u8>> = (0..hexadecimal.len()).step_by(2).map(byte).collect();
    let document = RawDocumentBuf::from_bytes(bytes?).ok()?;
    // The bytes were checked no further than their length.
    Document::try_from(&*document).is_ok().then_some(document)
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::rawdoc;

    use super::*;

    #[test]
    fn positions_come_back() {
        let stream = rawdoc! { "_data": "8265" };
        let snapshot = |after| Position::Snapshot(Snapshot { stream: stream.clone(), after });
        let positions = [
            snapshot(None),
            snapshot(Some(Bson::String("a:b\u{1f980}".to_owned()))),
            snapshot(Some(Bson::ObjectId(ObjectId::new()))),
            Position::Streamed(stream.clone()),
            Position::Polled { after: None },
            Position::Polled { after: Some((-5, "a:b".to_owned())) },
        ];
        for position in positions {
            assert_eq!(read(&write(&position)).unwrap(), position);
        }
    }

    #[test]
    fn ids_come_back() {
        for id in [Bson::from("a:b"), Bson::ObjectId(ObjectId::new()), Bson::Double(1.5), Bson::Null] {
            assert_eq!(read_id(&write_id(&id)).unwrap(), id);
        }
        for text in ["", "mongodb:", "mongodb:id:", "mongodb:id:zz", "mongodb:poll:"] {
            assert!(read_id(&ResumeToken::new(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in ["", "mongodb:", "mongodb:stream:", "mongodb:stream:zz", "mongodb:stream:050000000", "embedded:3"] {
            assert!(read(&ResumeToken::new(text)).is_err(), "{text}");
        }
    }
}
