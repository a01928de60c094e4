//! Text in characters that show nothing: Unicode tags and runs of variation selectors.

use palisade_core::ByteRange;

use super::map::Rewrite;

/// Fewer hidden characters than this are the flag of a region or the style of an emoji.
const SHORTEST: usize = 4;

/// What is written in invisible characters, if anything is.
pub(super) fn reveal(text: &str) -> Option<Rewrite> {
    // The blocks begin with these two pairs of bytes; most texts have neither.
    let bytes = text.as_bytes();
    let begins = |pair: (&u8, &u8)| matches!(pair, (0xF3, 0xA0) | (0xEF, 0xB8));
    if !bytes.iter().zip(bytes.get(1..)?).any(begins) {
        return None;
    }
    let mut out = Rewrite::default();
    let mut run = Run::default();
    let mut flag = false;
    for (at, character) in text.char_indices() {
        let byte = match character {
            '\u{E0020}'..='\u{E007E}' if !flag => Some(character as u32 - 0xE0000),
            '\u{FE00}'..='\u{FE0F}' => Some(character as u32 - 0xFE00),
            '\u{E0100}'..='\u{E01EF}' => Some(character as u32 - 0xE0100 + 16),
            _ => None,
        };
        if let Some(byte) = byte {
            run.push(byte as u8, ByteRange::new(at, at + character.len_utf8()));
        } else {
            run.finish(&mut out);
            // Tags after a black flag name a region: England, Scotland, Wales.
            flag = character == '\u{1F3F4}'
                || (flag && matches!(character, '\u{E0020}'..='\u{E007E}'));
        }
    }
    run.finish(&mut out);
    (!out.text.is_empty()).then_some(out)
}

#[derive(Default)]
struct Run {
    bytes: Vec<u8>,
    places: Vec<ByteRange>,
}

impl Run {
    fn push(&mut self, byte: u8, place: ByteRange) {
        self.bytes.push(byte);
        self.places.push(place);
    }

    fn finish(&mut self, out: &mut Rewrite) {
        if self.bytes.len() >= SHORTEST
            && let Ok(text) = std::str::from_utf8(&self.bytes)
            && text.chars().filter(|c| c.is_alphanumeric()).count() * 2 >= text.chars().count()
        {
            for (at, character) in text.char_indices() {
                let first = self.places[at];
                let last = self.places[at + character.len_utf8() - 1];
                out.put_char(character, ByteRange::new(first.start, last.end));
            }
            let end = self.places[self.places.len() - 1];
            out.put(" ", end);
        }
        self.bytes.clear();
        self.places.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_variation_selectors_are_read() {
        let tags: String = "ignore"
            .chars()
            .map(|c| char::from_u32(c as u32 + 0xE0000).unwrap())
            .collect();
        assert_eq!(reveal(&format!("hi{tags}!")).unwrap().text, "ignore ");
        let selectors: String = "ignore"
            .bytes()
            .map(|b| char::from_u32(u32::from(b) - 16 + 0xE0100).unwrap())
            .collect();
        let found = reveal(&format!("😀{selectors}")).unwrap();
        assert_eq!(found.text, "ignore ");
        assert_eq!(
            found.map.source(ByteRange::new(0, 6)),
            ByteRange::new(4, 4 + 24)
        );
    }

    #[test]
    fn flags_and_styled_emoji_hide_nothing() {
        assert!(
            reveal("🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F} ❤\u{FE0F}").is_none()
        );
    }
}
