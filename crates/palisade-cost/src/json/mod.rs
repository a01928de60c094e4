//! What providers write, read as it is and not as it should be.

mod anthropic;
mod batch;
mod bedrock;
mod cohere;
mod collector;
mod decimal;
mod gemini;
mod lenient;
mod line;
mod openai;
mod rows;
mod shape;
mod wire;

pub use collector::{UsageCollector, read_usage};
pub use line::{LineAnswer, LineError, UsageCounts, price_line};
pub use rows::RowError;
pub use shape::UsageShape;
