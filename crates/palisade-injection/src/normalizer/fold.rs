//! One spelling for the many ways to write a letter.

use palisade_core::ByteRange;
use unicode_normalization::{IsNormalized, UnicodeNormalization};

use super::{
    letters::{Look, kind, look},
    map::Rewrite,
};

/// Rewrites a text that is not ASCII: compatibility forms, ornaments, look-alikes, invisible characters, quotes.
///
/// ASCII parts are copied as they are; case is left to whoever reads the text.
pub(super) fn fold(text: &str) -> Rewrite {
    let mostly_latin = mostly_latin(text);
    let mut out = Rewrite::with_capacity(text.len());
    let mut word = Word::default();
    let mut copied = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, character)) = chars.next() {
        if character.is_ascii_alphanumeric() {
            word.push(at, character);
            continue;
        }
        if character.is_ascii() {
            word.finish(text, &mut copied, at, mostly_latin, &mut out);
            continue;
        }
        if is_ignorable(character) {
            word.skip(at, character);
            continue;
        }
        if stands_alone(character) {
            word.finish(text, &mut copied, at, mostly_latin, &mut out);
            // A mark after it may still change it, as the voicing marks of Japanese do.
            let marked = |next: char| !stands_alone(next) && kind(next).is_mark();
            if !chars.peek().is_some_and(|&(_, next)| marked(next)) {
                continue;
            }
        }
        let kind_here = kind(character);
        if kind_here.is_word() || kind_here.is_mark() || look(character).is_some() {
            word.push(at, character);
            continue;
        }
        word.finish(text, &mut copied, at, mostly_latin, &mut out);
        out.copy(&text[copied..at], copied);
        let source = ByteRange::new(at, at + character.len_utf8());
        put_sign(character, source, &mut out);
        copied = source.end;
    }
    word.finish(text, &mut copied, text.len(), mostly_latin, &mut out);
    out.copy(&text[copied..], copied);
    out
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
    /// A Latin letter.
    latin: bool,
    /// A look-alike of one.
    double: bool,
    /// A letter that looks like no Latin one.
    foreign: bool,
}

impl Seen {
    fn add(&mut self, character: char) {
        if character.is_ascii() {
            self.latin |= character.is_ascii_alphabetic();
            return;
        }
        let kind = kind(character);
        match look(character) {
            Some(Look::Ornament(_)) => (self.odd, self.latin) = (true, true),
            Some(Look::Double(_)) => self.double = true,
            None => self.foreign |= kind.is_alphabetic() && ligature(character).is_none(),
        }
        self.odd |= !kind.is_plain()
            || ligature(character).is_some()
            || plain_arabic(character) != character;
    }
}

struct Glyph {
    character: char,
    source: ByteRange,
}

impl Word {
    fn push(&mut self, at: usize, character: char) {
        self.begin(at);
        self.changed |= !character.is_ascii();
        self.seen.add(character);
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

    fn begin(&mut self, at: usize) {
        if self.glyphs.is_empty() && !self.changed {
            self.start = at;
        }
    }

    fn finish(
        &mut self,
        text: &str,
        copied: &mut usize,
        end: usize,
        mostly_latin: bool,
        out: &mut Rewrite,
    ) {
        // Most words of other alphabets are fine as they are.
        let fine = !self.seen.odd && (!self.seen.double || self.seen.foreign || !mostly_latin);
        if self.changed && !fine {
            out.copy(&text[*copied..self.start], *copied);
            self.compose();
            let foreign = self.glyphs.iter().any(|glyph| {
                let c = glyph.character;
                !c.is_ascii()
                    && kind(c).is_alphabetic()
                    && look(c).is_none()
                    && ligature(c).is_none()
            });
            // A word without any Latin letter is folded only if it cannot be told from a Latin one.
            let doubtful = !self.glyphs.iter().any(|glyph| is_latin(glyph.character))
                && !self
                    .glyphs
                    .iter()
                    .all(|glyph| kind(glyph.character).is_twin());
            for glyph in &self.glyphs {
                put_letter(glyph, mostly_latin && !foreign && !doubtful, text, out);
            }
            *copied = end;
        }
        self.glyphs.clear();
        self.changed = false;
        self.seen = Seen::default();
    }

    /// Drops the marks over Latin letters and brings everything else to its compatibility form.
    fn compose(&mut self) {
        let mut composed: Vec<Glyph> = Vec::with_capacity(self.glyphs.len());
        let mut glyphs = std::mem::take(&mut self.glyphs).into_iter().peekable();
        while let Some(mut glyph) = glyphs.next() {
            let mut marks = String::new();
            while let Some(mark) = glyphs.next_if(|next| kind(next.character).is_mark()) {
                glyph.source.end = mark.source.end;
                marks.push(mark.character);
            }
            let base = glyph.character;
            if base.is_ascii() || look(base).is_some() {
                composed.push(glyph);
                continue;
            }
            if is_harakat(base) || is_accent(base) {
                // A mark at the start of a word has no letter to sit on.
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
    }
}

fn put_letter(glyph: &Glyph, fold_doubles: bool, text: &str, out: &mut Rewrite) {
    let character = glyph.character;
    let source = glyph.source;
    match look(character) {
        Some(Look::Ornament(letter)) => return out.put_char(char::from(letter), source),
        Some(Look::Double(letter)) if fold_doubles => {
            return out.put_char(char::from(letter), source);
        }
        _ => {}
    }
    if let Some(letters) = ligature(character) {
        return out.put(letters, source);
    }
    let plain = plain_arabic(character);
    let lower = plain.to_lowercase();
    let unchanged = plain == character && lower.clone().eq([character]);
    if character.is_ascii() || unchanged {
        let original = &text[source.as_range()];
        if original.len() == character.len_utf8() && original.starts_with(character) {
            out.copy(original, source.start);
        } else {
            out.put_char(character, source);
        }
        return;
    }
    for character in lower {
        out.put_char(character, source);
    }
}

fn put_sign(character: char, source: ByteRange, out: &mut Rewrite) {
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
                return;
            }
            " "
        }
    };
    out.put(sign, source);
}

/// Whether more words are Latin than are not; a word of look-alikes counts for neither side unless a Latin letter is in it.
fn mostly_latin(text: &str) -> bool {
    let (mut latin, mut foreign) = (0_u32, 0_u32);
    let (mut has_latin, mut has_foreign) = (false, false);
    for character in text.chars() {
        if character.is_ascii_alphabetic() {
            has_latin = true;
        } else if character.is_ascii() {
            latin += u32::from(has_latin && !has_foreign);
            foreign += u32::from(has_foreign);
            (has_latin, has_foreign) = (false, false);
        } else if stands_alone(character) {
            foreign += 1;
        } else {
            match look(character) {
                Some(Look::Ornament(_)) => has_latin = true,
                Some(Look::Double(_)) => {}
                None if is_styled_latin(character) || ligature(character).is_some() => {
                    has_latin = true;
                }
                None => has_foreign |= kind(character).is_alphabetic(),
            }
        }
    }
    latin += u32::from(has_latin && !has_foreign);
    foreign += u32::from(has_foreign);
    latin > foreign
}

/// Mathematical, full-width and circled letters: their compatibility form is Latin (or Greek, which is rare enough).
fn is_styled_latin(character: char) -> bool {
    matches!(character, '\u{1D400}'..='\u{1D7FF}' | '\u{FF21}'..='\u{FF5A}' | '\u{2100}'..='\u{214F}'
        | '\u{24B6}'..='\u{24E9}' | '\u{1F130}'..='\u{1F149}')
}

fn is_latin(character: char) -> bool {
    character.is_ascii_alphabetic() || matches!(look(character), Some(Look::Ornament(_)))
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
        fold(text).text
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
    }

    #[test]
    fn emoji_become_spaces() {
        assert_eq!(folded("ignore🔥all"), "ignore all");
    }
}
