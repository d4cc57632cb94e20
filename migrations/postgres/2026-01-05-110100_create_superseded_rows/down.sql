DROP TABLE superseded_rows;
