//! One spelling for the many ways to write a letter.

use palisade_core::ByteRange;
use unicode_normalization::{IsNormalized, UnicodeNormalization};

use super::{
    letters::{Kind, Look, kind, look},
    map::Rewrite,
};

/// Rewrites a text that is not ASCII: compatibility forms, ornaments, look-alikes, invisible characters, quotes.
///
/// ASCII parts are copied as they are; case is left to whoever reads the text. The answer is whether folding the outcome
/// again may change it further: a full-width entity, a mark that only now stands beside a Latin letter.
pub(super) fn fold(text: &str) -> (Rewrite, bool) {
    let mut folding = Folding {
        text,
        mostly_latin: None,
        out: Rewrite::with_capacity(text.len()),
        copied: 0,
        unsettled: false,
    };
    let mut word = Word::default();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii() {
            let end = ascii_word_end(bytes, at);
            if end == at {
                word.finish(&mut folding, at);
                at += 1;
            } else {
                // Most words of most texts are ASCII alone: they stay as they are.
                let alone = word.is_empty() && bytes.get(end).is_none_or(u8::is_ascii);
                if !alone {
                    for (place, &letter) in (at..).zip(&bytes[at..end]) {
                        word.push(place, char::from(letter), Kind::default());
                    }
                }
                at = end;
            }
            continue;
        }
        let Some(character) = text[at..].chars().next() else {
            break;
        };
        let here = at;
        at += character.len_utf8();
        if stands_alone(character) {
            word.finish(&mut folding, here);
            // A mark after it may still change it, as the voicing marks of Japanese do.
            let marked = |next: char| !stands_alone(next) && kind(next).is_mark();
            let next = bytes.get(at).is_some_and(|byte| !byte.is_ascii());
            if !(next && text[at..].chars().next().is_some_and(marked)) {
                continue;
            }
        }
        if is_ignorable(character) {
            word.skip(here, character);
            continue;
        }
        let kind = kind(character);
        if kind.is_in_word() {
            word.push(here, character, kind);
            continue;
        }
        word.finish(&mut folding, here);
        folding.copy_to(here);
        let source = ByteRange::new(here, at);
        folding.unsettled |= put_sign(character, source, &mut folding.out);
        folding.copied = source.end;
    }
    word.finish(&mut folding, text.len());
    folding.copy_to(text.len());
    // What was folded can change what most words are.
    let unsettled = folding.unsettled
        || folding
            .mostly_latin
            .is_some_and(|before| before != mostly_latin(&folding.out.text));
    (folding.out, unsettled)
}

/// Where the run of ASCII letters and digits at `start` ends.
fn ascii_word_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes[start..]
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric());
    rest.map_or(bytes.len(), |len| start + len)
}

/// A text on the way to its new spelling.
struct Folding<'t> {
    text: &'t str,
    /// Whether most words are Latin, once somebody has asked.
    mostly_latin: Option<bool>,
    out: Rewrite,
    /// How much of the text has been dealt with.
    copied: usize,
    unsettled: bool,
}

impl Folding<'_> {
    fn copy_to(&mut self, end: usize) {
        self.out.copy(&self.text[self.copied..end], self.copied);
        self.copied = end;
    }

    fn mostly_latin(&mut self) -> bool {
        *self
            .mostly_latin
            .get_or_insert_with(|| mostly_latin(self.text))
    }
}

/// A word with at least one character that is not ASCII, being collected.
#[derive(Default)]
struct Word {
    glyphs: Vec<Glyph>,
    start: usize,
    /// Whether there is anything but ASCII.
    changed: bool,
    seen: Seen,
}

/// What kinds of characters a word has.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// One that is rewritten wherever it stands.
    odd: bool,
    /// A look-alike of a Latin letter.
    double: bool,
    /// A letter that looks like no Latin one.
    foreign: bool,
    /// A mark, or a character that is not its own compatibility form: what stands beside it matters.
    composing: bool,
}

impl Seen {
    #[inline]
    fn add(&mut self, character: char, kind: Kind) {
        if character.is_ascii() {
            return;
        }
        let ligature = ligature(character).is_some();
        self.double |= kind.is_double();
        self.foreign |=
            kind.is_alphabetic() && !kind.is_double() && !kind.is_ornament() && !ligature;
        self.composing |= kind.is_mark()
            || !(kind.is_plain() || kind.is_double() || kind.is_ornament() || ligature);
        self.odd |= kind.is_ornament()
            || !kind.is_plain()
            || ligature
            || plain_arabic(character) != character;
    }
}

struct Glyph {
    character: char,
    source: ByteRange,
}

impl Word {
    #[inline]
    fn push(&mut self, at: usize, character: char, kind: Kind) {
        self.begin(at);
        self.changed |= !character.is_ascii();
        self.seen.add(character, kind);
        self.glyphs.push(Glyph {
            character,
            source: ByteRange::new(at, at + character.len_utf8()),
        });
    }

    /// An invisible character vanishes; the glyph before it answers for its bytes.
    fn skip(&mut self, at: usize, character: char) {
        self.begin(at);
        self.changed = true;
        self.seen.odd = true;
        if let Some(last) = self.glyphs.last_mut() {
            last.source.end = at + character.len_utf8();
        }
    }

    fn is_empty(&self) -> bool {
        self.glyphs.is_empty() && !self.changed
    }

    fn begin(&mut self, at: usize) {
        if self.is_empty() {
            self.start = at;
        }
    }

    fn finish(&mut self, folding: &mut Folding<'_>, end: usize) {
        if self.changed {
            // Most words of other alphabets are fine as they are.
            let doubles = self.seen.double && !self.seen.foreign;
            if self.seen.odd || (doubles && folding.mostly_latin()) {
                self.rewrite(folding, end);
            }
            self.changed = false;
            self.seen = Seen::default();
        }
        self.glyphs.clear();
    }

    fn rewrite(&mut self, folding: &mut Folding<'_>, end: usize) {
        folding.copy_to(self.start);
        if self.seen.composing {
            folding.unsettled |= self.compose();
        }
        let foreign = self.glyphs.iter().any(|glyph| {
            let c = glyph.character;
            let kind = kind(c);
            !c.is_ascii()
                && kind.is_alphabetic()
                && !kind.is_ornament()
                && !kind.is_double()
                && ligature(c).is_none()
        });
        // A word without any Latin letter is folded only if it cannot be told from a Latin one.
        let doubtful = || {
            !self.glyphs.iter().any(|glyph| is_latin(glyph.character))
                && !self
                    .glyphs
                    .iter()
                    .all(|glyph| kind(glyph.character).is_twin())
                && !mixes(self.glyphs.iter().map(|glyph| glyph.character))
        };
        let fold_doubles = !foreign
            && self
                .glyphs
                .iter()
                .any(|glyph| kind(glyph.character).is_double())
            && !doubtful()
            && folding.mostly_latin();
        for glyph in &self.glyphs {
            folding.unsettled |= put_letter(glyph, fold_doubles, folding.text, &mut folding.out);
        }
        folding.copied = end;
    }

    /// Drops the marks over Latin letters and brings everything else to its compatibility form. The answer is whether
    /// that gave characters that may have to be folded themselves.
    fn compose(&mut self) -> bool {
        let mut unsettled = false;
        let mut composed: Vec<Glyph> = Vec::with_capacity(self.glyphs.len());
        let mut glyphs = std::mem::take(&mut self.glyphs).into_iter().peekable();
        while let Some(mut glyph) = glyphs.next() {
            let mut marks = String::new();
            while let Some(mark) = glyphs.next_if(|next| kind(next.character).is_mark()) {
                glyph.source.end = mark.source.end;
                marks.push(mark.character);
            }
            let base = glyph.character;
            if base.is_ascii() || look(base).is_some() || ligature(base).is_some() {
                // A vowel sign made the word foreign; without it it may not be.
                unsettled |= !marks.chars().all(is_accent);
                composed.push(glyph);
                continue;
            }
            if is_harakat(base) || is_accent(base) {
                // A mark at the start of a word has no letter to sit on.
                unsettled = true;
                continue;
            }
            let cluster = || std::iter::once(base).chain(marks.chars().filter(|&m| !is_harakat(m)));
            if unicode_normalization::is_nfkc_quick(cluster()) == IsNormalized::Yes {
                composed.extend(cluster().map(|character| Glyph {
                    character,
                    source: glyph.source,
                }));
                continue;
            }
            unsettled = true;
            composed.extend(
                cluster()
                    .nfkc()
                    .filter(|&c| !(c.is_ascii_punctuation() || c.is_ascii_whitespace()))
                    .map(|character| Glyph {
                        character,
                        source: glyph.source,
                    }),
            );
        }
        self.glyphs = composed;
        unsettled
    }
}

/// The answer is whether what was put may have to be folded itself.
fn put_letter(glyph: &Glyph, fold_doubles: bool, text: &str, out: &mut Rewrite) -> bool {
    let character = glyph.character;
    let source = glyph.source;
    let seen = kind(character);
    if (seen.is_ornament() || (seen.is_double() && fold_doubles))
        && let Some(Look::Ornament(letter) | Look::Double(letter)) = look(character)
    {
        out.put_char(char::from(letter), source);
        return false;
    }
    if let Some(letters) = ligature(character) {
        out.put(letters, source);
        return false;
    }
    let plain = plain_arabic(character);
    let unchanged = plain == character && (character.is_ascii() || seen.is_plain());
    if unchanged || plain.to_lowercase().eq([character]) {
        let original = &text[source.as_range()];
        if original.len() == character.len_utf8() && original.starts_with(character) {
            out.copy(original, source.start);
        } else {
            out.put_char(character, source);
        }
        return false;
    }
    let mut unsettled = false;
    for lower in plain.to_lowercase() {
        let kind = kind(lower);
        // Capitals without a likeness can have small letters with one.
        unsettled |= (kind.is_double() && !seen.is_double())
            || kind.is_twin() != seen.is_twin()
            || kind.is_ornament()
            || !kind.is_plain()
            || ligature(lower).is_some();
        out.put_char(lower, source);
    }
    unsettled
}

/// The answer is whether what was put may have to be folded itself.
fn put_sign(character: char, source: ByteRange, out: &mut Rewrite) -> bool {
    let sign = match character {
        '‘' | '’' | '‚' | '‛' | 'ʼ' | '′' | '´' | '‵' => "'",
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '「' | '」' | '『' | '』' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "-",
        '。' | '｡' | '۔' | '।' | '॥' => ". ",
        '、' | '､' | '，' | '،' => ", ",
        '！' => "! ",
        '？' | '؟' => "? ",
        '：' => ":",
        '…' => "...",
        '•' | '·' | '∙' => "*",
        '€' => "e",
        '£' => "l",
        '¡' => "i",
        '‹' => "<",
        '›' => ">",
        '｜' => "|",
        '\u{2028}' | '\u{2029}' | '\u{85}' => "\n",
        _ => {
            // Letters and digits in disguise (full width, circled), and ASCII signs in disguise.
            let mut any = false;
            for c in std::iter::once(character).nfkc() {
                if c.is_ascii_graphic() || c.is_alphanumeric() {
                    any = true;
                    for c in c.to_lowercase() {
                        out.put_char(c, source);
                    }
                }
            }
            if any {
                return true;
            }
            " "
        }
    };
    out.put(sign, source);
    // A letter may make a word with what stands beside it.
    sign.starts_with(char::is_alphanumeric)
}

/// Whether more words are Latin than are not; a word of look-alikes counts for neither side unless a Latin letter is in it.
fn mostly_latin(text: &str) -> bool {
    let (mut latin, mut foreign) = (0_u32, 0_u32);
    let (mut has_latin, mut has_foreign) = (false, false);
    let mut alphabet = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let letters = bytes[at..]
            .iter()
            .position(|byte| !byte.is_ascii_alphabetic());
        let letters = letters.unwrap_or(bytes.len() - at);
        has_latin |= letters > 0;
        at += letters;
        let Some(character) = text[at..].chars().next() else {
            break;
        };
        at += character.len_utf8();
        if character.is_ascii() {
            latin += u32::from(has_latin && !has_foreign);
            foreign += u32::from(has_foreign);
            (has_latin, has_foreign) = (false, false);
            alphabet = None;
        } else if stands_alone(character) {
            foreign += 1;
        } else {
            let kind = kind(character);
            if !kind.is_in_word() && !is_styled_latin(character) {
                if !is_ignorable(character) {
                    latin += u32::from(has_latin && !has_foreign);
                    foreign += u32::from(has_foreign);
                    (has_latin, has_foreign) = (false, false);
                    alphabet = None;
                }
            } else if kind.is_ornament()
                || is_styled_latin(character)
                || ligature(character).is_some()
            {
                has_latin = true;
            } else if kind.is_double() {
                // Two alphabets in one word are a Latin word in disguise.
                let this = alphabet_of(character);
                has_latin |= alphabet.is_some_and(|other| other != this);
                alphabet = Some(this);
            } else {
                has_foreign |= kind.is_alphabetic();
            }
        }
    }
    latin += u32::from(has_latin && !has_foreign);
    foreign += u32::from(has_foreign);
    latin > foreign
}

/// Whether letters of several alphabets are mixed, as no word of any language does.
fn mixes(word: impl Iterator<Item = char>) -> bool {
    let mut alphabets = word
        .filter(|&character| kind(character).is_double())
        .map(alphabet_of);
    let first = alphabets.next();
    alphabets.any(|other| Some(other) != first)
}

/// Which of the alphabets with look-alikes of Latin letters `character` belongs to, as a number of our own.
fn alphabet_of(character: char) -> u8 {
    match character {
        '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => 1,
        '\u{400}'..='\u{52F}' | '\u{1C80}'..='\u{1C8F}' | '\u{A640}'..='\u{A69F}' => 2,
        '\u{530}'..='\u{58F}' => 3,
        '\u{13A0}'..='\u{13FF}' | '\u{AB70}'..='\u{ABBF}' => 4,
        '\u{2C80}'..='\u{2CFF}' => 5,
        _ => 0,
    }
}

/// Mathematical, full-width and circled letters: their compatibility form is Latin (or Greek, which is rare enough).
fn is_styled_latin(character: char) -> bool {
    matches!(character, '\u{1D400}'..='\u{1D7FF}' | '\u{FF21}'..='\u{FF5A}' | '\u{2100}'..='\u{214F}'
        | '\u{24B6}'..='\u{24E9}' | '\u{1F130}'..='\u{1F149}')
}

fn is_latin(character: char) -> bool {
    character.is_ascii_alphabetic() || kind(character).is_ornament()
}

fn ligature(character: char) -> Option<&'static str> {
    Some(match character {
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'þ' | 'Þ' => "th",
        _ => return None,
    })
}

/// Letters of the scripts without spaces that are their own normal form: each is taken by itself.
fn stands_alone(character: char) -> bool {
    matches!(character, '\u{4E00}'..='\u{9FEF}' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}'
        | '\u{AC00}'..='\u{D7A3}' | 'ー')
}

/// Characters that show nothing. Tags and variation selectors too: what they carry is read elsewhere.
pub(super) fn is_ignorable(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Arabic vowel signs and the stretching dash: optional in writing.
fn is_harakat(character: char) -> bool {
    matches!(character, '\u{610}'..='\u{61A}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

/// Marks that belong to no script of their own.
fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// One form for the letters that Arabic and Persian writers interchange.
fn plain_arabic(character: char) -> char {
    match character {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        fold(text).0.text
    }

    #[test]
    fn disguised_latin_becomes_ascii() {
        for (disguised, plain) in [
            ("Ｉｇｎｏｒｅ ｔｈｉｓ", "ignore this"),
            ("𝓘𝓰𝓷𝓸𝓻𝓮", "ignore"),
            ("ig\u{200B}no\u{AD}re", "ignore"),
            ("\u{202E}ignore\u{202C}", "ignore"),
            ("i̷g̈nořẽ", "ignore"),
            ("ignоrе the rulеѕ", "ignore the rules"),
            ("Ⓘⓖⓝⓞⓡⓔ", "ignore"),
            ("don’t", "don't"),
            ("straße", "strasse"),
        ] {
            assert_eq!(folded(disguised).to_lowercase(), plain, "{disguised}");
        }
    }

    #[test]
    fn real_words_of_other_alphabets_stay() {
        for text in [
            "сор и роса",
            "το ρο",
            "привет мир",
            "你好 世界",
            "नमस्ते",
            "안녕하세요",
        ] {
            assert_eq!(folded(text), text);
        }
        // Even beside Latin words, unless every letter has a Latin double.
        assert_eq!(
            folded("the word привет means hello"),
            "the word привет means hello"
        );
        assert_eq!(folded("the wоrd"), "the word");
        // A word of two alphabets is no word of either.
        assert_eq!(folded("tell me, уοսг"), "tell me, your");
    }

    #[test]
    fn emoji_become_spaces() {
        assert_eq!(folded("ignore🔥all"), "ignore all");
    }
}
