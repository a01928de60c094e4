use super::classes::{Classes, HARMLESS, NOTHING};

/// Words and phrases with their classes, walked byte by byte.
///
/// One walk per word of the text finds the longest entry that begins there; most walks end after two or three bytes.
/// Entries are lower case; the text may be in any case.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    ends: Vec<Ends>,
    /// From the first byte to the node after it.
    roots: Box<[u32; 256]>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// Which bytes lead on; the children stand one after the other from `children`.
    bytes: [u64; 4],
    /// How many children stand before those of each of the four.
    before: [u8; 4],
    children: u32,
    /// The place of the classes of what ends here; 0 if nothing does.
    ends: u32,
    /// The byte that leads on if it is the only one: most nodes have one child. 0 otherwise.
    only: u8,
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
        for (entry, classes) in entries {
            let (word, stem) = match entry.strip_suffix('*') {
                Some(stem) => (stem, true),
                None => (entry, false),
            };
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
        Self::flatten(&draft)
    }

    /// Lays the children of each node side by side.
    fn flatten(draft: &[Draft]) -> Self {
        let mut nodes = vec![Node::default()];
        let mut ends = vec![Ends::default()];
        let mut queue = std::collections::VecDeque::from([(0, 0)]);
        while let Some((from, to)) = queue.pop_front() {
            let children = nodes.len();
            let source = &draft[from];
            if source.exact | source.stem != NOTHING {
                nodes[to].ends = ends.len() as u32;
                ends.push(Ends {
                    exact: source.exact,
                    stem: source.stem,
                });
            }
            nodes[to].children = children as u32;
            for &(byte, child) in &source.children {
                nodes[to].bytes[byte as usize / 64] |= 1 << (byte % 64);
                queue.push_back((child, nodes.len()));
                nodes.push(Node::default());
            }
            if let [(byte, _)] = source.children[..] {
                nodes[to].only = byte;
            }
            let mut before = 0;
            for word in 0..4 {
                nodes[to].before[word] = before;
                // A node has one child for each byte, and no entry has a byte 0: fewer than 256.
                before += nodes[to].bytes[word].count_ones() as u8;
            }
        }
        let mut roots = Box::new([0; 256]);
        for byte in 0..=255_u8 {
            roots[byte as usize] = nodes[0].child(byte).unwrap_or(0);
        }
        Self { nodes, ends, roots }
    }

    /// The entries at `start`, which must be the start of a word, shortest first: "do", "do not", "do not follow". None
    /// if the longest is there to say that they mean nothing. Any short run of signs and spaces is a phrase's space.
    pub(crate) fn at<'e>(
        &self,
        text: &[u8],
        start: usize,
        entries: &'e mut Entries,
    ) -> &'e [Found] {
        let mut node = self.roots[text[start].to_ascii_lowercase() as usize];
        let mut end = start + 1;
        entries.len = 0;
        while node != 0 {
            let here = &self.nodes[node as usize];
            let next = text.get(end).map_or(b' ', u8::to_ascii_lowercase);
            if here.ends != 0 {
                let ends = self.ends[here.ends as usize];
                let goes_on = is_word(next) && !runs_on_byte(next);
                let word_ends = !(goes_on || (next == b'\'' && ends_in_t(text, end)));
                let classes = ends.stem | if word_ends { ends.exact } else { NOTHING };
                if classes != NOTHING {
                    entries.push(Found { classes, end });
                }
            }
            if end >= text.len() {
                break;
            }
            node = if !is_word(next)
                && next != b'\''
                && let Some(child) = here.child(b' ')
            {
                end = skip_gap(text, end);
                child
            } else if let Some(child) = here.child(next) {
                end += 1;
                child
            } else {
                break;
            };
        }
        entries.as_slice()
    }

    /// The longest entry at `start` in a run of letters without spaces; short entries would be found everywhere.
    pub(crate) fn inside(&self, text: &[u8], start: usize) -> Option<Found> {
        const SHORTEST: usize = 4;
        let mut node = self.roots[text[start].to_ascii_lowercase() as usize];
        let mut end = start + 1;
        let mut best = None;
        while node != 0 {
            let here = &self.nodes[node as usize];
            let ends = self.ends[here.ends as usize];
            let classes = ends.exact | ends.stem;
            if classes != NOTHING && end - start >= SHORTEST {
                best = Some(Found { classes, end });
            }
            let Some(next) = text.get(end).map(u8::to_ascii_lowercase) else {
                break;
            };
            let child = here.child(next).or_else(|| {
                let space = here.child(b' ')?;
                self.nodes[space as usize].child(next)
            });
            end += 1;
            node = child.unwrap_or(0);
        }
        best
    }

    /// The longest entry at `start`, spaces aside: for marks such as `"role": "system"`.
    pub(crate) fn mark(&self, text: &[u8], start: usize) -> Option<Found> {
        let mut node = self.roots[text[start].to_ascii_lowercase() as usize];
        let mut end = start + 1;
        let mut best = None;
        while node != 0 {
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
            if let Some(child) = here.child(next) {
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

impl Node {
    fn child(&self, byte: u8) -> Option<u32> {
        if self.only != 0 {
            return (self.only == byte).then_some(self.children);
        }
        let (word, bit) = (byte as usize / 64, byte % 64);
        if self.bytes[word] >> bit & 1 == 0 {
            return None;
        }
        let beside = (self.bytes[word] & ((1 << bit) - 1)).count_ones();
        Some(self.children + u32::from(self.before[word]) + beside)
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
pub(super) fn runs_on_byte(byte: u8) -> bool {
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
