-- Several raw records may tell a truth about the same record and target. Each keeps a row of its own, so that the others are
-- there when one of them is deleted; the one that was observed last, of those the one that was known last, is what counts.
ALTER TABLE ground_truth DROP CONSTRAINT ground_truth_pkey;
ALTER TABLE ground_truth ADD PRIMARY KEY (record_id, target, raw_id);
