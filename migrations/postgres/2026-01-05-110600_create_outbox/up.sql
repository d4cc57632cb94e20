-- Publications that wait for the document store.
CREATE TABLE outbox (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    body JSON NOT NULL,
    body_hash TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    delivered_at TIMESTAMPTZ
);

-- What waits is little beside what was delivered.
CREATE INDEX outbox_pending ON outbox (created_at, id) WHERE delivered_at IS NULL;
