-- Quotas that an administrator gave to a scope. All other scopes are under the defaults of the program. A revision is
-- never used twice, so that a node knows by it whether it still knows the quota; 0 is a scope without one.
CREATE SEQUENCE quota_revisions;

CREATE TABLE quota_scopes (
    scope    text COLLATE "C" PRIMARY KEY,
    org      text COLLATE "C",
    tokens   bigint CHECK (tokens >= 0),
    nano_usd bigint CHECK (nano_usd >= 0),
    period   text NOT NULL,
    zone     text NOT NULL,
    revision bigint NOT NULL DEFAULT nextval('quota_revisions')
);

-- What a scope has spent and holds back in one window. Times are nanoseconds since 1970, in UTC.
-- When a change of calendar puts one window into another, the old row stays behind without a start and says where its sums
-- went; never in a chain. Room is left in the pages, so that an update stays in its own.
CREATE TABLE quota_accounts (
    account        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope          text COLLATE "C" NOT NULL,
    org            text COLLATE "C",
    starts_at      bigint,
    ends_at        bigint NOT NULL,
    spent_tokens   bigint NOT NULL DEFAULT 0 CHECK (spent_tokens >= 0),
    spent_nano_usd bigint NOT NULL DEFAULT 0 CHECK (spent_nano_usd >= 0),
    held_tokens    bigint NOT NULL DEFAULT 0 CHECK (held_tokens >= 0),
    held_nano_usd  bigint NOT NULL DEFAULT 0 CHECK (held_nano_usd >= 0),
    changed_at     bigint NOT NULL,
    merged_into    bigint,
    UNIQUE (scope, starts_at),
    CHECK ((starts_at IS NULL) = (merged_into IS NOT NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX quota_accounts_by_end ON quota_accounts (ends_at);
CREATE INDEX quota_accounts_merged ON quota_accounts (merged_into) WHERE merged_into IS NOT NULL;

-- Reservations. Phase 0 holds, 1 is settled, 2 released, 3 expired; `since` is when it came into its phase. `accounts`
-- are those it is charged to, in the order of their scopes.
CREATE TABLE quota_holds (
    id              uuid PRIMARY KEY,
    ask_tokens      bigint NOT NULL,
    ask_nano_usd    bigint NOT NULL,
    deadline        bigint NOT NULL,
    phase           smallint NOT NULL DEFAULT 0 CHECK (phase BETWEEN 0 AND 3),
    since           bigint NOT NULL,
    actual_tokens   bigint NOT NULL DEFAULT 0,
    actual_nano_usd bigint NOT NULL DEFAULT 0,
    late            boolean NOT NULL DEFAULT false,
    accounts        bigint[] NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX quota_holds_by_deadline ON quota_holds (deadline) WHERE phase = 0;
CREATE INDEX quota_holds_by_end ON quota_holds (since) WHERE phase <> 0;

-- Processes that borrow slices of quota. `turn` is the number of the last exchange; from `until` on, if nothing was heard,
-- `charged` says that what is on lease was moved from what its accounts hold to what they have spent.
CREATE TABLE quota_lessees (
    lessee  uuid PRIMARY KEY,
    turn    bigint NOT NULL,
    until   bigint NOT NULL,
    charged boolean NOT NULL DEFAULT false
);

CREATE INDEX quota_lessees_by_time ON quota_lessees (until);

-- What is on lease; it is part of the account's held sum. Nothing is not kept.
CREATE TABLE quota_leases (
    lessee   uuid NOT NULL,
    account  bigint NOT NULL,
    tokens   bigint NOT NULL CHECK (tokens >= 0),
    nano_usd bigint NOT NULL CHECK (nano_usd >= 0),
    PRIMARY KEY (lessee, account)
);

CREATE INDEX quota_leases_by_account ON quota_leases (account);

-- The organisation's part of a scope, as it stands in its text.
CREATE FUNCTION quota_org(scope text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(scope FROM '(?:^|/)(org=[^/]*)');

-- The time that decides: the server's, unless a test says otherwise.
CREATE FUNCTION palisade_now(set_by_test bigint) RETURNS bigint LANGUAGE sql VOLATILE
RETURN coalesce(set_by_test, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000);

-- Nobody changes the calendar of a scope while others book there. Shared by whoever books, not by whoever sets a quota.
CREATE FUNCTION quota_share(scopes text[]) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT pg_advisory_xact_lock_shared(1885432945, hashtext(scope)) FROM unnest(scopes) AS scope;
END;

-- Whether what a node believes of these scopes is what is: no quota changed, and the time is in all their windows.
CREATE FUNCTION quota_is_stale(
    now bigint, scopes text[], revisions bigint[], since bigint, until bigint
) RETURNS boolean LANGUAGE sql STABLE
RETURN now < since OR (now >= until AND until < 9223372036854775807) OR EXISTS (
    SELECT FROM unnest(scopes, revisions) AS believed (scope, revision)
    LEFT JOIN quota_scopes ON quota_scopes.scope = believed.scope
    WHERE coalesce(quota_scopes.revision, 0) <> believed.revision);

-- What a node needs to know anew.
CREATE FUNCTION quota_facts(
    INOUT scopes text[], OUT revisions bigint[], OUT tokens bigint[], OUT nano_usd bigint[],
    OUT periods text[], OUT zones text[]
) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT array_agg(believed.scope ORDER BY n), array_agg(coalesce(quota_scopes.revision, 0) ORDER BY n),
        array_agg(quota_scopes.tokens ORDER BY n), array_agg(quota_scopes.nano_usd ORDER BY n),
        array_agg(quota_scopes.period ORDER BY n), array_agg(quota_scopes.zone ORDER BY n)
    FROM unnest(scopes) WITH ORDINALITY AS believed (scope, n)
    LEFT JOIN quota_scopes ON quota_scopes.scope = believed.scope;
END;

-- What overdue reservations still take up in the held sums of these accounts. Whoever has locked an account sees every
-- reservation on it stand still.
CREATE FUNCTION quota_overdue(
    now bigint, wanted bigint[],
    OUT account bigint, OUT tokens numeric, OUT nano_usd numeric
) RETURNS SETOF record LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(quota_accounts.merged_into, quota_accounts.account),
        sum(quota_holds.ask_tokens), sum(quota_holds.ask_nano_usd)
    FROM quota_holds CROSS JOIN unnest(quota_holds.accounts) AS charged (account)
    JOIN quota_accounts ON quota_accounts.account = charged.account
    WHERE quota_holds.phase = 0 AND quota_holds.deadline <= quota_overdue.now
        AND coalesce(quota_accounts.merged_into, quota_accounts.account) = ANY (wanted)
    GROUP BY 1;
END;

-- Holds an amount back in several scopes at once.
--
-- `status` 0 is granted, 1 refused, 2 an id that is known, 3 that the node believes what is not so, 4 that an account must
-- be opened first. The sums are those before the hold, without what is overdue.
CREATE FUNCTION quota_reserve(
    set_now bigint, hold_id uuid, ask_tokens bigint, ask_nano_usd bigint, timeout bigint,
    scopes text[], revisions bigint[], starts bigint[], ends bigint[], since bigint, until bigint,
    limit_tokens bigint[], limit_nano_usd bigint[], may_open boolean,
    OUT status int, OUT now bigint,
    OUT spent_tokens bigint[], OUT spent_nano_usd bigint[],
    OUT held_tokens bigint[], OUT held_nano_usd bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    count int := cardinality(scopes);
    found_accounts int := 0;
    account_ids bigint[] := array_fill(NULL::bigint, ARRAY[count]);
    is_stale boolean;
    is_known boolean;
    any_overdue boolean;
    fits boolean := true;
    line record;
BEGIN
    PERFORM quota_share(scopes);
    IF may_open THEN
        INSERT INTO quota_accounts (scope, org, starts_at, ends_at, changed_at)
        SELECT wanted.scope, quota_org(wanted.scope), wanted.starts_at, wanted.ends_at, palisade_now(set_now)
        FROM unnest(scopes, starts, ends) AS wanted (scope, starts_at, ends_at)
        ORDER BY wanted.scope COLLATE "C"
        ON CONFLICT (scope, starts_at) DO NOTHING;
    END IF;
    spent_tokens := array_fill(0::bigint, ARRAY[count]);
    spent_nano_usd := spent_tokens;
    held_tokens := spent_tokens;
    held_nano_usd := spent_tokens;
    -- The order of the locks is that of the keys, everywhere.
    FOR line IN
        SELECT wanted.n, a.account, a.spent_tokens, a.spent_nano_usd, a.held_tokens, a.held_nano_usd
        FROM unnest(scopes, starts) WITH ORDINALITY AS wanted (scope, starts_at, n)
        JOIN quota_accounts a ON a.scope = wanted.scope AND a.starts_at = wanted.starts_at
        ORDER BY a.scope FOR UPDATE OF a
    LOOP
        found_accounts := found_accounts + 1;
        account_ids[line.n] := line.account;
        spent_tokens[line.n] := line.spent_tokens;
        spent_nano_usd[line.n] := line.spent_nano_usd;
        held_tokens[line.n] := line.held_tokens;
        held_nano_usd[line.n] := line.held_nano_usd;
    END LOOP;
    -- After the locks, so that decisions are made in the order of their times.
    now := palisade_now(set_now);
    SELECT quota_is_stale(quota_reserve.now, scopes, revisions, since, until),
        EXISTS (SELECT FROM quota_holds WHERE id = hold_id),
        EXISTS (SELECT FROM quota_holds WHERE phase = 0 AND deadline <= quota_reserve.now)
    INTO is_stale, is_known, any_overdue;
    IF is_stale THEN
        status := 3;
        RETURN;
    END IF;
    IF any_overdue AND found_accounts > 0 THEN
        FOR line IN
            SELECT array_position(account_ids, o.account) AS n, o.tokens, o.nano_usd
            FROM quota_overdue(quota_reserve.now, account_ids) o
        LOOP
            held_tokens[line.n] := held_tokens[line.n] - line.tokens;
            held_nano_usd[line.n] := held_nano_usd[line.n] - line.nano_usd;
        END LOOP;
    END IF;
    IF is_known THEN
        status := 2;
        RETURN;
    END IF;
    FOR n IN 1..count LOOP
        fits := fits
            AND ((ask_tokens = 0 AND ask_nano_usd > 0) OR (ask_tokens <= limit_tokens[n]
                AND spent_tokens[n] <= limit_tokens[n] - ask_tokens
                AND held_tokens[n] <= limit_tokens[n] - ask_tokens - spent_tokens[n]))
            AND ((ask_nano_usd = 0 AND ask_tokens > 0) OR (ask_nano_usd <= limit_nano_usd[n]
                AND spent_nano_usd[n] <= limit_nano_usd[n] - ask_nano_usd
                AND held_nano_usd[n] <= limit_nano_usd[n] - ask_nano_usd - spent_nano_usd[n]));
    END LOOP;
    IF NOT fits THEN
        status := 1;
        RETURN;
    END IF;
    IF found_accounts < count THEN
        status := 4;
        RETURN;
    END IF;
    IF any_overdue THEN
        PERFORM quota_expire_within(quota_reserve.now, account_ids);
    END IF;
    UPDATE quota_accounts a SET held_tokens = a.held_tokens + ask_tokens,
        held_nano_usd = a.held_nano_usd + ask_nano_usd
    WHERE a.account = ANY (account_ids);
    INSERT INTO quota_holds (id, ask_tokens, ask_nano_usd, deadline, since, accounts)
    VALUES (hold_id, quota_reserve.ask_tokens, quota_reserve.ask_nano_usd,
        CASE WHEN quota_reserve.now > 9223372036854775807 - timeout THEN 9223372036854775807
            ELSE quota_reserve.now + timeout END,
        quota_reserve.now, account_ids)
    ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the same reservation has just been made by another call' USING ERRCODE = '40001';
    END IF;
    status := 0;
END $$;

-- Notes reservations as expired whose accounts are all locked by the caller: a few, so that no call pays for all.
CREATE FUNCTION quota_expire_within(now bigint, locked bigint[]) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
    WITH gone AS (
        UPDATE quota_holds SET phase = 3, since = quota_expire_within.now
        WHERE id IN (
            SELECT id FROM quota_holds
            WHERE phase = 0 AND deadline <= quota_expire_within.now AND accounts <@ locked
            ORDER BY deadline LIMIT 64 FOR UPDATE SKIP LOCKED)
        RETURNING accounts, ask_tokens, ask_nano_usd
    ), sums AS (
        SELECT charged.account, sum(ask_tokens)::bigint AS tokens, sum(ask_nano_usd)::bigint AS nano_usd
        FROM gone CROSS JOIN unnest(gone.accounts) AS charged (account) GROUP BY 1
    )
    UPDATE quota_accounts SET held_tokens = held_tokens - sums.tokens,
        held_nano_usd = held_nano_usd - sums.nano_usd,
        changed_at = greatest(changed_at, quota_expire_within.now)
    FROM sums WHERE quota_accounts.account = sums.account;
END;

-- A reservation as it stands, with the places it is charged to.
CREATE FUNCTION quota_hold(
    hold_id uuid,
    OUT ask_tokens bigint, OUT ask_nano_usd bigint, OUT deadline bigint, OUT phase smallint,
    OUT actual_tokens bigint, OUT actual_nano_usd bigint, OUT late boolean,
    OUT scopes text[], OUT starts bigint[], OUT ends bigint[]
) RETURNS SETOF record LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT h.ask_tokens, h.ask_nano_usd, h.deadline, h.phase, h.actual_tokens, h.actual_nano_usd, h.late,
        array_agg(a.scope::text ORDER BY a.scope), array_agg(a.starts_at ORDER BY a.scope),
        array_agg(a.ends_at ORDER BY a.scope)
    FROM quota_holds h CROSS JOIN unnest(h.accounts) AS charged (account)
    JOIN quota_accounts old ON old.account = charged.account
    JOIN quota_accounts a ON a.account = coalesce(old.merged_into, old.account)
    WHERE h.id = hold_id GROUP BY h.id;
END;

-- Locks the accounts of a reservation, in the order of their keys, and says which they are now.
CREATE FUNCTION quota_lock(charged bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    found_accounts bigint[];
BEGIN
    LOOP
        SELECT array_agg(locked.account) INTO found_accounts FROM (
            SELECT coalesce(merged_into, account) AS account FROM quota_accounts
            WHERE account = ANY (charged) ORDER BY scope, account FOR UPDATE
        ) locked;
        -- One that is forgotten is left out: it ended longer ago than is remembered.
        IF found_accounts IS NULL OR found_accounts <@ charged THEN
            RETURN coalesce(found_accounts, '{}');
        END IF;
        charged := found_accounts;
    END LOOP;
END $$;

-- Settles or releases a reservation. What comes out is the reservation as it was before, and when that was.
CREATE FUNCTION quota_resolve(
    set_now bigint, hold_id uuid, settles boolean, cost_tokens bigint, cost_nano_usd bigint,
    OUT known boolean, OUT now bigint, OUT ask_tokens bigint, OUT ask_nano_usd bigint, OUT deadline bigint,
    OUT phase smallint, OUT actual_tokens bigint, OUT actual_nano_usd bigint, OUT late boolean
) LANGUAGE plpgsql AS $$
DECLARE
    before quota_holds%ROWTYPE;
    locked bigint[];
    next_phase smallint;
    is_late boolean := false;
    spend_tokens bigint := 0;
    spend_nano_usd bigint := 0;
    unhold_tokens bigint := 0;
    unhold_nano_usd bigint := 0;
BEGIN
    SELECT * INTO before FROM quota_holds h WHERE h.id = hold_id FOR UPDATE;
    known := FOUND;
    IF NOT known THEN
        RETURN;
    END IF;
    ask_tokens := before.ask_tokens;
    ask_nano_usd := before.ask_nano_usd;
    deadline := before.deadline;
    phase := before.phase;
    actual_tokens := before.actual_tokens;
    actual_nano_usd := before.actual_nano_usd;
    late := before.late;
    IF before.phase IN (1, 2) OR (before.phase = 3 AND NOT settles) THEN
        now := palisade_now(set_now);
        RETURN;
    END IF;
    locked := quota_lock(before.accounts);
    now := palisade_now(set_now);
    IF before.phase = 0 THEN
        unhold_tokens := before.ask_tokens;
        unhold_nano_usd := before.ask_nano_usd;
    END IF;
    IF settles THEN
        next_phase := 1;
        is_late := before.phase = 3 OR now >= before.deadline;
        spend_tokens := cost_tokens;
        spend_nano_usd := cost_nano_usd;
    ELSIF now >= before.deadline THEN
        next_phase := 3;
    ELSE
        next_phase := 2;
    END IF;
    UPDATE quota_accounts a SET
        spent_tokens = a.spent_tokens + spend_tokens, spent_nano_usd = a.spent_nano_usd + spend_nano_usd,
        held_tokens = a.held_tokens - unhold_tokens, held_nano_usd = a.held_nano_usd - unhold_nano_usd,
        changed_at = greatest(a.changed_at, quota_resolve.now)
    WHERE a.account = ANY (locked);
    UPDATE quota_holds h SET phase = next_phase, since = quota_resolve.now,
        actual_tokens = spend_tokens, actual_nano_usd = spend_nano_usd, late = is_late
    WHERE h.id = hold_id;
END $$;

-- Notes up to `most` overdue reservations as expired, and says how many they were. One that somebody else is busy with
-- is left to them.
CREATE FUNCTION quota_expire(set_now bigint, most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    now bigint := palisade_now(set_now);
    ids uuid[];
    charged bigint[];
    locked bigint[];
BEGIN
    SELECT array_agg(overdue.id) INTO ids FROM (
        SELECT id FROM quota_holds WHERE phase = 0 AND deadline <= now
        ORDER BY deadline LIMIT most FOR UPDATE SKIP LOCKED
    ) overdue;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    SELECT array_agg(DISTINCT charge) INTO charged
    FROM quota_holds CROSS JOIN unnest(accounts) AS charge WHERE id = ANY (ids);
    locked := quota_lock(charged);
    UPDATE quota_accounts SET held_tokens = held_tokens - sums.tokens,
        held_nano_usd = held_nano_usd - sums.nano_usd, changed_at = greatest(changed_at, now)
    FROM (
        SELECT coalesce(a.merged_into, a.account) AS account, sum(h.ask_tokens)::bigint AS tokens,
            sum(h.ask_nano_usd)::bigint AS nano_usd
        FROM quota_holds h CROSS JOIN unnest(h.accounts) AS charge (account)
        JOIN quota_accounts a ON a.account = charge.account
        WHERE h.id = ANY (ids) GROUP BY 1
    ) AS sums
    WHERE quota_accounts.account = sums.account;
    UPDATE quota_holds SET phase = 3, since = now WHERE id = ANY (ids);
    RETURN cardinality(ids);
END $$;

-- How a scope stands, if what the node believes of it is so.
CREATE FUNCTION quota_look(
    set_now bigint, wanted_scope text, revision bigint, start bigint, finish bigint,
    OUT is_stale boolean, OUT now bigint, OUT spent_tokens bigint, OUT spent_nano_usd bigint,
    OUT held_tokens bigint, OUT held_nano_usd bigint
) LANGUAGE plpgsql AS $$
DECLARE
    found_account bigint;
    line record;
BEGIN
    PERFORM quota_share(ARRAY[wanted_scope]);
    now := palisade_now(set_now);
    PERFORM quota_charge_lessees(quota_look.now, NULL);
    is_stale := quota_is_stale(quota_look.now, ARRAY[wanted_scope], ARRAY[revision], start, finish);
    -- One statement, so that what is held and what of it is overdue are of one moment.
    SELECT a.spent_tokens, a.spent_nano_usd, a.held_tokens - coalesce(o.tokens, 0) AS held_tokens,
        a.held_nano_usd - coalesce(o.nano_usd, 0) AS held_nano_usd
    INTO line
    FROM quota_accounts a LEFT JOIN LATERAL quota_overdue(quota_look.now, ARRAY[a.account]) o ON true
    WHERE a.scope = wanted_scope AND a.starts_at = start;
    spent_tokens := coalesce(line.spent_tokens, 0);
    spent_nano_usd := coalesce(line.spent_nano_usd, 0);
    held_tokens := coalesce(line.held_tokens, 0);
    held_nano_usd := coalesce(line.held_nano_usd, 0);
END $$;

-- Gives a scope a quota of its own, or with no period takes it away. With windows to move, the running one's sums go into
-- the other.
CREATE FUNCTION quota_set(
    set_now bigint, wanted_scope text, believed bigint, since bigint, until bigint,
    new_tokens bigint, new_nano_usd bigint, new_period text, new_zone text,
    move_from bigint, move_to bigint, move_end bigint,
    OUT is_stale boolean, OUT now bigint
) LANGUAGE plpgsql AS $$
DECLARE
    old quota_accounts%ROWTYPE;
    target bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1885432945, hashtext(wanted_scope));
    now := palisade_now(set_now);
    is_stale := quota_is_stale(quota_set.now, ARRAY[wanted_scope], ARRAY[believed], since, until);
    IF is_stale THEN
        RETURN;
    END IF;
    IF move_from IS NOT NULL THEN
        PERFORM FROM quota_accounts WHERE scope = wanted_scope AND starts_at IN (move_from, move_to)
        ORDER BY account FOR UPDATE;
        SELECT * INTO old FROM quota_accounts WHERE scope = wanted_scope AND starts_at = move_from;
        IF FOUND THEN
            SELECT account INTO target FROM quota_accounts
            WHERE scope = wanted_scope AND starts_at = move_to AND account <> old.account;
            IF target IS NULL THEN
                UPDATE quota_accounts SET starts_at = move_to, ends_at = move_end WHERE account = old.account;
            ELSE
                PERFORM quota_merge(old.account, target);
            END IF;
        END IF;
    END IF;
    IF new_period IS NULL THEN
        DELETE FROM quota_scopes WHERE scope = wanted_scope;
    ELSE
        INSERT INTO quota_scopes (scope, org, tokens, nano_usd, period, zone)
        VALUES (wanted_scope, quota_org(wanted_scope), new_tokens, new_nano_usd, new_period, new_zone)
        ON CONFLICT (scope) DO UPDATE SET tokens = excluded.tokens, nano_usd = excluded.nano_usd,
            period = excluded.period, zone = excluded.zone, revision = nextval('quota_revisions');
    END IF;
END $$;

-- Puts one account of a scope into another. Both are locked by the caller.
CREATE FUNCTION quota_merge(old_account bigint, new_account bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE quota_accounts a SET
        spent_tokens = a.spent_tokens + old.spent_tokens, spent_nano_usd = a.spent_nano_usd + old.spent_nano_usd,
        held_tokens = a.held_tokens + old.held_tokens, held_nano_usd = a.held_nano_usd + old.held_nano_usd,
        changed_at = greatest(a.changed_at, old.changed_at)
    FROM quota_accounts old WHERE a.account = new_account AND old.account = old_account;
    UPDATE quota_accounts SET starts_at = NULL, merged_into = new_account, spent_tokens = 0, spent_nano_usd = 0,
        held_tokens = 0, held_nano_usd = 0
    WHERE account = old_account;
    UPDATE quota_accounts SET merged_into = new_account WHERE merged_into = old_account;
    INSERT INTO quota_leases (lessee, account, tokens, nano_usd)
    SELECT lessee, new_account, tokens, nano_usd FROM quota_leases WHERE account = old_account
    ON CONFLICT (lessee, account) DO UPDATE SET tokens = quota_leases.tokens + excluded.tokens,
        nano_usd = quota_leases.nano_usd + excluded.nano_usd;
    DELETE FROM quota_leases WHERE account = old_account;
END $$;

-- Moves what a lessee has between held and spent: `sign` 1 charges it, -1 takes that back.
CREATE FUNCTION quota_relabel(now bigint, who uuid, sign bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM quota_accounts WHERE account IN (SELECT account FROM quota_leases WHERE lessee = who)
    ORDER BY scope, account FOR UPDATE;
    UPDATE quota_accounts SET
        spent_tokens = spent_tokens + sign * lease.tokens, spent_nano_usd = spent_nano_usd + sign * lease.nano_usd,
        held_tokens = held_tokens - sign * lease.tokens, held_nano_usd = held_nano_usd - sign * lease.nano_usd,
        changed_at = greatest(changed_at, quota_relabel.now)
    FROM quota_leases lease WHERE lease.lessee = who AND quota_accounts.account = lease.account;
    UPDATE quota_lessees SET charged = (sign = 1) WHERE lessee = who;
END $$;

-- Shows the leases of those as spent who have not been heard of in time; with a `before`, forgets those of whom nobody
-- needs to remember anything.
CREATE FUNCTION quota_charge_lessees(now bigint, before bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    who uuid;
BEGIN
    FOR who IN
        SELECT lessee FROM quota_lessees WHERE until <= quota_charge_lessees.now AND NOT charged
        ORDER BY lessee FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM quota_relabel(quota_charge_lessees.now, who, 1);
    END LOOP;
    IF before IS NOT NULL THEN
        -- While its windows run, a lessee may come back and say that it spent less.
        WITH gone AS (
            DELETE FROM quota_lessees l WHERE l.lessee IN (
                SELECT lessee FROM quota_lessees WHERE until <= before AND charged FOR UPDATE SKIP LOCKED)
            AND NOT EXISTS (
                SELECT FROM quota_leases s JOIN quota_accounts a USING (account)
                WHERE s.lessee = l.lessee AND (a.ends_at > before OR a.ends_at = 9223372036854775807))
            RETURNING l.lessee
        )
        DELETE FROM quota_leases WHERE lessee IN (SELECT lessee FROM gone);
    END IF;
END $$;

-- Deletes what ended long ago, a little at a time: costs still come late, and clocks are set back.
CREATE FUNCTION quota_tidy(set_now bigint, remember bigint, most bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    now bigint := palisade_now(set_now);
    before bigint := now - least(remember, 4611686018427387904);
BEGIN
    PERFORM quota_charge_lessees(now, before);
    DELETE FROM quota_holds WHERE id IN (
        SELECT id FROM quota_holds WHERE phase <> 0 AND since <= before
        ORDER BY since LIMIT most FOR UPDATE SKIP LOCKED);
    -- An account changes whenever one of its holds ends, so one that has not changed since has no hold to remember. What
    -- lasts for ever never ended.
    DELETE FROM quota_accounts WHERE account IN (
        SELECT account FROM quota_accounts
        WHERE ends_at <= before AND changed_at <= before AND held_tokens = 0 AND held_nano_usd = 0
        ORDER BY ends_at LIMIT most FOR UPDATE SKIP LOCKED);
END $$;

-- The first half of an exchange: says how the scope of each entry stands in its running window, and which account the entry
-- speaks of, with what the lessee has of it. All accounts are locked until the second half. A window that should be running
-- and is not in the scope's calendar was moved into the running one.
CREATE FUNCTION quota_exchange_open(
    set_now bigint, who uuid, this_turn bigint,
    scopes text[], revisions bigint[], since bigint, until bigint, starts bigint[], ends bigint[],
    wanted_starts bigint[], wanted_ends bigint[], in_calendar boolean[], opens boolean[],
    OUT is_stale boolean, OUT now bigint, OUT last_turn bigint,
    OUT running bigint[], OUT places bigint[], OUT place_starts bigint[], OUT place_ends bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    was_charged boolean;
    found_account bigint;
    found_end bigint;
BEGIN
    PERFORM quota_share(scopes);
    INSERT INTO quota_lessees AS l (lessee, turn, until) VALUES (who, -1, 9223372036854775807)
    ON CONFLICT (lessee) DO UPDATE SET lessee = l.lessee
    RETURNING nullif(turn, -1), charged INTO last_turn, was_charged;
    now := palisade_now(set_now);
    is_stale := quota_is_stale(quota_exchange_open.now, scopes, revisions, since, quota_exchange_open.until);
    IF is_stale OR last_turn > this_turn THEN
        RETURN;
    END IF;
    UPDATE quota_lessees SET until = 9223372036854775807 WHERE lessee = who;
    PERFORM quota_charge_lessees(quota_exchange_open.now, NULL);
    IF was_charged THEN
        PERFORM quota_relabel(quota_exchange_open.now, who, -1);
    END IF;
    FOR n IN 1..cardinality(scopes) LOOP
        place_starts[n] := starts[n];
        place_ends[n] := ends[n];
        IF wanted_starts[n] IS NOT NULL AND wanted_starts[n] <> starts[n] THEN
            SELECT ends_at INTO found_end FROM quota_accounts
            WHERE scope = scopes[n] AND starts_at = wanted_starts[n];
            IF FOUND THEN
                place_starts[n] := wanted_starts[n];
                place_ends[n] := found_end;
            ELSIF wanted_ends[n] <= now OR in_calendar[n] THEN
                place_starts[n] := wanted_starts[n];
                place_ends[n] := wanted_ends[n];
            END IF;
        END IF;
    END LOOP;
    INSERT INTO quota_accounts (scope, org, starts_at, ends_at, changed_at)
    SELECT wanted.scope, quota_org(wanted.scope), wanted.starts_at, wanted.ends_at, quota_exchange_open.now
    FROM unnest(scopes, place_starts, place_ends, opens) AS wanted (scope, starts_at, ends_at, opens)
    WHERE wanted.opens
    ORDER BY wanted.scope COLLATE "C", wanted.starts_at
    ON CONFLICT (scope, starts_at) DO NOTHING;
    PERFORM FROM quota_accounts a WHERE a.account IN (
        SELECT b.account FROM unnest(scopes || scopes, starts || place_starts) AS wanted (scope, starts_at)
        JOIN quota_accounts b ON b.scope = wanted.scope AND b.starts_at = wanted.starts_at)
    ORDER BY a.scope, a.account FOR UPDATE;
    SELECT array_agg(a.account ORDER BY wanted.n), array_agg(b.account ORDER BY wanted.n) INTO running, places
    FROM unnest(scopes, starts, place_starts) WITH ORDINALITY AS wanted (scope, starts_at, place_starts_at, n)
    LEFT JOIN quota_accounts a ON a.scope = wanted.scope AND a.starts_at = wanted.starts_at
    LEFT JOIN quota_accounts b ON b.scope = wanted.scope AND b.starts_at = wanted.place_starts_at;
END $$;

-- What is in accounts, without what is overdue, and what a lessee has of each.
CREATE FUNCTION quota_exchange_sums(
    now bigint, who uuid, wanted bigint[],
    OUT account bigint, OUT spent_tokens bigint, OUT spent_nano_usd bigint,
    OUT held_tokens bigint, OUT held_nano_usd bigint, OUT lent_tokens bigint, OUT lent_nano_usd bigint
) RETURNS SETOF record LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT a.account, a.spent_tokens, a.spent_nano_usd,
        (a.held_tokens - coalesce(o.tokens, 0))::bigint, (a.held_nano_usd - coalesce(o.nano_usd, 0))::bigint,
        coalesce(l.tokens, 0), coalesce(l.nano_usd, 0)
    FROM quota_accounts a
    LEFT JOIN quota_overdue(quota_exchange_sums.now, wanted) o ON o.account = a.account
    LEFT JOIN quota_leases l ON l.lessee = who AND l.account = a.account
    WHERE a.account = ANY (wanted);
END;

-- The second half of an exchange: books what was spent and notes what is on lease.
CREATE FUNCTION quota_exchange_close(
    now bigint, who uuid, this_turn bigint, until bigint,
    accounts bigint[], spend_tokens bigint[], spend_nano_usd bigint[],
    old_tokens bigint[], old_nano_usd bigint[], new_tokens bigint[], new_nano_usd bigint[]
) RETURNS void LANGUAGE sql VOLATILE
BEGIN ATOMIC
    UPDATE quota_lessees SET turn = this_turn, until = quota_exchange_close.until WHERE lessee = who;
    UPDATE quota_accounts a SET
        spent_tokens = a.spent_tokens + e.spend_tokens, spent_nano_usd = a.spent_nano_usd + e.spend_nano_usd,
        held_tokens = a.held_tokens - e.old_tokens + e.new_tokens,
        held_nano_usd = a.held_nano_usd - e.old_nano_usd + e.new_nano_usd,
        changed_at = greatest(a.changed_at, quota_exchange_close.now)
    FROM unnest(accounts, spend_tokens, spend_nano_usd, old_tokens, old_nano_usd, new_tokens, new_nano_usd)
        AS e (account, spend_tokens, spend_nano_usd, old_tokens, old_nano_usd, new_tokens, new_nano_usd)
    WHERE a.account = e.account;
    DELETE FROM quota_leases l USING unnest(accounts, new_tokens, new_nano_usd) AS e (account, tokens, nano_usd)
    WHERE l.lessee = who AND l.account = e.account AND e.tokens = 0 AND e.nano_usd = 0;
    INSERT INTO quota_leases (lessee, account, tokens, nano_usd)
    SELECT who, e.account, e.tokens, e.nano_usd
    FROM unnest(accounts, new_tokens, new_nano_usd) AS e (account, tokens, nano_usd)
    WHERE e.tokens > 0 OR e.nano_usd > 0
    ON CONFLICT (lessee, account) DO UPDATE SET tokens = excluded.tokens, nano_usd = excluded.nano_usd;
END;
