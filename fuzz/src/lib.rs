//! The bodies of the fuzz targets, and a driver for toolchains without libFuzzer.

pub mod driver;
pub mod generator;
pub mod targets;
