-- Records that are gone, each at the place of its deletion in the order of changes.
CREATE TABLE deleted_records (
    collection TEXT NOT NULL,
    seq BIGINT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (collection, seq)
) WITHOUT ROWID;

CREATE UNIQUE INDEX deleted_records_by_id ON deleted_records (collection, id);
