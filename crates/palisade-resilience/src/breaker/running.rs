use std::{collections::VecDeque, time::Duration};

use palisade_core::Instant;

/// The calls under way that are not late yet, counted by when they began, so that the late ones are found without a timer
/// and without a list of calls.
///
/// Beginnings are told apart in sixteenths of the patience. A call is found late within a sixteenth of the patience after
/// it has run out, when somebody looks.
#[derive(Clone, Debug)]
pub(super) struct Running {
    patience: u64,
    slot_nanos: u64,
    /// Oldest first. Whoever adds has swept before, so there are no more than the patience has slots.
    slots: VecDeque<(u64, u64)>,
}

const SLOTS: u64 = 16;

impl Running {
    pub(super) fn new(patience: Duration) -> Self {
        let patience = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        Self {
            patience,
            slot_nanos: (patience / SLOTS).max(1),
            slots: VecDeque::new(),
        }
    }

    /// A call that began at `began` is under way. The answer is needed to take it off.
    pub(super) fn add(&mut self, began: Instant) -> u64 {
        let slot = began.as_nanos() / self.slot_nanos;
        // From the back, as nearly all are new.
        let at = self.slots.iter().rposition(|(other, _)| *other <= slot);
        match at {
            Some(at) if self.slots[at].0 == slot => self.slots[at].1 += 1,
            Some(at) => self.slots.insert(at + 1, (slot, 1)),
            None => self.slots.push_front((slot, 1)),
        }
        slot
    }

    /// Takes a call off. False if it was found late before.
    pub(super) fn remove(&mut self, slot: u64) -> bool {
        let Ok(at) = self.slots.binary_search_by_key(&slot, |(slot, _)| *slot) else {
            return false;
        };
        self.slots[at].1 -= 1;
        if self.slots[at].1 == 0 {
            self.slots.remove(at);
        }
        true
    }

    /// Takes off all that are late, and says how many.
    pub(super) fn late(&mut self, now: Instant) -> u64 {
        let mut late = 0;
        while let Some((slot, calls)) = self.slots.front().copied()
            && (slot + 1)
                .saturating_mul(self.slot_nanos)
                .saturating_add(self.patience)
                <= now.as_nanos()
        {
            late += calls;
            self.slots.pop_front();
        }
        late
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }
}
