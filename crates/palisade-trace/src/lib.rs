#![doc = include_str!("../README.md")]

mod config;
mod context;
mod error;
mod histogram;
mod id;
mod memory;
pub mod names;
mod recorder;
mod sink;
mod stats;
mod step;
mod store;
mod trace;

pub use config::Limits;
pub use context::{TraceContext, TraceState};
pub use error::{ContextError, CursorError, QueryError, StatusError};
pub use histogram::Histogram;
pub use id::{SpanId, TraceId};
pub use memory::InMemory;
pub use recorder::{ActiveTrace, Recorder, StepTimer};
pub use sink::{Counters, Fanout, Loss, Losses, TraceSink};
pub use stats::{RollingStats, Snapshot, Targets};
pub use step::{
    Candidate, ErrorStep, GuardDecision, GuardVerdict, LlmCall, Outcome, RoutingDecision, Step,
    StepKind, ToolCall,
};
pub use store::{Cursor, DynTraceStore, Page, TraceQuery, TraceStore};
pub use trace::{Summary, Trace, TraceStatus};
