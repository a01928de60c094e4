DROP TABLE quota_holds;
DROP TABLE quota_accounts;
DROP TABLE quota_scopes;
