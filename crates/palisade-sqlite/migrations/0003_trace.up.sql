-- One row for each traced request: what lists are filtered and sorted by, and its summary as JSON.
CREATE TABLE traces (
    trace     INTEGER PRIMARY KEY,
    id        BLOB NOT NULL CHECK (length(id) = 16),
    span      BLOB NOT NULL CHECK (length(span) = 8),
    started   INTEGER NOT NULL,
    org       TEXT,
    principal TEXT NOT NULL,
    provider  TEXT,
    model     TEXT,
    status    TEXT NOT NULL,
    summary   TEXT NOT NULL,
    UNIQUE (id, span)
) STRICT;

CREATE INDEX traces_by_time ON traces (started, id, span);
CREATE INDEX traces_by_org ON traces (org, started, id, span);

-- The steps, as JSON. Apart, so that lists do not read over them.
CREATE TABLE trace_steps (
    trace INTEGER PRIMARY KEY,
    steps TEXT NOT NULL
) STRICT;
