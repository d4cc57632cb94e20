ALTER TABLE figures DROP COLUMN metadata;
ALTER TABLE intermediate_results DROP COLUMN metadata;
ALTER TABLE embeddings DROP COLUMN metadata;
ALTER TABLE predictions DROP COLUMN metadata;
