-- What the steps of runs left for the next step.
CREATE TABLE intermediate_results (
    id TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE INDEX intermediate_results_by_run ON intermediate_results (run_id, step, id);
