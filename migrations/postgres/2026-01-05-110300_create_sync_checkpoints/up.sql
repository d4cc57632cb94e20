-- How far the sync of each collection got, and what it did so far.
CREATE TABLE sync_checkpoints (
    collection TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    token TEXT COLLATE "C" NOT NULL,
    n_read BIGINT NOT NULL,
    n_written BIGINT NOT NULL,
    n_unchanged BIGINT NOT NULL,
    n_quarantined BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
