//! What API keys promise: shown once, refused alike, gone when revoked.

use std::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use palisade_auth::{
    ApiKey, ApiKeys, Authenticator, Credentials, DynAuthenticator, DynKeyStore, InMemory,
    IssueError, IssueRequest, KeyDigest, KeyId, KeyPage, KeyStore, ListRequest, Principal, Reason,
    Refusal, Role, StoredKey,
};
use palisade_core::{
    Clock, Decision, Dimension, ManualClock, StoreError, StoreErrorKind, Timestamp,
};
use proptest::prelude::*;

/// Nothing here waits.
fn now<F: Future + Send>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a store in memory never waits"),
    }
}

/// Counts how often it is asked, and can be out of order.
#[derive(Default)]
struct Watched {
    store: InMemory,
    finds: AtomicUsize,
    broken: bool,
}

impl KeyStore for Watched {
    async fn find(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.finds.fetch_add(1, Ordering::Relaxed);
        if self.broken {
            return Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "finding a key",
            ));
        }
        self.store.find(id).await
    }

    async fn put(&self, key: StoredKey) -> Result<bool, StoreError> {
        self.store.put(key).await
    }

    async fn revoke(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        self.store.revoke(id, at).await
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError> {
        self.store.list(request).await
    }
}

fn service() -> (ManualClock, ApiKeys<Watched, ManualClock>) {
    let clock = ManualClock::at(Timestamp::from_secs(1_000_000));
    (clock.clone(), ApiKeys::new(Watched::default(), clock))
}

fn alice() -> Principal {
    Principal::new("acme", Role::Developer)
        .and_then(|principal| principal.with_project("chatbot"))
        .and_then(|principal| principal.with_user("alice"))
        .unwrap()
}

fn present(key: &ApiKey) -> Credentials {
    Credentials::from_x_api_key(key.expose()).unwrap()
}

fn refused<S: KeyStore>(keys: &ApiKeys<S, ManualClock>, credentials: &Credentials) -> Refusal {
    now(keys.authenticate(credentials))
        .unwrap()
        .denied()
        .unwrap()
}

fn accepted<S: KeyStore>(keys: &ApiKeys<S, ManualClock>, key: &ApiKey) -> bool {
    now(keys.authenticate(&present(key))).unwrap().is_allow()
}

#[test]
fn an_issued_key_proves_its_principal() {
    let (_, keys) = service();
    let issued = now(keys.issue(IssueRequest::new(alice()))).unwrap();
    let Decision::Allow(principal) = now(keys.authenticate(&present(&issued.key))).unwrap() else {
        panic!("a valid key was refused");
    };
    assert_eq!(principal, alice().with_key_id(issued.key.id()));
    assert_eq!(
        principal.key().value(&Dimension::ApiKey).unwrap(),
        issued.key.id().to_string().as_bytes()
    );
}

#[test]
fn refusals_are_alike_whatever_the_reason() {
    let (clock, keys) = service();
    let issue = |request| now(keys.issue(request)).unwrap().key;
    let soon = clock.now().saturating_add(Duration::from_secs(60));
    let expired = issue(IssueRequest::new(alice()).with_expiry(soon));
    let revoked = issue(IssueRequest::new(alice()));
    now(keys.revoke(revoked.id())).unwrap();
    clock.advance(Duration::from_secs(60));

    // The id of one key with the secret of another: both are real, and the sum is right.
    let (one, other) = (
        issue(IssueRequest::new(alice())),
        ApiKey::generate().unwrap(),
    );
    let digest = KeyDigest::from_bytes(*other.digest().as_bytes());
    let forged = StoredKey::new(other.id(), one.digest(), alice(), clock.now());
    assert!(forged.digest != digest);
    assert!(now(keys.store().put(forged)).unwrap());

    let refusals = [
        (present(&expired), Reason::Expired),
        (present(&revoked), Reason::Revoked),
        (present(&other), Reason::Wrong),
        (present(&ApiKey::generate().unwrap()), Reason::Unknown),
        (
            Credentials::new("sk-something-else").unwrap(),
            Reason::Malformed,
        ),
    ]
    .map(|(credentials, reason)| {
        let refusal = refused(&keys, &credentials);
        assert_eq!(refusal.reason(), reason);
        (
            refusal.to_string(),
            format!("{refusal:?}"),
            refusal.challenge(),
        )
    });
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]));
}

#[test]
fn a_wrong_secret_learns_nothing_of_a_revoked_or_expired_key() {
    let (clock, keys) = service();
    let guess = ApiKey::generate().unwrap();
    let real = ApiKey::generate().unwrap();
    let mut stored = StoredKey::new(guess.id(), real.digest(), alice(), clock.now());
    stored.revoked_at = Some(clock.now());
    stored.expires_at = Some(clock.now());
    assert!(now(keys.store().put(stored)).unwrap());
    assert_eq!(refused(&keys, &present(&guess)).reason(), Reason::Wrong);
}

#[test]
fn a_key_expires_at_its_instant_and_not_before() {
    let (clock, keys) = service();
    let at = clock.now().saturating_add(Duration::from_secs(60));
    let key = now(keys.issue(IssueRequest::new(alice()).with_expiry(at)))
        .unwrap()
        .key;
    clock.advance(Duration::from_nanos(59_999_999_999));
    assert!(accepted(&keys, &key));
    clock.advance(Duration::from_nanos(1));
    assert!(!accepted(&keys, &key));
}

#[test]
fn a_mistyped_or_foreign_key_never_reaches_the_store() {
    let (_, keys) = service();
    let key = now(keys.issue(IssueRequest::new(alice()))).unwrap().key;
    let text = key.expose();
    for position in 0..text.len() {
        let mut typed = text.to_owned().into_bytes();
        typed[position] = if typed[position] == b'a' { b'b' } else { b'a' };
        let typed = String::from_utf8(typed).unwrap();
        let refusal = refused(&keys, &Credentials::new(&typed).unwrap());
        assert_eq!(refusal.reason(), Reason::Malformed, "position {position}");
    }
    for position in 1..text.len() {
        let (left, right) = text.split_at(position);
        let swapped = format!("{}{}", &left[..left.len() - 1], right);
        assert!(ApiKey::parse(&swapped).is_err(), "a missing character");
        assert!(ApiKey::parse(left).is_err(), "cut short");
    }
    assert!(ApiKey::parse(&text.to_uppercase()).is_err());
    assert!(ApiKey::parse(&format!("{text}a")).is_err());
    assert_eq!(keys.store().finds.load(Ordering::Relaxed), 0);
    assert!(accepted(&keys, &key));
}

#[test]
fn no_debug_output_shows_a_secret() {
    let (_, keys) = service();
    let issued = now(keys.issue(IssueRequest::new(alice()).with_label("ci"))).unwrap();
    let text = issued.key.expose();
    let secret = &text[21..];
    let digest: Vec<String> = issued
        .stored
        .digest
        .as_bytes()
        .iter()
        .map(ToString::to_string)
        .collect();
    let shown = format!(
        "{issued:?} {:#?} {:?} {:?} {:?}",
        issued.stored,
        present(&issued.key),
        ApiKey::parse(text).unwrap(),
        ApiKey::parse(&format!("{text}!")).unwrap_err(),
    );
    for window in secret.as_bytes().windows(8) {
        let part = std::str::from_utf8(window).unwrap();
        assert!(!shown.contains(part), "{part} of the secret is shown");
    }
    assert!(
        !shown.contains(&digest[..4].join(", ")),
        "the digest is shown"
    );
    assert!(
        shown.contains(&issued.key.id().to_string()),
        "the id may be shown"
    );
}

#[test]
fn revoking_works_at_once_and_for_good() {
    let (clock, keys) = service();
    let key = now(keys.issue(IssueRequest::new(alice()))).unwrap().key;
    assert!(accepted(&keys, &key));
    assert!(now(keys.revoke(key.id())).unwrap());
    assert!(!accepted(&keys, &key));
    let first = clock.now();
    clock.advance(Duration::from_secs(5));
    assert!(now(keys.revoke(key.id())).unwrap());
    let stored = now(keys.store().find(key.id())).unwrap().unwrap();
    assert_eq!(stored.revoked_at, Some(first));
    // Putting it again does not bring it back.
    let fresh = StoredKey::new(key.id(), key.digest(), alice(), clock.now());
    assert!(!now(keys.store().put(fresh)).unwrap());
    assert!(!accepted(&keys, &key));
    assert!(!now(keys.revoke(ApiKey::generate().unwrap().id())).unwrap());
}

#[test]
fn a_cache_saves_look_ups_and_forgets_in_its_stated_time() {
    let (clock, keys) = service();
    let keys = keys.with_cache(Duration::from_secs(30));
    let finds = || keys.store().finds.load(Ordering::Relaxed);
    let soon = clock.now().saturating_add(Duration::from_secs(20));
    let key = now(keys.issue(IssueRequest::new(alice()))).unwrap().key;
    let short = now(keys.issue(IssueRequest::new(alice()).with_expiry(soon)))
        .unwrap()
        .key;
    for _ in 0..10 {
        assert!(accepted(&keys, &key) && accepted(&keys, &short));
    }
    assert_eq!(finds(), 2);

    // Revoked by another process: the store knows, this cache does not, until its time is over.
    now(keys.store().revoke(key.id(), clock.now())).unwrap();
    clock.advance(Duration::from_secs(20));
    assert!(accepted(&keys, &key));
    assert!(!accepted(&keys, &short), "expiry needs no look-up");
    clock.advance(Duration::from_secs(10));
    assert!(!accepted(&keys, &key));

    // Revoked here: at once.
    let key = now(keys.issue(IssueRequest::new(alice()))).unwrap().key;
    assert!(accepted(&keys, &key));
    now(keys.revoke(key.id())).unwrap();
    assert!(!accepted(&keys, &key));
}

#[test]
fn a_cache_keeps_no_stranger_and_no_wrong_secret() {
    let (clock, keys) = service();
    let keys = keys.with_cache(Duration::from_secs(30));
    let stranger = ApiKey::generate().unwrap();
    assert!(!accepted(&keys, &stranger));
    assert!(!accepted(&keys, &stranger));
    assert_eq!(keys.store().finds.load(Ordering::Relaxed), 2);
    // Stored a moment after it was refused, it is known at once.
    let stored = StoredKey::new(stranger.id(), stranger.digest(), alice(), clock.now());
    assert!(now(keys.store().put(stored)).unwrap());
    assert!(accepted(&keys, &stranger));
}

#[test]
fn a_store_without_an_answer_is_an_error_and_no_refusal() {
    let clock = ManualClock::default();
    let store = Watched {
        broken: true,
        ..Watched::default()
    };
    let keys = ApiKeys::new(store, clock);
    let key = ApiKey::generate().unwrap();
    let error = now(keys.authenticate(&present(&key))).unwrap_err();
    assert!(error.is_transient());
}

#[test]
fn what_cannot_be_issued_is_refused_by_its_reason() {
    let (clock, keys) = service();
    let issue = |request| now(keys.issue(request));
    let longest = "l".repeat(StoredKey::LABEL_BYTES_MAX);
    assert!(issue(IssueRequest::new(alice()).with_label(longest.clone())).is_ok());
    assert!(matches!(
        issue(IssueRequest::new(alice()).with_label(longest + "l")),
        Err(IssueError::Label { length: 129, .. })
    ));
    assert!(matches!(
        issue(IssueRequest::new(alice()).with_expiry(clock.now())),
        Err(IssueError::Expired)
    ));

    let full = ApiKeys::new(InMemory::with_capacity(1), clock);
    assert!(now(full.issue(IssueRequest::new(alice()))).is_ok());
    let Err(IssueError::Store(error)) = now(full.issue(IssueRequest::new(alice()))) else {
        panic!("a full store took a key");
    };
    assert_eq!(error.kind(), StoreErrorKind::Unwritable);
}

#[test]
fn a_list_walks_all_keys_of_one_tenant_and_no_other() {
    let store = InMemory::default();
    let put = |org: &str, project: &str, number: u8| {
        let principal = Principal::new(org, Role::Viewer)
            .unwrap()
            .with_project(project)
            .unwrap();
        let id = KeyId::from_bytes([number; 10]);
        let digest = KeyDigest::from_bytes([number; 32]);
        let key = StoredKey::new(id, digest, principal, Timestamp::UNIX_EPOCH);
        assert!(now(store.put(key)).unwrap());
    };
    for number in (0..25).rev() {
        put("acme", if number % 2 == 0 { "even" } else { "odd" }, number);
    }
    put("other", "even", 200);

    let walk = |request: ListRequest<'_>| {
        let (mut found, mut request) = (Vec::new(), request);
        loop {
            let page = now(store.list(request)).unwrap();
            assert!(page.keys.len() <= request.limit());
            found.extend(page.keys.iter().map(|key| key.id.as_bytes()[0]));
            match page.next {
                Some(id) => request = request.with_after(id),
                None => return found,
            }
        }
    };
    for limit in [1, 3, 24, 25, 26, 5_000] {
        let all = walk(ListRequest::new("acme").with_limit(limit));
        assert_eq!(all, (0..25).collect::<Vec<_>>());
    }
    let even = walk(ListRequest::new("acme").with_project("even").with_limit(4));
    assert_eq!(even, (0..25).step_by(2).collect::<Vec<_>>());
    assert_eq!(walk(ListRequest::new("nobody")), Vec::<u8>::new());
    assert_eq!(ListRequest::new("x").with_limit(0).limit(), 1);
    assert_eq!(
        ListRequest::new("x").with_limit(5_000).limit(),
        ListRequest::LIMIT_MAX
    );
}

#[test]
fn hidden_stores_and_authenticators_answer_as_themselves() {
    let keys = ApiKeys::new(
        DynKeyStore::new(InMemory::default()),
        ManualClock::default(),
    );
    let key = now(keys.issue(IssueRequest::new(alice()))).unwrap().key;
    let hidden = DynAuthenticator::new(keys);
    assert!(now(hidden.authenticate(&present(&key))).unwrap().is_allow());
}

#[test]
fn generated_keys_differ_and_have_one_length() {
    let keys: Vec<ApiKey> = (0..1_000).map(|_| ApiKey::generate().unwrap()).collect();
    let mut texts: Vec<&str> = keys.iter().map(ApiKey::expose).collect();
    assert!(
        texts
            .iter()
            .all(|text| text.len() == ApiKey::LENGTH && text.len() == 80)
    );
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 1_000);
}

#[test]
fn a_key_issued_once_is_known_for_ever() {
    // Written down here, with its digest as another program reckons it: a change of either would lock every owner of a key
    // out.
    let text = "pal_aebagbafaydqqcik_mvtgo2djnjvwy3lon5yhc4ttor2xm53ypf5hw7d5pz7ybamcqocaplfxrha";
    let key = ApiKey::parse(text).unwrap();
    assert_eq!(key.id(), KeyId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    assert_eq!(key.expose(), text);
    let digest: String = key
        .digest()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        digest,
        "54390dee2985f76c752f04c8f85128a64b25d54d80c2783ab90e5b8d82a512c2"
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic_or_take_what_is_no_key(text in "(pal_)?[a-z2-7_]{0,90}|.{0,90}") {
        prop_assert!(ApiKey::parse(&text).is_err());
        let _ = text.parse::<KeyId>();
        let _ = Credentials::from_fields(Some(&text), Some(&text));
    }

    #[test]
    fn an_id_survives_its_text(bytes in any::<[u8; 10]>()) {
        let id = KeyId::from_bytes(bytes);
        prop_assert_eq!(id.to_string().parse::<KeyId>().unwrap(), id);
        prop_assert_eq!(id.as_bytes(), &bytes);
    }
}

#[cfg(feature = "serde")]
#[test]
fn roles_ids_and_principals_travel_as_text() {
    let id = KeyId::from_bytes([7; 10]);
    let principal = alice().with_key_id(id);
    assert_eq!(
        serde_json::to_value(&principal).unwrap(),
        serde_json::json!({
            "org": "acme",
            "project": "chatbot",
            "user": "alice",
            "key_id": id.to_string(),
            "role": "developer",
        })
    );
    let text = serde_json::to_string(&id).unwrap();
    assert_eq!(serde_json::from_str::<KeyId>(&text).unwrap(), id);
    assert!(serde_json::from_str::<KeyId>("\"ABC\"").is_err());
    assert_eq!(
        serde_json::from_str::<Role>("\"owner\"").unwrap(),
        Role::Owner
    );
    assert!(serde_json::from_str::<Role>("\"root\"").is_err());
}
