-- Several raw records may tell a truth about the same record and target. Each keeps a row of its own, so that the others are
-- there when one of them is deleted; the one that was observed last, of those the one that was known last, is what counts.
ALTER TABLE ground_truth RENAME TO former_ground_truth;

CREATE TABLE ground_truth (
    record_id TEXT NOT NULL,
    target TEXT NOT NULL,
    value TEXT NOT NULL,
    observed_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    raw_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    PRIMARY KEY (record_id, target, raw_id)
);

INSERT INTO ground_truth SELECT * FROM former_ground_truth;
DROP TABLE former_ground_truth;
