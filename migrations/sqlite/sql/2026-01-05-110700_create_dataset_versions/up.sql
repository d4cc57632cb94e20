-- Immutable snapshots of rows, numbered from 1 within their dataset.
CREATE TABLE dataset_versions (
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    spec TEXT NOT NULL,
    as_of TIMESTAMP NOT NULL,
    n_train BIGINT NOT NULL,
    n_validation BIGINT NOT NULL,
    n_test BIGINT NOT NULL,
    schema TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    file_digest TEXT NOT NULL,
    file_size_bytes BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (name, version)
);
