DROP TABLE intermediate_results;
