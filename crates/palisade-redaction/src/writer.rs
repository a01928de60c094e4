use std::{
    fmt,
    io::{self, Write},
};

use crate::{Redactor, Scanner};

/// Redacts what is written to `W`: logs, transcripts, files.
///
/// What may be the beginning of something to be taken out is held back until it is decided, and [`flush`](Write::flush)
/// does not change that: half a key that leaves is a key that has left. [`finish`](Self::finish), or dropping the writer,
/// writes the rest.
///
/// ```
/// use std::io::Write;
///
/// use palisade_redaction::{RedactingWriter, Scanner};
///
/// # fn main() -> std::io::Result<()> {
/// let mut log = RedactingWriter::new(Vec::new(), &Scanner::new());
/// write!(log, "DB_PASSWORD=k00B!tl")?;
/// writeln!(log, "mawn7 was refused")?;
/// assert_eq!(log.finish()?, b"DB_PASSWORD=[REDACTED:password] was refused\n");
/// # Ok(())
/// # }
/// ```
pub struct RedactingWriter<W: Write> {
    /// Absent once the writer is finished.
    open: Option<Open<W>>,
}

struct Open<W> {
    inner: W,
    redactor: Redactor,
    /// Redacted and not yet written, because the inner writer failed.
    ready: Vec<u8>,
}

impl<W: Write> RedactingWriter<W> {
    /// A writer that redacts by the scanner's policy before it writes to `inner`.
    #[must_use]
    pub fn new(inner: W, scanner: &Scanner) -> Self {
        Self {
            open: Some(Open {
                inner,
                redactor: scanner.redactor(),
                ready: Vec::new(),
            }),
        }
    }

    /// Writes the rest and gives the inner writer back.
    ///
    /// # Errors
    ///
    /// That of the inner writer; what was not written is lost then.
    pub fn finish(mut self) -> io::Result<W> {
        let open = self.open.take();
        let mut open = open.ok_or_else(|| io::Error::other("the writer is finished"))?;
        open.end()?;
        Ok(open.inner)
    }
}

impl<W: Write> Open<W> {
    /// Writes what is ready. What an interrupted write has taken is not written again.
    fn drain(&mut self) -> io::Result<()> {
        let mut written = 0;
        let result = loop {
            if written == self.ready.len() {
                break Ok(());
            }
            match self.inner.write(&self.ready[written..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.ready.drain(..written);
        result
    }

    fn end(&mut self) -> io::Result<()> {
        let fresh = self.redactor.fresh();
        std::mem::replace(&mut self.redactor, fresh).finish_bytes(&mut self.ready);
        self.drain()?;
        self.inner.flush()
    }
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(open) = &mut self.open else {
            return Err(io::Error::other("the writer is finished"));
        };
        // An error means that nothing of `bytes` was taken.
        open.drain()?;
        open.redactor.push_bytes(bytes, &mut open.ready);
        // Nobody asks for findings here.
        drop(open.redactor.take_findings());
        // These bytes are taken: what cannot be written of them now is written, or fails, the next time.
        let _ = open.drain();
        Ok(bytes.len())
    }

    /// Flushes what is certain. What is held back stays held back.
    fn flush(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.drain()?;
        open.inner.flush()
    }
}

impl<W: Write> Drop for RedactingWriter<W> {
    fn drop(&mut self) {
        if let Some(open) = &mut self.open {
            // Nobody is left who could be told.
            let _ = open.end();
        }
    }
}

/// Shows how much is held back, never what.
impl<W: Write> fmt::Debug for RedactingWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.open.as_ref().map(|open| open.redactor.held_back());
        f.debug_struct("RedactingWriter")
            .field("held_back", &held)
            .finish_non_exhaustive()
    }
}

/// Redacts what a `tracing` subscriber writes: every event is a text of its own.
///
/// ```
/// use palisade_redaction::{RedactingMakeWriter, Scanner};
///
/// let subscriber = tracing_subscriber::fmt()
///     .with_writer(RedactingMakeWriter::new(std::io::stderr, &Scanner::new()))
///     .finish();
/// # drop(subscriber);
/// ```
#[cfg(feature = "tracing")]
#[derive(Clone, Debug)]
pub struct RedactingMakeWriter<M> {
    inner: M,
    scanner: Scanner,
}

#[cfg(feature = "tracing")]
impl<M> RedactingMakeWriter<M> {
    /// Redacts by the scanner's policy what the writers of `inner` would write.
    #[must_use]
    pub fn new(inner: M, scanner: &Scanner) -> Self {
        Self {
            inner,
            scanner: scanner.clone(),
        }
    }
}

#[cfg(feature = "tracing")]
impl<'a, M: tracing_subscriber::fmt::MakeWriter<'a>> tracing_subscriber::fmt::MakeWriter<'a>
    for RedactingMakeWriter<M>
{
    type Writer = RedactingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter::new(self.inner.make_writer(), &self.scanner)
    }
}
