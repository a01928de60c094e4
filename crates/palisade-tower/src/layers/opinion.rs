use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use palisade_core::{Channel, Clock, Text, Texts, Timer};
use palisade_injection::{Detector, Judge, Outcome, SecondOpinion, Verdict};
use tower_layer::Layer;
use tower_service::Service;

use super::scan::{Look, judged};
use crate::{
    BoxError,
    call::{BoxFuture, ready_call},
    observe::{Notes, Said},
};

/// Judges what the model is about to read, and asks somebody wiser where the detector is in doubt.
///
/// It stands where a [`ScanLayer`](crate::ScanLayer) with an [`InjectionScan`](crate::InjectionScan) would stand, and does
/// the same with a detector; but a text that is to be reviewed is taken to the [`SecondOpinion`], which may pass or stop it.
/// At most [`DOUBTS_MAX`](Self::DOUBTS_MAX) texts of one request are; the others keep the detector's verdict. The trace
/// shows the score after the judge spoke.
pub struct OpinionLayer<D, J, C>(Arc<Shared<D, J, C>>);

struct Shared<D, J, C> {
    detector: D,
    opinion: SecondOpinion<J, C>,
}

impl<D, J, C> OpinionLayer<D, J, C> {
    /// The most texts of one request that are taken to the judge.
    pub const DOUBTS_MAX: usize = 4;

    /// Judges by `detector`, and by `opinion` where that is in doubt.
    pub fn new(detector: D, opinion: SecondOpinion<J, C>) -> Self {
        Self(Arc::new(Shared { detector, opinion }))
    }
}

impl<D, J, C> Clone for OpinionLayer<D, J, C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D, J, C> fmt::Debug for OpinionLayer<D, J, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpinionLayer")
            .field("opinion", &self.0.opinion)
            .finish_non_exhaustive()
    }
}

impl<S, D, J, C> Layer<S> for OpinionLayer<D, J, C> {
    type Service = Opined<S, D, J, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Opined {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of an [`OpinionLayer`].
pub struct Opined<S, D, J, C> {
    inner: S,
    layer: OpinionLayer<D, J, C>,
}

impl<S: Clone, D, J, C> Clone for Opined<S, D, J, C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S: fmt::Debug, D, J, C> fmt::Debug for Opined<S, D, J, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opined")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}

impl<S, T, B, D, J, C> Service<Request<T>> for Opined<S, D, J, C>
where
    S: Service<Request<T>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    T: Texts + Send + 'static,
    D: Detector + 'static,
    J: Judge + 'static,
    C: Clock + Timer + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let inner = self.inner.clone();
        let shared = Arc::clone(&self.layer.0);
        Box::pin(async move {
            let notes = Notes::of(request.extensions());
            let note = notes.begin("scan");
            let (mut look, doubts) = shared.look(request.body());
            // Nobody needs to be asked about a request that is refused anyway.
            let doubts = if look.worst == Outcome::Block {
                Vec::new()
            } else {
                doubts
            };
            for (channel, text, verdict) in doubts {
                let text = Text::new(channel, &text);
                look.add(&shared.opinion.settle(text, verdict).await.verdict);
            }
            let said = match look.worst {
                Outcome::Block => Said::Deny,
                Outcome::Review => Said::Flag,
                Outcome::Allow => Said::Allow,
            };
            note.named("injection")
                .verdict(said, look.findings, Some(look.highest));
            if look.worst == Outcome::Block {
                return Err(look.refusal().into());
            }
            ready_call(inner, request).await.map_err(Into::into)
        })
    }
}

impl<D: Detector, J, C> Shared<D, J, C> {
    /// The settled verdicts, and the texts in doubt.
    fn look(&self, request: &dyn Texts) -> (Look, Vec<(Channel, String, Verdict)>) {
        let mut look = Look::default();
        let mut doubts = Vec::new();
        judged(request, &mut |text| {
            let verdict = self.detector.detect(text);
            let in_doubt = verdict.outcome == Outcome::Review;
            if in_doubt && doubts.len() < OpinionLayer::<D, J, C>::DOUBTS_MAX {
                doubts.push((text.channel, text.text.to_owned(), verdict));
            } else {
                look.add(&verdict);
            }
        });
        (look, doubts)
    }
}
