//! One request to a model, read once: what the guards need to know of it, and the bytes that go upstream.

use std::{borrow::Cow, fmt, sync::Arc};

use bytes::Bytes;
use palisade::core::{Channel, Text, Texts};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::config::Api;

/// Bytes of text for each token of input, for the estimate that is reserved. English has about four; code, other
/// scripts and markup have fewer. Estimating too much only holds more for the length of the request.
const BYTES_PER_TOKEN: usize = 3;
/// Tokens that the framing of one message costs.
const TOKENS_PER_MESSAGE: usize = 8;

/// A request to a model.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) api: Api,
    /// What the client wrote.
    pub(crate) body: Bytes,
    /// The model, as the client calls it.
    pub(crate) model: Arc<str>,
    pub(crate) stream: bool,
    /// The client wants the usage in the stream. If not, it is asked for all the same, and not passed on.
    pub(crate) wants_usage: bool,
    /// The most output tokens the client asks for, over all answers it wants.
    pub(crate) output_tokens_max: Option<u64>,
    /// About how many tokens the model will read.
    pub(crate) input_tokens_estimate: u64,
    texts: Arc<[(Channel, String)]>,
}

impl Call {
    /// Reads the body of a request to `api`.
    ///
    /// # Errors
    ///
    /// One sentence for the client: what is wrong, and where.
    pub(crate) fn parse(api: Api, body: Bytes) -> Result<Self, String> {
        let mut reading = match api {
            Api::OpenaiChat => chat(&body),
            Api::OpenaiEmbeddings => embeddings(&body),
            Api::AnthropicMessages => messages(&body),
        }
        .map_err(|error| format!("the body is not a {}: {error}", api.name()))?;
        if reading.model.is_empty() || reading.model.len() > 256 {
            return Err("the name of the model must have 1 to 256 bytes".to_owned());
        }
        let bytes: usize = reading.texts.0.iter().map(|(_, text)| text.len()).sum();
        let framing = reading.messages * TOKENS_PER_MESSAGE + reading.other_bytes / BYTES_PER_TOKEN;
        Ok(Self {
            api,
            model: reading.model.as_ref().into(),
            stream: reading.stream,
            wants_usage: reading.wants_usage,
            output_tokens_max: reading.output_tokens_max,
            input_tokens_estimate: (bytes.div_ceil(BYTES_PER_TOKEN) + framing) as u64,
            texts: std::mem::take(&mut reading.texts.0).into(),
            body: body.clone(),
        })
    }

    /// The body for the provider: the client's bytes, but for the name of the model and the wish for usage.
    pub(crate) fn upstream_body(&self, model: &str) -> Bytes {
        let ask_usage = self.stream && !self.wants_usage && self.api == Api::OpenaiChat;
        if !ask_usage && *self.model == *model {
            return self.body.clone();
        }
        // The body has been read before, so it is an object.
        let Ok(Pairs(pairs)) = serde_json::from_slice::<Pairs<'_>>(&self.body) else {
            return self.body.clone();
        };
        let mut out = String::with_capacity(self.body.len() + 64);
        out.push('{');
        for (name, value) in pairs
            .iter()
            .filter(|(name, _)| name != "stream_options" || !ask_usage)
        {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&quoted(name));
            out.push(':');
            if name == "model" {
                out.push_str(&quoted(model));
            } else {
                out.push_str(value.get());
            }
        }
        if ask_usage {
            out.push_str(",\"stream_options\":{\"include_usage\":true}");
        }
        out.push('}');
        Bytes::from(out)
    }
}

impl Texts for Call {
    fn texts(&self, visit: &mut dyn FnMut(Text<'_>)) {
        for (channel, text) in self.texts.iter() {
            visit(Text::new(*channel, text));
        }
    }
}

/// Sizes and names; never the text.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("api", &self.api)
            .field("model", &self.model)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Api {
    /// What a request to it is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "chat completion request",
            Self::OpenaiEmbeddings => "embedding request",
            Self::AnthropicMessages => "message request",
        }
    }

    /// Its path at a provider.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::OpenaiChat => "/v1/chat/completions",
            Self::OpenaiEmbeddings => "/v1/embeddings",
            Self::AnthropicMessages => "/v1/messages",
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What is read from a body, before it is owned.
struct Reading<'a> {
    model: Cow<'a, str>,
    stream: bool,
    wants_usage: bool,
    output_tokens_max: Option<u64>,
    messages: usize,
    /// Bytes the model reads that are not texts: tool definitions.
    other_bytes: usize,
    texts: Collected,
}

fn chat(body: &[u8]) -> serde_json::Result<Reading<'_>> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        model: Cow<'a, str>,
        messages: Vec<Message>,
        stream: Option<bool>,
        stream_options: Option<StreamOptions>,
        max_tokens: Option<u64>,
        max_completion_tokens: Option<u64>,
        n: Option<u64>,
        #[serde(borrow)]
        tools: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct StreamOptions {
        include_usage: Option<bool>,
    }
    let body: Body<'_> = serde_json::from_slice(body)?;
    let mut texts = Collected::default();
    let messages = body.messages.len();
    for message in body.messages {
        message.collect(&mut texts);
    }
    Ok(Reading {
        model: body.model,
        stream: body.stream.unwrap_or(false),
        wants_usage: body
            .stream_options
            .and_then(|options| options.include_usage)
            .unwrap_or(false),
        output_tokens_max: body
            .max_completion_tokens
            .or(body.max_tokens)
            .map(|each| each.saturating_mul(body.n.unwrap_or(1).max(1))),
        messages,
        other_bytes: body.tools.map_or(0, |tools| tools.get().len()),
        texts,
    })
}

fn embeddings(body: &[u8]) -> serde_json::Result<Reading<'_>> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        model: Cow<'a, str>,
        input: Content,
    }
    let body: Body<'_> = serde_json::from_slice(body)?;
    let mut texts = Collected::default();
    let other_bytes = body.input.tokens * BYTES_PER_TOKEN;
    body.input.collect(Channel::Document, &mut texts);
    Ok(Reading {
        model: body.model,
        stream: false,
        wants_usage: false,
        output_tokens_max: Some(0),
        messages: 0,
        other_bytes,
        texts,
    })
}

fn messages(body: &[u8]) -> serde_json::Result<Reading<'_>> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        model: Cow<'a, str>,
        messages: Vec<Message>,
        max_tokens: u64,
        system: Option<Content>,
        stream: Option<bool>,
        #[serde(borrow)]
        tools: Option<&'a RawValue>,
    }
    let body: Body<'_> = serde_json::from_slice(body)?;
    let mut texts = Collected::default();
    if let Some(system) = body.system {
        system.collect(Channel::System, &mut texts);
    }
    let messages = body.messages.len();
    for message in body.messages {
        message.collect(&mut texts);
    }
    Ok(Reading {
        model: body.model,
        stream: body.stream.unwrap_or(false),
        wants_usage: true,
        output_tokens_max: Some(body.max_tokens),
        messages,
        other_bytes: body.tools.map_or(0, |tools| tools.get().len()),
        texts,
    })
}

/// The texts of a request, in the order the model reads them.
#[derive(Default)]
struct Collected(Vec<(Channel, String)>);

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Option<Content>,
}

impl Message {
    fn collect(self, texts: &mut Collected) {
        let channel = match self.role.as_str() {
            "system" | "developer" => Channel::System,
            "assistant" => Channel::Assistant,
            "tool" | "function" => Channel::Tool,
            _ => Channel::User,
        };
        if let Some(content) = self.content {
            content.collect(channel, texts);
        }
    }
}

/// A string, or a list of strings, typed parts and token numbers, however deep.
#[derive(Default)]
struct Content {
    parts: Vec<Part>,
    /// Inputs that are given as token numbers.
    tokens: usize,
}

enum Part {
    Text(String),
    Nested(Option<Channel>, Content),
}

impl Content {
    fn collect(self, channel: Channel, texts: &mut Collected) {
        for part in self.parts {
            match part {
                Part::Text(text) => texts.0.push((channel, text)),
                Part::Nested(own, content) => content.collect(own.unwrap_or(channel), texts),
            }
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;
        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of content parts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content {
                    parts: vec![Part::Text(text.to_owned())],
                    tokens: 0,
                })
            }

            fn visit_u64<E>(self, _token: u64) -> Result<Content, E> {
                Ok(Content {
                    parts: Vec::new(),
                    tokens: 1,
                })
            }

            fn visit_unit<E>(self) -> Result<Content, E> {
                Ok(Content::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
                let mut content = Content::default();
                while let Some(mut item) = list.next_element::<Content>()? {
                    content.parts.append(&mut item.parts);
                    content.tokens += item.tokens;
                }
                Ok(content)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
                let mut kind = String::new();
                let mut content = Content::default();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    match &*key {
                        "type" => kind = map.next_value()?,
                        // What the model reads as text: parts, tool results, documents given as text.
                        "text" | "content" | "refusal" | "thinking" | "title" | "context" => {
                            let mut inner: Content = map.next_value()?;
                            content.parts.append(&mut inner.parts);
                        }
                        "source" => {
                            let source: Source = map.next_value()?;
                            content
                                .parts
                                .extend(source.into_text().into_iter().map(Part::Text));
                        }
                        _ => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                let channel = match kind.as_str() {
                    "tool_result" => Some(Channel::Tool),
                    "document" | "search_result" => Some(Channel::Document),
                    _ => None,
                };
                Ok(Content {
                    parts: vec![Part::Nested(channel, content)],
                    tokens: 0,
                })
            }
        }
        deserializer.deserialize_any(ContentVisitor)
    }
}

/// Where a document's content comes from: text in place, or an image or a file that is not read here.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    InPlace {
        #[serde(rename = "type")]
        kind: String,
        data: Option<String>,
        content: Option<Content>,
    },
    Elsewhere(serde::de::IgnoredAny),
}

impl Source {
    fn into_text(self) -> Vec<String> {
        let mut texts = Collected::default();
        match self {
            Self::InPlace {
                kind,
                data: Some(data),
                ..
            } if kind == "text" => return vec![data],
            Self::InPlace {
                content: Some(content),
                ..
            } => {
                content.collect(Channel::Document, &mut texts);
            }
            Self::InPlace { .. } | Self::Elsewhere(_) => {}
        }
        texts.0.into_iter().map(|(_, text)| text).collect()
    }
}

/// The members of an object, in order, with their values as they were written.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(api: Api, body: &str) -> Vec<(Channel, String)> {
        let call = Call::parse(api, Bytes::copy_from_slice(body.as_bytes())).unwrap();
        call.texts.to_vec()
    }

    #[test]
    fn every_text_the_model_reads_is_seen_with_its_channel() {
        let chat = r#"{"model":"m","messages":[
            {"role":"system","content":"s"},
            {"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:x"}}]},
            {"role":"assistant","content":null,"tool_calls":[]},
            {"role":"tool","tool_call_id":"1","content":"t"}]}"#;
        let seen = [
            (Channel::System, "s"),
            (Channel::User, "a"),
            (Channel::Tool, "t"),
        ];
        assert_eq!(
            texts(Api::OpenaiChat, chat),
            seen.map(|(c, t)| (c, t.to_owned()))
        );

        let messages = r#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"s"}],"messages":[
            {"role":"user","content":[
                {"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"t"}]},
                {"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}},
                {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
                {"type":"text","text":"u"}]}]}"#;
        let seen = [
            (Channel::System, "s"),
            (Channel::Tool, "t"),
            (Channel::Document, "d"),
            (Channel::User, "u"),
        ];
        assert_eq!(
            texts(Api::AnthropicMessages, messages),
            seen.map(|(c, t)| (c, t.to_owned()))
        );

        let embeddings = r#"{"model":"m","input":["a","b"]}"#;
        let seen = [(Channel::Document, "a"), (Channel::Document, "b")];
        assert_eq!(
            texts(Api::OpenaiEmbeddings, embeddings),
            seen.map(|(c, t)| (c, t.to_owned()))
        );
    }

    #[test]
    fn a_body_goes_upstream_unchanged_unless_it_must_change() {
        let body = r#"{ "model":"m", "messages":[], "stream":true,"stream_options":{"include_usage":false},"x":1.50 }"#;
        let call = Call::parse(Api::OpenaiChat, Bytes::from(body)).unwrap();
        assert!(!call.wants_usage);
        assert_eq!(
            &call.upstream_body("other")[..],
            br#"{"model":"other","messages":[],"stream":true,"x":1.50,"stream_options":{"include_usage":true}}"#
        );
        let plain = r#"{ "model":"m", "messages":[] }"#;
        let call = Call::parse(Api::OpenaiChat, Bytes::from(plain)).unwrap();
        assert_eq!(&call.upstream_body("m")[..], plain.as_bytes());
    }

    #[test]
    fn a_malformed_body_is_refused_with_its_reason() {
        for (body, part) in [
            ("{", "EOF"),
            ("[]", "a chat completion request"),
            (r#"{"messages":[]}"#, "model"),
            (r#"{"model":"m"}"#, "messages"),
            (
                r#"{"model":"a","model":"b","messages":[]}"#,
                "duplicate field `model`",
            ),
            (r#"{"model":"","messages":[]}"#, "1 to 256 bytes"),
            (
                r#"{"model":"m","messages":[],"max_tokens":-1}"#,
                "invalid value",
            ),
        ] {
            let error = Call::parse(Api::OpenaiChat, Bytes::from(body)).unwrap_err();
            assert!(error.contains(part), "{part:?} in {error:?}");
        }
        let invalid = Bytes::from_static(b"{\"model\":\"\xff\",\"messages\":[]}");
        assert!(Call::parse(Api::OpenaiChat, invalid).is_err());
        let deep = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":{}}}]}}"#,
            "[".repeat(10_000)
        );
        assert!(Call::parse(Api::OpenaiChat, Bytes::from(deep)).is_err());
    }
}
