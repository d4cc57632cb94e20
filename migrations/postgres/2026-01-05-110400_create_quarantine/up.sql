-- Records that broke a rule, with every reason.
CREATE TABLE quarantine (
    collection TEXT COLLATE "C" NOT NULL,
    raw_id TEXT COLLATE "C" NOT NULL,
    data_type TEXT COLLATE "C" NOT NULL,
    source_app TEXT COLLATE "C" NOT NULL,
    record JSON NOT NULL,
    reasons JSON NOT NULL,
    first_seen_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (collection, raw_id)
);

CREATE INDEX quarantine_by_raw_id ON quarantine (raw_id);

-- The rules and fields of the reasons, once per record, to filter and count by. `place` only makes the key.
CREATE TABLE quarantine_reasons (
    collection TEXT COLLATE "C" NOT NULL,
    raw_id TEXT COLLATE "C" NOT NULL,
    place INTEGER NOT NULL,
    rule TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C",
    PRIMARY KEY (collection, raw_id, place),
    FOREIGN KEY (collection, raw_id) REFERENCES quarantine (collection, raw_id) ON DELETE CASCADE
);

CREATE INDEX quarantine_reasons_by_rule ON quarantine_reasons (rule, collection, raw_id);
