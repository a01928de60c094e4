use std::{
    borrow::Cow,
    fmt,
    pin::{Pin, pin},
    sync::{Arc, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use palisade_core::{Clock, Health, Instant, Probe, Status, SystemClock, Timer};

use crate::{
    ConfigError, error,
    sync::{Mutex, MutexGuard},
    timeout,
};

/// Finds out how a component is, by asking it. For what is known already, core's [`Probe`] is enough.
///
/// # Contract
///
/// It may take as long as it likes, as [`HealthMonitor`] stops waiting; dropped, it leaves nothing behind. The text holds no
/// secret, as it is shown on a health page.
#[async_trait::async_trait]
pub trait HealthCheck: Send + Sync {
    /// How the component is now.
    async fn check(&self) -> Health;
}

/// What the service is without a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Nothing: without it, the service is down.
    Vital,
    /// Less than it should be: without it, the service is degraded.
    Helpful,
}

/// Asks the components of a service how they are, none too often and none for too long, and makes one answer of it.
///
/// A health page that asks its database each time it is looked at is an attack on the database; one that waits for a database
/// that hangs is down although the service is not. So each check has a time-out, its answer is kept for a while, and while one
/// visitor asks, the others get the last answer.
///
/// - A vital component that is down takes the service down; a helpful one degrades it. One that is degraded degrades it.
/// - One that does not answer in time, or whose check panicked, is down.
/// - One that was never asked is degraded, as nobody knows.
pub struct HealthMonitor<C = SystemClock> {
    clock: C,
    fresh_for: Duration,
    parts: Vec<Part>,
}

struct Part {
    name: Cow<'static, str>,
    need: Need,
    source: Source,
    timeout: Duration,
    last: Mutex<Last>,
}

enum Source {
    Probe(Arc<dyn Probe>),
    Check(Arc<dyn HealthCheck>),
}

#[derive(Default)]
struct Last {
    answer: Option<(Health, Instant)>,
    asking: bool,
}

/// How a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthReport {
    /// The service as a whole.
    pub status: Status,
    /// Its components, in the order they were named.
    pub parts: Vec<PartHealth>,
}

/// How one component is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartHealth {
    /// What it said, or what was made of its silence.
    pub health: Health,
    /// What the service is without it.
    pub need: Need,
    /// How old the answer is. Unknown if there is none yet.
    pub age: Option<Duration>,
}

impl<C: Clock> HealthMonitor<C> {
    /// The most components.
    pub const PARTS_MAX: usize = 256;

    /// A monitor of nothing, that keeps answers for `fresh_for`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if that is more than an hour.
    pub fn new(clock: C, fresh_for: Duration) -> Result<Self, ConfigError> {
        let hour = Duration::from_secs(3_600);
        error::duration("health fresh_for", fresh_for, Duration::ZERO, hour)?;
        Ok(Self {
            clock,
            fresh_for,
            parts: Vec::new(),
        })
    }

    /// The same, also looking at what is known already. It is looked at anew each time.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is one component too many.
    pub fn with_probe(
        self,
        name: impl Into<Cow<'static, str>>,
        need: Need,
        probe: impl Probe + 'static,
    ) -> Result<Self, ConfigError> {
        self.with(
            name.into(),
            need,
            Source::Probe(Arc::new(probe)),
            Duration::ZERO,
        )
    }

    /// The same, also asking `check`, for up to `timeout` each time.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if it is one component too many, or the time-out is not from 1 ms to a minute.
    pub fn with_check(
        self,
        name: impl Into<Cow<'static, str>>,
        need: Need,
        check: impl HealthCheck + 'static,
        timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let (ms, minute) = (Duration::from_millis(1), Duration::from_secs(60));
        error::duration("health check timeout", timeout, ms, minute)?;
        self.with(name.into(), need, Source::Check(Arc::new(check)), timeout)
    }

    fn with(
        mut self,
        name: Cow<'static, str>,
        need: Need,
        source: Source,
        timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let parts = self.parts.len() as u64 + 1;
        error::number("health components", parts, 0, Self::PARTS_MAX as u64)?;
        self.parts.push(Part {
            name,
            need,
            source,
            timeout,
            last: Mutex::default(),
        });
        Ok(self)
    }

    /// Asks those whose answer is old, all at once, and reports. Takes as long as the longest time-out at most.
    ///
    /// # Cancel safety
    ///
    /// What was answered before it was dropped is kept.
    pub async fn refresh(&self, timer: &impl Timer) -> HealthReport {
        let asked = self.parts.iter().map(|part| {
            Box::pin(part.ask(&self.clock, self.fresh_for, timer))
                as Pin<Box<dyn Future<Output = ()> + Send>>
        });
        All(asked.map(Some).collect()).await;
        self.report()
    }

    /// What is known, without asking anybody.
    #[must_use]
    pub fn report(&self) -> HealthReport {
        let now = self.clock.instant();
        let parts: Vec<_> = self.parts.iter().map(|part| part.known(now)).collect();
        let worst = parts
            .iter()
            .map(|part| match (part.need, part.health.status) {
                (_, Status::Up) => Status::Up,
                (Need::Vital, Status::Down) => Status::Down,
                (_, Status::Degraded | Status::Down) => Status::Degraded,
            });
        HealthReport {
            status: worst.max().unwrap_or(Status::Up),
            parts,
        }
    }
}

impl Part {
    async fn ask(&self, clock: &impl Clock, fresh_for: Duration, timer: &impl Timer) {
        let Source::Check(check) = &self.source else {
            return;
        };
        {
            let mut last = self.lock();
            let fresh = last
                .answer
                .as_ref()
                .is_some_and(|(_, at)| clock.instant().saturating_since(*at) < fresh_for);
            if fresh || last.asking {
                return;
            }
            last.asking = true;
        }
        let mut asking = Asking {
            part: self,
            answer: None,
        };
        let answer = timeout(timer, self.timeout, Caught(check.check())).await;
        let health = match answer {
            Ok(Some(health)) => health,
            Ok(None) => Health::new(self.name.clone(), Status::Down, "its check panicked"),
            Err(_) => Health::new(self.name.clone(), Status::Down, "no answer in time"),
        };
        asking.answer = Some((health, clock.instant()));
    }

    fn known(&self, now: Instant) -> PartHealth {
        let (mut health, age) = match &self.source {
            Source::Probe(probe) => (probe.health(), Some(Duration::ZERO)),
            Source::Check(_) => match &self.lock().answer {
                Some((health, at)) => (health.clone(), Some(now.saturating_since(*at))),
                None => {
                    let unknown = Health::new(self.name.clone(), Status::Degraded, "not asked yet");
                    (unknown, None)
                }
            },
        };
        // One name everywhere, whatever the component calls itself.
        health.component = self.name.clone();
        PartHealth {
            health,
            need: self.need,
            age,
        }
    }

    /// The state is whole after every statement, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes that nobody is asking any more, with or without an answer.
struct Asking<'a> {
    part: &'a Part,
    answer: Option<(Health, Instant)>,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut last = self.part.lock();
        last.asking = false;
        if self.answer.is_some() {
            last.answer = self.answer.take();
        }
    }
}

/// A check whose panic is its own.
struct Caught<'a>(Pin<Box<dyn Future<Output = Health> + Send + 'a>>);

impl Future for Caught<'_> {
    type Output = Option<Health>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Health>> {
        let poll = std::panic::AssertUnwindSafe(|| self.0.as_mut().poll(cx));
        // It is never polled again after a panic.
        match std::panic::catch_unwind(poll) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}

/// Waits for all of them.
struct All<'a>(Vec<Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>>);

impl Future for All<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        for slot in &mut self.0 {
            if let Some(work) = slot
                && pin!(work).as_mut().poll(cx).is_ready()
            {
                *slot = None;
            }
        }
        if self.0.iter().all(Option::is_none) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// The last report, as one component of something larger.
impl<C: Clock> Probe for HealthMonitor<C> {
    fn health(&self) -> Health {
        let report = self.report();
        let ill = report
            .parts
            .iter()
            .filter(|part| part.health.status != Status::Up);
        let names: Vec<_> = ill.map(|part| part.health.component.as_ref()).collect();
        let detail = if names.is_empty() {
            "all components are well".to_owned()
        } else {
            format!("not well: {}", names.join(", "))
        };
        Health::new("service", report.status, detail)
    }
}

impl<C> fmt::Debug for HealthMonitor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthMonitor")
            .field("parts", &self.parts.len())
            .finish_non_exhaustive()
    }
}
