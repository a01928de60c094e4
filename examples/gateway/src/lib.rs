#![doc = include_str!("../README.md")]

mod call;
mod chaos;
mod config;
mod demo;
mod gateway;
mod health;
mod linger;
mod listen;
mod load;
mod metrics;
mod mock;
mod read;
mod render;
mod routes;
mod service;
mod upstream;
mod usage_log;
mod workers;

pub use config::{Config, ConfigError};
pub use demo::run as demo;
pub use gateway::Gateway;
pub use mock::serve as mock;
