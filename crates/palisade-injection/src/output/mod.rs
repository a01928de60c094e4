//! The other side: what the model says, and how untrusted text is put before it.

mod canary;
mod leak;
mod spotlight;

pub use canary::{Canary, CanaryError};
pub use leak::{Leak, LeakKind, LeakWatch, MAX_PROMPT_WORDS};
pub use spotlight::{Spotlight, Spotlit};
