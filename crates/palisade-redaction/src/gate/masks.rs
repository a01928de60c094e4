use wide::u8x16;

use super::{BLOCK, Wanted};

/// What there is in a block of sixty-four bytes, one bit for each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Masks {
    /// Bytes of words: letters, digits, `_` and `-`.
    pub(super) word: u64,
    /// `+` and `/`, which base64 has besides.
    pub(super) plus: u64,
    pub(super) slash: u64,
    pub(super) hyphen: u64,
    pub(super) digit: u64,
    pub(super) dot: u64,
    pub(super) colon: u64,
    /// `@`
    pub(super) at: u64,
    /// Two letters of a root of a name.
    pub(super) root: u64,
    /// What may be a character that is not shown.
    pub(super) veil: u64,
    /// Signs that the prefix of a token may end in.
    pub(super) sign: u64,
    /// Signs that are to be asked themselves.
    pub(super) direct: u64,
    /// Signs that a danger may begin with.
    pub(super) danger: u64,
    /// Behind which a word is not what it seems: `()`, quote marks within it, an escape sequence before it.
    pub(super) odd: u64,
}

/// How many bytes behind the block are looked at.
const AHEAD: usize = 1;

impl Masks {
    /// The masks of the block at `at`. What lies behind the text counts as 0.
    #[inline]
    pub(super) fn read(bytes: &[u8], at: usize, wanted: Wanted) -> Self {
        if let Some(block) = bytes.get(at..at + BLOCK + AHEAD) {
            return Self::of(block, wanted);
        }
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Self::default();
        }
        let mut block = [0; BLOCK + AHEAD];
        block[..rest.len()].copy_from_slice(rest);
        Self::of(&block, wanted)
    }

    #[inline]
    fn of(block: &[u8], wanted: Wanted) -> Self {
        let mut masks = Self::default();
        for part in 0..BLOCK / 16 {
            let at = part * 16;
            masks.part(&block[at..at + 16 + AHEAD], at as u32, wanted);
        }
        masks
    }

    /// Sixteen bytes and the one behind them.
    #[inline]
    fn part(&mut self, bytes: &[u8], shift: u32, wanted: Wanted) {
        let here = load(bytes, 0);
        let then = load(bytes, 1);
        let is = |byte: u8| here.simd_eq(u8x16::splat(byte));
        let is_then = |byte: u8| then.simd_eq(u8x16::splat(byte));
        let put = |mask: &mut u64, lanes: u8x16| *mask |= u64::from(lanes.to_bitmask()) << shift;

        let case = u8x16::splat(0x20);
        let low = here | case;
        let digit = below(here - u8x16::splat(b'0'), 10);
        let hyphen = is(b'-');
        let word = below(low - u8x16::splat(b'a'), 26) | digit | is(b'_') | hyphen;
        put(&mut self.word, word);

        let mut direct = is(b'[') & is_then(b'R');
        if wanted.secrets {
            let slash = is(b'/');
            let colon = is(b':');
            let dot = is(b'.');
            let dollar = is(b'$');
            put(&mut self.hyphen, hyphen);
            put(&mut self.plus, is(b'+'));
            put(&mut self.slash, slash);
            put(&mut self.colon, colon);
            put(
                &mut self.sign,
                slash | colon | dot | dollar | is(b'~') | is(b'%') | is(b'!'),
            );
            if wanted.pii {
                put(&mut self.dot, dot);
            }
            direct |= dollar;

            let low = |byte: u8| low.simd_eq(u8x16::splat(byte));
            let then = then | case;
            let then = |byte: u8| then.simd_eq(u8x16::splat(byte));
            // pa-ss, pa-t, ps-wd, pw, ph-rase, t-ok-en, k-ey, au-th, mn-emonic, s-ig, se-cr-et, cr-edential, Fly-V1
            let roots = low(b'p') & (then(b'a') | then(b's') | then(b'w') | then(b'h'))
                | low(b'o') & then(b'k')
                | low(b'e') & then(b'y')
                | low(b'a') & then(b'u')
                | low(b'm') & then(b'n')
                | low(b'i') & then(b'g')
                | low(b'c') & then(b'r')
                | is(b'V') & is_then(b'1');
            put(&mut self.root, roots);
            // What begins the characters that are not shown, and a few others. Most text is plain.
            if here.to_bitmask() != 0 {
                let veils = is(0xE2) & (is_then(0x80) | is_then(0x81))
                    | is(0xC2) & is_then(0xAD)
                    | is(0xEF) & is_then(0xBB)
                    | is(0xE1) & is_then(0xA0);
                put(&mut self.veil, veils);
            }
        } else if wanted.pii {
            put(&mut self.dot, is(b'.'));
            put(&mut self.colon, is(b':'));
        }
        if wanted.pii {
            put(&mut self.digit, digit);
            put(&mut self.at, is(b'@'));
        }
        if wanted.dangers {
            let danger = is(b'\'')
                | is(b'>')
                | is(b'%') & is_then(b'0')
                | is(b':') & (is_then(b'(') | is_then(b' '));
            put(&mut self.danger, danger);
            let quotes = is(b'\'') & is_then(b'\'') | is(b'"') & is_then(b'"');
            let odd = quotes | is(b'(') & is_then(b')') | is(b'\\') | is(b'%');
            put(&mut self.odd, odd);
        }
        put(&mut self.direct, direct);
    }
}

#[inline]
fn load(bytes: &[u8], at: usize) -> u8x16 {
    let mut lanes = [0; 16];
    lanes.copy_from_slice(&bytes[at..at + 16]);
    u8x16::new(lanes)
}

/// Which lanes are less than `limit`.
#[inline]
fn below(lanes: u8x16, limit: u8) -> u8x16 {
    lanes.min(u8x16::splat(limit - 1)).simd_eq(lanes)
}
