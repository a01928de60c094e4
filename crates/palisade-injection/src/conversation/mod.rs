//! Attacks that are split over several messages.

mod memory;
mod model;

pub use memory::{Conversations, ConversationsConfig};
pub use model::{Conversation, MAX_REMEMBERED_BYTES};
