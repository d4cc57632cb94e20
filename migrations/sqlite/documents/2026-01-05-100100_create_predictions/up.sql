-- What models said about records.
CREATE TABLE predictions (
    id TEXT NOT NULL PRIMARY KEY,
    model_name TEXT NOT NULL,
    model_version BIGINT NOT NULL,
    record_id TEXT NOT NULL,
    target TEXT NOT NULL,
    value TEXT NOT NULL,
    probability DOUBLE,
    details TEXT NOT NULL,
    event_time TIMESTAMP,
    predicted_at TIMESTAMP NOT NULL
);

CREATE INDEX predictions_by_model ON predictions (model_name, model_version, id);
CREATE INDEX predictions_by_record ON predictions (record_id, id);
