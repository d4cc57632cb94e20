-- Former versions of validated rows, for reads as of an earlier instant: a version was current from `created_at` until
-- just before `superseded_at`. The columns beside the row as JSON are those that reads filter by.
CREATE TABLE superseded_rows (
    table_name TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    superseded_at TIMESTAMP NOT NULL,
    source_app TEXT NOT NULL,
    data_type TEXT,
    event_time TIMESTAMP NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (table_name, id, created_at)
);
