//! API keys are kept as the store in memory keeps them.
#![cfg(feature = "auth")]

use palisade_auth::{
    InMemory, KeyDigest, KeyId, KeyStore, ListRequest, Principal, Role, StoredKey,
};
use palisade_conformance::{block_on, join_all};
use palisade_core::Timestamp;
use palisade_sqlite::{Sqlite, SqliteConfig};
use proptest::{collection::vec, prelude::*, sample::select};

fn id(number: u8) -> KeyId {
    let mut bytes = [0; 10];
    bytes[0] = number.wrapping_mul(97);
    bytes[9] = number;
    KeyId::from_bytes(bytes)
}

fn key(number: u8, org: &'static str, project: Option<&'static str>, role: Role) -> StoredKey {
    let mut principal = Principal::new(org, role).unwrap();
    if let Some(project) = project {
        principal = principal
            .with_project(project)
            .unwrap()
            .with_user("ann")
            .unwrap();
    }
    let digest = KeyDigest::from_bytes([number; 32]);
    let mut key = StoredKey::new(id(number), digest, principal, Timestamp::from_secs(7));
    key.label = format!("key '{number}'");
    key.expires_at = number.is_multiple_of(3).then(|| Timestamp::from_nanos(-5));
    key
}

#[derive(Clone, Debug)]
enum Operation {
    Put(StoredKey),
    Revoke(u8, i64),
    Find(u8),
    List(&'static str, Option<&'static str>, Option<u8>, usize),
}

fn operations() -> impl Strategy<Value = Operation> {
    let orgs = || select(vec!["acme", "other", "acme' OR '1'='1"]);
    let projects = || select(vec![None, Some("p"), Some("q")]);
    let roles = select(Role::ALL.to_vec());
    prop_oneof![
        4 => (0..20_u8, orgs(), projects(), roles)
            .prop_map(|(number, org, project, role)| Operation::Put(key(number, org, project, role))),
        2 => (0..20_u8, any::<i64>()).prop_map(|(number, at)| Operation::Revoke(number, at)),
        2 => (0..20_u8).prop_map(Operation::Find),
        2 => (orgs(), projects(), proptest::option::of(0..20_u8), 1..6_usize)
            .prop_map(|(org, project, after, limit)| Operation::List(org, project, after, limit)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_answer_agrees_with_the_store_in_memory(operations in vec(operations(), 0..80)) {
        block_on(async {
            let sqlite = Sqlite::in_memory(SqliteConfig::default()).unwrap();
            let memory = InMemory::default();
            for operation in operations {
                match operation {
                    Operation::Put(key) => prop_assert_eq!(
                        sqlite.put(key.clone()).await.unwrap(),
                        memory.put(key).await.unwrap()
                    ),
                    Operation::Revoke(number, at) => {
                        let at = Timestamp::from_nanos(at);
                        prop_assert_eq!(
                            sqlite.revoke(id(number), at).await.unwrap(),
                            memory.revoke(id(number), at).await.unwrap()
                        );
                    }
                    Operation::Find(number) => prop_assert_eq!(
                        sqlite.find(id(number)).await.unwrap(),
                        memory.find(id(number)).await.unwrap()
                    ),
                    Operation::List(org, project, after, limit) => {
                        let mut request = ListRequest::new(org).with_limit(limit);
                        request.project = project;
                        request.after = after.map(id);
                        prop_assert_eq!(
                            sqlite.list(request).await.unwrap(),
                            memory.list(request).await.unwrap()
                        );
                    }
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_revocation_is_seen_at_once_by_every_reader_and_outlives_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palisade.db");
    let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
    block_on(async {
        for number in 0..50 {
            let key = key(number, "acme", None, Role::Developer);
            assert!(sqlite.put(key).await.unwrap());
            assert!(
                sqlite
                    .revoke(id(number), Timestamp::from_secs(9))
                    .await
                    .unwrap()
            );
            let found = join_all((0..4).map(|_| sqlite.find(id(number)))).await;
            for key in found {
                assert_eq!(
                    key.unwrap().unwrap().revoked_at,
                    Some(Timestamp::from_secs(9))
                );
            }
        }
        sqlite.close().await;
        let sqlite = Sqlite::open(&file, SqliteConfig::default()).unwrap();
        let page = sqlite.list(ListRequest::new("acme")).await.unwrap();
        assert_eq!(page.keys.len(), 50);
        assert!(page.keys.iter().all(|key| key.revoked_at.is_some()));
    });
}
