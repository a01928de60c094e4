-- Who there is: organisations, their projects and users, and what each may do where. For hosts that have no directory of
-- their own. Each is named by its part of a key, as it stands in the text of one, so that what is charged to it is found.
CREATE TABLE organisations (
    org        text COLLATE "C" PRIMARY KEY CHECK (org LIKE 'org=_%'),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE projects (
    org        text COLLATE "C" NOT NULL REFERENCES organisations,
    project    text COLLATE "C" NOT NULL CHECK (project LIKE 'project=_%'),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, project)
);

CREATE TABLE users (
    org        text COLLATE "C" NOT NULL REFERENCES organisations,
    user_part  text COLLATE "C" NOT NULL CHECK (user_part LIKE 'user=_%'),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, user_part)
);

-- What a user may do in a project, or without one in all projects of the organisation.
CREATE TABLE roles (
    org       text COLLATE "C" NOT NULL,
    user_part text COLLATE "C" NOT NULL,
    project   text COLLATE "C",
    role      text NOT NULL CHECK (role IN ('viewer', 'developer', 'admin', 'owner')),
    FOREIGN KEY (org, user_part) REFERENCES users ON DELETE CASCADE,
    FOREIGN KEY (org, project) REFERENCES projects ON DELETE CASCADE
);

-- One role in a place. An index and not a key, because no project is a place too.
CREATE UNIQUE INDEX roles_once ON roles (org, user_part, coalesce(project, ''));

-- Every change an administrator made, by whom it was made and with what was before. Written by the database itself, in the
-- transaction of the change, so that there is no change without its line. `palisade.actor` is what the session said of
-- itself, if it did.
CREATE TABLE audit_log (
    entry      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor      text NOT NULL,
    reason     text,
    subject    text NOT NULL,
    org        text COLLATE "C",
    what       text NOT NULL,
    before_row jsonb,
    after_row  jsonb
);

CREATE INDEX audit_log_by_org ON audit_log (org, entry);

CREATE FUNCTION audit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) - 'digest' - 'call' END;
    new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) - 'digest' - 'call' END;
BEGIN
    INSERT INTO audit_log (actor, reason, subject, org, what, before_row, after_row)
    VALUES (coalesce(nullif(current_setting('palisade.actor', true), ''), session_user),
        nullif(current_setting('palisade.reason', true), ''), TG_TABLE_NAME,
        coalesce(new_row, old_row) ->> 'org', lower(TG_OP), old_row, new_row);
    RETURN NULL;
END $$;

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = '42501';
END $$;

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER quota_scopes_audit AFTER INSERT OR UPDATE OR DELETE ON quota_scopes
    FOR EACH ROW EXECUTE FUNCTION audit_note();
CREATE TRIGGER api_keys_audit AFTER INSERT OR UPDATE OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION audit_note();
CREATE TRIGGER roles_audit AFTER INSERT OR UPDATE OR DELETE ON roles
    FOR EACH ROW EXECUTE FUNCTION audit_note();
CREATE TRIGGER organisations_audit AFTER INSERT OR UPDATE OR DELETE ON organisations
    FOR EACH ROW EXECUTE FUNCTION audit_note();
