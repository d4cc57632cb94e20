-- Rows that passed their rules, in the version that is current. Former versions are in `superseded_rows`.
--
-- Indexes cost sync speed. Listings run by id, within a data type where a table holds several.
CREATE TABLE global_ml_data (
    id TEXT NOT NULL PRIMARY KEY,
    source_app TEXT NOT NULL,
    data_type TEXT NOT NULL,
    processed_content TEXT,
    features TEXT NOT NULL,
    event_time TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    raw_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    schema_version INTEGER NOT NULL
);

CREATE INDEX global_ml_data_by_type ON global_ml_data (data_type, id);

CREATE TABLE market_metrics (
    id TEXT NOT NULL PRIMARY KEY,
    source_app TEXT NOT NULL,
    symbol TEXT NOT NULL,
    event_time TIMESTAMP NOT NULL,
    open DOUBLE,
    high DOUBLE,
    low DOUBLE,
    close DOUBLE NOT NULL,
    volume DOUBLE,
    created_at TIMESTAMP NOT NULL,
    raw_id TEXT NOT NULL,
    content_hash TEXT NOT NULL
);

CREATE TABLE user_interactions (
    id TEXT NOT NULL PRIMARY KEY,
    source_app TEXT NOT NULL,
    user_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    action TEXT NOT NULL,
    value DOUBLE,
    event_time TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    raw_id TEXT NOT NULL,
    content_hash TEXT NOT NULL
);
