ALTER TABLE dataset_versions DROP COLUMN joins;
