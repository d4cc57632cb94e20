-- Rules that a record broke whose rows were written nevertheless: those of its last version, a row each.
CREATE TABLE record_warnings (
    collection TEXT COLLATE "C" NOT NULL,
    raw_id TEXT COLLATE "C" NOT NULL,
    place INTEGER NOT NULL,
    rule TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C",
    message TEXT NOT NULL,
    warned_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (collection, raw_id, place)
);
CREATE INDEX record_warnings_by_reason ON record_warnings (rule, field, collection);
