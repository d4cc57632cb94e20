-- Executions in an experiment, and what they logged.
CREATE TABLE runs (
    id TEXT NOT NULL PRIMARY KEY,
    experiment_id TEXT NOT NULL REFERENCES experiments (id),
    name TEXT NOT NULL,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    lifecycle_stage TEXT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    artifact_uri TEXT
);

CREATE INDEX runs_by_start ON runs (started_at DESC, id);
CREATE INDEX runs_by_experiment ON runs (experiment_id, started_at DESC, id);

CREATE TABLE params (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
);

CREATE TABLE tags (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
);

-- SQLite has no NaN and would store null, so a value that is NaN has `is_nan` set and 0 in `value`.
CREATE TABLE metrics (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    timestamp TIMESTAMP NOT NULL,
    step BIGINT NOT NULL,
    is_nan BOOLEAN NOT NULL,
    value DOUBLE NOT NULL,
    PRIMARY KEY (run_id, key, timestamp, step, is_nan, value)
);

-- The point of each metric that a run shows, so that a listing does not read whole histories.
CREATE TABLE latest_metrics (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    timestamp TIMESTAMP NOT NULL,
    step BIGINT NOT NULL,
    is_nan BOOLEAN NOT NULL,
    value DOUBLE NOT NULL,
    PRIMARY KEY (run_id, key)
);

CREATE TABLE run_inputs (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    place BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run_id, name, digest)
);
