//! Standard output, buffered.

use std::io::{self, BufWriter, StdoutLock, Write};

const BUFFER_BYTES: usize = 256 * 1024;

/// Standard output. A reader that has gone away ends the program quietly: see [`is_gone`].
pub(crate) struct Output {
    inner: BufWriter<StdoutLock<'static>>,
}

impl Output {
    /// Locks standard output for the rest of the program.
    pub(crate) fn new() -> Self {
        Self {
            inner: BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock()),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Whether the reader of our output has gone away, as `head` does when it has seen enough. That is no error of ours.
pub(crate) fn is_gone(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
