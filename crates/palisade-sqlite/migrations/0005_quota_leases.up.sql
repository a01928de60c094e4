-- Processes that borrow slices of quota. `turn` is the number of the last exchange; from `until` on, if nothing was heard,
-- `charged` says that what is on lease was moved from what its accounts hold to what they have spent.
CREATE TABLE quota_lessees (
    lessee  BLOB NOT NULL PRIMARY KEY CHECK (length(lessee) = 16),
    turn    INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    charged INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX quota_lessees_by_time ON quota_lessees (until);

-- What is on lease; it is part of the account's held sum. Nothing is not kept.
CREATE TABLE quota_leases (
    lessee   BLOB NOT NULL,
    account  INTEGER NOT NULL,
    tokens   INTEGER NOT NULL CHECK (tokens >= 0),
    nano_usd INTEGER NOT NULL CHECK (nano_usd >= 0),
    PRIMARY KEY (lessee, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX quota_leases_by_account ON quota_leases (account);
