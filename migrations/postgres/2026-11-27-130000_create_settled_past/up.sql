-- The latest instant up to which the past is settled, in at most one row: no commit is stamped at or before it any more.
CREATE TABLE settled_past (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    as_of TIMESTAMPTZ NOT NULL
);
