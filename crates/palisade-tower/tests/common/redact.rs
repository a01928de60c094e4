//! A client behind the redaction.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body::Body;
use palisade_redaction::Scanner;
use palisade_tower::{BoxError, RedactLayer};
use tower_layer::Layer as _;

use super::{Ask, Reply, Upstream, call, house::scanner, now, read};

pub const KEY: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
pub const MAIL: &str = "jane.doe@example.com";
pub const CARD: &str = "4111111111111111";

pub fn layer() -> RedactLayer {
    thread_local!(static SCANNER: Arc<Scanner> = scanner());
    SCANNER.with(|scanner| RedactLayer::new(Arc::clone(scanner)))
}

pub fn answer(
    reply: Reply,
) -> Result<Response<impl Body<Data = Bytes, Error = BoxError>>, BoxError> {
    now(call(
        &layer().layer(Upstream::new([reply])),
        Ask::openai("hi"),
    ))
}

/// What a client receives.
pub fn clean(reply: Reply) -> String {
    let (all, end) = now(read(answer(reply).unwrap().into_body()));
    end.unwrap();
    String::from_utf8(all).unwrap()
}

pub fn letters(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

pub fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
