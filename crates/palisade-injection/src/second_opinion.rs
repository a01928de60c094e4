use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::{Future, poll_fn},
    hash::{BuildHasher, RandomState},
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use palisade_core::{ByteRange, Channel, Clock, Finding, Instant, Severity, Text, Timer};

use crate::{
    Judge, JudgeError, JudgeQuestion, MAX_FINDINGS, Opinion, Outcome, Thresholds, Verdict,
};

/// What happens to a text in the grey zone when the judge gives no opinion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnFailure {
    /// The detector's verdict stands: it passes, and somebody is told.
    #[default]
    Review,
    /// It passes.
    Allow,
    /// It is stopped.
    Block,
}

/// When a [`SecondOpinion`] asks, how long it waits, and what it does without an answer.
///
/// The defaults: at most 60 questions a minute, two seconds for an answer, 1,024 opinions kept for ten minutes, and the
/// detector's verdict stands if there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SecondOpinionConfig {
    questions: u32,
    per: Duration,
    time_out: Duration,
    cached: usize,
    cached_for: Duration,
    on_failure: OnFailure,
    thresholds: Thresholds,
}

impl SecondOpinionConfig {
    /// The same with at most `questions` in each stretch of `per`.
    #[must_use]
    pub const fn with_budget(mut self, questions: u32, per: Duration) -> Self {
        self.questions = questions;
        self.per = per;
        self
    }

    /// The same, waiting at most `time_out` for an answer.
    #[must_use]
    pub const fn with_time_out(mut self, time_out: Duration) -> Self {
        self.time_out = time_out;
        self
    }

    /// The same, keeping the last `opinions` for `time`; 0 keeps none.
    #[must_use]
    pub const fn with_cache(mut self, opinions: usize, time: Duration) -> Self {
        self.cached = opinions;
        self.cached_for = time;
        self
    }

    /// The same with another policy for the lack of an answer.
    #[must_use]
    pub const fn with_on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// The same with other thresholds for the judge's score; they need not be those of the detector.
    #[must_use]
    pub const fn with_thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }
}

impl Default for SecondOpinionConfig {
    fn default() -> Self {
        Self {
            questions: 60,
            per: Duration::from_secs(60),
            time_out: Duration::from_secs(2),
            cached: 1024,
            cached_for: Duration::from_secs(600),
            on_failure: OnFailure::default(),
            thresholds: Thresholds::default(),
        }
    }
}

/// Asks a [`Judge`] about the texts that a detector could not settle, and about no others.
///
/// A model's opinion costs money and a second; most texts need none. So only a verdict of [`Outcome::Review`] is taken to
/// the judge, within a budget and a time-out, and the answer is kept for the same text from the same channel. Texts are
/// not kept, only their hashes under a key of this process.
pub struct SecondOpinion<J, C> {
    judge: J,
    clock: C,
    config: SecondOpinionConfig,
    keys: [RandomState; 2],
    state: Mutex<State>,
}

/// A verdict, and who had the last word.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settled {
    /// The verdict. Where a judge spoke, its score and outcome are the judge's.
    pub verdict: Verdict,
    /// Who had the last word.
    pub by: SettledBy,
}

/// Who had the last word on a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SettledBy {
    /// The detector: the judge was not asked.
    Detector,
    /// The judge, now.
    Judge,
    /// The judge, when it was asked before.
    Cache,
    /// The policy: there were too many questions already.
    Budget,
    /// The policy: the judge took too long.
    TimeOut,
    /// The policy: the judge could not answer.
    Error,
}

#[derive(Default)]
struct State {
    window: Option<Instant>,
    asked: u32,
    opinions: HashMap<(u64, u64), (Opinion, Instant)>,
    order: VecDeque<(u64, u64)>,
}

impl<J: Judge, C: Clock + Timer> SecondOpinion<J, C> {
    /// Asks `judge`.
    pub fn new(judge: J, clock: C) -> Self {
        Self {
            judge,
            clock,
            config: SecondOpinionConfig::default(),
            keys: [RandomState::new(), RandomState::new()],
            state: Mutex::default(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_config(mut self, config: SecondOpinionConfig) -> Self {
        self.config = config;
        self
    }

    /// Settles `verdict` on `text`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future withdraws the question; it stays counted against the budget.
    pub async fn settle(&self, text: Text<'_>, verdict: Verdict) -> Settled {
        if verdict.outcome != Outcome::Review {
            return Settled {
                verdict,
                by: SettledBy::Detector,
            };
        }
        let key = self.key(text);
        let now = self.clock.instant();
        if let Some(opinion) = self.lock().cached(key, now, self.config.cached_for) {
            return self.spoken(verdict, text, opinion, SettledBy::Cache);
        }
        if !self.lock().may_ask(now, &self.config) {
            return self.unspoken(verdict, SettledBy::Budget);
        }
        match self.ask(text, &verdict.findings).await {
            Some(Ok(opinion)) => {
                let now = self.clock.instant();
                self.lock().keep(key, opinion, now, self.config.cached);
                self.spoken(verdict, text, opinion, SettledBy::Judge)
            }
            Some(Err(_)) => self.unspoken(verdict, SettledBy::Error),
            None => self.unspoken(verdict, SettledBy::TimeOut),
        }
    }

    /// The judge's answer, if it comes in time.
    async fn ask(
        &self,
        text: Text<'_>,
        findings: &[Finding],
    ) -> Option<Result<Opinion, JudgeError>> {
        let question = JudgeQuestion::new(text).with_findings(findings);
        let mut answer = pin!(self.judge.judge(question));
        let mut over = self.clock.sleep(self.config.time_out);
        poll_fn(|context| {
            if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                return Poll::Ready(Some(answer));
            }
            over.as_mut().poll(context).map(|()| None)
        })
        .await
    }

    fn spoken(&self, verdict: Verdict, text: Text<'_>, opinion: Opinion, by: SettledBy) -> Settled {
        let mut findings = verdict.findings;
        let family = opinion.family.map_or("judge", crate::Family::name);
        let range = ByteRange::new(0, text.text.len());
        findings.truncate(MAX_FINDINGS - 1);
        findings.push(Finding::new(
            "judge.opinion",
            family,
            Severity::Medium,
            range,
            opinion.score,
        ));
        Settled {
            verdict: Verdict::new(opinion.score, findings, self.config.thresholds),
            by,
        }
    }

    fn unspoken(&self, mut verdict: Verdict, by: SettledBy) -> Settled {
        verdict.outcome = match self.config.on_failure {
            OnFailure::Review => Outcome::Review,
            OnFailure::Allow => Outcome::Allow,
            OnFailure::Block => Outcome::Block,
        };
        Settled { verdict, by }
    }

    fn key(&self, text: Text<'_>) -> (u64, u64) {
        let channel: Channel = text.channel;
        let hash = |key: &RandomState| key.hash_one((channel, text.text));
        (hash(&self.keys[0]), hash(&self.keys[1]))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_ask(&mut self, now: Instant, config: &SecondOpinionConfig) -> bool {
        if self
            .window
            .is_none_or(|start| now.saturating_since(start) >= config.per)
        {
            self.window = Some(now);
            self.asked = 0;
        }
        let may = self.asked < config.questions;
        self.asked += u32::from(may);
        may
    }

    fn cached(&self, key: (u64, u64), now: Instant, time: Duration) -> Option<Opinion> {
        let (opinion, since) = self.opinions.get(&key)?;
        (now.saturating_since(*since) < time).then_some(*opinion)
    }

    fn keep(&mut self, key: (u64, u64), opinion: Opinion, now: Instant, most: usize) {
        if most == 0 {
            return;
        }
        if self.opinions.insert(key, (opinion, now)).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > most {
            if let Some(oldest) = self.order.pop_front() {
                self.opinions.remove(&oldest);
            }
        }
    }
}

impl<J, C> fmt::Debug for SecondOpinion<J, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondOpinion")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        task::{Context, Waker},
    };

    use palisade_core::{ManualClock, Timestamp};

    use super::*;

    /// Answers by the text: a number is a score, anything else has none; "never" waits for ever.
    #[derive(Clone, Default)]
    struct Oracle(Arc<AtomicU32>);

    impl Judge for Oracle {
        async fn judge(&self, question: JudgeQuestion<'_>) -> Result<Opinion, JudgeError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            if question.text.text == "never" {
                std::future::pending::<()>().await;
            }
            question
                .text
                .text
                .parse()
                .map(Opinion::new)
                .map_err(|_| JudgeError::transient())
        }
    }

    struct Case {
        clock: ManualClock,
        oracle: Oracle,
        opinion: SecondOpinion<Oracle, ManualClock>,
    }

    fn case(config: SecondOpinionConfig) -> Case {
        let (clock, oracle) = (ManualClock::at(Timestamp::from_secs(0)), Oracle::default());
        Case {
            opinion: SecondOpinion::new(oracle.clone(), clock.clone()).with_config(config),
            clock,
            oracle,
        }
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn settle(case: &Case, text: &str, score: f32) -> Settled {
        let verdict = Verdict::new(score, Vec::new(), Thresholds::default());
        let settled = pin!(case.opinion.settle(Text::new(Channel::User, text), verdict));
        match poll(settled) {
            Poll::Ready(settled) => settled,
            Poll::Pending => panic!("this judge never waits"),
        }
    }

    #[test]
    fn only_the_grey_zone_is_asked_about() {
        let case = case(SecondOpinionConfig::default());
        for (score, by) in [
            (0.1, SettledBy::Detector),
            (0.9, SettledBy::Detector),
            (0.5, SettledBy::Judge),
        ] {
            assert_eq!(settle(&case, "0.95", score).by, by);
        }
        assert_eq!(case.oracle.0.load(Ordering::Relaxed), 1);
        assert_eq!(settle(&case, "0.9", 0.5).verdict.outcome, Outcome::Block);
        assert_eq!(settle(&case, "0.1", 0.5).verdict.outcome, Outcome::Allow);
    }

    #[test]
    fn an_opinion_is_kept_for_its_time_and_for_its_channel() {
        let config = SecondOpinionConfig::default().with_cache(2, Duration::from_secs(10));
        let case = case(config);
        assert_eq!(settle(&case, "0.9", 0.5).by, SettledBy::Judge);
        case.clock.advance(Duration::from_secs(9));
        assert_eq!(settle(&case, "0.9", 0.5).by, SettledBy::Cache);
        case.clock.advance(Duration::from_secs(1));
        assert_eq!(settle(&case, "0.9", 0.5).by, SettledBy::Judge);
        settle(&case, "0.1", 0.5);
        settle(&case, "0.2", 0.5);
        assert_eq!(settle(&case, "0.9", 0.5).by, SettledBy::Judge);
        assert!(case.opinion.lock().opinions.len() <= 2);
    }

    #[test]
    fn a_spent_budget_is_the_policys_affair_until_the_next_stretch() {
        let config = SecondOpinionConfig::default()
            .with_budget(2, Duration::from_secs(60))
            .with_cache(0, Duration::ZERO)
            .with_on_failure(OnFailure::Block);
        let case = case(config);
        assert_eq!(settle(&case, "0.1", 0.5).by, SettledBy::Judge);
        assert_eq!(settle(&case, "0.1", 0.5).by, SettledBy::Judge);
        let settled = settle(&case, "0.1", 0.5);
        assert_eq!(
            (settled.by, settled.verdict.outcome),
            (SettledBy::Budget, Outcome::Block)
        );
        case.clock.advance(Duration::from_secs(60));
        assert_eq!(settle(&case, "0.1", 0.5).by, SettledBy::Judge);
    }

    #[test]
    fn a_judge_without_an_answer_leaves_it_to_the_policy() {
        for (on_failure, outcome) in [
            (OnFailure::Review, Outcome::Review),
            (OnFailure::Allow, Outcome::Allow),
            (OnFailure::Block, Outcome::Block),
        ] {
            let case = case(SecondOpinionConfig::default().with_on_failure(on_failure));
            let settled = settle(&case, "what?", 0.5);
            assert_eq!(
                (settled.by, settled.verdict.outcome),
                (SettledBy::Error, outcome)
            );
        }
    }

    #[test]
    fn a_slow_judge_is_waited_for_until_the_time_is_out() {
        let case = case(SecondOpinionConfig::default());
        let verdict = Verdict::new(0.5, Vec::new(), Thresholds::default());
        let mut settled = pin!(
            case.opinion
                .settle(Text::new(Channel::User, "never"), verdict)
        );
        assert!(poll(settled.as_mut()).is_pending());
        case.clock.advance(Duration::from_millis(1999));
        assert!(poll(settled.as_mut()).is_pending());
        case.clock.advance(Duration::from_millis(1));
        match poll(settled.as_mut()) {
            Poll::Ready(settled) => assert_eq!(settled.by, SettledBy::TimeOut),
            Poll::Pending => panic!("the time is out"),
        }
    }
}
