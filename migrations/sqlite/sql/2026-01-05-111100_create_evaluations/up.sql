-- Figures about models and data.
CREATE TABLE model_performance (
    id TEXT NOT NULL PRIMARY KEY,
    run_id TEXT,
    model_name TEXT,
    model_version BIGINT,
    dataset TEXT NOT NULL,
    split TEXT NOT NULL,
    n_samples BIGINT NOT NULL,
    metrics TEXT NOT NULL,
    details TEXT NOT NULL,
    evaluated_at TIMESTAMP NOT NULL
);

CREATE INDEX model_performance_by_model ON model_performance (model_name, evaluated_at);

CREATE TABLE validation_results (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    passed BOOLEAN NOT NULL,
    details TEXT NOT NULL,
    validated_at TIMESTAMP NOT NULL
);

CREATE TABLE drift_reports (
    id TEXT NOT NULL PRIMARY KEY,
    model_name TEXT NOT NULL,
    model_version BIGINT NOT NULL,
    "window" TEXT NOT NULL,
    n_samples BIGINT NOT NULL,
    drifted BOOLEAN NOT NULL,
    details TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE INDEX drift_reports_by_model ON drift_reports (model_name, created_at);
