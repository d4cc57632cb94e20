DROP TABLE experiment_tags;
DROP TABLE experiments;
