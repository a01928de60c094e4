//! Where a byte is, for people.

/// Finds lines and columns in a text, for offsets that mostly go up.
pub(crate) struct Places<'a> {
    text: &'a [u8],
    /// An offset, the number of its line, and where that line starts.
    known: (usize, usize, usize),
}

impl<'a> Places<'a> {
    /// The places of `text`.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            known: (0, 1, 0),
        }
    }

    /// The line and the column of an offset, both counted from one; columns in characters.
    pub(crate) fn of(&mut self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        if offset < self.known.0 {
            self.known = (0, 1, 0);
        }
        let (from, mut line, mut start) = self.known;
        for newline in memchr::memchr_iter(b'\n', &self.text[from..offset]) {
            line += 1;
            start = from + newline + 1;
        }
        self.known = (offset, line, start);
        // Bytes that begin a character.
        let column = self.text[start..offset]
            .iter()
            .filter(|byte| *byte & 0xC0 != 0x80)
            .count();
        (line, column + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_from_one() {
        let mut places = Places::new("ab\n\u{e4}c\n".as_bytes());
        assert_eq!(places.of(0), (1, 1));
        assert_eq!(places.of(2), (1, 3));
        assert_eq!(places.of(3), (2, 1));
        assert_eq!(places.of(5), (2, 2));
        assert_eq!(places.of(7), (3, 1));
        assert_eq!(places.of(99), (3, 1));
    }

    #[test]
    fn an_offset_before_the_last_one_is_found_too() {
        let mut places = Places::new(b"a\nb\nc");
        assert_eq!(places.of(4), (3, 1));
        assert_eq!(places.of(2), (2, 1));
    }
}
