-- Named lines of work. Ids are numbers in text; `number` is the same as a number, for order and for the next one.
CREATE TABLE experiments (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    artifact_location TEXT COLLATE "C",
    lifecycle_stage TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE experiment_tags (
    experiment_id TEXT COLLATE "C" NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (experiment_id, key)
);

INSERT INTO experiments (id, number, name, lifecycle_stage, created_at, updated_at)
VALUES ('0', 0, 'Default', 'active', '1970-01-01 00:00:00+00', '1970-01-01 00:00:00+00');
