-- Named models and their immutable versions. `last_version` is the highest number ever given.
CREATE TABLE registered_models (
    name TEXT NOT NULL PRIMARY KEY,
    description TEXT NOT NULL,
    last_version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE registered_model_tags (
    name TEXT NOT NULL REFERENCES registered_models (name) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name, key)
);

CREATE TABLE model_versions (
    name TEXT NOT NULL REFERENCES registered_models (name) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    stage TEXT NOT NULL,
    description TEXT NOT NULL,
    source TEXT,
    user_id TEXT NOT NULL,
    run_id TEXT,
    artifact TEXT,
    reference_profile TEXT,
    signature TEXT NOT NULL,
    lineage TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (name, version)
);

CREATE INDEX model_versions_by_run ON model_versions (run_id);

CREATE TABLE model_version_tags (
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name, version, key),
    FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON DELETE CASCADE
);

CREATE TABLE model_aliases (
    name TEXT NOT NULL,
    alias TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (name, alias),
    FOREIGN KEY (name, version) REFERENCES model_versions (name, version) ON DELETE CASCADE
);

CREATE INDEX model_aliases_by_version ON model_aliases (name, version);

-- Every move of an alias; kept even when the model is deleted.
CREATE TABLE alias_moves (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    alias TEXT NOT NULL,
    from_version BIGINT,
    to_version BIGINT,
    user_id TEXT NOT NULL,
    moved_at TIMESTAMP NOT NULL
);

CREATE INDEX alias_moves_by_model ON alias_moves (name, seq);
