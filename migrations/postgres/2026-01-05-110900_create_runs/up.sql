-- Executions in an experiment, and what they logged.
CREATE TABLE runs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    experiment_id TEXT COLLATE "C" NOT NULL REFERENCES experiments (id),
    name TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    lifecycle_stage TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    artifact_uri TEXT COLLATE "C"
);

CREATE INDEX runs_by_start ON runs (started_at DESC, id);
CREATE INDEX runs_by_experiment ON runs (experiment_id, started_at DESC, id);

CREATE TABLE params (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
);

CREATE TABLE tags (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
);

-- A value that is NaN has `is_nan` set and 0 in `value`, as on the other engine, which has no NaN.
CREATE TABLE metrics (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    step BIGINT NOT NULL,
    is_nan BOOLEAN NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (run_id, key, timestamp, step, is_nan, value)
);

-- The point of each metric that a run shows, so that a listing does not read whole histories.
CREATE TABLE latest_metrics (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    step BIGINT NOT NULL,
    is_nan BOOLEAN NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (run_id, key)
);

CREATE TABLE run_inputs (
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    body JSON NOT NULL,
    PRIMARY KEY (run_id, name, digest)
);
