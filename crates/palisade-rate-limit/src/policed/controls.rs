use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use palisade_core::Key;

use crate::{
    Charge, ControlsError, Limit, Listed, Lists, LiveLimit, Status,
    model::top::{Count, Top},
};

/// Whether a limit refuses, or only says that it would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Mode {
    /// It refuses.
    #[default]
    Enforce,
    /// It counts as if it refused, and lets pass: to see what a new limit would do before it does it.
    Observe,
}

/// What an operator may change while a service runs, and what there is to see: the desk of a [`Policed`](crate::Policed)
/// limiter. Clones share one desk.
#[derive(Clone)]
pub struct Controls(Arc<Desk>);

struct Desk {
    rules: RwLock<Rules>,
    tallies: RwLock<HashMap<String, Arc<Tally>>>,
    /// Of those limits that find no place among the others.
    rest: Arc<Tally>,
    top_places: usize,
}

#[derive(Default)]
struct Rules {
    lists: Arc<Lists>,
    by_name: HashMap<String, Rule>,
}

#[derive(Clone, Default)]
struct Rule {
    mode: Mode,
    live: Option<LiveLimit>,
}

/// What has come of the charges to one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Charges that passed.
    pub allowed: u64,
    /// What those cost.
    pub units: u64,
    /// Charges that this limit refused.
    pub refused: u64,
    /// Of those, the ones whose cost the limit never holds.
    pub never: u64,
    /// Charges that it would have refused if it did not only [observe](Mode::Observe).
    pub would_refuse: u64,
    /// Answers beyond the limit's [soft part](Limit::with_soft_percent).
    pub soft: u64,
    /// Charges that were not counted, as the [lists](Lists) free their key.
    pub free: u64,
    /// Charges that were refused, as the lists shut their key out.
    pub shut: u64,
    /// Questions that got no answer.
    pub failed: u64,
}

/// A key among those that take the most of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Consumer {
    /// Whose it is.
    pub key: Key,
    /// How much, and by how much that may be too high.
    pub count: Count,
}

pub(super) struct Tally {
    numbers: [AtomicU64; Number::ALL],
    top: Mutex<Top<Key>>,
}

#[derive(Clone, Copy)]
pub(super) enum Number {
    Allowed,
    Units,
    Refused,
    Never,
    WouldRefuse,
    Soft,
    Free,
    Shut,
    Failed,
}

impl Number {
    const ALL: usize = 9;
}

/// What the rules make of a request.
pub(super) enum Plan {
    /// It is asked as it stands.
    AsIs,
    /// It is not asked at all.
    Listed(Listed),
    /// It is asked with these limits instead; those with a `true` are observed only.
    Changed(Vec<(Limit, bool)>),
}

impl Controls {
    /// The most limits that have rules or counts of their own. The counts of further ones are summed up.
    pub const LIMITS_MAX: usize = 256;

    /// A desk that changes nothing, and counts.
    #[must_use]
    pub fn new() -> Self {
        Self::with_top(0)
    }

    /// The same, which also keeps the `places` keys that take the most of each limit: see
    /// [`model::top`](crate::model::top). Each costs some 200 bytes a limit, and a new key among many a look at all of them.
    #[must_use]
    pub fn with_top(places: usize) -> Self {
        Self(Arc::new(Desk {
            rules: RwLock::default(),
            tallies: RwLock::default(),
            rest: Arc::new(Tally::new(0)),
            top_places: places,
        }))
    }

    /// Puts other lists in the place of those in force.
    pub fn set_lists(&self, lists: Lists) {
        self.write().lists = Arc::new(lists);
    }

    /// The lists in force, to put others in their place that differ a little.
    #[must_use]
    pub fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.read().lists)
    }

    /// Has the limit of this name refuse, or only look.
    ///
    /// # Errors
    ///
    /// [`ControlsError::Full`] if [`Controls::LIMITS_MAX`] others have rules.
    pub fn set_mode(&self, limit: &str, mode: Mode) -> Result<(), ControlsError> {
        self.change(limit, |rule| rule.mode = mode)
    }

    /// Puts this limit in the place of whichever limit of its name a request is charged with, from now on. What has been
    /// used stays used, unless the [algorithm](Limit::algorithm) is another.
    ///
    /// # Errors
    ///
    /// [`ControlsError::Full`] if [`Controls::LIMITS_MAX`] others have rules.
    pub fn set_limit(&self, limit: Limit) -> Result<(), ControlsError> {
        self.follow(LiveLimit::new(limit))
    }

    /// The same with a limit that changes by itself, such as that of an [`Adaptive`](crate::Adaptive).
    ///
    /// # Errors
    ///
    /// [`ControlsError::Full`] if [`Controls::LIMITS_MAX`] others have rules.
    pub fn follow(&self, live: LiveLimit) -> Result<(), ControlsError> {
        self.change(live.get().name(), |rule| rule.live = Some(live.clone()))
    }

    /// Lets the limit of this name be what requests are charged with, and refuse.
    pub fn clear(&self, limit: &str) {
        self.write().by_name.remove(limit);
    }

    /// The limit in force where a request is charged with this one.
    #[must_use]
    pub fn in_force(&self, limit: &Limit) -> Limit {
        let rules = self.read();
        rules
            .by_name
            .get(limit.name())
            .map_or(*limit, |rule| rule.limit(limit))
    }

    /// What has come of the charges to the limit of this name.
    #[must_use]
    pub fn counts(&self, limit: &str) -> Counts {
        let tallies = self
            .0
            .tallies
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        tallies
            .get(limit)
            .map(|tally| tally.counts())
            .unwrap_or_default()
    }

    /// The same for every limit that was charged, by name; an empty name stands for those beyond [`Controls::LIMITS_MAX`].
    #[must_use]
    pub fn all_counts(&self) -> Vec<(String, Counts)> {
        let tallies = self
            .0
            .tallies
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = tallies
            .iter()
            .map(|(name, tally)| (name.clone(), tally.counts()))
            .collect();
        drop(tallies);
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let rest = self.0.rest.counts();
        if rest != Counts::default() {
            all.push((String::new(), rest));
        }
        all
    }

    /// Who took the most of the limit of this name, the largest first. Nobody, unless made
    /// [with a top](Controls::with_top).
    #[must_use]
    pub fn top(&self, limit: &str, many: usize) -> Vec<Consumer> {
        let tallies = self
            .0
            .tallies
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(tally) = tallies.get(limit).cloned() else {
            return Vec::new();
        };
        drop(tallies);
        let most = tally.top().most(many);
        most.into_iter()
            .map(|(key, count)| Consumer { key, count })
            .collect()
    }

    pub(super) fn plan<'a>(&self, of: impl Iterator<Item = (&'a Limit, &'a Key)> + Clone) -> Plan {
        let rules = self.read();
        if rules.lists.is_empty() && rules.by_name.is_empty() {
            return Plan::AsIs;
        }
        let mut free = false;
        for (_, key) in of.clone() {
            match rules.lists.say(key) {
                Some(Listed::Shut) => return Plan::Listed(Listed::Shut),
                Some(Listed::Free) => free = true,
                None => {}
            }
        }
        if free {
            return Plan::Listed(Listed::Free);
        }
        let changed = of.map(|(limit, _)| match rules.by_name.get(limit.name()) {
            Some(rule) => (rule.limit(limit), rule.mode == Mode::Observe),
            None => (*limit, false),
        });
        Plan::Changed(changed.collect())
    }

    /// Notes what one charge came to.
    pub(super) fn note(&self, limit: &Limit, key: &Key, notes: &[(Number, u64)]) {
        let tally = self.tally(limit.name());
        for (number, more) in notes {
            tally.numbers[*number as usize].fetch_add(*more, Ordering::Relaxed);
        }
        if self.0.top_places > 0 {
            let said = |of: Number| {
                let found = notes.iter().find(|(number, _)| *number as u8 == of as u8);
                found.map_or(0, |(_, more)| *more)
            };
            let refused = said(Number::Refused) + said(Number::Shut) > 0;
            tally.top().note(key, said(Number::Units), refused);
        }
    }

    /// Notes an answer about one charge.
    pub(super) fn note_status(&self, status: &Status, charge: &Charge<'_>, passed: bool) {
        let mut notes = [(Number::Soft, 0); 3];
        notes[0].1 = u64::from(status.is_soft_breach());
        match status.retry_after {
            Some(wait) => {
                notes[1] = (Number::Refused, 1);
                let never = wait == palisade_core::RetryAfter::Never;
                notes[2] = (Number::Never, u64::from(never));
            }
            None if passed => {
                notes[1] = (Number::Allowed, 1);
                notes[2] = (Number::Units, charge.cost);
            }
            None => {}
        }
        self.note(charge.limit, charge.key, &notes);
    }

    fn tally(&self, limit: &str) -> Arc<Tally> {
        let tallies = self
            .0
            .tallies
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(tally) = tallies.get(limit) {
            return Arc::clone(tally);
        }
        drop(tallies);
        let mut tallies = self
            .0
            .tallies
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if tallies.len() >= Self::LIMITS_MAX && !tallies.contains_key(limit) {
            return Arc::clone(&self.0.rest);
        }
        let fresh = || Arc::new(Tally::new(self.0.top_places));
        Arc::clone(tallies.entry(limit.to_owned()).or_insert_with(fresh))
    }

    fn change(&self, limit: &str, change: impl FnOnce(&mut Rule)) -> Result<(), ControlsError> {
        let mut rules = self.write();
        if rules.by_name.len() >= Self::LIMITS_MAX && !rules.by_name.contains_key(limit) {
            return Err(ControlsError::Full);
        }
        change(rules.by_name.entry(limit.to_owned()).or_default());
        Ok(())
    }

    /// Whole after every statement, so a poisoned lock is still good.
    fn read(&self) -> RwLockReadGuard<'_, Rules> {
        self.0.rules.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rules> {
        self.0.rules.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn limit(&self, charged: &Limit) -> Limit {
        self.live.as_ref().map_or(*charged, LiveLimit::get)
    }
}

impl Tally {
    fn new(places: usize) -> Self {
        Self {
            numbers: Default::default(),
            top: Mutex::new(Top::new(places)),
        }
    }

    fn top(&self) -> std::sync::MutexGuard<'_, Top<Key>> {
        self.top.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> Counts {
        let of = |number: Number| self.numbers[number as usize].load(Ordering::Relaxed);
        Counts {
            allowed: of(Number::Allowed),
            units: of(Number::Units),
            refused: of(Number::Refused),
            never: of(Number::Never),
            would_refuse: of(Number::WouldRefuse),
            soft: of(Number::Soft),
            free: of(Number::Free),
            shut: of(Number::Shut),
            failed: of(Number::Failed),
        }
    }
}

impl Default for Controls {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.read();
        f.debug_struct("Controls")
            .field("rules", &rules.by_name.len())
            .field("listed", &!rules.lists.is_empty())
            .finish_non_exhaustive()
    }
}
