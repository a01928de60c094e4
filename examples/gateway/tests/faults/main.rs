//! Whatever goes wrong, of the client, of the provider, of the store or of the service itself: the answer says what,
//! nothing is counted twice or left held, every trace ends once, and the next request passes.

#[path = "../common/mod.rs"]
mod common;

mod disconnect;
mod requests;
mod shutdown;
mod store;
mod upstream;
