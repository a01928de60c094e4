#![doc = include_str!("../README.md")]

mod adaptive;
mod backoff;
mod breaker;
mod budget;
mod budgets;
mod bulkhead;
mod chaos;
mod classify;
mod compose;
mod connection;
mod deadline;
mod error;
mod failure;
mod fallback;
mod gate;
mod health;
mod hedge;
#[cfg(feature = "http")]
mod http;
mod kind;
mod latency;
mod limits;
mod owner;
mod policy;
mod problem;
mod provider;
mod queue;
mod random;
mod report;
mod retry;
mod retry_after;
mod status;
mod sync;
mod throttle;
#[cfg(feature = "tokio")]
mod tokio;
mod when;

pub use adaptive::{
    Adaptation, AdaptiveConfig, AdaptiveLimit, AdaptiveModel, AdaptivePolicy, AdaptiveSlot, Sample,
    Verdict,
};
pub use backoff::{Backoff, Growth, Jitter, LongAdvice, Wait};
#[cfg(feature = "tracing")]
pub use breaker::TracedChanges;
pub use breaker::{
    BorrowedPermit, Breaker, BreakerConfig, BreakerEvent, BreakerEvents, BreakerModel,
    BreakerObserver, BreakerPolicy, BreakerRegistry, BreakerStatus, Cause, Change, Counts, Denied,
    DeniedWhy, Ended, Overflow, Permit, Phase, Subscription, Ticket, Window,
};
pub use budget::{RetryBudget, RetryBudgetConfig};
pub use budgets::RetryBudgets;
pub use bulkhead::{Bulkhead, Slot};
pub use chaos::{Chaos, Injection};
pub use classify::{AsFailure, Classify, DynClassify, OnError};
pub use compose::{
    ConcurrencyConfig, Failed, HedgeConfig, Policy, PolicyCell, PolicyConfig, PolicyError,
    RetryConfig, Step, UnsoundPolicy,
};
pub use connection::OfError;
pub use deadline::{Deadline, Elapsed, Timeout, timeout};
pub use error::ConfigError;
pub use failure::{Certainty, Failure, Fault};
pub use fallback::{Served, Target, fallback};
pub use gate::PushbackGate;
pub use health::{HealthCheck, HealthMonitor, HealthReport, Need, PartHealth};
pub use hedge::{Hedge, HedgeCounts, HedgeDelay, HedgePolicy, Hedger, hedge};
#[cfg(feature = "http")]
pub use http::HttpClassifier;
pub use kind::ErrorKind;
pub use latency::Latencies;
pub use limits::{LimitOf, UpstreamLimit, UpstreamLimits};
pub use owner::RetryOwner;
pub use policy::RetryPolicy;
pub use problem::Problem;
pub use provider::ProviderError;
pub use queue::Busy;
pub use random::Random;
pub use report::{Report, Reporter, Reporting};
pub use retry::{
    Attempt, AttemptFailed, Call, GaveUp, Idempotency, Next, Retry, RetryCounter, RetryCounts,
    RetryExt, RetryObserver, Retrying, Stop, retry,
};
pub use retry_after::parse_retry_after;
pub use status::HttpReply;
pub use throttle::{Asked, ClientThrottle, ThrottleConfig};
#[cfg(feature = "tokio")]
pub use tokio::TokioTimer;
pub use when::{format_duration, parse_duration};
