-- Raw records as they were sent, one table per collection.
--
-- `seq` is the place in the order of changes: a record that is inserted or changed takes the next one, handed out by
-- `collection_heads`, so that what happened since a position is one range of the primary key. A number is never given
-- twice, even when the newest records are deleted.
--
-- Indexes cost ingest speed, so each table has the one that upserts and listings need. JSON is in columns of type TEXT: of any
-- other type SQLite would make numbers of values that look like one.
CREATE TABLE collection_heads (
    collection TEXT NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL
);

CREATE TABLE raw_records (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source_app TEXT NOT NULL,
    source TEXT,
    data_type TEXT NOT NULL,
    raw_content TEXT NOT NULL,
    metadata TEXT NOT NULL,
    scraped_at TIMESTAMP,
    ingested_at TIMESTAMP NOT NULL,
    content_hash TEXT NOT NULL
);

CREATE TABLE text_corpus (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source_app TEXT NOT NULL,
    source TEXT,
    data_type TEXT NOT NULL,
    raw_content TEXT NOT NULL,
    metadata TEXT NOT NULL,
    scraped_at TIMESTAMP,
    ingested_at TIMESTAMP NOT NULL,
    content_hash TEXT NOT NULL
);

CREATE TABLE market_data (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source_app TEXT NOT NULL,
    source TEXT,
    data_type TEXT NOT NULL,
    raw_content TEXT NOT NULL,
    metadata TEXT NOT NULL,
    scraped_at TIMESTAMP,
    ingested_at TIMESTAMP NOT NULL,
    content_hash TEXT NOT NULL
);

CREATE TABLE social_content (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source_app TEXT NOT NULL,
    source TEXT,
    data_type TEXT NOT NULL,
    raw_content TEXT NOT NULL,
    metadata TEXT NOT NULL,
    scraped_at TIMESTAMP,
    ingested_at TIMESTAMP NOT NULL,
    content_hash TEXT NOT NULL
);

INSERT INTO collection_heads (collection, last_seq)
VALUES ('raw_records', 0), ('text_corpus', 0), ('market_data', 0), ('social_content', 0);
