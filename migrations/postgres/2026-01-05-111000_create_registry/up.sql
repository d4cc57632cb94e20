-- Named models and their immutable versions. `last_version` is the highest number ever given.
CREATE TABLE registered_models (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    description TEXT NOT NULL,
    last_version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE registered_model_tags (
    name TEXT COLLATE "C" NOT NULL REFERENCES registered_models (name) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name, key)
);

CREATE TABLE model_versions (
    name TEXT COLLATE "C" NOT NULL REFERENCES registered_models (name) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    stage TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    source TEXT COLLATE "C",
    user_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C",
    artifact JSON,
    reference_profile JSON,
    signature JSON NOT NULL,
    lineage JSON NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name, version)
);

CREATE INDEX model_versions_by_run ON model_versions (run_id);

CREATE TABLE model_version_tags (
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name, version, key),
    FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON DELETE CASCADE
);

CREATE TABLE model_aliases (
    name TEXT COLLATE "C" NOT NULL,
    alias TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (name, alias),
    FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON DELETE CASCADE
);

CREATE INDEX model_aliases_by_version ON model_aliases (name, version);

-- Every move of an alias; kept even when the model is deleted.
CREATE TABLE alias_moves (
    seq BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    alias TEXT COLLATE "C" NOT NULL,
    from_version BIGINT,
    to_version BIGINT,
    user_id TEXT COLLATE "C" NOT NULL,
    moved_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX alias_moves_by_model ON alias_moves (name, seq);
