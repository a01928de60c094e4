//! Where something may begin. Most of a text cannot begin anything, and the gate says so sixteen bytes at a time: it
//! knows what every rule needs to see, and lets the pass jump from one such place to the next.
//!
//! - A token of whatever provider is a long run of word bytes, so the number of formats costs nothing here.
//! - A name that makes its value secret holds one of a few roots (`pas`, `tok`, `key`, ...).
//! - URLs, first lines of keys, hashes of passwords, addresses, numbers and commands each have a sign of their own.
//!
//! The gate may let through what is nothing. It must not keep out what a rule would take, for then the answer would
//! depend on where the blocks lie: the pass with the gate and the pass without are compared in a test.

mod heads;
mod masks;
mod names;

pub(crate) use heads::Heads;
use masks::Masks;

use crate::{
    hidden::invisible,
    text::{TIMESTAMP_MAX, is_word, timestamp},
};

/// The shortest run of word bytes in which a token is looked for.
pub(crate) const TOKEN_MIN: usize = 16;

/// The shortest run of base64, with `+` and `/`, in which a token is looked for.
pub(crate) const ENCODED_MIN: usize = 20;

/// How many bytes are judged at once.
const BLOCK: usize = 64;

/// How far before the end of text that may go on nothing is dismissed unseen.
const UNSURE: usize = 8;

/// How far a rule for numbers looks ahead for digits.
const NUMBER: usize = 16;

/// The longest run before an `@` that can be part of an address.
const LOCAL_MAX: usize = 64;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) secrets: bool,
    pub(crate) pii: bool,
    pub(crate) dangers: bool,
}

/// The gate, somewhere in a text.
pub(crate) struct Gate<'a> {
    bytes: &'a [u8],
    last: bool,
    wanted: Wanted,
    heads: &'a Heads,
    /// Where the block begins, and which of its places are still to be asked.
    from: usize,
    ask: u64,
    block: Masks,
    next: Masks,
    /// Whether the byte before the block is a word byte, and one of base64.
    inside: bool,
    inside_encoded: bool,
    /// Whether the byte before the block may end, or be, an escape sequence.
    after_odd: bool,
    /// Where the last moment that was seen ends.
    moment_end: usize,
}

impl<'a> Gate<'a> {
    pub(crate) fn new(
        bytes: &'a [u8],
        at: usize,
        last: bool,
        wanted: Wanted,
        heads: &'a Heads,
    ) -> Self {
        let mut gate = Self {
            bytes,
            last,
            wanted,
            heads,
            from: at,
            ask: 0,
            block: Masks::default(),
            next: Masks::default(),
            inside: false,
            inside_encoded: false,
            after_odd: false,
            moment_end: 0,
        };
        gate.start(at);
        gate
    }

    fn start(&mut self, at: usize) {
        self.from = at;
        self.inside = at > 0 && is_word(self.bytes[at - 1]);
        self.inside_encoded = at > 0 && is_encoded(self.bytes[at - 1]);
        self.after_odd = at > 0 && matches!(self.bytes[at - 1], b'\\' | b'%');
        self.block = Masks::read(self.bytes, at, self.wanted);
        self.next = Masks::read(self.bytes, at + BLOCK, self.wanted);
        self.judge();
    }

    /// The first place from `at` on where something may begin: a word byte at the beginning of a word, or a sign.
    pub(crate) fn next(&mut self, at: usize) -> usize {
        let end = self.bytes.len();
        if at >= end {
            return end;
        }
        // Inside a word there is no beginning to be found: whoever stopped here goes on here.
        if at > 0 && is_word(self.bytes[at]) && is_word(self.bytes[at - 1]) {
            return at;
        }
        if at >= self.from + 2 * BLOCK {
            self.start(at);
        }
        loop {
            let passed = at.saturating_sub(self.from);
            if passed < BLOCK {
                self.ask &= u64::MAX << passed;
                if self.ask != 0 {
                    return self.from + self.ask.trailing_zeros() as usize;
                }
            }
            if self.from + BLOCK >= end {
                return end;
            }
            self.inside = self.block.word >> (BLOCK - 1) == 1;
            self.inside_encoded =
                (self.block.word | self.block.plus | self.block.slash) >> (BLOCK - 1) == 1;
            self.after_odd = self.block.odd >> (BLOCK - 1) == 1;
            self.from += BLOCK;
            self.block = self.next;
            self.next = Masks::read(self.bytes, self.from + BLOCK, self.wanted);
            self.judge();
        }
    }

    /// Finds the places of the block at which something may begin.
    #[inline]
    fn judge(&mut self) {
        let (block, next) = (self.block, self.next);
        let word = both(block.word, next.word);
        let starts = block.word & !(block.word << 1 | u64::from(self.inside));
        // The last word of the block may go on in the next: what is found there is a reason to ask here.
        let goes_on = if block.word >> (BLOCK - 1) == 1 {
            next.word.trailing_ones()
        } else {
            0
        };
        let tail = if goes_on == 64 {
            u64::MAX
        } else {
            (1 << goes_on) - 1
        };
        self.ask = block.direct;
        // A word of sixteen bytes or more.
        self.ask |= run_of_16(word) as u64 & starts;
        if self.wanted.secrets {
            self.secrets(starts, word, tail);
        }
        if self.wanted.dangers {
            self.dangers(starts, word);
        }
        if self.wanted.pii {
            let mut signs = both(block.at, next.at);
            while signs != 0 {
                let sign = self.from + signs.trailing_zeros() as usize;
                signs &= signs - 1;
                self.mark_local(sign);
            }
            self.numbers(starts, goes_on);
        }
        if !self.last && self.from + BLOCK + NUMBER + LOCAL_MAX > self.bytes.len() {
            self.unsure();
        }
    }

    /// Runs of base64, names, URLs, first lines of keys, and tokens whose prefix ends in a sign.
    #[inline]
    fn secrets(&mut self, starts: u64, word: u128, tail: u64) {
        let (block, next) = (self.block, self.next);
        if block.plus | block.slash | next.plus | next.slash != 0 {
            let encoded = block.word | block.plus | block.slash;
            let long = both(encoded, next.word | next.plus | next.slash);
            let long = run_of_16(long);
            let long = (long & long >> (ENCODED_MIN - TOKEN_MIN)) as u64;
            self.ask |= long & !(encoded << 1 | u64::from(self.inside_encoded));
        }
        let mut roots = both(block.root, next.root & tail);
        while roots != 0 {
            let at = roots.trailing_zeros();
            roots &= roots - 1;
            if names::may_hold_root(self.bytes, self.from + at as usize)
                && self.may_be_assigned(starts, word, at)
            {
                self.mark_word(starts, at);
            }
        }
        let mut veils = both(block.veil, next.veil & (tail << 1 | 1));
        while veils != 0 {
            let at = veils.trailing_zeros();
            veils &= veils - 1;
            let hides = match self.bytes.get(self.from + at as usize..) {
                Some(&[a, b, c, ..]) => invisible([a, b, c]) > 0,
                _ => true,
            };
            // The word before it, if there is one.
            if hides && at > 0 && word >> (at - 1) & 1 == 1 {
                self.mark_word(starts, at - 1);
            }
        }
        let slash = both(block.slash, next.slash);
        let urls = both(block.colon, next.colon & (tail << 1 | 1)) & slash >> 1 & slash >> 2;
        let hyphens = both(block.hyphen, next.hyphen & tail);
        let hyphens = hyphens & hyphens >> 1 & hyphens >> 2 & hyphens >> 3 & hyphens >> 4;
        // A scheme ends before the colon.
        let mut plain = hyphens | urls >> 1;
        while plain != 0 {
            let at = plain.trailing_zeros();
            self.mark_word(starts, at);
            plain &= plain - 1;
        }
        let sign = both(block.sign, next.sign);
        // What a body may begin with, and what is not shown may stand before it. Behind the rarer signs it may begin
        // with another.
        let opens = word | slash | both(block.plus | block.veil, next.plus | next.veil);
        let colon = both(block.colon, next.colon);
        let rare = sign & !(slash | colon);
        let mut signed = word & (sign >> 1 & opens >> 2 | rare >> 1 & sign >> 2);
        signed &= both(u64::MAX, tail);
        while signed != 0 {
            let at = signed.trailing_zeros();
            signed &= signed - 1;
            if let Some(start) = start_of(starts, at)
                && self.heads.may_be_signed(
                    self.bytes,
                    self.from + start as usize,
                    self.from + at as usize + 1,
                )
            {
                self.ask |= 1 << start;
            }
        }
    }

    /// Whether what stands behind the word that holds the place `at` may assign something to it.
    #[inline]
    fn may_be_assigned(&self, starts: u64, word: u128, at: u32) -> bool {
        let length = (!(word >> at)).trailing_zeros();
        let end = self.from + (at + length) as usize;
        // Where the masks or the text end, nothing is known.
        if at + length >= 2 * BLOCK as u32 {
            return true;
        }
        let Some(&next) = self.bytes.get(end) else {
            return true;
        };
        names::may_link(next, self.bytes.get(end + 1).copied())
            // `FlyV1 fm2_`
            || self.bytes[self.from + at as usize] == b'V'
            // `--password value`
            || start_of(starts, at)
                .is_some_and(|start| self.bytes[self.from + start as usize] == b'-')
    }

    /// Words that begin commands and statements, and words that hide what they are.
    #[inline]
    fn dangers(&mut self, starts: u64, word: u128) {
        let mut signs = self.block.danger;
        while signs != 0 {
            let at = signs.trailing_zeros();
            signs &= signs - 1;
            if self.may_endanger(self.from + at as usize) {
                self.ask |= 1 << at;
            }
        }
        let odd = both(self.block.odd, self.next.odd);
        // A word right before a sign, or right behind one.
        let mut before = word & odd >> 1;
        before &= both(u64::MAX, u64::MAX >> 32);
        while before != 0 {
            let at = before.trailing_zeros();
            self.mark_word(starts, at);
            before &= before - 1;
        }
        self.ask |= starts & (self.block.odd << 1 | u64::from(self.after_odd));
        let mut left = starts & !self.ask;
        while left != 0 {
            let at = left.trailing_zeros();
            left &= left - 1;
            let run = (word >> at) as u32;
            if self
                .heads
                .may_endanger(self.bytes, self.from + at as usize, run)
            {
                self.ask |= 1 << at;
            }
        }
    }

    /// Whether a danger may begin with the sign at `at`: a redirection into a device, a quote mark that closes what it
    /// did not open, a function whose name is a colon.
    fn may_endanger(&self, at: usize) -> bool {
        let rest = &self.bytes[at..];
        let behind = |most: usize, skipped: &[u8]| {
            let skipped = rest[1..]
                .iter()
                .take(most)
                .take_while(|b| skipped.contains(b));
            // What has not come may be anything.
            rest.get(1 + skipped.count()).copied()
        };
        let (next, last) = match rest[0] {
            b'>' => (behind(4, b" >|"), self.last),
            b'\'' => (behind(16, b" \t)"), self.last),
            b':' => (behind(4, b" "), self.last),
            _ => return true,
        };
        match (rest[0], next) {
            (_, None) => !last,
            (b'>', Some(byte)) => byte == b'/',
            (b':', Some(byte)) => byte == b'(',
            (_, Some(byte)) => matches!(byte | 0x20, b'o' | b'|' | b'u' | b';'),
        }
    }

    /// Marks the beginning of the word that holds the place `at` of this block, or of the next.
    #[inline]
    fn mark_word(&mut self, starts: u64, at: u32) {
        if let Some(start) = start_of(starts, at) {
            self.ask |= 1 << start;
        }
    }

    #[inline]
    fn mark(&mut self, at: usize) {
        if (self.from..self.from + BLOCK).contains(&at) {
            self.ask |= 1 << (at - self.from);
        }
    }

    /// Words that may be part of a mail address, for there is an `@` behind them.
    fn mark_local(&mut self, sign: usize) {
        let floor = sign.saturating_sub(LOCAL_MAX).max(self.from);
        let mut at = sign;
        while at > floor && is_local(self.bytes[at - 1]) {
            at -= 1;
            let before = if at == 0 { 0 } else { self.bytes[at - 1] };
            let begins = if is_word(self.bytes[at]) {
                !is_word(before)
            } else {
                matches!(self.bytes[at], 0xC3..=0xC5) && !is_word(before) && before < 128
            };
            if begins {
                self.mark(at);
            }
        }
    }

    /// Numbers with so many digits that they may be somebody's, and addresses of machines.
    fn numbers(&mut self, starts: u64, goes_on: u32) {
        let digit = both(self.block.digit, self.next.digit);
        let dot = both(self.block.dot, self.next.dot);
        // What begins in this block may have its first digit in the next. A word that goes on for long is asked anyway.
        let until = (BLOCK as u32 + goes_on).clamp(67, 112);
        let mut left = digit & !(digit << 1) & ((1 << until) - 1);
        // Moments, of which logs are full, are nobody's numbers.
        let mut moments = below(self.moment_end.saturating_sub(self.from));
        left &= !moments;
        while left != 0 {
            let at = left.trailing_zeros();
            left &= left - 1;
            let begin = self.from + at as usize;
            if starts >> (at & 63) & 1 == 1
                && at < 64
                && self.bytes.get(begin + 4) == Some(&b'-')
                && let Some(length) =
                    timestamp(&self.bytes[begin..self.bytes.len().min(begin + TIMESTAMP_MAX)])
            {
                self.moment_end = begin + length;
                let end = below(at as usize + length);
                moments |= end & !below(at as usize);
                left &= !end;
                // The pass jumps over it from its beginning.
                self.ask |= 1 << at;
                continue;
            }
            let near = (digit >> at) as u16;
            let count = near.count_ones();
            let place = self.from + at as usize;
            let quad = count >= 4 && ((dot >> at) as u16).count_ones() >= 3;
            // `AAAAA9999A`, the one format with so few.
            let four = near & 0b1_1111 == 0b1111
                && place > 0
                && (self.bytes[place - 1].is_ascii_alphabetic() || count > 4);
            let more_may_come = !self.last && place + NUMBER >= self.bytes.len();
            // An account number may hold letters everywhere but there.
            let account = at >= 2 && start_of(starts, at) == Some(at - 2) && near & 3 == 3;
            if count < 6 && !quad && !four && !account && !more_may_come {
                continue;
            }
            self.mark_number(starts, at);
        }
        let mut colons = both(self.block.colon, self.next.colon & 0xFF) & !moments;
        while colons != 0 {
            let at = self.from + colons.trailing_zeros() as usize;
            colons &= colons - 1;
            self.mark_groups(at);
        }
    }

    /// Marks the word a number stands in, what may stand before it, and two letters that may belong to it.
    fn mark_number(&mut self, starts: u64, at: u32) {
        self.mark_word(starts, at);
        let place = self.from + at as usize;
        for back in 1..=2 {
            if place >= back && matches!(self.bytes[place - back], b'+' | b'(') {
                self.mark(place - back);
            }
        }
        if place >= 3
            && self.bytes[place - 1] == b' '
            && self.bytes[place - 2].is_ascii_alphabetic()
            && self.bytes[place - 3].is_ascii_alphabetic()
            && at >= 3
        {
            self.mark_word(starts, at - 3);
        }
    }

    /// Marks what may be groups of hex between colons.
    fn mark_groups(&mut self, colon: usize) {
        if self.bytes.get(colon + 1) == Some(&b':') {
            self.mark(colon);
        }
        let mut start = colon;
        while start > 0 && colon - start < 7 && is_word(self.bytes[start - 1]) {
            start -= 1;
        }
        let group = &self.bytes[start..colon];
        // An escape sequence may stand before the group: then it is not all hex.
        let escaped = start > 0 && matches!(self.bytes[start - 1], b'\\' | b'%');
        if escaped || (1..=4).contains(&group.len()) && group.iter().all(u8::is_ascii_hexdigit) {
            self.mark(start);
        }
    }

    /// Near the end of text that goes on, whatever could still become something is asked: what begins in the last few
    /// bytes, and every word of a last run that could become an address or a token.
    fn unsure(&mut self) {
        let end = self.bytes.len();
        let mut start = end;
        let floor = end.saturating_sub(LOCAL_MAX);
        while start > floor
            && (is_local(self.bytes[start - 1]) || is_encoded(self.bytes[start - 1]))
        {
            start -= 1;
        }
        let mut at = start.min(end.saturating_sub(UNSURE));
        while at > self.from && is_word(self.bytes[at]) && is_word(self.bytes[at - 1]) {
            at -= 1;
        }
        for place in at.max(self.from)..end.min(self.from + BLOCK) {
            if place == 0 || !is_word(self.bytes[place - 1]) || !is_word(self.bytes[place]) {
                self.mark(place);
            }
        }
    }
}

/// The last of `starts` at or before the place `at`.
#[inline]
const fn start_of(starts: u64, at: u32) -> Option<u32> {
    let before = if at >= 63 {
        starts
    } else {
        starts & ((2 << at) - 1)
    };
    if before == 0 {
        return None;
    }
    Some(63 - before.leading_zeros())
}

/// The lowest bits, `count` of them.
#[inline]
const fn below(count: usize) -> u128 {
    if count >= 128 {
        u128::MAX
    } else {
        (1 << count) - 1
    }
}

const fn both(low: u64, high: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

/// Where runs of sixteen begin, and all places within them that have fifteen more behind.
const fn run_of_16(mask: u128) -> u128 {
    let mask = mask & mask >> 1;
    let mask = mask & mask >> 2;
    let mask = mask & mask >> 4;
    mask & mask >> 8
}

const fn is_encoded(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'+' | b'/')
}

/// What may stand before the `@` of an address.
const fn is_local(byte: u8) -> bool {
    is_word(byte)
        || matches!(
            byte,
            b'.' | b'%' | b'+' | b'\'' | b'&' | b'=' | b'~' | 128..
        )
}
