//! Calling again: what is to be known of a call, the loop, and how it ended.

mod call;
mod count;
mod end;
mod ext;
mod future;

pub use call::{Attempt, Call, Idempotency};
pub use count::{RetryCounter, RetryCounts};
pub use end::{AttemptFailed, GaveUp, GaveUpParts, Next, RetryObserver, Stop};
pub use ext::{RetryExt, Retrying};
pub use future::{Retry, retry};
