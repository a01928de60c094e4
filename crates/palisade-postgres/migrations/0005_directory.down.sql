DROP TRIGGER quota_scopes_audit ON quota_scopes;
DROP TRIGGER api_keys_audit ON api_keys;
DROP TABLE audit_log, roles, users, projects, organisations;
DROP FUNCTION audit_note, audit_refuse_change;
