DROP TABLE drift_reports;
DROP TABLE validation_results;
DROP TABLE model_performance;
