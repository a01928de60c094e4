-- One row for each traced request: what lists are filtered and sorted by, its summary and its steps. The type is json and
-- not jsonb, which cannot hold every text.
CREATE TABLE traces (
    id        uuid NOT NULL,
    span      bytea NOT NULL CHECK (length(span) = 8),
    started   bigint NOT NULL,
    org       text COLLATE "C",
    principal text COLLATE "C" NOT NULL,
    provider  text COLLATE "C",
    model     text COLLATE "C",
    status    text COLLATE "C" NOT NULL,
    summary   json NOT NULL,
    steps     json NOT NULL,
    PRIMARY KEY (id, span)
);

CREATE INDEX traces_by_time ON traces (started, id, span);
CREATE INDEX traces_by_org ON traces (org, started, id, span);
