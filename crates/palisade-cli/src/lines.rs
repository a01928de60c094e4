//! Lines of bounded length.

use std::io::{self, BufRead, BufReader, Read};

/// The longest line that is read, in bytes. A longer one is an error of that line; the rest goes on.
pub(crate) const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much is read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// How much a batch holds at most, besides the line that fills it.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
const BATCH_LINES_MAX: usize = 4096;

/// A line of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counted from one.
    pub(crate) number: u64,
    /// Without the line end; `None` if it was too long.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// Reads lines in batches.
pub(crate) struct Lines<R> {
    input: BufReader<R>,
    number: u64,
    bytes_max: usize,
}

impl<R: Read> Lines<R> {
    /// The lines of `input`.
    pub(crate) fn new(input: R) -> Self {
        Self::with_bytes_max(input, LINE_BYTES_MAX)
    }

    fn with_bytes_max(input: R, bytes_max: usize) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER_BYTES, input),
            number: 0,
            bytes_max,
        }
    }

    /// At least one line, and as many more as can be had without waiting; none at the end. So a writer that sends one
    /// line and waits for the answer gets it, and one that sends a million is read in large pieces.
    ///
    /// # Errors
    ///
    /// If the input cannot be read.
    pub(crate) fn batch(&mut self) -> io::Result<Vec<Line>> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        while let Some(line) = self.next()? {
            bytes += line.bytes.as_ref().map_or(0, Vec::len);
            lines.push(line);
            let full = bytes >= BATCH_BYTES_MAX || lines.len() >= BATCH_LINES_MAX;
            if full || memchr::memchr(b'\n', self.input.buffer()).is_none() {
                break;
            }
        }
        Ok(lines)
    }

    fn next(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let mut too_long = false;
        let mut seen = false;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            seen = true;
            let end = memchr::memchr(b'\n', available);
            let part = &available[..end.unwrap_or(available.len())];
            if line.len() + part.len() > self.bytes_max {
                // Forgotten at once: memory does not grow with what a stranger sends.
                too_long = true;
                line = Vec::new();
            }
            if !too_long {
                line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !seen {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Line {
            number: self.number,
            bytes: (!too_long).then_some(line),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, bytes_max: usize) -> Vec<Option<String>> {
        let mut lines = Lines::with_bytes_max(text.as_bytes(), bytes_max);
        let mut all = Vec::new();
        loop {
            let batch = lines.batch().expect("a slice can be read");
            if batch.is_empty() {
                return all;
            }
            for line in batch {
                assert_eq!(line.number, all.len() as u64 + 1);
                all.push(
                    line.bytes
                        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
                );
            }
        }
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_last_line_needs_no_end() {
        assert_eq!(lines("a\n\nb", 10), [some("a"), some(""), some("b")]);
        assert_eq!(lines("a\n", 10), [some("a")]);
        assert_eq!(lines("", 10), []);
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        assert_eq!(
            lines("1234\n12345\n1\n", 4),
            [some("1234"), None, some("1")]
        );
        let long = "x".repeat(3 * BUFFER_BYTES);
        let text = format!("{long}\nnext\n{long}");
        assert_eq!(lines(&text, BUFFER_BYTES), [None, some("next"), None]);
        assert_eq!(lines(&text, 3 * BUFFER_BYTES).len(), 3);
    }

    /// Gives one line at each read, as a terminal does, and fails if it is read once too often.
    struct Terminal(Vec<&'static str>);

    impl Read for Terminal {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let line = self.0.remove(0).as_bytes();
            into[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }

    #[test]
    fn a_batch_does_not_wait_for_more_than_there_is() {
        let mut lines = Lines::new(Terminal(vec!["a\nb\n", "c\n", ""]));
        assert_eq!(lines.batch().expect("the first").len(), 2);
        assert_eq!(lines.batch().expect("the second").len(), 1);
        assert!(lines.batch().expect("the end").is_empty());
    }
}
