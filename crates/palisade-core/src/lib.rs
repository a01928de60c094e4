#![doc = include_str!("../README.md")]

mod clock;
mod decision;
mod finding;
mod key;
mod model;
mod money;
mod param;
mod probe;
#[cfg(feature = "random")]
mod random;
mod store;
mod text;
mod time;
mod usage;

pub use clock::{Clock, ManualClock, Sleep, SystemClock, Timer};
pub use decision::{Decision, RetryAfter};
pub use finding::{ByteRange, Finding, Severity};
pub use key::{Dimension, Key, KeyError};
pub use model::{ModelId, ModelIdError};
pub use money::{Money, MoneyError};
pub use param::Param;
pub use probe::{Health, Probe, Status};
#[cfg(feature = "random")]
pub use random::random;
pub use store::{StoreError, StoreErrorKind};
pub use text::{Channel, Text, Texts};
pub use time::{Instant, Timestamp};
pub use usage::{Tokens, Usage, UsageError};
