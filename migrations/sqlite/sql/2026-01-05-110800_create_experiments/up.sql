-- Named lines of work. Ids are numbers in text; `number` is the same as a number, for order and for the next one.
CREATE TABLE experiments (
    id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    artifact_location TEXT,
    lifecycle_stage TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE experiment_tags (
    experiment_id TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (experiment_id, key)
);

INSERT INTO experiments (id, number, name, lifecycle_stage, created_at, updated_at)
VALUES ('0', 0, 'Default', 'active', '1970-01-01 00:00:00.000000', '1970-01-01 00:00:00.000000');
