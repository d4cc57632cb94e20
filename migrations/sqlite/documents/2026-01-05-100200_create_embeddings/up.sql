-- Vectors made from records, as JSON arrays of numbers.
CREATE TABLE embeddings (
    id TEXT NOT NULL PRIMARY KEY,
    record_id TEXT NOT NULL,
    model TEXT NOT NULL,
    vector TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE INDEX embeddings_by_record ON embeddings (model, record_id);
