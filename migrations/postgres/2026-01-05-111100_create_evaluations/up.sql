-- Figures about models and data.
CREATE TABLE model_performance (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    run_id TEXT COLLATE "C",
    model_name TEXT COLLATE "C",
    model_version BIGINT,
    dataset TEXT COLLATE "C" NOT NULL,
    split TEXT COLLATE "C" NOT NULL,
    n_samples BIGINT NOT NULL,
    metrics JSON NOT NULL,
    details JSON NOT NULL,
    evaluated_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX model_performance_by_model ON model_performance (model_name, evaluated_at);

CREATE TABLE validation_results (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    passed BOOLEAN NOT NULL,
    details JSON NOT NULL,
    validated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE drift_reports (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    model_name TEXT COLLATE "C" NOT NULL,
    model_version BIGINT NOT NULL,
    "window" TEXT COLLATE "C" NOT NULL,
    n_samples BIGINT NOT NULL,
    drifted BOOLEAN NOT NULL,
    details JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX drift_reports_by_model ON drift_reports (model_name, created_at);
