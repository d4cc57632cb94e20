DELETE FROM ground_truth AS former USING ground_truth AS later
WHERE former.record_id = later.record_id
    AND former.target = later.target
    AND (former.observed_at, former.created_at, former.raw_id) < (later.observed_at, later.created_at, later.raw_id);

ALTER TABLE ground_truth DROP CONSTRAINT ground_truth_pkey;
ALTER TABLE ground_truth ADD PRIMARY KEY (record_id, target);
