-- Requests, input and output beside tokens and money; periods that roll; what an administrator grants, blocks and says.
ALTER TABLE quota_scopes ADD COLUMN requests INTEGER CHECK (requests >= 0);
ALTER TABLE quota_scopes ADD COLUMN input INTEGER CHECK (input >= 0);
ALTER TABLE quota_scopes ADD COLUMN output INTEGER CHECK (output >= 0);

ALTER TABLE quota_accounts ADD COLUMN spent_requests INTEGER NOT NULL DEFAULT 0 CHECK (spent_requests >= 0);
ALTER TABLE quota_accounts ADD COLUMN spent_input INTEGER NOT NULL DEFAULT 0 CHECK (spent_input >= 0);
ALTER TABLE quota_accounts ADD COLUMN spent_output INTEGER NOT NULL DEFAULT 0 CHECK (spent_output >= 0);
ALTER TABLE quota_accounts ADD COLUMN held_requests INTEGER NOT NULL DEFAULT 0 CHECK (held_requests >= 0);
ALTER TABLE quota_accounts ADD COLUMN held_input INTEGER NOT NULL DEFAULT 0 CHECK (held_input >= 0);
ALTER TABLE quota_accounts ADD COLUMN held_output INTEGER NOT NULL DEFAULT 0 CHECK (held_output >= 0);
-- Granted on top of the quota, in this window.
ALTER TABLE quota_accounts ADD COLUMN extra_tokens INTEGER NOT NULL DEFAULT 0 CHECK (extra_tokens >= 0);
ALTER TABLE quota_accounts ADD COLUMN extra_nano_usd INTEGER NOT NULL DEFAULT 0 CHECK (extra_nano_usd >= 0);
ALTER TABLE quota_accounts ADD COLUMN extra_requests INTEGER NOT NULL DEFAULT 0 CHECK (extra_requests >= 0);
ALTER TABLE quota_accounts ADD COLUMN extra_input INTEGER NOT NULL DEFAULT 0 CHECK (extra_input >= 0);
ALTER TABLE quota_accounts ADD COLUMN extra_output INTEGER NOT NULL DEFAULT 0 CHECK (extra_output >= 0);
-- The slices of a rolling period count for longer than they last.
ALTER TABLE quota_accounts ADD COLUMN counted_until INTEGER NOT NULL DEFAULT 0;
UPDATE quota_accounts SET counted_until = ends_at;
DROP INDEX quota_accounts_by_end;
CREATE INDEX quota_accounts_by_end ON quota_accounts (counted_until);

ALTER TABLE quota_holds ADD COLUMN ask_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quota_holds ADD COLUMN ask_input INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quota_holds ADD COLUMN ask_output INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quota_holds ADD COLUMN actual_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quota_holds ADD COLUMN actual_input INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quota_holds ADD COLUMN actual_output INTEGER NOT NULL DEFAULT 0;

ALTER TABLE quota_leases ADD COLUMN requests INTEGER NOT NULL DEFAULT 0 CHECK (requests >= 0);
ALTER TABLE quota_leases ADD COLUMN input INTEGER NOT NULL DEFAULT 0 CHECK (input >= 0);
ALTER TABLE quota_leases ADD COLUMN output INTEGER NOT NULL DEFAULT 0 CHECK (output >= 0);

-- Scopes that an administrator has shut.
CREATE TABLE quota_blocks (
    scope TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Who changed what and why. Lines are never changed. A change of a quota has its limits, period and zone (all of them empty:
-- back to the defaults), other changes have an amount.
CREATE TABLE quota_audit (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    at           INTEGER NOT NULL,
    scope        TEXT NOT NULL,
    action       TEXT NOT NULL,
    tokens       INTEGER,
    nano_usd     INTEGER,
    requests     INTEGER,
    input        INTEGER,
    output       INTEGER,
    period       TEXT,
    zone         TEXT,
    who          TEXT NOT NULL,
    why          TEXT NOT NULL,
    starts_at    INTEGER NOT NULL,
    ends_at      INTEGER NOT NULL,
    was_tokens   INTEGER NOT NULL,
    was_nano_usd INTEGER NOT NULL,
    was_requests INTEGER NOT NULL,
    was_input    INTEGER NOT NULL,
    was_output   INTEGER NOT NULL
) STRICT;

CREATE INDEX quota_audit_by_scope ON quota_audit (scope, number);

-- Which alerts were raised of which window, so that each is raised once.
CREATE TABLE quota_alerts (
    scope     TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    measure   TEXT NOT NULL,
    mark      TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    PRIMARY KEY (scope, starts_at, measure, mark)
) STRICT, WITHOUT ROWID;

CREATE INDEX quota_alerts_by_time ON quota_alerts (raised_at);
