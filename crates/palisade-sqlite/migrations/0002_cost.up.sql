-- The usage log: one row for each attempt at a model.
-- `org`, `project`, `user` and `api_key` are parts of the subject, as they stand in the text of its key.
-- `wide` holds the counts and the cost of the rare row whose numbers are beyond what the sums of SQL may add; its columns
-- then hold nothing.
CREATE TABLE cost_records (
    record                INTEGER PRIMARY KEY,
    id                    TEXT NOT NULL UNIQUE,
    at                    INTEGER NOT NULL,
    org                   TEXT,
    project               TEXT,
    user                  TEXT,
    api_key               TEXT,
    subject               TEXT NOT NULL,
    provider              TEXT NOT NULL,
    model                 TEXT NOT NULL,
    layer                 TEXT NOT NULL,
    status                TEXT NOT NULL,
    cost_pico_usd         INTEGER,
    input                 INTEGER NOT NULL DEFAULT 0,
    output                INTEGER NOT NULL DEFAULT 0,
    cache_read            INTEGER NOT NULL DEFAULT 0,
    cache_write_5m        INTEGER NOT NULL DEFAULT 0,
    cache_write_1h        INTEGER NOT NULL DEFAULT 0,
    reasoning             INTEGER NOT NULL DEFAULT 0,
    input_audio           INTEGER NOT NULL DEFAULT 0,
    output_audio          INTEGER NOT NULL DEFAULT 0,
    cache_read_audio      INTEGER NOT NULL DEFAULT 0,
    input_image           INTEGER NOT NULL DEFAULT 0,
    input_video           INTEGER NOT NULL DEFAULT 0,
    citation              INTEGER NOT NULL DEFAULT 0,
    web_search_requests   INTEGER NOT NULL DEFAULT 0,
    search_units          INTEGER NOT NULL DEFAULT 0,
    wide                  TEXT
) STRICT;

CREATE INDEX cost_records_by_time ON cost_records (at);
CREATE INDEX cost_records_by_org ON cost_records (org, at);
