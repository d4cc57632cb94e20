-- Records that broke a rule, with every reason.
CREATE TABLE quarantine (
    collection TEXT NOT NULL,
    raw_id TEXT NOT NULL,
    data_type TEXT NOT NULL,
    source_app TEXT NOT NULL,
    record TEXT NOT NULL,
    reasons TEXT NOT NULL,
    first_seen_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (collection, raw_id)
);

CREATE INDEX quarantine_by_raw_id ON quarantine (raw_id);

-- The rules and fields of the reasons, once per record, to filter and count by. `place` only makes the key.
CREATE TABLE quarantine_reasons (
    collection TEXT NOT NULL,
    raw_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    rule TEXT NOT NULL,
    field TEXT,
    PRIMARY KEY (collection, raw_id, place),
    FOREIGN KEY (collection, raw_id) REFERENCES quarantine (collection, raw_id) ON DELETE CASCADE
);

CREATE INDEX quarantine_reasons_by_rule ON quarantine_reasons (rule, collection, raw_id);
