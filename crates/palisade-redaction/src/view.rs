use std::cell::Cell;

use crate::text::is_word;

/// How far past the place it was started at a rule may look, and therefore how much text can ever be held back for
/// one decision.
pub(crate) const WINDOW: usize = 508;

/// How far before that place a rule may look.
pub(crate) const LOOK_BEHIND: usize = 160;

/// What our masks begin with.
const MASK: &[u8] = b"[REDACTED:";

/// The part of a text one decision may look at, which remembers whether the decision depended on text that has not
/// arrived yet.
///
/// This is what makes a stream and a whole text agree: every rule reads through a `View`. A decision that never
/// reached past the end of what is there stays the same whatever follows; one that did is made again later. Nothing
/// further than [`WINDOW`] is ever read, so later always comes.
pub(crate) struct View<'a> {
    bytes: &'a [u8],
    floor: usize,
    wall: usize,
    limit: usize,
    more_may_follow: bool,
    waits: Cell<bool>,
}

impl<'a> View<'a> {
    /// The view of a decision started at `anchor`; `last` says that no text follows `bytes`.
    pub(crate) fn new(bytes: &'a [u8], anchor: usize, last: bool) -> Self {
        let limit = anchor + WINDOW;
        Self {
            bytes,
            floor: anchor.saturating_sub(LOOK_BEHIND),
            wall: limit.min(bytes.len()),
            limit,
            more_may_follow: !last && bytes.len() < limit,
            waits: Cell::new(false),
        }
    }

    /// The byte at `at`, or 0 where there is none within the window.
    #[inline]
    pub(crate) fn at(&self, at: usize) -> u8 {
        count_steps(1);
        if at >= self.wall {
            self.reached_the_end();
            0
        } else if at < self.floor {
            0
        } else {
            self.bytes[at]
        }
    }

    /// The byte before `at`, or 0.
    #[inline]
    pub(crate) fn before(&self, at: usize) -> u8 {
        if at == 0 { 0 } else { self.at(at - 1) }
    }

    /// Whether `word` stands at `at`.
    #[inline]
    pub(crate) fn has(&self, at: usize, word: &[u8]) -> bool {
        for (i, &byte) in word.iter().enumerate() {
            if self.at(at + i) != byte {
                return false;
            }
        }
        true
    }

    /// Whether `word`, given in lower case, stands at `at` in any case.
    #[inline]
    pub(crate) fn has_any_case(&self, at: usize, word: &[u8]) -> bool {
        for (i, &byte) in word.iter().enumerate() {
            if self.at(at + i).to_ascii_lowercase() != byte {
                return false;
            }
        }
        true
    }

    /// The end of the longest run of bytes from `from` that satisfy `class`, looking at no more than `most` bytes.
    #[inline]
    pub(crate) fn run(&self, from: usize, most: usize, mut class: impl FnMut(u8) -> bool) -> usize {
        let stop = from.saturating_add(most);
        let near = stop.min(self.wall);
        let mut at = from;
        while at < near {
            if !class(self.bytes[at]) {
                count_steps(at - from);
                return at;
            }
            at += 1;
        }
        count_steps(at - from.min(at));
        if at < stop {
            self.reached_the_end();
        }
        at
    }

    /// The bytes of a range, as far as they lie within the window.
    #[inline]
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        if to > self.wall {
            self.reached_the_end();
        }
        let to = to.min(self.wall);
        if to > from {
            &self.bytes[from..to]
        } else {
            &[]
        }
    }

    /// The text before `at` that a decision may look back to.
    pub(crate) fn behind(&self, at: usize) -> &'a [u8] {
        self.slice(self.floor, at)
    }

    /// The text before `at` as far as it was said by somebody: what one of our masks says is no context for what stands
    /// behind it, or to redact twice would be to redact more.
    pub(crate) fn said_before(&self, at: usize) -> &'a [u8] {
        let behind = self.behind(at);
        let Some(end) = behind.iter().rposition(|b| *b == b']') else {
            return behind;
        };
        let mask = behind[..end]
            .windows(MASK.len())
            .any(|window| window == MASK);
        if mask { &behind[end + 1..] } else { behind }
    }

    /// Whether `end` is where the window, not the text, ends: what stands there may go on.
    pub(crate) fn is_cut_at(&self, end: usize) -> bool {
        end >= self.limit
    }

    /// Whether the text ends at `at`. Asking is looking past the end.
    pub(crate) fn ends_at(&self, at: usize) -> bool {
        if at < self.wall {
            return false;
        }
        self.reached_the_end();
        at < self.limit
    }

    /// Whether `at` lies inside a word, rather than at its beginning or after an escape sequence: in `\nkey`, `%3Dkey`
    /// and `\u0022key` the word is `key`.
    pub(crate) fn is_inside_word(&self, at: usize) -> bool {
        if !is_word(self.before(at)) {
            return false;
        }
        let back = |count: usize| if at >= count { self.at(at - count) } else { 0 };
        let simple = back(2) == b'\\' && matches!(back(1), b'n' | b't' | b'r' | b'b' | b'f');
        let percent = back(3) == b'%' && back(2).is_ascii_hexdigit() && back(1).is_ascii_hexdigit();
        let unicode = back(6) == b'\\' && back(5) == b'u';
        !(simple || percent || unicode)
    }

    /// How many of the word bytes at `at` belong to an escape sequence begun before them.
    #[inline]
    pub(crate) fn escape_length(&self, at: usize) -> usize {
        match self.before(at) {
            b'\\' => match self.at(at) {
                b'n' | b't' | b'r' | b'b' | b'f' => 1,
                b'u' => 5,
                _ => 0,
            },
            b'%' if self.at(at).is_ascii_hexdigit() && self.at(at + 1).is_ascii_hexdigit() => 2,
            _ => 0,
        }
    }

    /// Says that the decision would want to see past the end.
    #[inline]
    pub(crate) fn reached_the_end(&self) {
        if self.more_may_follow {
            self.waits.set(true);
        }
    }

    /// Whether the decision must wait for more text.
    #[inline]
    pub(crate) fn waits(&self) -> bool {
        self.waits.get()
    }
}

/// How many bytes were looked at: what a pass costs, whatever machine it runs on.
#[cfg(test)]
pub(crate) mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn count(steps: usize) {
        STEPS.set(STEPS.get() + steps as u64);
    }

    pub(crate) fn take() -> u64 {
        STEPS.take()
    }
}

#[cfg(test)]
fn count_steps(count: usize) {
    steps::count(count);
}

#[cfg(not(test))]
#[inline(always)]
fn count_steps(_: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_waits_only_when_it_was_asked_for_what_is_not_there() {
        let view = View::new(b"abc", 0, false);
        assert_eq!((view.at(2), view.waits()), (b'c', false));
        assert_eq!((view.at(3), view.waits()), (0, true));
        let last = View::new(b"abc", 0, true);
        assert_eq!((last.at(3), last.waits()), (0, false));
    }

    #[test]
    fn a_full_window_never_waits() {
        let text = vec![b'a'; WINDOW];
        let view = View::new(&text, 0, false);
        assert_eq!(view.run(0, usize::MAX, |b| b == b'a'), WINDOW);
        assert!(!view.waits() && view.is_cut_at(WINDOW));
        let longer = vec![b'a'; WINDOW + 1];
        let view = View::new(&longer, 0, false);
        assert_eq!(view.at(WINDOW), 0);
        assert!(!view.waits());
    }

    #[test]
    fn nothing_further_back_than_the_look_behind_is_seen() {
        let text = vec![b'a'; 400];
        let view = View::new(&text, 300, true);
        assert_eq!(view.at(300 - LOOK_BEHIND), b'a');
        assert_eq!(view.at(299 - LOOK_BEHIND), 0);
    }
}
