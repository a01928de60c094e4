//! API keys: a table of digests.

use palisade_auth::{
    KeyDigest, KeyId, KeyPage, KeyStore, ListRequest, Principal, PrincipalError, Role, StoredKey,
};
use palisade_core::{StoreError, Timestamp};
use rusqlite::{Connection, Row};

use crate::{
    Sqlite,
    error::{Failure, corrupt},
    writer::Transaction,
};

const FINDING: &str = "finding an API key";

impl KeyStore for Sqlite {
    async fn find(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.read(FINDING, move |connection| find(connection, id))
            .await
    }

    async fn put(&self, key: StoredKey) -> Result<bool, StoreError> {
        let work = move |tx: &mut Transaction<'_>| put(tx.connection, &key);
        self.write("storing an API key", work).await
    }

    async fn revoke(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        let work = move |tx: &mut Transaction<'_>| {
            // The first revocation's time stands.
            let mut statement = tx.connection.prepare_cached(
                "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1",
            )?;
            Ok(statement.execute((id.as_bytes(), at.as_nanos()))? == 1)
        };
        self.write("revoking an API key", work).await
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError> {
        let (org, project) = (request.org.to_owned(), request.project.map(str::to_owned));
        let (after, limit) = (request.after, request.limit());
        let work =
            move |connection: &Connection| list(connection, &org, project.as_deref(), after, limit);
        self.read("listing API keys", work).await
    }
}

fn find(connection: &Connection, id: KeyId) -> Result<Option<StoredKey>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, digest, org, project, user, role, label, created_at, expires_at, revoked_at
         FROM api_keys WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.as_bytes()])?;
    rows.next()?.map(read_key).transpose()
}

fn put(connection: &Connection, key: &StoredKey) -> Result<bool, Failure> {
    let principal = &key.principal;
    let inserted = connection
        .prepare_cached(
            "INSERT INTO api_keys (id, digest, org, project, user, role, label,
                 created_at, expires_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO NOTHING",
        )?
        .execute((
            key.id.as_bytes(),
            key.digest.as_bytes(),
            principal.org(),
            principal.project(),
            principal.user(),
            principal.role().name(),
            &key.label,
            key.created_at.as_nanos(),
            key.expires_at.map(Timestamp::as_nanos),
            key.revoked_at.map(Timestamp::as_nanos),
        ))?;
    Ok(inserted == 1)
}

fn list(
    connection: &Connection,
    org: &str,
    project: Option<&str>,
    after: Option<KeyId>,
    limit: usize,
) -> Result<KeyPage, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, digest, org, project, user, role, label, created_at, expires_at, revoked_at
         FROM api_keys
         WHERE org = ?1 AND id > ?2 AND (?3 IS NULL OR project = ?3) ORDER BY id LIMIT ?4",
    )?;
    // Every id comes after the empty one.
    let after = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    // One more than the page holds tells whether there is another page.
    let rows = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = statement.query((org, after, project, rows))?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(read_key(row)?);
    }
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).map(|last| last.id);
    Ok(KeyPage::new(keys, next))
}

fn read_key(row: &Row<'_>) -> Result<StoredKey, Failure> {
    let id = KeyId::from_bytes(row.get(0)?);
    let digest = KeyDigest::from_bytes(row.get(1)?);
    let principal = principal(row)?.map_err(|error| corrupt(FINDING, error))?;
    let created_at = Timestamp::from_nanos(row.get(7)?);
    let mut key = StoredKey::new(id, digest, principal, created_at);
    key.label = row.get(6)?;
    key.expires_at = row.get::<_, Option<i64>>(8)?.map(Timestamp::from_nanos);
    key.revoked_at = row.get::<_, Option<i64>>(9)?.map(Timestamp::from_nanos);
    Ok(key)
}

fn principal(row: &Row<'_>) -> Result<Result<Principal, PrincipalError>, Failure> {
    let org: String = row.get(2)?;
    let project: Option<String> = row.get(3)?;
    let user: Option<String> = row.get(4)?;
    let role: String = row.get(5)?;
    let build = || {
        let mut principal = Principal::new(org, role.parse::<Role>()?)?;
        if let Some(project) = project {
            principal = principal.with_project(project)?;
        }
        if let Some(user) = user {
            principal = principal.with_user(user)?;
        }
        Ok(principal)
    };
    Ok(build())
}
