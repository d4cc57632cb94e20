DROP TABLE dataset_versions;
