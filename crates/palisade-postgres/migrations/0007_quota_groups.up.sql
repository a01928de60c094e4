-- Many calls of one node in one transaction: they wait for one commit, and a key that all of them charge is locked once.
-- Of kind 0 are reservations, whose scopes lie one after the other in arrays, of kind 1 settlements, of kind 2 releases.
CREATE FUNCTION quota_group(
    set_now bigint, kinds smallint[], ids uuid[], all_tokens bigint[], all_nano_usd bigint[], timeouts bigint[],
    firsts int[], lasts int[], sinces bigint[], untils bigint[],
    scopes text[], revisions bigint[], starts bigint[], ends bigint[],
    limit_tokens bigint[], limit_nano_usd bigint[], opens boolean[]
) RETURNS TABLE (
    status int, now bigint, spent_tokens bigint[], spent_nano_usd bigint[], held_tokens bigint[], held_nano_usd bigint[],
    ask_tokens bigint, ask_nano_usd bigint, deadline bigint, phase smallint,
    actual_tokens bigint, actual_nano_usd bigint, late boolean, known boolean
) LANGUAGE plpgsql AS $$
DECLARE
    count int := cardinality(kinds);
BEGIN
    IF cardinality(scopes) > 0 THEN
        PERFORM quota_share(scopes);
        IF true = ANY (opens) THEN
            INSERT INTO quota_accounts (scope, org, starts_at, ends_at, changed_at)
            SELECT DISTINCT wanted.scope, quota_org(wanted.scope), wanted.starts_at, wanted.ends_at, palisade_now(set_now)
            FROM unnest(scopes, starts, ends, opens) AS wanted (scope, starts_at, ends_at, opens)
            WHERE wanted.opens
            ORDER BY wanted.scope, wanted.starts_at
            ON CONFLICT (scope, starts_at) DO NOTHING;
        END IF;
    END IF;
    IF count > 1 THEN
        -- All that the calls will lock, in the order of all others: reservations by their id, then accounts by their key.
        PERFORM FROM quota_holds h WHERE h.id = ANY (ids) ORDER BY h.id FOR UPDATE;
        PERFORM FROM quota_accounts a WHERE a.account IN (
            SELECT b.account FROM unnest(scopes, starts) AS wanted (scope, starts_at)
            JOIN quota_accounts b ON b.scope = wanted.scope AND b.starts_at = wanted.starts_at
            UNION
            SELECT coalesce(b.merged_into, b.account) FROM quota_holds h CROSS JOIN unnest(h.accounts) AS charged (account)
            JOIN quota_accounts b ON b.account = charged.account
            WHERE h.id = ANY (ids))
        ORDER BY a.scope, a.account FOR UPDATE;
    END IF;
    FOR n IN 1..count LOOP
        IF kinds[n] = 0 THEN
            SELECT r.status, r.now, r.spent_tokens, r.spent_nano_usd, r.held_tokens, r.held_nano_usd
            INTO status, now, spent_tokens, spent_nano_usd, held_tokens, held_nano_usd
            FROM quota_reserve(set_now, ids[n], all_tokens[n], all_nano_usd[n], timeouts[n],
                scopes[firsts[n]:lasts[n]], revisions[firsts[n]:lasts[n]],
                starts[firsts[n]:lasts[n]], ends[firsts[n]:lasts[n]], sinces[n], untils[n],
                limit_tokens[firsts[n]:lasts[n]], limit_nano_usd[firsts[n]:lasts[n]], false) r;
        ELSE
            SELECT r.now, r.ask_tokens, r.ask_nano_usd, r.deadline, r.phase, r.actual_tokens, r.actual_nano_usd,
                r.late, r.known
            INTO now, ask_tokens, ask_nano_usd, deadline, phase, actual_tokens, actual_nano_usd, late, known
            FROM quota_resolve(set_now, ids[n], kinds[n] = 1, all_tokens[n], all_nano_usd[n]) r;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
