-- Tenants who look at the tables themselves, with a role of theirs, see the rows of their organisation and no others. The
-- owner of the tables, who is the program, sees all. A role is told which organisation it is by
--     ALTER ROLE acme_reader SET palisade.org = 'org=acme'
-- and sees nothing until it was told. Who may change that setting may read everybody's rows, so a role of tenants runs no
-- statements but those of a program that is trusted to leave it alone.
CREATE FUNCTION tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('palisade.org', true), '');

-- The key store names an organisation as it is called, not as it stands in the text of a key.
CREATE FUNCTION tenant_name() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN substring(current_setting('palisade.org', true) FROM '^org=(.+)$');

ALTER TABLE quota_scopes ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_lessees ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE cost_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE traces ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE organisations ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;

-- Holds and leases have no policy: they belong to several scopes at once, and nobody but the owner sees them.
CREATE POLICY tenants ON quota_scopes FOR SELECT USING (org = tenant());
CREATE POLICY tenants ON quota_accounts FOR SELECT USING (org = tenant());
CREATE POLICY tenants ON cost_records FOR SELECT USING (org = tenant());
CREATE POLICY tenants ON traces FOR SELECT USING (org = tenant());
CREATE POLICY tenants ON api_keys FOR SELECT USING (org = tenant_name());
CREATE POLICY tenants ON organisations FOR SELECT USING (org = tenant());
CREATE POLICY tenants ON projects FOR SELECT USING (org = tenant());
CREATE POLICY tenants ON users FOR SELECT USING (org = tenant());
CREATE POLICY tenants ON roles FOR SELECT USING (org = tenant());
CREATE POLICY tenants ON audit_log FOR SELECT USING (org = tenant());
