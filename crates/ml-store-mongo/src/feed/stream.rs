//! The server's stream of changes, kept open between two calls that follow one another.
//!
//! Batches are taken as the server sends them: a wait for the first event is not followed by a wait for more, and what the
//! reader did not ask for yet waits here.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use ml_core::document::{Change, ChangeFeed as _, ResumeToken};
use ml_core::error::{Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::record::Collection;
use mongodb::bson::{Document, RawDocument, RawDocumentBuf, Timestamp, doc};
use mongodb::error::Error as DriverError;
use mongodb::raw_batch_cursor::RawBatchCursor;
use tokio::sync::OnceCell;

use super::token::{self, Position};
use super::{OPERATION, change};
use crate::error::{self, code};
use crate::retention::Deletion;
use crate::store::MongoDocuments;

/// How many events the server sends at once.
const BATCH_SIZE: usize = 5_000;

/// How long the server waits for something to happen before it says that nothing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Patience {
    /// As good as not at all.
    Prompt,
    /// For a while.
    Short,
    /// So long that an idle reader costs nothing.
    Long,
}

impl Patience {
    /// Returns the longest wait that ends within the time left, more or less.
    pub(super) fn within(left: Duration) -> Patience {
        [Patience::Long, Patience::Short]
            .into_iter()
            .find(|patience| patience.wait() <= left)
            .unwrap_or(Patience::Prompt)
    }

    fn wait(self) -> Duration {
        Duration::from_millis(match self {
            Patience::Prompt => 10,
            Patience::Short => 100,
            Patience::Long => 1_000,
        })
    }
}

/// The streams that nobody reads from just now, each at the position where its reader stopped.
#[derive(Default)]
pub(crate) struct Streams {
    idle: Mutex<HashMap<(Collection, Patience), OpenStream>>,
    /// Whether the server keeps its changes.
    pub(super) keeps_changes: OnceCell<bool>,
}

impl Streams {
    fn take(&self, key: (Collection, Patience), position: &RawDocumentBuf) -> Option<OpenStream> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.remove(&key).filter(|stream| stream.position == *position)
    }

    fn put(&self, key: (Collection, Patience), stream: OpenStream) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).insert(key, stream);
    }
}

/// A cursor on the server, and what came from it and was not asked for yet.
struct OpenStream {
    cursor: RawBatchCursor,
    /// After the last event given out.
    position: RawDocumentBuf,
    events: VecDeque<RawDocumentBuf>,
    /// After the last event of the batch.
    after_batch: RawDocumentBuf,
    /// The first answer comes before the server has looked for anything.
    has_looked: bool,
}

/// Why a stream gives no more events.
enum Halt {
    /// The server no longer has what comes next.
    Expired(DriverError),
    /// The next event does not fit into an answer.
    TooLarge,
    /// The collection was dropped or renamed.
    Gone,
}

/// What came, and where it ends.
struct Events {
    events: Vec<RawDocumentBuf>,
    position: RawDocumentBuf,
}

/// What is asked of the server about each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// All that it has, with the document as it is now. Leaving anything out would cost some servers more than sending it.
    Whole,
    /// Nothing but the id.
    Ids,
}

impl MongoDocuments {
    /// Reads events after a position of the stream.
    pub(super) async fn streamed_after(
        &self,
        collection: Collection,
        position: RawDocumentBuf,
        limit: usize,
        patience: Patience,
    ) -> Result<(Vec<Change>, Position), StoreError> {
        if limit == 0 {
            return Ok((Vec::new(), Position::Streamed(position)));
        }
        let key = (collection, patience);
        let read = || async {
            let mut stream = match self.streams.take(key, &position) {
                Some(stream) => stream,
                None => match self.open(collection, &position, Content::Whole, patience).await? {
                    Ok(stream) => stream,
                    Err(halt) => return Ok(Err(halt)),
                },
            };
            let events = stream.read(limit).await?;
            if events.is_ok() {
                self.streams.put(key, stream);
            }
            Ok(events)
        };
        match self.run(OPERATION, read).await? {
            Ok(events) => self.changes_of(collection, events).await,
            Err(Halt::TooLarge) => self.step_over(collection, &position).await,
            Err(halt) => Err(expired(&position, halt)),
        }
    }

    /// Returns where the stream is now.
    pub(super) async fn stream_position(&self, collection: Collection) -> Result<RawDocumentBuf, StoreError> {
        let open = || async { self.watch(collection, doc! {}, Content::Ids, Patience::Prompt).await };
        let mut cursor = self.run(OPERATION, open).await?;
        let Some(answer) = cursor.next().await else {
            return Err(no_position());
        };
        let answer = answer.map_err(|err| error::store_error(OPERATION, &self.place, err))?;
        position_after(answer.as_raw_document()).ok_or_else(no_position)
    }

    /// Counts what comes after a position of the stream.
    pub(super) async fn count_streamed_after(
        &self,
        collection: Collection,
        position: &RawDocumentBuf,
    ) -> Result<u64, StoreError> {
        let count = async |content| {
            let count = || async {
                match self.open(collection, position, content, Patience::Prompt).await? {
                    Ok(mut stream) => stream.count().await,
                    Err(halt) => Ok(Err(halt)),
                }
            };
            self.run(OPERATION, count).await
        };
        let counted = match count(Content::Whole).await? {
            Err(Halt::TooLarge) => count(Content::Ids).await?,
            counted => counted,
        };
        let (n_changes, deletions) = counted.map_err(|halt| expired(position, halt))?;
        let n_retired = self.find_retired(collection, &deletions).await?.len() as u64;
        Ok(n_changes - n_retired)
    }

    async fn open(
        &self,
        collection: Collection,
        position: &RawDocumentBuf,
        content: Content,
        patience: Patience,
    ) -> mongodb::error::Result<Result<OpenStream, Halt>> {
        let start = doc! { "startAfter": Document::try_from(&**position)? };
        match self.watch(collection, start, content, patience).await {
            Ok(cursor) => Ok(Ok(OpenStream {
                cursor,
                position: position.clone(),
                events: VecDeque::new(),
                after_batch: position.clone(),
                has_looked: false,
            })),
            Err(err) => halt_of(err).map(Err),
        }
    }

    async fn watch(
        &self,
        collection: Collection,
        mut options: Document,
        content: Content,
        patience: Patience,
    ) -> mongodb::error::Result<RawBatchCursor> {
        if content == Content::Whole {
            options.insert("fullDocument", "updateLookup");
        }
        let mut pipeline = vec![doc! { "$changeStream": options }];
        if content == Content::Ids {
            pipeline.push(doc! { "$project": { "operationType": 1, "documentKey": 1, "clusterTime": 1 } });
        }
        let documents = self.raw(collection.name());
        let aggregate = documents.aggregate(pipeline).max_await_time(patience.wait());
        aggregate.batch_size(BATCH_SIZE as u32).batch().await
    }

    async fn changes_of(&self, collection: Collection, events: Events) -> Result<(Vec<Change>, Position), StoreError> {
        let retired = self.find_retired(collection, &deletions_of(&events.events)).await?;
        let mut changes = Vec::with_capacity(events.events.len());
        for event in &events.events {
            match Event::of(event) {
                Event::Upserted(Some(document)) => changes.push(change::upserted(document)),
                Event::Deleted(deletion) if !retired.contains(&deletion) => {
                    changes.extend(RecordId::parse(deletion.id).ok().map(Change::Deleted));
                }
                // A document that was deleted since it was updated: the deletion is among the events.
                Event::Upserted(None) | Event::Deleted(_) | Event::Other | Event::Gone => {}
            }
        }
        Ok((last_of_each(changes), Position::Streamed(events.position)))
    }

    /// Gets past an event that does not fit into an answer: without its document it does, and the document alone does too.
    async fn step_over(
        &self,
        collection: Collection,
        position: &RawDocumentBuf,
    ) -> Result<(Vec<Change>, Position), StoreError> {
        let read = || async {
            match self.open(collection, position, Content::Ids, Patience::Prompt).await? {
                Ok(mut stream) => stream.read(1).await,
                Err(halt) => Ok(Err(halt)),
            }
        };
        let events = self.run(OPERATION, read).await?.map_err(|halt| expired(position, halt))?;
        let large = events.events.first().and_then(|event| event.get_document("documentKey").ok()?.get("_id").ok()?);
        let ids: Vec<RecordId> = large.map(change::id_of).into_iter().collect();
        let changes = self.current(collection, &ids).await?;
        Ok((changes, Position::Streamed(events.position)))
    }
}

impl OpenStream {
    /// Returns up to `limit` events: those that are here, else those of the server's next answer.
    async fn read(&mut self, limit: usize) -> mongodb::error::Result<Result<Events, Halt>> {
        while self.events.is_empty() {
            let batch = match self.cursor.next().await {
                Some(Ok(batch)) => batch,
                Some(Err(err)) => return halt_of(err).map(Err),
                None => return Ok(Err(Halt::Gone)),
            };
            for event in batch.doc_slices()? {
                let event = event?.as_document().map(RawDocument::to_owned);
                self.events.extend(event);
            }
            self.after_batch = match (position_after(batch.as_raw_document()), self.events.back()) {
                (Some(position), _) => position,
                (None, Some(event)) => event.get_document("_id")?.to_owned(),
                (None, None) => self.position.clone(),
            };
            if self.events.is_empty() {
                self.position = self.after_batch.clone();
                if std::mem::replace(&mut self.has_looked, true) {
                    return Ok(Ok(Events { events: Vec::new(), position: self.position.clone() }));
                }
            }
        }
        self.has_looked = true;
        self.take(limit)
    }

    /// Counts events up to the last one, and lists the deletions among them.
    async fn count(&mut self) -> mongodb::error::Result<Result<(u64, Vec<Deletion>), Halt>> {
        let (mut n_changes, mut deletions) = (0, Vec::new());
        loop {
            let events = match self.read(usize::MAX).await? {
                Ok(events) if events.events.is_empty() => return Ok(Ok((n_changes, deletions))),
                Ok(events) => events.events,
                Err(halt) => return Ok(Err(halt)),
            };
            deletions.extend(deletions_of(&events));
            n_changes += events.iter().filter(|event| !matches!(Event::of(event), Event::Other)).count() as u64;
        }
    }

    fn take(&mut self, limit: usize) -> mongodb::error::Result<Result<Events, Halt>> {
        let n_events = limit.min(self.events.len());
        let gone = self.events.iter().take(n_events).position(|event| matches!(Event::of(event), Event::Gone));
        if gone == Some(0) {
            return Ok(Err(Halt::Gone));
        }
        let events: Vec<RawDocumentBuf> = self.events.drain(..gone.unwrap_or(n_events)).collect();
        self.position = match events.last() {
            Some(last) if !self.events.is_empty() => last.get_document("_id")?.to_owned(),
            _ => self.after_batch.clone(),
        };
        Ok(Ok(Events { events, position: self.position.clone() }))
    }
}

/// What an event tells.
enum Event<'a> {
    /// A document was written; it is absent when it is gone by now, or was not asked for.
    Upserted(Option<&'a RawDocument>),
    /// A document was deleted.
    Deleted(Deletion),
    /// The whole collection is not what it was.
    Gone,
    /// Nothing about documents.
    Other,
}

impl Event<'_> {
    fn of(event: &RawDocument) -> Event<'_> {
        match event.get_str("operationType") {
            Ok("insert" | "update" | "replace") => Event::Upserted(event.get_document("fullDocument").ok()),
            Ok("delete") => {
                let id = event.get_document("documentKey").ok().and_then(|key| key.get("_id").ok().flatten());
                let at = event.get_timestamp("clusterTime").unwrap_or(Timestamp { time: 0, increment: 0 });
                let deletion = id.map(|id| Deletion { id: change::id_of(id).to_string(), at });
                deletion.map_or(Event::Other, Event::Deleted)
            }
            Ok("drop" | "rename" | "dropDatabase" | "invalidate") => Event::Gone,
            _ => Event::Other,
        }
    }
}

fn deletions_of(events: &[RawDocumentBuf]) -> Vec<Deletion> {
    let deletions = events.iter().filter_map(|event| match Event::of(event) {
        Event::Deleted(deletion) => Some(deletion),
        _ => None,
    });
    deletions.collect()
}

/// Keeps the last change of each record and its last deletion, in order: the others tell nothing more. A record that comes back
/// may do so as it was long ago.
fn last_of_each(changes: Vec<Change>) -> Vec<Change> {
    let (mut seen, mut deleted) = (HashSet::with_capacity(changes.len()), HashSet::new());
    let mut kept = Vec::with_capacity(changes.len());
    for change in changes.iter().rev() {
        let is_last_deletion = matches!(change, Change::Deleted(_)) && deleted.insert(change.id());
        kept.push(seen.insert(change.id()) || is_last_deletion);
    }
    kept.reverse();
    changes.into_iter().zip(kept).filter_map(|(change, kept)| kept.then_some(change)).collect()
}

/// Returns the position that the server gives beside a batch.
fn position_after(answer: &RawDocument) -> Option<RawDocumentBuf> {
    answer.get_document("cursor").ok()?.get_document("postBatchResumeToken").ok().map(RawDocument::to_owned)
}

/// Tells a stream that has ended from one that failed.
fn halt_of(error: DriverError) -> mongodb::error::Result<Halt> {
    if error::code_of(&error) == Some(code::BSON_OBJECT_TOO_LARGE) {
        Ok(Halt::TooLarge)
    } else if error::is_expired(&error) {
        Ok(Halt::Expired(error))
    } else {
        Err(error)
    }
}

fn expired(position: &RawDocumentBuf, halt: Halt) -> StoreError {
    let token = token::write(&Position::Streamed(position.clone()));
    match halt {
        Halt::Expired(err) => error::expired(token.as_str(), err),
        Halt::Gone | Halt::TooLarge => StoreError::expired(Entity::Checkpoint, ResumeToken::as_str(&token)),
    }
}

fn no_position() -> StoreError {
    StoreError::Backend { operation: OPERATION, source: "the server gives no position in its stream of changes".into() }
}
