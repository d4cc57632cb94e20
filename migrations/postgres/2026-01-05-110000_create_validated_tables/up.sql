-- All tables: texts that are keys or sorted by have the collation "C", which is the order of their bytes, whatever the locale of
-- the database. JSON is of type JSON and not JSONB, for it has to come back as it was written: JSONB changes how numbers are
-- spelt, 1e16 into 10000000000000000 for one, and refuses the character U+0000. An index on `features` is an index on
-- `(features::jsonb)` or on `(features ->> 'name')`.
--
-- Rows that passed their rules, in the version that is current. Former versions are in `superseded_rows`.
--
-- Indexes cost sync speed. Listings run by id, within a data type where a table holds several.
CREATE TABLE global_ml_data (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    source_app TEXT COLLATE "C" NOT NULL,
    data_type TEXT COLLATE "C" NOT NULL,
    processed_content TEXT,
    features JSON NOT NULL,
    event_time TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    raw_id TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    schema_version INTEGER NOT NULL
);

CREATE INDEX global_ml_data_by_type ON global_ml_data (data_type, id);

CREATE TABLE market_metrics (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    source_app TEXT COLLATE "C" NOT NULL,
    symbol TEXT COLLATE "C" NOT NULL,
    event_time TIMESTAMPTZ NOT NULL,
    open DOUBLE PRECISION,
    high DOUBLE PRECISION,
    low DOUBLE PRECISION,
    close DOUBLE PRECISION NOT NULL,
    volume DOUBLE PRECISION,
    created_at TIMESTAMPTZ NOT NULL,
    raw_id TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL
);

CREATE TABLE user_interactions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    source_app TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    item_id TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    value DOUBLE PRECISION,
    event_time TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    raw_id TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL
);
