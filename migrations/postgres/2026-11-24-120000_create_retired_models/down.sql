DROP TABLE retired_models;
