#![doc = include_str!("../README.md")]

mod assignment;
mod buffer;
mod checksum;
mod command;
mod engine;
mod error;
mod gate;
mod hidden;
mod http;
mod kind;
mod locale;
mod mask;
mod own;
mod pem;
mod pii;
mod policy;
mod redacted;
mod redactor;
mod rule;
mod scanner;
mod table;
mod text;
mod token;
mod url;
mod vault;
mod view;
mod writer;

pub use error::ConfigError;
pub use kind::Kind;
pub use locale::Locale;
pub use mask::{HashKey, Mask, PARTIAL_MAX};
pub use own::OWN_MAX;
#[cfg(feature = "regex")]
pub use own::OwnRule;
pub use policy::{Action, Policy};
pub use redacted::Redacted;
pub use redactor::{FINDINGS_MAX, HOLD_BACK_MAX, OWN_MATCH_MAX, Redactor};
pub use rule::{Alphabet, Checksum, Prefix, Rule};
pub use scanner::{Scanner, ScannerBuilder};
pub use vault::{Restorer, VAULT_BYTES_MAX, VAULT_VALUES_MAX, Vault};
#[cfg(feature = "tracing")]
pub use writer::RedactingMakeWriter;
pub use writer::RedactingWriter;
