use super::{
    classes::{self, Classes, HARMLESS, NOTHING},
    trie::{Entries, Found, Trie, is_word, runs_on_byte},
};

/// Words, and marks made of signs.
#[derive(Clone, Debug)]
pub(crate) struct Lexicon {
    pub(crate) words: Trie,
    pub(crate) marks: Option<Trie>,
}

/// An entry of the lexicon at a place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) classes: Classes,
    /// How far into the text, in half words: a word counts [`WORD`], a character of a script without spaces 1, the end
    /// of a sentence [`SENTENCE`].
    pub(crate) at: u32,
    /// Where the words after the entry begin, in the same measure.
    pub(crate) after: u32,
    pub(crate) sentence: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// How far one word takes.
pub(crate) const WORD: u32 = 2;
/// How far the end of a sentence takes.
const SENTENCE: u32 = 6;
/// Words longer than this are read as words run together.
const LONGEST_WORD: usize = 17;

impl Lexicon {
    /// Finds every entry in `text`, which has been folded.
    pub(crate) fn scan(&self, text: &str, hits: &mut Vec<Hit>) {
        let bytes = text.as_bytes();
        let mut scan = Scan {
            bytes,
            hits,
            at: 0,
            sentence: 0,
        };
        let mut entries = Entries::default();
        let mut start = 0;
        while start < bytes.len() {
            match KINDS[bytes[start] as usize] {
                Kind::Space => start += 1,
                Kind::Word => start = scan.word(&self.words, start, &mut entries),
                Kind::Sign => start = scan.sign(self.marks.as_ref(), start),
            }
        }
    }
}

struct Scan<'t, 'h> {
    bytes: &'t [u8],
    hits: &'h mut Vec<Hit>,
    at: u32,
    sentence: u32,
}

impl Scan<'_, '_> {
    /// Reads the word at `start` and gives the place after it.
    #[inline]
    fn word(&mut self, words: &Trie, start: usize, entries: &mut Entries) -> usize {
        if words.may_begin(self.bytes, start) && !self.is_method(start) {
            for &found in words.at(self.bytes, start, entries) {
                self.hit(start, self.label(start, found));
            }
        }
        if self.bytes[start] >= 0x80 {
            return self.beyond_ascii(words, start);
        }
        let mut end = start + 1;
        while end < self.bytes.len() && ALPHANUMERIC[self.bytes[end] as usize] {
            end += 1;
        }
        if end < self.bytes.len() && self.bytes[end] >= 0x80 {
            return self.rest(words, start, end);
        }
        if end - start > LONGEST_WORD {
            self.run_together(words, start, end);
        }
        self.at += WORD;
        end
    }

    /// Whether the word at `start` is a method being called: `text.encode(`.
    fn is_method(&self, start: usize) -> bool {
        start > 0
            && self.bytes[start - 1] == b'.'
            && self.bytes.get(self.word_end(start)) == Some(&b'(')
    }

    /// The same for a word that begins with a character beyond ASCII.
    fn beyond_ascii(&mut self, words: &Trie, start: usize) -> usize {
        if runs_on_byte(self.bytes[start]) {
            // A character of a script without spaces is a word of its own.
            self.at += 1;
            return (start + RUNNING).min(self.bytes.len());
        }
        if is_thai(self.bytes, start) {
            // A Thai word has some five letters.
            self.at += u32::from((start / RUNNING).is_multiple_of(3));
            return (start + RUNNING).min(self.bytes.len());
        }
        self.rest(words, start, start + 1)
    }

    /// The rest of a word that is not ASCII alone, from `end` on.
    fn rest(&mut self, words: &Trie, start: usize, mut end: usize) -> usize {
        while end < self.bytes.len()
            && is_word(self.bytes[end])
            && !runs_on_byte(self.bytes[end])
            && !is_thai(self.bytes, end)
        {
            end += 1;
        }
        if end - start > LONGEST_WORD {
            self.run_together(words, start, end);
        }
        self.at += WORD;
        end
    }

    fn run_together(&mut self, words: &Trie, start: usize, end: usize) {
        if self.bytes[start..end].iter().all(u8::is_ascii_alphabetic) {
            self.inside(words, start, end);
        }
    }

    /// Reads words run together.
    fn inside(&mut self, words: &Trie, start: usize, end: usize) {
        let run = &self.bytes[..end];
        let mut at = start;
        // Whether a word ends here, so that a short one may stand between it and the next.
        let mut border = true;
        while at < end {
            let found = words.inside(run, at).or_else(|| {
                let short = words.short_inside(run, at).filter(|_| border)?;
                (short.end == end || words.inside(run, short.end).is_some()).then_some(short)
            });
            border = found.is_some();
            match found {
                Some(found) => {
                    self.hit(at, found);
                    self.at += WORD;
                    at = found.end;
                }
                None => at += 1,
            }
        }
    }

    /// Reads the sign at `start` and gives the place after it.
    fn sign(&mut self, marks: Option<&Trie>, start: usize) -> usize {
        let bytes = self.bytes;
        let next = bytes.get(start + 1).copied().unwrap_or(b'\n');
        match bytes[start] {
            b'.' | b'!' | b'?' if !is_word(next) => self.sentence(),
            b'\n' if next == b'\n' => self.sentence(),
            // A line of code has less to do with the next than a sentence has; any other line break takes some room.
            b'\n' if matches!(bytes[..start].last(), Some(b';' | b'{' | b'}' | b',')) => {
                self.sentence();
                self.sentence();
            }
            b'\n' => self.at += 1,
            b'@' if is_word(next) && start > 0 && is_word(bytes[start - 1]) => {
                let found = Found {
                    classes: classes::EMAIL,
                    end: start + 1,
                };
                self.hit(start, found);
            }
            // A comment begins.
            b'/' if next == b'/' && start > 0 && bytes[start - 1].is_ascii_whitespace() => {
                self.mark(marks, start);
                self.sentence();
            }
            b'<' | b'[' | b'{' | b'#' | b'-' | b'=' | b'"' | b'|' | b'`' | b'*' | b'%' | b'!'
            | b'(' | b'/' => {
                self.mark(marks, start);
            }
            _ => {}
        }
        start + 1
    }

    fn mark(&mut self, marks: Option<&Trie>, start: usize) {
        if let Some(found) = marks.and_then(|marks| marks.mark(self.bytes, start)) {
            self.hit(start, found);
            // The words inside the mark are read too.
            self.at += 1;
        }
    }

    fn sentence(&mut self) {
        self.at += SENTENCE;
        self.sentence += 1;
    }

    fn hit(&mut self, start: usize, found: Found) {
        if found.classes == HARMLESS || found.classes == NOTHING {
            return;
        }
        let spaces = self.bytes[start..found.end]
            .windows(2)
            .filter(|pair| is_word(pair[0]) && !is_word(pair[1]))
            .count() as u32;
        self.hits.push(Hit {
            classes: found.classes,
            at: self.at,
            after: self.at + spaces * WORD,
            sentence: self.sentence,
            start: start as u32,
            end: found.end as u32,
        });
    }

    /// A role's name before a colon at the start of a line is a label.
    fn label(&self, start: usize, mut found: Found) -> Found {
        const NAMES: Classes = classes::ROLE | classes::AI | classes::HELPER;
        if found.classes & NAMES == NOTHING {
            return found;
        }
        let end = self.word_end(found.end);
        let after = self.bytes[end..]
            .iter()
            .find(|&&byte| !matches!(byte, b' ' | b'*' | b']' | b')'));
        let before = self.bytes[..start].iter().rev().find(|&&byte| {
            !matches!(
                byte,
                b' ' | b'*' | b'#' | b'[' | b'(' | b'"' | b'>' | b'-' | b'<' | b'!' | b'/'
            )
        });
        let named = matches!(after, Some(b':' | b'>'));
        if named && found.classes & (classes::AI | classes::HELPER) != NOTHING {
            found.classes |= classes::ADDRESSED;
        }
        let first = matches!(before, None | Some(b'\n'));
        if named && first && found.classes & classes::ROLE != NOTHING {
            found.classes |= classes::LABEL;
        }
        found
    }

    fn word_end(&self, start: usize) -> usize {
        let len = self.bytes[start..].iter().position(|&byte| !is_word(byte));
        len.map_or(self.bytes.len(), |len| start + len)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A space, or a sign that means nothing here.
    Space,
    /// Part of a word; beyond ASCII by its value.
    Word,
    Sign,
}

const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Space; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80.. => Kind::Word,
            b'.' | b'!' | b'?' | b'\n' | b'@' | b'<' | b'[' | b'{' | b'#' | b'-' | b'=' | b'"'
            | b'|' | b'`' | b'*' | b'%' | b'(' | b'/' => Kind::Sign,
            _ => Kind::Space,
        };
        byte += 1;
    }
    kinds
};

const ALPHANUMERIC: [bool; 256] = {
    let mut kinds = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    kinds
};

/// The bytes of one character of a script without spaces.
const RUNNING: usize = 3;

/// Whether a Thai character begins at `start`.
fn is_thai(bytes: &[u8], start: usize) -> bool {
    bytes[start] == 0xE0 && matches!(bytes.get(start + 1), Some(0xB8 | 0xB9))
}
