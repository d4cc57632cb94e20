-- Names whose model was deleted, with the highest number ever given under them: no number is given twice, for predictions
-- and figures of a deleted version keep it.
CREATE TABLE retired_models (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    last_version BIGINT NOT NULL
);
