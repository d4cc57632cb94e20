-- Immutable snapshots of rows, numbered from 1 within their dataset.
CREATE TABLE dataset_versions (
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    spec JSON NOT NULL,
    as_of TIMESTAMPTZ NOT NULL,
    n_train BIGINT NOT NULL,
    n_validation BIGINT NOT NULL,
    n_test BIGINT NOT NULL,
    schema JSON NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    file_digest TEXT COLLATE "C" NOT NULL,
    file_size_bytes BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name, version)
);
