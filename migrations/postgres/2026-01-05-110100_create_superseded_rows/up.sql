-- Former versions of validated rows, for reads as of an earlier instant: a version was current from `created_at` until
-- just before `superseded_at`. The columns beside the row as JSON are those that reads filter by.
CREATE TABLE superseded_rows (
    table_name TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    superseded_at TIMESTAMPTZ NOT NULL,
    source_app TEXT COLLATE "C" NOT NULL,
    data_type TEXT COLLATE "C",
    event_time TIMESTAMPTZ NOT NULL,
    body JSON NOT NULL,
    PRIMARY KEY (table_name, id, created_at)
);
