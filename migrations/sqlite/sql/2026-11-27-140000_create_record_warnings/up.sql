-- Rules that a record broke whose rows were written nevertheless: those of its last version, a row each.
CREATE TABLE record_warnings (
    collection TEXT NOT NULL,
    raw_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    rule TEXT NOT NULL,
    field TEXT,
    message TEXT NOT NULL,
    warned_at TIMESTAMP NOT NULL,
    PRIMARY KEY (collection, raw_id, place)
) WITHOUT ROWID;
CREATE INDEX record_warnings_by_reason ON record_warnings (rule, field, collection);
