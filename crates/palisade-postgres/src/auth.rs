//! API keys: a table of digests.

use palisade_auth::{
    KeyDigest, KeyId, KeyPage, KeyStore, ListRequest, Principal, PrincipalError, Role, StoredKey,
};
use palisade_core::{StoreError, Timestamp};
use tokio_postgres::{Row, types::FromSql};
use uuid::Uuid;

use crate::{Postgres, error::corrupt};

const FINDING: &str = "finding an API key";

impl KeyStore for Postgres {
    async fn find(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let sql = "SELECT id, digest, org, project, user_name, role, label, created_at, expires_at, revoked_at
             FROM api_keys WHERE id = $1";
        let rows = self.query(FINDING, sql, &[&&id.as_bytes()[..]]).await?;
        rows.first().map(read_key).transpose()
    }

    async fn put(&self, key: StoredKey) -> Result<bool, StoreError> {
        // The row is there and says by whom it was made: by this call, perhaps by an attempt whose answer was lost.
        let sql = "WITH made AS (
                 INSERT INTO api_keys (id, digest, org, project, user_name, role, label,
                     created_at, expires_at, revoked_at, call)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING
                 RETURNING call)
             SELECT EXISTS (SELECT FROM made)
                 OR EXISTS (SELECT FROM api_keys WHERE id = $1 AND call = $11)";
        let principal = &key.principal;
        let row = self
            .query_one(
                "storing an API key",
                sql,
                &[
                    &&key.id.as_bytes()[..],
                    &&key.digest.as_bytes()[..],
                    &principal.org(),
                    &principal.project(),
                    &principal.user(),
                    &principal.role().name(),
                    &key.label,
                    &key.created_at.as_nanos(),
                    &key.expires_at.map(Timestamp::as_nanos),
                    &key.revoked_at.map(Timestamp::as_nanos),
                    &Uuid::new_v4(),
                ],
            )
            .await?;
        get(&row, 0)
    }

    async fn revoke(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        // The first revocation's time stands.
        let sql =
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING 1";
        let rows = self
            .query(
                "revoking an API key",
                sql,
                &[&&id.as_bytes()[..], &at.as_nanos()],
            )
            .await?;
        Ok(!rows.is_empty())
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError> {
        let sql = "SELECT id, digest, org, project, user_name, role, label, created_at, expires_at, revoked_at
             FROM api_keys
             WHERE org = $1 AND id > $2 AND ($3::text IS NULL OR project = $3) ORDER BY id LIMIT $4";
        // Every id comes after the empty one.
        let after = request
            .after
            .map_or(Vec::new(), |id| id.as_bytes().to_vec());
        // One more than the page holds tells whether there is another page.
        let limit = request.limit();
        let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let rows = self
            .query(
                "listing API keys",
                sql,
                &[&request.org, &after, &request.project, &most],
            )
            .await?;
        let mut keys = rows.iter().map(read_key).collect::<Result<Vec<_>, _>>()?;
        let more = keys.len() > limit;
        keys.truncate(limit);
        let next = keys.last().filter(|_| more).map(|last| last.id);
        Ok(KeyPage::new(keys, next))
    }
}

fn read_key(row: &Row) -> Result<StoredKey, StoreError> {
    let id = KeyId::from_bytes(bytes(row, 0)?);
    let digest = KeyDigest::from_bytes(bytes(row, 1)?);
    let principal = principal(row)?.map_err(|error| corrupt(FINDING, error))?;
    let time = |column| -> Result<Option<Timestamp>, StoreError> {
        Ok(get::<Option<i64>>(row, column)?.map(Timestamp::from_nanos))
    };
    let created_at = Timestamp::from_nanos(get(row, 7)?);
    let mut key = StoredKey::new(id, digest, principal, created_at);
    key.label = get(row, 6)?;
    key.expires_at = time(8)?;
    key.revoked_at = time(9)?;
    Ok(key)
}

fn principal(row: &Row) -> Result<Result<Principal, PrincipalError>, StoreError> {
    let org: String = get(row, 2)?;
    let project: Option<String> = get(row, 3)?;
    let user: Option<String> = get(row, 4)?;
    let role: &str = get(row, 5)?;
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

fn bytes<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = get(row, column)?;
    bytes.try_into().map_err(|error| corrupt(FINDING, error))
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| corrupt(FINDING, error))
}
