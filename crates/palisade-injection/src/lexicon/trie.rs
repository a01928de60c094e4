use super::{
    beginnings::Beginnings,
    classes::{Classes, HARMLESS, NOTHING},
    steps::step,
};

/// Words and phrases with their classes, walked byte by byte.
///
/// One walk per word of the text finds the longest entry that begins there; most walks end after two or three bytes.
/// Entries are lower case; the text may be in any case.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// The children of nodes that have several, 0 where there is none.
    table: Vec<u32>,
    ends: Vec<Ends>,
    /// From the first byte to the node after it.
    roots: Box<[u32; 256]>,
    beginnings: Beginnings,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// The byte that leads on if it is the only one: most nodes have one child. 0 otherwise.
    only: u8,
    /// The lowest of several bytes that lead on, and how many there are from it to the highest.
    low: u8,
    span: u8,
    /// The only child, or where the children stand in the table, from that of the lowest byte on.
    children: u32,
    /// The child after a space; 0 if there is none.
    space: u32,
    /// The place of the classes of what ends here; 0 if nothing does.
    ends: u32,
}

/// The classes of the entry that ends at a word's end, and of the one that ends anywhere.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    exact: Classes,
    stem: Classes,
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
        Self::flatten(&draft, beginnings)
    }

    /// Lays the children of each node side by side.
    fn flatten(draft: &[Draft], beginnings: Beginnings) -> Self {
        let mut trie = Self {
            nodes: vec![Node::default()],
            table: Vec::new(),
            ends: vec![Ends::default()],
            roots: Box::new([0; 256]),
            beginnings,
        };
        let mut queue = std::collections::VecDeque::from([(0, 0)]);
        while let Some((from, to)) = queue.pop_front() {
            let source: &Draft = &draft[from];
            if source.exact | source.stem != NOTHING {
                trie.nodes[to].ends = trie.ends.len() as u32;
                trie.ends.push(Ends {
                    exact: source.exact,
                    stem: source.stem,
                });
            }
            let mut children = Vec::with_capacity(source.children.len());
            for &(byte, child) in &source.children {
                let new = trie.nodes.len();
                queue.push_back((child, new));
                trie.nodes.push(Node::default());
                if byte == b' ' {
                    trie.nodes[to].space = new as u32;
                } else {
                    children.push((byte, new as u32));
                }
            }
            let node = &mut trie.nodes[to];
            match children[..] {
                [] => {}
                [(byte, child)] => (node.only, node.children) = (byte, child),
                [(low, _), .., (high, _)] => {
                    (node.low, node.span) = (low, high - low + 1);
                    node.children = trie.table.len() as u32;
                    trie.table
                        .resize(trie.table.len() + usize::from(node.span), 0);
                    for (byte, child) in children {
                        trie.table[node.children as usize + usize::from(byte - low)] = child;
                    }
                }
            }
        }
        for byte in 0..=255_u8 {
            trie.roots[byte as usize] = trie.child(&trie.nodes[0], byte);
        }
        trie
    }

    /// The child of `node` after `byte`, which is no space; 0 if there is none.
    #[inline]
    fn child(&self, node: &Node, byte: u8) -> u32 {
        if node.only == byte {
            return node.children;
        }
        let place = byte.wrapping_sub(node.low);
        if place < node.span {
            self.table[node.children as usize + usize::from(place)]
        } else {
            0
        }
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
        let mut node = self.roots[text[start].to_ascii_lowercase() as usize];
        let mut end = start + 1;
        while node != 0 {
            step();
            let here = &self.nodes[node as usize];
            let next = text.get(end).map_or(b' ', u8::to_ascii_lowercase);
            let word = is_word(next);
            if here.ends != 0 {
                let ends = self.ends[here.ends as usize];
                let goes_on = word && !runs_on_byte(next);
                let word_ends = !(goes_on || (next == b'\'' && ends_in_t(text, end)));
                let classes = ends.stem | if word_ends { ends.exact } else { NOTHING };
                if classes != NOTHING {
                    entries.push(Found { classes, end });
                }
            }
            if end >= text.len() {
                break;
            }
            node = if !word && next != b'\'' && here.space != 0 {
                end = skip_gap(text, end);
                here.space
            } else {
                end += 1;
                self.child(here, next)
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
        let mut node = self.roots[text[start].to_ascii_lowercase() as usize];
        let mut end = start + 1;
        let mut best = None;
        while node != 0 {
            step();
            let here = &self.nodes[node as usize];
            let ends = self.ends[here.ends as usize];
            let classes = ends.exact | ends.stem;
            if classes != NOTHING && end - start >= SHORTEST {
                best = Some(Found { classes, end });
            }
            let Some(next) = text.get(end).map(u8::to_ascii_lowercase) else {
                break;
            };
            end += 1;
            node = match self.child(here, next) {
                0 if here.space != 0 => self.child(&self.nodes[here.space as usize], next),
                child => child,
            };
        }
        best
    }

    /// The longest entry of two or three letters at `start` in a run of letters without spaces.
    pub(crate) fn short_inside(&self, text: &[u8], start: usize) -> Option<Found> {
        let mut node = self.roots[text[start].to_ascii_lowercase() as usize];
        let mut best = None;
        for end in start + 2..=text.len().min(start + 3) {
            let next = text[end - 1].to_ascii_lowercase();
            node = self.child(&self.nodes[node as usize], next);
            let classes = self.ends[self.nodes[node as usize].ends as usize].exact;
            if node == 0 {
                break;
            }
            if classes != NOTHING {
                best = Some(Found { classes, end });
            }
        }
        best
    }

    /// The longest entry at `start`, spaces aside: for marks such as `"role": "system"`.
    pub(crate) fn mark(&self, text: &[u8], start: usize) -> Option<Found> {
        let mut node = self.roots[text[start].to_ascii_lowercase() as usize];
        let mut end = start + 1;
        let mut best = None;
        while node != 0 {
            step();
            let here = &self.nodes[node as usize];
            let next = text.get(end).map_or(b' ', u8::to_ascii_lowercase);
            let ends = self.ends[here.ends as usize];
            let classes = ends.stem | if is_word(next) { NOTHING } else { ends.exact };
            if classes != NOTHING {
                best = Some(Found { classes, end });
            }
            if end >= text.len() || end - start > 64 {
                break;
            }
            let child = self.child(here, next);
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

/// Whether `byte` belongs to a word: a letter, a digit or part of a character beyond ASCII (the folded text has no other
/// signs there).
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

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
