use std::fmt::Debug;

use palisade_auth::{KeyDigest, KeyStore, ListRequest, Role, StoredKey};
use palisade_core::Timestamp;

use super::{
    Make,
    bench::{id, principal, stored},
    oracle::Oracle,
};
use crate::{Broken, Random, Verdict, verdict::ensure};

const STEPS: u32 = 300;
/// Few enough that most ids are met several times.
const IDS: u64 = 40;
const ORGS: [&str; 4] = ["acme", "Acme", "acme' OR '1'='1", "acm_"];
const PROJECTS: [Option<&str>; 4] = [None, Some("chatbot"), Some("Chatbot"), Some("c%")];
const LABELS: [&str; 4] = ["", "ci", "\"); --", "schlüssel 鍵 "];

/// Plays one random sequence of calls to the store and to a naive one and compares every answer.
///
/// The same seed plays the same sequence.
///
/// # Errors
///
/// [`Broken`] at the first answer that differs.
pub async fn agrees_with_the_oracle<M: Make>(make: &M, seed: u64) -> Verdict {
    let store = make.make().await;
    let mut play = Play {
        random: Random::new(seed),
        oracle: Oracle::default(),
    };
    for step in 0..STEPS {
        play.step(&store)
            .await
            .map_err(|broken| broken.at(format!("PALISADE_SEED={seed}, step {step}")))?;
    }
    Ok(())
}

struct Play {
    random: Random,
    oracle: Oracle,
}

impl Play {
    async fn step(&mut self, store: &impl KeyStore) -> Verdict {
        match self.random.below(10) {
            0..=3 => {
                let key = self.key()?;
                let expected = self.oracle.put(key.clone());
                let call = format!("put {key:?}");
                equal(&call, &expected, &store.put(key).await?)
            }
            4 | 5 => {
                let (id, at) = (id(self.number()), self.time());
                let expected = self.oracle.revoke(id, at);
                let call = format!("revoke {id} at {at:?}");
                equal(&call, &expected, &store.revoke(id, at).await?)
            }
            6 | 7 => {
                let id = id(self.number());
                let call = format!("find {id}");
                equal(&call, &self.oracle.find(id), &store.find(id).await?)
            }
            _ => {
                let request = self.request();
                let call = format!("list {request:?}");
                equal(
                    &call,
                    &self.oracle.list(request),
                    &store.list(request).await?,
                )
            }
        }
    }

    fn key(&mut self) -> Result<StoredKey, Broken> {
        let user = self.random.one_in(2).then_some("alice");
        let (org, project) = (self.org(), self.one_of(PROJECTS));
        let role = self.one_of(Role::ALL);
        let mut key = stored(self.number(), principal(org, project, user, role)?);
        // Keys of one id differ, so that it shows which of them was kept.
        let byte = u8::try_from(self.random.below(256)).unwrap_or(0);
        key.digest = KeyDigest::from_bytes([byte; 32]);
        self.one_of(LABELS).clone_into(&mut key.label);
        key.created_at = self.time();
        key.expires_at = self.random.one_in(3).then(|| self.time());
        key.revoked_at = self.random.one_in(8).then(|| self.time());
        Ok(key)
    }

    fn request(&mut self) -> ListRequest<'static> {
        let limit = usize::try_from(1 + self.random.below(8)).unwrap_or(1);
        let mut request = ListRequest::new(self.org()).with_limit(limit);
        request.project = self.one_of(PROJECTS);
        request.after = self.random.one_in(2).then(|| id(self.number()));
        request
    }

    /// One organisation has most of the keys: it has several pages.
    fn org(&mut self) -> &'static str {
        if self.random.one_in(2) {
            ORGS[0]
        } else {
            self.one_of(ORGS)
        }
    }

    fn number(&mut self) -> u8 {
        u8::try_from(self.random.below(IDS)).unwrap_or(0)
    }

    fn time(&mut self) -> Timestamp {
        Timestamp::from_nanos(self.random.bits().cast_signed())
    }

    fn one_of<T: Copy, const N: usize>(&mut self, items: [T; N]) -> T {
        self.random.pick(&items).copied().unwrap_or(items[0])
    }
}

fn equal<T: Debug + PartialEq>(call: &str, expected: &T, found: &T) -> Verdict {
    ensure!(
        expected == found,
        "{call}: expected {expected:?}, found {found:?}"
    );
    Ok(())
}
