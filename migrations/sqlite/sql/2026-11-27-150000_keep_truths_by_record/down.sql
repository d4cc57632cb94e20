ALTER TABLE ground_truth RENAME TO later_ground_truth;

CREATE TABLE ground_truth (
    record_id TEXT NOT NULL,
    target TEXT NOT NULL,
    value TEXT NOT NULL,
    observed_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    raw_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    PRIMARY KEY (record_id, target)
);

INSERT OR REPLACE INTO ground_truth SELECT * FROM later_ground_truth ORDER BY observed_at, created_at, raw_id;
DROP TABLE later_ground_truth;
