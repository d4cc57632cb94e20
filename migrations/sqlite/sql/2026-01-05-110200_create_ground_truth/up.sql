-- What turned out to be true for a record, by record and target.
CREATE TABLE ground_truth (
    record_id TEXT NOT NULL,
    target TEXT NOT NULL,
    value TEXT NOT NULL,
    observed_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    raw_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    PRIMARY KEY (record_id, target)
);
