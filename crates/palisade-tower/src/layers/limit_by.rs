use http::{HeaderName, Request};
use palisade_core::{Dimension, Key, KeyError};
use palisade_rate_limit::{Limit, Take};

use super::{
    client::{ClientAddress, is_preflight},
    rate_limit::Takes,
};
use crate::{Reason, Rejection};

/// What tells those apart who share a limit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum By {
    /// The client's network address. Needs a [`PeerAddress`](crate::PeerAddress) in the request's extensions.
    Client(ClientAddress),
    /// A header, as this dimension. Not one that carries a secret: keys stand in logs and stores.
    Header(HeaderName, Dimension),
    /// The path. Only for a service whose paths are few: a stranger can ask for any.
    Path,
    /// The model the request was routed to, where a [`ModelId`](palisade_core::ModelId) stands in its extensions.
    Model,
    /// The person who asks, in organisation and project, whichever of their API keys they use; the API key itself if it
    /// belongs to nobody in particular. By the [`Principal`](palisade_auth::Principal).
    #[cfg(feature = "auth")]
    Person,
    /// The user of the [`Principal`](palisade_auth::Principal), or its organisation if it names no user.
    #[cfg(feature = "auth")]
    Principal,
    /// The API key of the [`Principal`](palisade_auth::Principal), by its id.
    #[cfg(feature = "auth")]
    ApiKey,
    /// The organisation of the [`Principal`](palisade_auth::Principal).
    #[cfg(feature = "auth")]
    Org,
}

/// Limits and whom each is for, as data: what a [`RateLimitLayer`](crate::RateLimitLayer) asks for unless a closure of your
/// own says more. Every request takes one of each; a browser's [preflight](is_preflight) takes nothing.
///
/// ```
/// use palisade_rate_limit::presets;
/// use palisade_tower::{By, ClientAddress, LimitRules};
///
/// let rules = LimitRules::new()
///     .with(presets::PER_ADDRESS, [By::Client(ClientAddress::behind_hops(1))])
///     .with(presets::GLOBAL, []);
/// # let _ = rules;
/// ```
#[derive(Clone, Debug, Default)]
pub struct LimitRules {
    rules: Vec<(Limit, Vec<By>)>,
}

impl LimitRules {
    /// No limits at all.
    #[must_use]
    pub const fn new() -> Self {
        Self { rules: Vec::new() }
    }

    /// The same and one limit more, for each who differ in any of these; for everybody together, if there are none.
    #[must_use]
    pub fn with(mut self, limit: Limit, by: impl IntoIterator<Item = By>) -> Self {
        self.rules.push((limit, by.into_iter().collect()));
        self
    }
}

impl<T: 'static> Takes<T> for LimitRules {
    fn takes(&self, request: &Request<T>) -> Result<Vec<Take>, Rejection> {
        if is_preflight(request) {
            return Ok(Vec::new());
        }
        self.rules
            .iter()
            .map(|(limit, by)| {
                let mut key = Key::global();
                for by in by {
                    key = by.narrow(&key, request)?;
                }
                Ok(Take::one(*limit, key))
            })
            .collect()
    }
}

impl By {
    /// The key and one part more.
    fn narrow<T>(&self, key: &Key, request: &Request<T>) -> Result<Key, Rejection> {
        let wrong = |error: KeyError| Rejection::new(Reason::Invalid, error.to_string());
        let extensions = request.extensions();
        match self {
            Self::Client(client) => {
                let unknown = || {
                    let detail = "the server does not say where requests come from";
                    Rejection::new(Reason::Internal, detail)
                };
                let address = client.key_of(request).ok_or_else(unknown)?;
                let value = address.value(&Dimension::Ip).unwrap_or_default();
                key.with(Dimension::Ip, value).map_err(wrong)
            }
            // Who leaves it out shares with all others who do.
            Self::Header(name, dimension) => {
                let value = request.headers().get(name);
                let value = value.map_or(&b""[..], |value| value.as_bytes());
                key.with(dimension.clone(), value).map_err(wrong)
            }
            Self::Path => {
                let path = request.uri().path().as_bytes();
                let path = &path[..path.len().min(Key::VALUE_BYTES_MAX)];
                key.with(Dimension::Endpoint, path).map_err(wrong)
            }
            Self::Model => {
                let model = extensions.get::<palisade_core::ModelId>();
                let model = model.map(ToString::to_string).unwrap_or_default();
                key.with(Dimension::Model, model).map_err(wrong)
            }
            #[cfg(feature = "auth")]
            Self::Person => {
                let principal = principal(request)?;
                let last = match principal.user() {
                    Some(_) => Dimension::User,
                    None => Dimension::ApiKey,
                };
                let known = principal.key_of(&[Dimension::Org, Dimension::Project, last]);
                if key.as_str().is_empty() {
                    return Ok(known);
                }
                known
                    .parts()
                    .try_fold(key.clone(), |key, (dimension, value)| {
                        key.with(dimension, value).map_err(wrong)
                    })
            }
            #[cfg(feature = "auth")]
            Self::Principal => {
                let principal = principal(request)?;
                let key = key.with(Dimension::Org, principal.org()).map_err(wrong)?;
                match principal.user() {
                    Some(user) => key.with(Dimension::User, user).map_err(wrong),
                    None => Ok(key),
                }
            }
            #[cfg(feature = "auth")]
            Self::ApiKey => {
                let id = principal(request)?.key_id();
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                key.with(Dimension::ApiKey, id).map_err(wrong)
            }
            #[cfg(feature = "auth")]
            Self::Org => key
                .with(Dimension::Org, principal(request)?.org())
                .map_err(wrong),
        }
    }
}

#[cfg(feature = "auth")]
fn principal<T>(request: &Request<T>) -> Result<&palisade_auth::Principal, Rejection> {
    let found = request.extensions().get();
    found.ok_or_else(|| Rejection::new(Reason::Internal, "the request was not authenticated"))
}

#[cfg(test)]
mod tests {
    use palisade_rate_limit::presets;

    use super::*;
    use crate::PeerAddress;

    fn keys(rules: &LimitRules, request: &Request<()>) -> Vec<String> {
        let takes = rules.takes(request).unwrap();
        takes.iter().map(|take| take.key.to_string()).collect()
    }

    #[test]
    fn each_limit_has_the_key_its_rule_names() {
        let rules = LimitRules::new()
            .with(presets::GLOBAL, [])
            .with(
                presets::PER_ADDRESS,
                [By::Client(ClientAddress::behind_hops(1)), By::Path],
            )
            .with(
                presets::PER_SESSION,
                [By::Header(
                    HeaderName::from_static("x-session"),
                    Dimension::Session,
                )],
            );
        let mut request = Request::get("http://x/v1/chat?stream=1")
            .header("x-forwarded-for", "6.6.6.6, 203.0.113.7")
            .header("x-session", "s/1")
            .body(())
            .unwrap();
        assert!(rules.takes(&request).is_err(), "nobody said who calls");
        let peer = PeerAddress("10.0.0.1".parse().unwrap());
        request.extensions_mut().insert(peer);
        assert_eq!(
            keys(&rules, &request),
            ["", "ip=203.0.113.7/endpoint=%2Fv1%2Fchat", "session=s%2F1"]
        );
    }

    #[test]
    fn a_preflight_takes_nothing() {
        let rules = LimitRules::new().with(presets::GLOBAL, []);
        let request = Request::options("/v1/chat")
            .header("origin", "https://example.org")
            .header("access-control-request-method", "POST")
            .body(())
            .unwrap();
        assert!(keys(&rules, &request).is_empty());
        let other = Request::options("/v1/chat").body(()).unwrap();
        assert_eq!(keys(&rules, &other), [""]);
    }

    #[test]
    fn a_path_of_any_length_is_a_key() {
        let rules = LimitRules::new().with(presets::GLOBAL, [By::Path]);
        let request = Request::get(format!("/{}", "x".repeat(4_000)))
            .body(())
            .unwrap();
        assert_eq!(rules.takes(&request).unwrap().len(), 1);
    }

    #[cfg(feature = "auth")]
    #[test]
    fn who_is_known_is_counted_as_who_they_are() {
        use palisade_auth::{Principal, Role};
        let rules = LimitRules::new()
            .with(presets::CHAT, [By::Principal])
            .with(presets::API, [By::Org]);
        let mut request = Request::get("/").body(()).unwrap();
        assert!(rules.takes(&request).is_err());
        let principal = Principal::new("acme", Role::Developer).unwrap();
        request.extensions_mut().insert(principal.clone());
        assert_eq!(keys(&rules, &request), ["org=acme", "org=acme"]);
        let person = principal.with_project("p").and_then(|p| p.with_user("ann"));
        request.extensions_mut().insert(person.unwrap());
        let rules = LimitRules::new()
            .with(presets::CHAT, [By::Person])
            .with(presets::API, [By::Path, By::Person]);
        let ann = "org=acme/project=p/user=ann";
        let on_a_path = format!("{ann}/endpoint=%2F");
        assert_eq!(keys(&rules, &request), [ann, &on_a_path]);
    }
}
