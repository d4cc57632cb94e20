-- Which record was the first to have a value that must be unique.
CREATE TABLE unique_keys (
    scope TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    raw_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (scope, key)
);
