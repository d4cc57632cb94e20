DROP TABLE quarantine_reasons;
DROP TABLE quarantine;
