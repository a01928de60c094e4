//! What the benches have in common: the texts they read.

pub mod texts;
