-- Where a result came from, for programs that copy it: sync leaves alone what this platform wrote.
ALTER TABLE predictions ADD COLUMN metadata TEXT NOT NULL DEFAULT '{"origin":"ml-app"}';
ALTER TABLE embeddings ADD COLUMN metadata TEXT NOT NULL DEFAULT '{"origin":"ml-app"}';
ALTER TABLE intermediate_results ADD COLUMN metadata TEXT NOT NULL DEFAULT '{"origin":"ml-app"}';
ALTER TABLE figures ADD COLUMN metadata TEXT NOT NULL DEFAULT '{"origin":"ml-app"}';
