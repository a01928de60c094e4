use std::{
    error::Error,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tower_service::Service;

/// The error every layer of this crate speaks: a boxed one, as tower's own middleware does.
///
/// A refusal travels in it as a [`Rejection`](crate::Rejection); look for it with [`find`].
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The future every service of this crate returns.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Waits until `service` is ready, then calls it.
///
/// Every layer here calls a clone of its inner service this way, inside its own future. So the layers are always
/// ready themselves, hold no request while they wait, and never call a service that has not said it is ready.
///
/// A future by hand: an `async fn` would hold the request twice, and every layer's future holds one of these.
pub(crate) fn ready_call<S, R>(service: S, request: R) -> ReadyCall<S, R>
where
    S: Service<R>,
{
    ReadyCall {
        service,
        request: Some(request),
        call: None,
    }
}

pin_project_lite::pin_project! {
    /// The future of [`ready_call`].
    pub(crate) struct ReadyCall<S, R>
    where
        S: Service<R>,
    {
        service: S,
        // There until it is sent.
        request: Option<R>,
        #[pin]
        call: Option<S::Future>,
    }
}

impl<S: Service<R>, R> Future for ReadyCall<S, R> {
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.request.is_some() {
            ready!(this.service.poll_ready(cx))?;
            if let Some(request) = this.request.take() {
                this.call.set(Some(this.service.call(request)));
            }
        }
        match this.call.as_mut().as_pin_mut() {
            Some(call) => call.poll(cx),
            None => Poll::Pending,
        }
    }
}

/// Calls `service` with nothing added, for a layer that has nothing to do.
#[cfg_attr(
    not(feature = "resilience"),
    allow(dead_code, reason = "some layers use it")
)]
pub(crate) fn pass<S, R>(service: S, request: R) -> Pass<S, R>
where
    S: Service<R>,
{
    Pass {
        call: ready_call(service, request),
    }
}

pin_project_lite::pin_project! {
    /// The future of [`pass`].
    pub(crate) struct Pass<S, R>
    where
        S: Service<R>,
    {
        #[pin]
        call: ReadyCall<S, R>,
    }
}

impl<S, R> Future for Pass<S, R>
where
    S: Service<R>,
    S::Error: Into<BoxError>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().call.poll(cx).map_err(Into::into)
    }
}

/// Waits until `service` is ready.
#[cfg_attr(not(feature = "full"), allow(dead_code, reason = "some layers use it"))]
pub(crate) async fn ready<S: Service<R>, R>(service: &mut S) -> Result<(), S::Error> {
    std::future::poll_fn(|cx| service.poll_ready(cx)).await
}

/// The first `T` in the chain of causes of `error`, itself included.
#[must_use]
pub fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
