use std::sync::Arc;

use palisade_core::Text;

use crate::Verdict;

/// Judges a text: does it try to take over the model that will read it?
///
/// # Contract
///
/// - *Pure*: the same text from the same channel gives the same verdict. No clock, no network, no state.
/// - *Total*: every text gets a verdict, whatever its length or content, in time linear in its length.
/// - *Findings point into the text given*, at character boundaries, whatever disguise was taken off to see them.
///
/// The trait is object-safe: `Arc<dyn Detector>` is itself a detector.
pub trait Detector: Send + Sync {
    /// The verdict on `text`.
    fn detect(&self, text: Text<'_>) -> Verdict;
}

impl<D: Detector + ?Sized> Detector for &D {
    fn detect(&self, text: Text<'_>) -> Verdict {
        (**self).detect(text)
    }
}

impl<D: Detector + ?Sized> Detector for Box<D> {
    fn detect(&self, text: Text<'_>) -> Verdict {
        (**self).detect(text)
    }
}

impl<D: Detector + ?Sized> Detector for Arc<D> {
    fn detect(&self, text: Text<'_>) -> Verdict {
        (**self).detect(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ensemble;

    #[test]
    fn a_detector_is_chosen_at_run_time_and_shared_between_threads() {
        fn shared(_: &(impl Send + Sync + Clone)) {}
        let detector: Arc<dyn Detector> = Arc::new(Ensemble::standard());
        shared(&detector);
        assert!(
            detector
                .detect(Text::new(palisade_core::Channel::User, "hello"))
                .findings
                .is_empty()
        );
    }
}
