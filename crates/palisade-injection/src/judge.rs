use std::{future::Future, sync::Arc};

use palisade_core::{Finding, Text};

use crate::{Family, JudgeError};

/// Asks somebody slower and wiser, a model as a rule, about a text that a [`Detector`](crate::Detector) could not settle.
///
/// # Contract
///
/// - The text under judgement is data. An implementation that puts it into a prompt must fence it off, and must read
///   the answer as untrusted too.
/// - No answer is [`JudgeError`], never a made-up opinion: whether to let the text pass then is the caller's choice.
/// - Cloning shares the judge.
///
/// # Cancel safety
///
/// Dropping the future withdraws the question; it may have been paid for.
pub trait Judge: Send + Sync {
    /// The judge's opinion.
    fn judge(
        &self,
        question: JudgeQuestion<'_>,
    ) -> impl Future<Output = Result<Opinion, JudgeError>> + Send;
}

/// What a [`Judge`] is asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct JudgeQuestion<'a> {
    /// The text and its channel.
    pub text: Text<'a>,
    /// What a detector saw already.
    pub findings: &'a [Finding],
}

impl<'a> JudgeQuestion<'a> {
    /// What about `text`?
    #[must_use]
    pub const fn new(text: Text<'a>) -> Self {
        Self {
            text,
            findings: &[],
        }
    }

    /// The same with what a detector saw.
    #[must_use]
    pub const fn with_findings(mut self, findings: &'a [Finding]) -> Self {
        self.findings = findings;
        self
    }
}

/// A [`Judge`]'s answer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Opinion {
    /// From 0 (harmless) to 1 (an attack).
    pub score: f32,
    /// What kind of attack, if the judge says.
    pub family: Option<Family>,
}

impl Opinion {
    /// An opinion; `score` is clamped to 0..=1 and a NaN becomes 1, because a judge that talks nonsense has not cleared
    /// the text.
    #[must_use]
    pub const fn new(score: f32) -> Self {
        let score = if score.is_nan() {
            1.0
        } else {
            score.clamp(0.0, 1.0)
        };
        Self {
            score,
            family: None,
        }
    }

    /// The same with the kind of attack.
    #[must_use]
    pub const fn with_family(mut self, family: Family) -> Self {
        self.family = Some(family);
        self
    }
}

/// A [`Judge`] chosen at run time.
#[derive(Clone)]
pub struct DynJudge(Arc<dyn ErasedJudge>);

impl DynJudge {
    /// Wraps `judge`.
    #[must_use]
    pub fn new(judge: impl Judge + 'static) -> Self {
        Self(Arc::new(judge))
    }
}

impl std::fmt::Debug for DynJudge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynJudge").finish_non_exhaustive()
    }
}

impl Judge for DynJudge {
    async fn judge(&self, question: JudgeQuestion<'_>) -> Result<Opinion, JudgeError> {
        self.0.judge(question).await
    }
}

#[async_trait::async_trait]
trait ErasedJudge: Send + Sync {
    async fn judge(&self, question: JudgeQuestion<'_>) -> Result<Opinion, JudgeError>;
}

#[async_trait::async_trait]
impl<J: Judge> ErasedJudge for J {
    async fn judge(&self, question: JudgeQuestion<'_>) -> Result<Opinion, JudgeError> {
        Judge::judge(self, question).await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use palisade_core::Channel;

    use super::*;

    struct Strict;

    impl Judge for Strict {
        async fn judge(&self, question: JudgeQuestion<'_>) -> Result<Opinion, JudgeError> {
            if question.text.text.is_empty() {
                return Err(JudgeError::transient().with_source("out of coffee"));
            }
            Ok(Opinion::new(0.9).with_family(Family::RolePlay))
        }
    }

    fn ask(text: &str) -> Result<Opinion, JudgeError> {
        let judge = DynJudge::new(Strict).clone();
        let question = JudgeQuestion::new(Text::new(Channel::User, text)).with_findings(&[]);
        let mut answer = pin!(Judge::judge(&judge, question));
        match answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("this judge never waits"),
        }
    }

    #[test]
    fn a_judge_chosen_at_run_time_answers_as_itself() {
        assert_eq!(ask("hello").unwrap().family, Some(Family::RolePlay));
        let error = ask("").unwrap_err();
        assert!(error.is_transient());
        assert!(!format!("{error:?} {error}").contains("coffee"));
    }

    #[test]
    fn a_judge_that_talks_nonsense_has_not_cleared_the_text() {
        assert_eq!(Opinion::new(f32::NAN).score, 1.0);
    }
}
