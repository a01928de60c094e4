use std::borrow::Cow;

use super::{
    beginnings::Beginnings,
    classes::{Classes, HARMLESS, NOTHING},
    steps::step,
};

/// Words and phrases with their classes, walked byte by byte.
///
/// One walk per word of the text finds the longest entry that begins there; most walks end after two or three bytes.
/// Entries are lower case; the text may be in any case.
///
/// It is kept as bytes, so that a built-in one is read where it lies in the program, and a process that starts builds
/// nothing. What follows a node stands right after it: a walk goes along a line or two of the cache.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    pub(super) nodes: Cow<'static, [[u8; 8]]>,
    /// The children of nodes that have several, 0 where there is none.
    pub(super) table: Cow<'static, [[u8; 4]]>,
    /// The classes of what ends at a node: of the entry that ends at a word's end, and of the one that ends anywhere.
    pub(super) ends: Cow<'static, [[u8; 32]]>,
    pub(super) beginnings: Beginnings,
}

/// A node in eight bytes: the lowest byte that leads on and how many there are from it to the highest (8 bits each), the
/// place of the classes of what ends here (16, 0 for nothing), the only child or where the children stand in the table
/// (24), and two signs.
#[derive(Clone, Copy)]
struct Node(u64);

impl Node {
    /// One byte leads on, and no space.
    const ONLY: u64 = 1 << 56;
    /// A space leads on too; its child stands first.
    const SPACE: u64 = 1 << 57;
    const MOST: usize = 1 << 24;

    /// Nothing ends here, and no space leads on.
    #[inline]
    fn leads_on(self) -> bool {
        self.0 & (Self::SPACE | 0xFFFF << 16) == 0
    }

    #[inline]
    fn has_space(self) -> bool {
        self.0 & Self::SPACE != 0
    }

    #[inline]
    fn ends(self) -> usize {
        usize::from((self.0 >> 16) as u16)
    }

    #[inline]
    fn base(self) -> usize {
        (self.0 >> 32) as usize & (Self::MOST - 1)
    }
}

/// An entry found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) classes: Classes,
    pub(crate) end: usize,
}

/// Room for the entries that begin at one place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries {
    found: [Found; Self::MOST],
    len: usize,
}

impl Entries {
    const MOST: usize = 4;

    fn push(&mut self, found: Found) {
        // Of more than four the longest count.
        if self.len == Self::MOST {
            self.found.rotate_left(1);
            self.len -= 1;
        }
        self.found[self.len] = found;
        self.len += 1;
    }

    fn as_slice(&self) -> &[Found] {
        match self.found[..self.len].last() {
            Some(last) if last.classes & HARMLESS != NOTHING => &[],
            _ => &self.found[..self.len],
        }
    }
}

impl Default for Entries {
    fn default() -> Self {
        let nothing = Found {
            classes: NOTHING,
            end: 0,
        };
        Self {
            found: [nothing; Self::MOST],
            len: 0,
        }
    }
}

impl Trie {
    /// Builds from entries: `word`, `stem*`, `a_phrase_of_words`.
    pub(crate) fn new<'e>(entries: impl IntoIterator<Item = (&'e str, Classes)>) -> Self {
        let mut draft = vec![Draft::default()];
        let mut beginnings = Beginnings::none();
        for (entry, classes) in entries {
            let (word, stem) = match entry.strip_suffix('*') {
                Some(stem) => (stem, true),
                None => (entry, false),
            };
            beginnings.add(word.as_bytes(), stem);
            let mut at = 0;
            for byte in word.bytes() {
                let byte = if byte == b'_' { b' ' } else { byte };
                at = match draft[at].children.binary_search_by_key(&byte, |&(b, _)| b) {
                    Ok(found) => draft[at].children[found].1,
                    Err(place) => {
                        draft.push(Draft::default());
                        let new = draft.len() - 1;
                        draft[at].children.insert(place, (byte, new));
                        new
                    }
                };
            }
            // Scripts without spaces have no word ends.
            let stem = stem || word.chars().next_back().is_some_and(runs_on);
            if stem {
                draft[at].stem |= classes;
            } else {
                draft[at].exact |= classes;
            }
        }
        let mut layout = Layout {
            draft: &draft,
            nodes: Vec::with_capacity(draft.len()),
            table: Vec::new(),
            ends: vec![[0; 32]],
        };
        layout.put(0);
        Self {
            nodes: layout.nodes.into(),
            table: layout.table.into(),
            ends: layout.ends.into(),
            beginnings,
        }
    }

    /// The child of `node` after `byte`, which is no space; 0 if there is none.
    #[inline]
    fn child(table: &[[u8; 4]], node: Node, byte: u8) -> u32 {
        let place = byte.wrapping_sub(node.0 as u8);
        if place >= (node.0 >> 8) as u8 {
            return 0;
        }
        if node.0 & Node::ONLY != 0 {
            return node.base() as u32;
        }
        u32::from_le_bytes(table[node.base() + usize::from(node.has_space()) + usize::from(place)])
    }

    #[inline]
    fn node(nodes: &[[u8; 8]], at: u32) -> Node {
        Node(u64::from_le_bytes(nodes[at as usize]))
    }

    /// The child of `node` after a space; 0 if there is none.
    #[inline]
    fn after_space(table: &[[u8; 4]], node: Node) -> u32 {
        if node.has_space() {
            u32::from_le_bytes(table[node.base()])
        } else {
            0
        }
    }

    /// The classes that end at a place of `ends`: of a word, and of a stem.
    #[inline]
    fn classes(&self, ends: usize) -> (Classes, Classes) {
        let halves = self.ends[ends].as_chunks::<16>().0;
        (
            Classes::from_le_bytes(halves[0]),
            Classes::from_le_bytes(halves[1]),
        )
    }

    /// The entries at `start`, which must be the start of a word, shortest first: "do", "do not", "do not follow". None
    /// if the longest is there to say that they mean nothing. Any short run of signs and spaces is a phrase's space.
    pub(crate) fn at<'e>(
        &self,
        text: &[u8],
        start: usize,
        entries: &'e mut Entries,
    ) -> &'e [Found] {
        entries.len = 0;
        let (nodes, table) = (&*self.nodes, &*self.table);
        let mut node = Self::child(table, Self::node(nodes, 0), LOWER[text[start] as usize]);
        let mut end = start + 1;
        while node != 0 {
            step();
            let here = Self::node(nodes, node);
            if here.leads_on() {
                // In the middle of a word.
                let Some(&next) = text.get(end) else {
                    break;
                };
                end += 1;
                node = Self::child(table, here, LOWER[next as usize]);
                continue;
            }
            let next = text.get(end).map_or(b' ', |&byte| LOWER[byte as usize]);
            let word = is_word(next);
            if here.ends() != 0 {
                let (exact, stem) = self.classes(here.ends());
                let goes_on = word && !runs_on_byte(next);
                let word_ends = !(goes_on || (next == b'\'' && ends_in_t(text, end)));
                let classes = stem | if word_ends { exact } else { NOTHING };
                if classes != NOTHING {
                    entries.push(Found { classes, end });
                }
            }
            if end >= text.len() {
                break;
            }
            node = if !word && here.has_space() && next != b'\'' {
                end = skip_gap(text, end);
                Self::after_space(table, here)
            } else {
                end += 1;
                Self::child(table, here, next)
            };
        }
        entries.as_slice()
    }

    /// Whether an entry may begin at `start`: if not, none does, and [`at`](Self::at) need not be asked.
    #[inline]
    pub(crate) fn may_begin(&self, text: &[u8], start: usize) -> bool {
        self.beginnings.may_begin(text, start)
    }

    /// The longest entry at `start` in a run of letters without spaces; short entries would be found everywhere.
    pub(crate) fn inside(&self, text: &[u8], start: usize) -> Option<Found> {
        const SHORTEST: usize = 4;
        let (nodes, table) = (&*self.nodes, &*self.table);
        let mut node = Self::child(table, Self::node(nodes, 0), LOWER[text[start] as usize]);
        let mut end = start + 1;
        let mut best = None;
        while node != 0 {
            step();
            let here = Self::node(nodes, node);
            if here.ends() != 0 && end - start >= SHORTEST {
                let (exact, stem) = self.classes(here.ends());
                let classes = exact | stem;
                best = Some(Found { classes, end });
            }
            let Some(next) = text.get(end).map(u8::to_ascii_lowercase) else {
                break;
            };
            end += 1;
            node = match Self::child(table, here, next) {
                0 => match Self::after_space(table, here) {
                    0 => 0,
                    space => Self::child(table, Self::node(nodes, space), next),
                },
                child => child,
            };
        }
        best
    }

    /// The longest entry of two or three letters at `start` in a run of letters without spaces.
    pub(crate) fn short_inside(&self, text: &[u8], start: usize) -> Option<Found> {
        let (nodes, table) = (&*self.nodes, &*self.table);
        let mut node = Self::child(table, Self::node(nodes, 0), LOWER[text[start] as usize]);
        let mut best = None;
        for end in start + 2..=text.len().min(start + 3) {
            if node == 0 {
                break;
            }
            let next = LOWER[text[end - 1] as usize];
            node = Self::child(table, Self::node(nodes, node), next);
            let (classes, _) = self.classes(Self::node(nodes, node).ends());
            if node != 0 && classes != NOTHING {
                best = Some(Found { classes, end });
            }
        }
        best
    }

    /// The longest entry at `start`, spaces aside: for marks such as `"role": "system"`.
    pub(crate) fn mark(&self, text: &[u8], start: usize) -> Option<Found> {
        let (nodes, table) = (&*self.nodes, &*self.table);
        let mut node = Self::child(table, Self::node(nodes, 0), LOWER[text[start] as usize]);
        let mut end = start + 1;
        let mut best = None;
        while node != 0 {
            step();
            let here = Self::node(nodes, node);
            let next = text.get(end).map_or(b' ', |&byte| LOWER[byte as usize]);
            if here.ends() != 0 {
                let (exact, stem) = self.classes(here.ends());
                let classes = stem | if is_word(next) { NOTHING } else { exact };
                if classes != NOTHING {
                    best = Some(Found { classes, end });
                }
            }
            if end >= text.len() || end - start > 64 {
                break;
            }
            let child = Self::child(table, here, next);
            if child != 0 {
                node = child;
            } else if !matches!(next, b' ' | b'\t' | b'_' | b'\n' | b'\r') && next != text[end - 1]
            {
                break;
            }
            end += 1;
        }
        best
    }
}

#[derive(Default)]
struct Draft {
    children: Vec<(u8, usize)>,
    exact: Classes,
    stem: Classes,
}

/// Lays nodes out, each with what follows it right behind.
struct Layout<'d> {
    draft: &'d [Draft],
    nodes: Vec<[u8; 8]>,
    table: Vec<[u8; 4]>,
    ends: Vec<[u8; 32]>,
}

impl Layout<'_> {
    /// Puts the node drafted at `from` and all below it, and gives its place. Entries are short, so this does not go deep.
    fn put(&mut self, from: usize) -> u32 {
        let draft = &self.draft[from];
        let place = self.nodes.len();
        assert!(place < Node::MOST, "a trie of words has fewer nodes");
        self.nodes.push([0; 8]);
        let mut node = (self.ends_at(draft) as u64) << 16;
        let (space, letters): (Vec<_>, Vec<_>) =
            draft.children.iter().partition(|(byte, _)| *byte == b' ');
        let (low, high) = match (letters.first(), letters.last()) {
            (Some(&&(low, _)), Some(&&(high, _))) => (low, high),
            _ => (0, 0),
        };
        let span = if letters.is_empty() {
            0
        } else {
            high - low + 1
        };
        node |= u64::from(low) | u64::from(span) << 8;
        if let ([], [(_, only)]) = (&space[..], &letters[..]) {
            node |= Node::ONLY | u64::from(self.put(*only)) << 32;
        } else if !draft.children.is_empty() {
            let base = self.table.len();
            assert!(base < Node::MOST, "a trie of words has fewer children");
            node |= (base as u64) << 32;
            let first = base + space.len();
            self.table.resize(first + usize::from(span), [0; 4]);
            if let [(_, child)] = space[..] {
                node |= Node::SPACE;
                self.table[base] = self.put(*child).to_le_bytes();
            }
            for (byte, child) in letters {
                self.table[first + usize::from(byte - low)] = self.put(*child).to_le_bytes();
            }
        }
        self.nodes[place] = node.to_le_bytes();
        place as u32
    }

    fn ends_at(&mut self, draft: &Draft) -> u16 {
        let mut ends = [0; 32];
        ends[..16].copy_from_slice(&draft.exact.to_le_bytes());
        ends[16..].copy_from_slice(&draft.stem.to_le_bytes());
        let place = self.ends.iter().position(|other| *other == ends);
        let place = place.unwrap_or_else(|| {
            self.ends.push(ends);
            self.ends.len() - 1
        });
        u16::try_from(place).expect("classes are combined in few ways")
    }
}

/// Whether `byte` belongs to a word: a letter, a digit or part of a character beyond ASCII (the folded text has no other
/// signs there).
#[inline]
pub(crate) fn is_word(byte: u8) -> bool {
    WORD[byte as usize]
}

const WORD: [bool; 256] = {
    let mut words = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        words[byte] = (byte as u8).is_ascii_alphanumeric() || byte >= 0x80;
        byte += 1;
    }
    words
};

/// Each byte in lower case, if it is ASCII.
const LOWER: [u8; 256] = {
    let mut lower = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        lower[byte] = (byte as u8).to_ascii_lowercase();
        byte += 1;
    }
    lower
};

/// Whether `byte` begins a character from U+3000 to U+D7FF: kana, ideographs, Hangul.
pub(super) const fn runs_on_byte(byte: u8) -> bool {
    matches!(byte, 0xE3..=0xED)
}

/// Letters of scripts that put no space between words.
fn runs_on(character: char) -> bool {
    matches!(character, '\u{0E00}'..='\u{0E7F}' | '\u{3040}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}')
}

/// `don't` is not `don`.
fn ends_in_t(text: &[u8], apostrophe: usize) -> bool {
    text.get(apostrophe + 1)
        .is_some_and(|byte| matches!(byte, b't' | b'T'))
        && !text.get(apostrophe + 2).is_some_and(|&byte| is_word(byte))
}

/// From the first sign after a word to the next word. A full stop, a blank line or a longer gap ends a phrase.
fn skip_gap(text: &[u8], mut at: usize) -> usize {
    const LONGEST: usize = 4;
    let start = at;
    while at < text.len() && at - start < LONGEST && !is_word(text[at]) && text[at] != b'.' {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trie() -> Trie {
        Trie::new([
            ("ignor*", 1),
            ("ignorance", HARMLESS),
            ("pay", 2),
            ("pay_no_attention", 4),
            ("dan", 8),
            ("指示", 16),
        ])
    }

    fn at(text: &str) -> Vec<(Classes, usize)> {
        let mut entries = Entries::default();
        trie()
            .at(text.as_bytes(), 0, &mut entries)
            .iter()
            .map(|found| (found.classes, found.end))
            .collect()
    }

    #[test]
    fn every_entry_at_a_place_is_found_unless_the_longest_means_nothing() {
        assert_eq!(at("Ignoring it"), [(1, 5)]);
        assert_eq!(at("ignorance is"), []);
        assert_eq!(at("pay  no\nattention to"), [(2, 3), (4, 17)]);
        assert_eq!(at("pay no"), [(2, 3)]);
    }

    #[test]
    fn a_word_ends_where_the_word_ends() {
        assert_eq!(at("dan"), [(8, 3)]);
        assert_eq!(at("dan指"), [(8, 3)]);
        assert_eq!(at("dance"), []);
        assert_eq!(at("指示を"), [(16, 6)]);
    }

    #[test]
    fn words_are_found_in_a_run_of_letters() {
        let text = b"xpaynoattention";
        assert_eq!(trie().inside(text, 1).map(|found| found.end), Some(15));
    }

    #[test]
    fn marks_are_found_whatever_the_spacing() {
        let marks = Trie::new([("\"role\":\"system\"*", 1), ("###system", 2)]);
        assert!(marks.mark(b"\"role\" : \"SYSTEM\"", 0).is_some());
        assert!(marks.mark(b"##### System:", 0).is_some());
        assert!(marks.mark(b"### systematic", 0).is_none());
    }
}
