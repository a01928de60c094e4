-- Quotas that an administrator gave to a scope. All other scopes are under the defaults of the program.
CREATE TABLE quota_scopes (
    scope    TEXT NOT NULL PRIMARY KEY,
    tokens   INTEGER CHECK (tokens >= 0),
    nano_usd INTEGER CHECK (nano_usd >= 0),
    period   TEXT NOT NULL,
    zone     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a scope has spent and holds back in one window. Times are nanoseconds since 1970, in UTC.
-- Numbers are never used again (AUTOINCREMENT), because reservations refer to them. When a change of calendar puts one
-- window into another, the old row stays behind without a start and says where its sums went.
CREATE TABLE quota_accounts (
    account        INTEGER PRIMARY KEY AUTOINCREMENT,
    scope          TEXT NOT NULL,
    starts_at      INTEGER,
    ends_at        INTEGER NOT NULL,
    spent_tokens   INTEGER NOT NULL DEFAULT 0 CHECK (spent_tokens >= 0),
    spent_nano_usd INTEGER NOT NULL DEFAULT 0 CHECK (spent_nano_usd >= 0),
    held_tokens    INTEGER NOT NULL DEFAULT 0 CHECK (held_tokens >= 0),
    held_nano_usd  INTEGER NOT NULL DEFAULT 0 CHECK (held_nano_usd >= 0),
    changed_at     INTEGER NOT NULL,
    merged_into    INTEGER,
    UNIQUE (scope, starts_at),
    CHECK ((starts_at IS NULL) = (merged_into IS NOT NULL))
) STRICT;

CREATE INDEX quota_accounts_by_end ON quota_accounts (ends_at);

-- Reservations. Phase 0 holds, 1 is settled, 2 released, 3 expired; `since` is when it came into its phase.
-- `accounts` are the numbers of the accounts it is charged to, apart by spaces.
CREATE TABLE quota_holds (
    hold            INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    ask_tokens      INTEGER NOT NULL,
    ask_nano_usd    INTEGER NOT NULL,
    deadline        INTEGER NOT NULL,
    phase           INTEGER NOT NULL DEFAULT 0 CHECK (phase BETWEEN 0 AND 3),
    since           INTEGER NOT NULL,
    actual_tokens   INTEGER NOT NULL DEFAULT 0,
    actual_nano_usd INTEGER NOT NULL DEFAULT 0,
    late            INTEGER NOT NULL DEFAULT 0,
    accounts        TEXT NOT NULL
) STRICT;

CREATE INDEX quota_holds_by_deadline ON quota_holds (deadline) WHERE phase = 0;
CREATE INDEX quota_holds_by_end ON quota_holds (since) WHERE phase <> 0;
