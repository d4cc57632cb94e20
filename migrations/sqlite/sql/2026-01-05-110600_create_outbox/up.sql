-- Publications that wait for the document store.
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    delivered_at TIMESTAMP
);

-- What waits is little beside what was delivered.
CREATE INDEX outbox_pending ON outbox (created_at, id) WHERE delivered_at IS NULL;
