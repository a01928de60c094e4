//! How far it is, for whoever watches a terminal.

use std::io::{self, IsTerminal, Write};

/// A line on standard error that is written over, and gone at the end. Nothing where standard error is no terminal.
pub(crate) struct Progress {
    shown: bool,
    all: usize,
    files: usize,
    bytes: u64,
}

impl Progress {
    /// For `all` files; 0 if nobody knows how many there are.
    pub(crate) fn new(all: usize) -> Self {
        Self {
            shown: io::stderr().is_terminal(),
            all,
            files: 0,
            bytes: 0,
        }
    }

    /// So much more has been looked at.
    pub(crate) fn add(&mut self, files: usize, bytes: u64) {
        self.files += files;
        self.bytes += bytes;
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K{}", self.line());
        }
    }

    fn line(&self) -> String {
        let megabytes = self.bytes / 1_000_000;
        match self.all {
            0 => format!("{} files, {megabytes} MB", self.files),
            all => {
                let percent = 100 * self.files / all;
                format!(
                    "{} of {all} files, {megabytes} MB ({percent} %)",
                    self.files
                )
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_it_is() {
        let mut progress = Progress {
            shown: false,
            all: 8,
            files: 0,
            bytes: 0,
        };
        progress.add(2, 3_500_000);
        assert_eq!(progress.line(), "2 of 8 files, 3 MB (25 %)");
        progress.all = 0;
        assert_eq!(progress.line(), "2 files, 3 MB");
    }
}
