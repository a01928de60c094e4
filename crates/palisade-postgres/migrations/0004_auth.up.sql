-- API keys, as digests. A row is never deleted: an id once used stays used. `call` names the call that made it, so that one
-- which is made again after a lost answer knows its own.
CREATE TABLE api_keys (
    id         bytea PRIMARY KEY CHECK (length(id) = 10),
    digest     bytea NOT NULL CHECK (length(digest) = 32),
    org        text COLLATE "C" NOT NULL,
    project    text COLLATE "C",
    user_name  text COLLATE "C",
    role       text NOT NULL,
    label      text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint,
    call       uuid NOT NULL
);

CREATE INDEX api_keys_by_org ON api_keys (org, id);
