-- Which record was the first to have a value that must be unique.
CREATE TABLE unique_keys (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    raw_id TEXT NOT NULL,
    PRIMARY KEY (scope, key)
);
