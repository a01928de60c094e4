DROP FUNCTION quota_exchange_close, quota_exchange_sums, quota_exchange_open, quota_tidy, quota_charge_lessees, quota_relabel, quota_merge, quota_set, quota_look, quota_expire, quota_resolve,
    quota_lock, quota_hold, quota_expire_within, quota_reserve, quota_overdue, quota_facts, quota_is_stale, quota_share,
    palisade_now, quota_org;
DROP TABLE quota_leases, quota_lessees, quota_holds, quota_accounts, quota_scopes;
DROP SEQUENCE quota_revisions;
