//! The rules are tested too: an honest store passes all of them, and every lie is caught.

mod common;

use std::{
    collections::BTreeMap,
    future::{Ready, ready},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use palisade_auth::{InMemory, KeyId, KeyPage, KeyStore, ListRequest, StoredKey};
use palisade_conformance::{Verdict, auth, block_on};
use palisade_core::{StoreError, Timestamp};

use common::{
    Suspect, each_breaks_the_rule_made_for_it, keeps_every_rule, random_play_finds, tells_its_seed,
    yield_once,
};

/// The ways in which a key store can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    /// Says that it keeps a key, and does not.
    Forgets,
    /// Keeps the first 64 characters of a label.
    CutsLabels,
    /// Keeps times in milliseconds.
    RoundsTimes,
    /// Tells keys apart by all but the last byte of their ids.
    CutsIds,
    /// The last key that was put under an id stands.
    Overwrites,
    /// The last one stands, though its caller is told that it does not.
    OverwritesInSecret,
    /// Reads, waits, and writes: another's key in between is lost.
    ChecksThenActs,
    /// Reads, waits, and revokes with its own time what another has revoked meanwhile.
    ChecksThenRevokes,
    /// A `put` under the id of a revoked key makes the key valid again.
    Unrevokes,
    /// Gives the id of a revoked key to the next who asks.
    FreesRevokedIds,
    /// A key that was put as revoked is valid.
    KeepsOnlyTheLiving,
    /// The last revocation's time stands.
    MovesRevocations,
    /// The earliest revocation's time stands.
    BackdatesRevocations,
    /// The second revocation finds nothing.
    RevokesOnce,
    /// Revokes what is not there.
    RevokesTheUnknown,
    /// Revokes all keys of the organisation.
    RevokesAll,
    /// A page has whatever keys come next, whoever's they are.
    ListsNeighbours,
    /// Organisations are compared without regard to case.
    FoldsCase,
    /// An organisation's name is taken for the beginning of one.
    ListsPrefixes,
    /// A project is found in every organisation.
    ListsProjectsOfOthers,
    /// All keys of the organisation are of every project.
    IgnoresProjects,
    /// Keys of no project are of the one without a name.
    NoProjectIsOne,
    /// Every page is the first.
    RepeatsAPage,
    /// A page begins with the last key of the one before.
    RepeatsAKey,
    /// A page begins one key too late.
    SkipsAKey,
    /// There is never a next page.
    EndsEarly,
    /// A full page is never the last.
    AnnouncesAnEmptyPage,
    /// One key more than was asked for.
    OverfillsPages,
    /// Lists in the order of the texts of the ids.
    SortsTexts,
    /// Revoked keys are not listed.
    HidesRevoked,
    /// Expired keys are not listed.
    HidesExpired,
    /// Lists show keys as they were put.
    ListsFromTheIndex,
}

struct Liar {
    lie: Lie,
    keys: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: BTreeMap<KeyId, StoredKey>,
    as_put: BTreeMap<KeyId, StoredKey>,
}

impl Liar {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, id: KeyId) -> KeyId {
        let mut bytes = *id.as_bytes();
        if self.lie == Lie::CutsIds {
            bytes[9] = 0;
        }
        KeyId::from_bytes(bytes)
    }

    /// What the lie keeps of a key.
    fn bend(&self, mut key: StoredKey) -> StoredKey {
        match self.lie {
            Lie::CutsLabels => key.label = key.label.chars().take(64).collect(),
            Lie::RoundsTimes => key.created_at = Timestamp::from_millis(key.created_at.as_millis()),
            Lie::KeepsOnlyTheLiving => key.revoked_at = None,
            _ => {}
        }
        key
    }

    /// Whether the lie counts the key to what was asked for.
    fn belongs(&self, key: &StoredKey, request: ListRequest<'_>) -> bool {
        let (org, project) = (key.principal.org(), key.principal.project());
        let of_org = match self.lie {
            Lie::ListsNeighbours => true,
            Lie::FoldsCase => org.eq_ignore_ascii_case(request.org),
            Lie::ListsPrefixes => org.starts_with(request.org),
            Lie::ListsProjectsOfOthers if request.project.is_some() => true,
            _ => org == request.org,
        };
        let of_project = request.project.is_none_or(|wanted| match self.lie {
            Lie::IgnoresProjects => true,
            Lie::NoProjectIsOne => project.unwrap_or_default() == wanted,
            _ => project == Some(wanted),
        });
        let hidden = match self.lie {
            Lie::HidesRevoked => key.revoked_at.is_some(),
            Lie::HidesExpired => key.expires_at.is_some_and(|at| at.as_nanos() <= 0),
            _ => false,
        };
        of_org && of_project && !hidden
    }
}

impl KeyStore for Liar {
    async fn find(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        Ok(self.lock().keys.get(&self.name(id)).cloned())
    }

    async fn put(&self, key: StoredKey) -> Result<bool, StoreError> {
        let (id, key) = (self.name(key.id), self.bend(key));
        let taken = self.lock().keys.get(&id).cloned();
        if self.lie == Lie::ChecksThenActs {
            yield_once().await;
        }
        let mut known = self.lock();
        if let Some(old) = taken {
            let revoked = old.revoked_at.is_some();
            match self.lie {
                Lie::Overwrites => {}
                Lie::FreesRevokedIds if revoked => {}
                Lie::OverwritesInSecret => {
                    known.keys.insert(id, key);
                    return Ok(false);
                }
                Lie::Unrevokes => {
                    let key = known.keys.entry(id).or_insert(old);
                    key.revoked_at = None;
                    return Ok(false);
                }
                _ => return Ok(false),
            }
        }
        if self.lie != Lie::Forgets {
            known.as_put.insert(id, key.clone());
            known.keys.insert(id, key);
        }
        Ok(true)
    }

    async fn revoke(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        let id = self.name(id);
        let before = self.lock().keys.get(&id).cloned();
        if self.lie == Lie::ChecksThenRevokes {
            yield_once().await;
            let there = before.is_some();
            if let Some(mut key) = before.filter(|key| key.revoked_at.is_none()) {
                key.revoked_at = Some(at);
                self.lock().keys.insert(id, key);
            }
            return Ok(there);
        }
        let mut known = self.lock();
        let Some(key) = known.keys.get_mut(&id) else {
            return Ok(self.lie == Lie::RevokesTheUnknown);
        };
        if self.lie == Lie::RevokesOnce && key.revoked_at.is_some() {
            return Ok(false);
        }
        key.revoked_at = match (self.lie, key.revoked_at) {
            (Lie::MovesRevocations, _) | (_, None) => Some(at),
            (Lie::BackdatesRevocations, Some(first)) => Some(first.min(at)),
            (_, first) => first,
        };
        if self.lie == Lie::RevokesAll {
            let org = key.principal.org().to_owned();
            for key in known.keys.values_mut() {
                if key.principal.org() == org {
                    key.revoked_at.get_or_insert(at);
                }
            }
        }
        Ok(true)
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<KeyPage, StoreError> {
        let known = self.lock();
        let from = match (self.lie, request.after) {
            (Lie::RepeatsAPage, _) | (_, None) => Bound::Unbounded,
            (Lie::RepeatsAKey, Some(after)) => Bound::Included(after),
            (_, Some(after)) => Bound::Excluded(after),
        };
        let keys = if self.lie == Lie::ListsFromTheIndex {
            &known.as_put
        } else {
            &known.keys
        };
        let mut found: Vec<StoredKey> = keys
            .range((from, Bound::Unbounded))
            .map(|(_, key)| key)
            .filter(|key| self.belongs(key, request))
            .cloned()
            .collect();
        if self.lie == Lie::SkipsAKey && request.after.is_some() && !found.is_empty() {
            found.remove(0);
        }
        if self.lie == Lie::SortsTexts {
            found.sort_by_key(|key| key.id.to_string());
        }
        let limit = request.limit() + usize::from(self.lie == Lie::OverfillsPages);
        let more = match self.lie {
            Lie::EndsEarly => false,
            Lie::AnnouncesAnEmptyPage => found.len() >= limit,
            _ => found.len() > limit,
        };
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.id);
        Ok(KeyPage::new(found, next))
    }
}

fn make(lie: Lie) -> Ready<Liar> {
    ready(Liar {
        lie,
        keys: Mutex::default(),
    })
}

impl Suspect for Lie {
    fn ask(self) -> Vec<(&'static str, Verdict)> {
        block_on(auth::all(&move || make(self)))
    }

    fn play(self, seed: u64) -> Verdict {
        let make = move || make(self);
        block_on(auth::agrees_with_the_oracle(&make, seed))
    }
}

mod honest {
    use super::{Liar, Lie, Ready};

    fn make() -> Ready<Liar> {
        super::make(Lie::None)
    }

    palisade_conformance::key_store_suite!(make);
}

#[test]
fn the_store_in_memory_keeps_every_rule() {
    let make = || ready(InMemory::with_capacity(1_000));
    keeps_every_rule(block_on(auth::all(&make)));
    for seed in 0..100 {
        palisade_conformance::suite::hold(block_on(auth::agrees_with_the_oracle(&make, seed)));
    }
}

#[test]
fn every_liar_breaks_the_rule_made_for_it() {
    let unlike = "organisations_that_look_alike_stay_apart";
    let project = "a_project_is_listed_alone_and_only_in_its_organisation";
    let pages = "pages_hold_every_key_once_in_the_order_of_ids";
    each_breaks_the_rule_made_for_it(&[
        (Lie::Forgets, "a_key_comes_back_as_it_went_in"),
        (Lie::CutsLabels, "a_key_comes_back_as_it_went_in"),
        (Lie::RoundsTimes, "a_key_comes_back_as_it_went_in"),
        (Lie::KeepsOnlyTheLiving, "a_key_comes_back_as_it_went_in"),
        (Lie::CutsIds, "an_unknown_id_is_told_as_such"),
        (Lie::Overwrites, "a_taken_id_is_not_overwritten"),
        (Lie::OverwritesInSecret, "a_taken_id_is_not_overwritten"),
        (Lie::ChecksThenActs, "racers_for_one_id_have_one_winner"),
        (
            Lie::ChecksThenRevokes,
            "racing_revocations_agree_on_one_time",
        ),
        (Lie::Unrevokes, "revoking_is_final"),
        (Lie::FreesRevokedIds, "revoking_is_final"),
        (Lie::MovesRevocations, "the_first_revocation_keeps_its_time"),
        (
            Lie::BackdatesRevocations,
            "the_first_revocation_keeps_its_time",
        ),
        (Lie::RevokesOnce, "the_first_revocation_keeps_its_time"),
        (Lie::RevokesTheUnknown, "an_unknown_id_is_told_as_such"),
        (Lie::RevokesAll, "revoking_one_key_leaves_the_others"),
        (Lie::ListsNeighbours, unlike),
        (Lie::FoldsCase, unlike),
        (Lie::ListsPrefixes, unlike),
        (Lie::ListsProjectsOfOthers, project),
        (Lie::IgnoresProjects, project),
        (Lie::NoProjectIsOne, project),
        (Lie::RepeatsAPage, "keys_put_between_pages_move_no_other"),
        (Lie::RepeatsAPage, pages),
        (Lie::RepeatsAKey, pages),
        (Lie::SkipsAKey, pages),
        (
            Lie::SkipsAKey,
            "a_page_may_begin_after_an_id_that_is_not_there",
        ),
        (Lie::EndsEarly, pages),
        (Lie::AnnouncesAnEmptyPage, pages),
        (Lie::OverfillsPages, pages),
        (Lie::SortsTexts, pages),
        (Lie::HidesRevoked, "revoked_and_expired_keys_are_listed"),
        (Lie::HidesExpired, "revoked_and_expired_keys_are_listed"),
        (Lie::ListsFromTheIndex, "lists_see_what_was_written_at_once"),
    ]);
}

#[test]
fn random_play_finds_the_liars_that_need_no_race_and_no_special_key() {
    random_play_finds(&[
        Lie::Forgets,
        Lie::RoundsTimes,
        Lie::CutsIds,
        Lie::Overwrites,
        Lie::OverwritesInSecret,
        Lie::Unrevokes,
        Lie::FreesRevokedIds,
        Lie::KeepsOnlyTheLiving,
        Lie::MovesRevocations,
        Lie::BackdatesRevocations,
        Lie::RevokesOnce,
        Lie::RevokesTheUnknown,
        Lie::RevokesAll,
        Lie::ListsNeighbours,
        Lie::FoldsCase,
        Lie::ListsPrefixes,
        Lie::ListsProjectsOfOthers,
        Lie::IgnoresProjects,
        Lie::RepeatsAPage,
        Lie::RepeatsAKey,
        Lie::SkipsAKey,
        Lie::EndsEarly,
        Lie::AnnouncesAnEmptyPage,
        Lie::OverfillsPages,
        Lie::HidesRevoked,
        Lie::HidesExpired,
        Lie::ListsFromTheIndex,
    ]);
}

#[test]
fn a_broken_promise_says_how_to_play_it_again() {
    tells_its_seed(Lie::Forgets);
}
