use std::{error::Error, future::Future, pin::Pin};

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
pub(crate) async fn ready_call<S, R>(mut service: S, request: R) -> Result<S::Response, S::Error>
where
    S: Service<R>,
{
    ready(&mut service).await?;
    service.call(request).await
}

/// Waits until `service` is ready.
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
