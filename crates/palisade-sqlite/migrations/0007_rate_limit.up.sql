-- What is remembered about one key of one limit. `name` is the limit's name, the letter of its algorithm and the key, with
-- spaces between; `state` is the counter as the room's model knows it. From `keep_until` on a row says no more than none
-- would; until `holds_until` there may be holds that give something back to it.
CREATE TABLE limit_counters (
    name        TEXT NOT NULL PRIMARY KEY,
    state       BLOB NOT NULL,
    keep_until  INTEGER NOT NULL,
    holds_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX limit_counters_by_end ON limit_counters (keep_until);

-- Reservations, until they expire: `taken` says what each has taken of which counters.
CREATE TABLE limit_holds (
    id      BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    until   INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    taken   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX limit_holds_by_end ON limit_holds (until);
