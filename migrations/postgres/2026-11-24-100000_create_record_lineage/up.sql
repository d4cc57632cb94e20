-- What became of every raw record, and which version of it that was: what a comparison of both sides reads, and what keeps
-- an older version from overwriting a newer one.
--
-- `row_ids` is a JSON list of tables and ids, and null for a single row of `target_table` with the id `<collection>:<raw_id>`,
-- which most are.
CREATE TABLE record_lineage (
    collection TEXT COLLATE "C" NOT NULL,
    raw_id TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    target_table TEXT COLLATE "C",
    row_ids JSON,
    pipeline TEXT COLLATE "C" NOT NULL,
    synced_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (collection, raw_id)
);

ALTER TABLE sync_checkpoints ADD COLUMN n_deleted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sync_checkpoints ADD COLUMN reconciled_at TIMESTAMPTZ;

-- A record that is deleted or changed gives its values up. Those from before have no collection, and stay.
ALTER TABLE unique_keys ADD COLUMN collection TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX unique_keys_by_owner ON unique_keys (collection, raw_id);
