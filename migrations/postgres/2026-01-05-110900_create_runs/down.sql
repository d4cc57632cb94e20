DROP TABLE run_inputs;
DROP TABLE latest_metrics;
DROP TABLE metrics;
DROP TABLE tags;
DROP TABLE params;
DROP TABLE runs;
