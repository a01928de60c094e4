-- API keys, as digests. A row is never deleted: an id once used stays used.
CREATE TABLE api_keys (
    id         BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 10),
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    org        TEXT NOT NULL,
    project    TEXT,
    user       TEXT,
    role       TEXT NOT NULL,
    label      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_by_org ON api_keys (org, id);
