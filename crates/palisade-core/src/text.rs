/// Where a text came from. What is normal from a user ("summarise this and mail it to Bob") is an attack when a
/// document says it, so whoever scans must say which it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Channel {
    /// A person's message.
    #[default]
    User,
    /// A document put before the model: a page, an e-mail, a search result.
    Document,
    /// The result of a tool the model called.
    Tool,
    /// The developer's own instructions.
    System,
    /// What the model said.
    Assistant,
}

/// One text of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Text<'a> {
    /// Where it came from.
    pub channel: Channel,
    /// The text.
    pub text: &'a str,
}

impl<'a> Text<'a> {
    /// A text and where it came from.
    #[must_use]
    pub const fn new(channel: Channel, text: &'a str) -> Self {
        Self { channel, text }
    }
}

/// A request that can show its texts, so that scanners read what the model will read and nothing else.
pub trait Texts {
    /// Calls `visit` with each text, in the order the model will see them.
    fn texts(&self, visit: &mut dyn FnMut(Text<'_>));
}

impl<T: Texts + ?Sized> Texts for &T {
    fn texts(&self, visit: &mut dyn FnMut(Text<'_>)) {
        (**self).texts(visit);
    }
}
