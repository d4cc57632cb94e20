//! Documents of every sort that a sync meets: sound, faulty, unreadable, published by the program itself.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// The collections that are written to, each with a table of its own.
pub(super) const COLLECTIONS: [&str; 3] = ["text_corpus", "market_data", "raw_records"];

/// What becomes of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// It becomes a row.
    Sound,
    /// It breaks a rule, and waits in quarantine.
    Faulty,
    /// It is no record, and waits in quarantine as it is.
    Unreadable,
    /// It says that it came from SQL, and is left alone.
    Published,
}

/// A document as it is now.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) sort: Sort,
    /// What it says its content hash is; no two versions say the same.
    pub(super) content_hash: String,
    pub(super) document: Document,
}

/// Makes a version of the document `id`, which no other version is like; `time` is when it was ingested, in seconds.
pub(super) fn version(rng: &mut ChaCha8Rng, collection: &str, id: &Bson, sort: Sort, time: i64) -> Version {
    let [a, b, c, d] = rng.random::<[u64; 4]>();
    let content_hash = format!("{a:016x}{b:016x}{c:016x}{d:016x}");
    let content = match collection {
        "text_corpus" => text(rng, sort, &content_hash),
        "market_data" => bar(rng, sort),
        _ => interaction(rng, sort),
    };
    let data_type = match collection {
        "text_corpus" => "text",
        "market_data" => "raw_market",
        _ => "user_interactions",
    };
    let mut document = doc! {
        "_id": id.clone(), "source_app": "chaos", "data_type": data_type, "raw_content": content, "metadata": {},
        "ingested_at": time_of(time), "content_hash": &content_hash,
    };
    match sort {
        Sort::Sound | Sort::Faulty => {}
        Sort::Unreadable => spoil(rng, &mut document),
        Sort::Published => {
            document.insert("metadata", doc! { "origin": "ml-app" });
        }
    }
    Version { sort, content_hash, document }
}

/// Makes a text that may be there once, and is not.
pub(super) fn repeated_text(rng: &mut ChaCha8Rng, id: &str, text: &str, time: i64) -> Version {
    let mut version = version(rng, "text_corpus", &Bson::from(id), Sort::Sound, time);
    version.document.insert("source_app", "chaos-once");
    version.document.insert("raw_content", doc! { "text": text });
    version
}

fn time_of(seconds: i64) -> DateTime {
    DateTime::from_millis(1_893_456_000_000 + seconds * 1000)
}

fn text(rng: &mut ChaCha8Rng, sort: Sort, content_hash: &str) -> Document {
    if sort == Sort::Faulty {
        return if rng.random() {
            doc! { "text": "" }
        } else {
            doc! { "body_of_it": content_hash }
        };
    }
    let mut content = doc! { "text": format!("<p>note {content_hash}</p>"), "published_at": "2026-01-05T10:00:00Z" };
    if rng.random_ratio(1, 4) {
        content.extend(exotic_fields(rng));
    }
    content
}

/// Values that JSON has no form for, and names that BSON takes and paths do not.
fn exotic_fields(rng: &mut ChaCha8Rng) -> Document {
    doc! {
        "double": f64::NAN,
        "binary": Binary { subtype: BinarySubtype::Generic, bytes: vec![rng.random(), 0, 255] },
        "object_id": ObjectId::from_bytes(rng.random()),
        "at": time_of(rng.random_range(0..1_000_000)),
        "nested": { "list": [1, { "deep": ["ü", Bson::Null] }], "": "no name" },
        "\u{1f980} a.b": rng.random::<i64>(),
    }
}

fn bar(rng: &mut ChaCha8Rng, sort: Sort) -> Document {
    let close = f64::from(rng.random_range(1..1_000_000)) / 8.0;
    let low = if sort == Sort::Faulty { close + 2.0 } else { close };
    doc! {
        "symbol": "ABC", "event_time": "2026-01-05T10:00:00Z", "open": close, "high": close + 1.0, "low": low,
        "close": close, "volume": rng.random_range(0..1_000_000),
    }
}

fn interaction(rng: &mut ChaCha8Rng, sort: Sort) -> Document {
    let mut content =
        doc! { "user_id": format!("u{}", rng.random::<u16>()), "item_id": "i1", "value": rng.random::<u32>() };
    if sort == Sort::Faulty {
        content.remove("item_id");
    }
    content
}

fn spoil(rng: &mut ChaCha8Rng, document: &mut Document) {
    match rng.random_range(0..4) {
        0 => {
            document.remove("content_hash");
        }
        1 => {
            document.insert("ingested_at", "yesterday");
        }
        2 => {
            document.insert("metadata", 7);
        }
        _ => {
            document.remove("data_type");
        }
    }
}
