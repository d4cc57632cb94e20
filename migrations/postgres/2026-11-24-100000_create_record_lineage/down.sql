DROP INDEX unique_keys_by_owner;
ALTER TABLE unique_keys DROP COLUMN collection;
ALTER TABLE sync_checkpoints DROP COLUMN reconciled_at;
ALTER TABLE sync_checkpoints DROP COLUMN n_deleted;
DROP TABLE record_lineage;
