#![doc = include_str!("../README.md")]

mod bill;
mod call;
#[cfg(feature = "resilience")]
mod failure;
#[cfg(any(feature = "redaction", feature = "cost"))]
mod form;
mod layers;
mod observe;
mod policy;
#[cfg(feature = "redaction")]
mod redact;
mod rejection;
#[cfg(any(feature = "redaction", feature = "cost"))]
mod sse;
mod stack;
mod tap;

pub use bill::{Bill, Line, Total};
pub use call::{BoxError, BoxFuture, find};
#[cfg(feature = "resilience")]
pub use failure::Upstream;
#[cfg(feature = "auth")]
pub use layers::auth::{AuthLayer, Authenticated};
#[cfg(feature = "cost")]
pub use layers::meter::{MeterLayer, Metered, MeteredCalls, UsageSink};
#[cfg(feature = "quota")]
pub use layers::quota::{Asks, QuotaLayer, Quotaed};
#[cfg(feature = "redaction")]
pub use layers::redact::{RedactLayer, Redacted, WithoutUsage};
pub use layers::route::{Route, RouteLayer, Routed, Router};
#[cfg(feature = "redaction")]
pub use layers::scan::SecretScan;
#[cfg(any(feature = "injection", feature = "redaction"))]
pub use layers::scan::{Inspect, Inspected, ScanLayer, Scanned};
#[cfg(feature = "trace")]
pub use layers::trace::{TraceLayer, Traced};
#[cfg(feature = "resilience")]
pub use layers::{
    Time,
    admit::{
        Admit, AdmitFuture, AdmitLayer, Admitted, AroundBreaker, Gate, Held, LearnedPlaces, Passed,
        Places, Refused, Until, around_breaker,
    },
    breaker::{BreakerLayer, Broken},
    chaos::{ChaosLayer, Chaotic},
    circuit::{Circuit, CircuitFuture, CircuitLayer},
    deadline::{DeadlineLayer, Deadlined},
    diagnose::{DiagnoseLayer, Diagnosed, ReadBody},
    fallback::{FallbackLayer, Fallbacks, FallenBack},
    hedge::{HedgeLayer, Hedged},
    per_route::PerRoute,
    replay::{CloneBody, Replay, RetryWeight, SendOnce},
    retry::{Retried, RetryLayer},
    timeout::{IdleBody, Silent, TimedOut, TimeoutLayer},
};
#[cfg(feature = "rate-limit")]
pub use layers::{
    client::{ClientAddress, Network, NotANetwork, PeerAddress, is_preflight},
    limit_by::{By, LimitRules},
    rate_limit::{RateLimitLayer, RateLimited, Take, Takes},
    spent::{Measure, Spent},
};
#[cfg(feature = "injection")]
pub use layers::{
    opinion::{Opined, OpinionLayer},
    scan::InjectionScan,
};
pub use policy::OnStoreFailure;
#[cfg(feature = "redaction")]
pub use redact::RedactedBody;
pub use rejection::{Reason, Rejection};
pub use stack::Stack;
pub use tap::{End, Ending, Observe, Tap};
