//! What the rules build and ask with.

use palisade_auth::{
    KeyDigest, KeyId, KeyStore, ListRequest, Principal, PrincipalError, Role, StoredKey,
};
use palisade_core::Timestamp;

use crate::{Broken, Verdict, verdict::ensure};

/// 2026-03-02T12:00:00.123456789Z: a store that keeps coarser times cannot give it back.
pub(super) const NOON: Timestamp = Timestamp::from_nanos(1_772_452_800_123_456_789);

/// The id of this number. Those of greater numbers are greater, and not every byte tells it.
pub(super) fn id(number: u8) -> KeyId {
    let mut bytes = [0x41; 10];
    bytes[0] = number / 16 * 17;
    bytes[9] = number % 16 * 17;
    KeyId::from_bytes(bytes)
}

/// Another time, a little after noon.
pub(super) fn later(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(NOON.as_nanos() + nanos)
}

/// A key without project, label or end.
pub(super) fn key(number: u8, org: &str) -> Result<StoredKey, Broken> {
    Ok(stored(number, principal(org, None, None, Role::Developer)?))
}

/// The same in a project.
pub(super) fn key_in(number: u8, org: &str, project: &str) -> Result<StoredKey, Broken> {
    let principal = principal(org, Some(project), None, Role::Developer)?;
    Ok(stored(number, principal))
}

pub(super) fn stored(number: u8, principal: Principal) -> StoredKey {
    let digest = KeyDigest::from_bytes([number.wrapping_add(1); 32]);
    StoredKey::new(id(number), digest, principal, NOON)
}

pub(super) fn principal(
    org: &str,
    project: Option<&str>,
    user: Option<&str>,
    role: Role,
) -> Result<Principal, Broken> {
    let build = || -> Result<Principal, PrincipalError> {
        let mut principal = Principal::new(org, role)?;
        if let Some(project) = project {
            principal = principal.with_project(project)?;
        }
        if let Some(user) = user {
            principal = principal.with_user(user)?;
        }
        Ok(principal)
    };
    build().map_err(|error| Broken::new(error.to_string()))
}

/// Puts a key whose id must be free.
pub(super) async fn put(store: &impl KeyStore, key: &StoredKey) -> Verdict {
    let kept = store.put(key.clone()).await?;
    ensure!(kept, "a free id was told to be taken: {key:?}");
    Ok(())
}

/// Revokes a key that must be there.
pub(super) async fn revoke(store: &impl KeyStore, id: KeyId, at: Timestamp) -> Verdict {
    let there = store.revoke(id, at).await?;
    ensure!(there, "revoking {id}, which is there, found nothing");
    Ok(())
}

/// The key must be found exactly so.
pub(super) async fn finds(store: &impl KeyStore, expected: &StoredKey) -> Verdict {
    let found = store.find(expected.id).await?;
    ensure!(
        found.as_ref().is_some_and(|found| same(found, expected)),
        "expected {expected:?}, found {found:?}"
    );
    Ok(())
}

/// Page after page, the list must be exactly so.
pub(super) async fn lists(
    store: &impl KeyStore,
    request: ListRequest<'_>,
    expected: &[StoredKey],
) -> Verdict {
    let (mut found, mut request) = (Vec::new(), request);
    // A store that repeats itself is not listened to for ever.
    for _ in 0..=expected.len() {
        let page = store.list(request).await?;
        ensure!(
            page.keys.len() <= request.limit(),
            "a page of at most {} keys has {}",
            request.limit(),
            page.keys.len()
        );
        ensure!(
            found.is_empty() || !page.keys.is_empty(),
            "the page before announced an empty one: {request:?}"
        );
        found.extend(page.keys);
        let Some(next) = page.next else {
            break;
        };
        request = request.with_after(next);
    }
    let same = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| same(found, expected));
    ensure!(
        same,
        "pages of {} keys: expected {:?}, found {:?}",
        request.limit(),
        brief(expected),
        brief(&found)
    );
    Ok(())
}

/// Whether all of a key is the same, the id in its principal included.
fn same(found: &StoredKey, expected: &StoredKey) -> bool {
    found == expected && found.principal.key_id() == Some(found.id)
}

/// What tells the keys of a test apart.
fn brief(keys: &[StoredKey]) -> Vec<(KeyId, &str, Option<&str>, Option<Timestamp>)> {
    keys.iter()
        .map(|key| {
            let principal = &key.principal;
            (key.id, principal.org(), principal.project(), key.revoked_at)
        })
        .collect()
}
