-- Copies of figures that are rows of SQL. `id` is the kind and the id of the row, with a slash between them.
CREATE TABLE figures (
    id TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL,
    recorded_at TIMESTAMP NOT NULL
);
