/// How large one trace may grow while it is recorded.
///
/// A trace is memory that a stranger's request fills: an agent that calls a tool ten thousand times must not hold ten
/// thousand steps. What does not fit is counted in [`Summary::steps_dropped`](crate::Summary::steps_dropped).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most steps kept.
    pub steps_max: usize,
    /// The most bytes the steps together may take, as [`Step::size_bytes`](crate::Step::size_bytes) estimates them.
    pub bytes_max: usize,
    /// The most bytes of one text (a name, a reason, a message). Longer ones are cut and end in `…`.
    pub text_bytes_max: usize,
}

impl Default for Limits {
    /// 256 steps, 64 KiB, 512 bytes a text.
    fn default() -> Self {
        Self {
            steps_max: 256,
            bytes_max: 64 * 1024,
            text_bytes_max: 512,
        }
    }
}

impl Limits {
    /// The same with another number of steps.
    #[must_use]
    pub const fn with_steps_max(mut self, steps: usize) -> Self {
        self.steps_max = steps;
        self
    }

    /// The same with another number of bytes.
    #[must_use]
    pub const fn with_bytes_max(mut self, bytes: usize) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// The same with another length of texts.
    #[must_use]
    pub const fn with_text_bytes_max(mut self, bytes: usize) -> Self {
        self.text_bytes_max = bytes;
        self
    }
}
