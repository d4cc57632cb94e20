DROP TABLE record_warnings;
