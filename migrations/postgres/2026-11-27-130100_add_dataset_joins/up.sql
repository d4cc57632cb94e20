-- What became of each feature source that was joined to the rows of a version, as a JSON list.
ALTER TABLE dataset_versions ADD COLUMN joins JSON NOT NULL DEFAULT '[]';
