use palisade_core::ByteRange;

/// Where the bytes of a rewritten text came from.
///
/// A list of runs in the order of the new text. An exact run was copied byte for byte; every byte of any other run stands
/// for the whole source of that run (`ａ` for `a`, `%20` for a space, one base64 word for a sentence).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceMap {
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// Where the run begins in the new text.
    at: u32,
    /// Where its source begins.
    source: u32,
    /// How long its source is.
    len: u32,
    exact: bool,
}

impl SourceMap {
    /// The source of `range`.
    pub(crate) fn source(&self, range: ByteRange) -> ByteRange {
        let first = self.byte(range.start);
        if range.is_empty() {
            // No byte of the text, so none of the source: half a character would be one too many.
            return ByteRange::new(first.start, first.start);
        }
        let last = self.byte(range.end - 1);
        // A reversed view runs backwards.
        ByteRange::new(first.start.min(last.start), first.end.max(last.end))
    }

    fn byte(&self, at: usize) -> ByteRange {
        let next = self.runs.partition_point(|run| run.at as usize <= at);
        let Some(run) = next.checked_sub(1).map(|index| self.runs[index]) else {
            return ByteRange::new(0, 0);
        };
        let source = run.source as usize;
        let end = source + run.len as usize;
        if run.exact {
            let at = (source + at - run.at as usize).min(end);
            ByteRange::new(at, (at + 1).min(end))
        } else {
            ByteRange::new(source, end)
        }
    }
}

/// A text being rewritten, with its map.
#[derive(Debug, Default)]
pub(crate) struct Rewrite {
    pub(crate) text: String,
    pub(crate) map: SourceMap,
}

impl Rewrite {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            map: SourceMap::default(),
        }
    }

    /// Appends `text`, which stands at `source` in the text being rewritten.
    pub(crate) fn copy(&mut self, text: &str, source: usize) {
        if text.is_empty() {
            return;
        }
        let len = text.len() as u32;
        let source = source as u32;
        match self.map.runs.last_mut() {
            Some(run) if run.exact && run.source + run.len == source => run.len += len,
            _ => self.map.runs.push(Run {
                at: self.text.len() as u32,
                source,
                len,
                exact: true,
            }),
        }
        self.text.push_str(text);
    }

    /// Appends `text`, which stands for `source` as a whole.
    pub(crate) fn put(&mut self, text: &str, source: ByteRange) {
        if text.is_empty() {
            return;
        }
        self.map.runs.push(Run {
            at: self.text.len() as u32,
            source: source.start as u32,
            len: source.len() as u32,
            exact: false,
        });
        self.text.push_str(text);
    }

    /// Appends `character`, which stands for `source` as a whole.
    pub(crate) fn put_char(&mut self, character: char, source: ByteRange) {
        self.put(character.encode_utf8(&mut [0; 4]), source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_maps_back_through_copied_and_replaced_parts() {
        let mut rewrite = Rewrite::default();
        rewrite.copy("ab", 0);
        rewrite.put(" ", ByteRange::new(2, 5));
        rewrite.copy("cd", 5);
        let source = |start, end| rewrite.map.source(ByteRange::new(start, end));
        assert_eq!(rewrite.text, "ab cd");
        assert_eq!(source(0, 2), ByteRange::new(0, 2));
        assert_eq!(source(1, 4), ByteRange::new(1, 6));
        assert_eq!(source(2, 3), ByteRange::new(2, 5));
        assert_eq!(source(3, 5), ByteRange::new(5, 7));
    }

    #[test]
    fn a_reversed_text_maps_back_too() {
        let mut rewrite = Rewrite::default();
        rewrite.put_char('b', ByteRange::new(1, 2));
        rewrite.put_char('a', ByteRange::new(0, 1));
        assert_eq!(
            rewrite.map.source(ByteRange::new(0, 2)),
            ByteRange::new(0, 2)
        );
    }
}
