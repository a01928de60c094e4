//! The pieces of the race of threads, which the macro puts together around the backend's own executor.

use palisade_auth::{KeyDigest, KeyStore, ListRequest, StoredKey};

use super::{
    Make,
    bench::{finds, key, lists},
};
use crate::{Broken, Verdict, verdict::ensure};

const IDS: u8 = 25;

/// A store for eight racers who all want the same ids.
pub async fn store<M: Make>(make: &M) -> M::Store {
    make.make().await
}

/// Puts a key of its own under every id, and says which ids it got.
///
/// # Panics
///
/// If the store does not answer.
pub async fn race<S: KeyStore>(store: &S, racer: u8) -> Vec<u8> {
    let mut won = Vec::new();
    for number in 0..IDS {
        let key = key_of(racer, number).expect("a short name");
        if store.put(key).await.expect("an answer") {
            won.push(number);
        }
    }
    won
}

/// Each id has one winner, whose key it is.
///
/// # Errors
///
/// [`Broken`] if not.
pub async fn judge<S: KeyStore>(store: &S, won: &[Vec<u8>]) -> Verdict {
    let mut kept = Vec::new();
    for number in 0..IDS {
        let mut winners = Vec::new();
        for (racer, won) in (0..).zip(won) {
            if won.contains(&number) {
                winners.push(racer);
            }
        }
        let [winner] = winners[..] else {
            return Err(Broken::new(format!(
                "id {number} should have one winner, not {winners:?}"
            )));
        };
        let key = key_of(winner, number)?;
        finds(store, &key).await?;
        kept.push(key);
    }
    ensure!(kept.len() == usize::from(IDS), "every id was wanted");
    lists(store, ListRequest::new("acme").with_limit(4), &kept).await
}

fn key_of(racer: u8, number: u8) -> Result<StoredKey, Broken> {
    let mut key = key(number, "acme")?;
    key.digest = KeyDigest::from_bytes([racer; 32]);
    key.label = format!("of racer {racer}");
    Ok(key)
}
