use std::{fmt, sync::Arc};

use crate::Failure;

/// Reads an outcome: did the call succeed, and if not, what is known about the failure?
///
/// It sees the whole outcome, not only errors, because an HTTP client reports a 503 as `Ok`. `None` is success *as far
/// as the service behind it goes*. Closures are classifiers; [`OnError`] makes one from a function of the error alone.
///
/// ```
/// use palisade_resilience::{Classify, ErrorKind, Failure, OnError};
///
/// let io = OnError(|error: &std::io::Error| match error.kind() {
///     std::io::ErrorKind::ConnectionRefused => Failure::new(ErrorKind::Unavailable).not_processed(),
///     std::io::ErrorKind::TimedOut => Failure::new(ErrorKind::Timeout),
///     _ => Failure::new(ErrorKind::Internal),
/// });
/// let outcome: Result<(), _> = Err(std::io::ErrorKind::TimedOut.into());
/// assert_eq!(io.classify(&outcome), Some(Failure::new(ErrorKind::Timeout)));
/// assert_eq!(io.classify(&Ok::<(), std::io::Error>(())), None);
/// ```
pub trait Classify<O: ?Sized> {
    /// The failure in `outcome`, or `None` if it is a success. Quick and free of side effects: it may be asked twice.
    fn classify(&self, outcome: &O) -> Option<Failure>;
}

impl<O: ?Sized, F> Classify<O> for F
where
    F: Fn(&O) -> Option<Failure>,
{
    #[inline]
    fn classify(&self, outcome: &O) -> Option<Failure> {
        self(outcome)
    }
}

/// A shared classifier, chosen at run time.
#[derive(Clone)]
pub struct DynClassify<O: ?Sized>(Arc<dyn Classify<O> + Send + Sync>);

impl<O: ?Sized> DynClassify<O> {
    /// Erases the type of `classifier`.
    #[must_use]
    pub fn new(classifier: impl Classify<O> + Send + Sync + 'static) -> Self {
        Self(Arc::new(classifier))
    }
}

impl<O: ?Sized> Classify<O> for DynClassify<O> {
    fn classify(&self, outcome: &O) -> Option<Failure> {
        self.0.classify(outcome)
    }
}

impl<O: ?Sized> fmt::Debug for DynClassify<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynClassify")
    }
}

/// A classifier for results whose `Ok` is always a success, from a function that reads the error.
#[derive(Clone, Copy, Debug)]
pub struct OnError<F>(pub F);

impl<T, E, F> Classify<Result<T, E>> for OnError<F>
where
    F: Fn(&E) -> Failure,
{
    #[inline]
    fn classify(&self, outcome: &Result<T, E>) -> Option<Failure> {
        outcome.as_ref().err().map(&self.0)
    }
}

/// A classifier for results whose error *is* a [`Failure`], or knows one.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsFailure;

impl<T, E: AsRef<Failure>> Classify<Result<T, E>> for AsFailure {
    #[inline]
    fn classify(&self, outcome: &Result<T, E>) -> Option<Failure> {
        outcome.as_ref().err().map(|error| error.as_ref().clone())
    }
}

impl AsRef<Failure> for Failure {
    fn as_ref(&self) -> &Failure {
        self
    }
}
