use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use http::{HeaderMap, Method, Request, header};
use palisade_core::{Dimension, Key};

/// Where a connection comes from. The server puts it into a request's extensions; without it, addresses are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddress(pub IpAddr);

/// Who of those that stand in `X-Forwarded-For` is the client.
///
/// Everybody may write that field, and a proxy adds the address it was called from at its right end. So only what *our*
/// proxies have added is known to be true: read from the right, past those we trust, and take the first we do not. Whoever
/// writes something in front of it changes nothing.
///
/// ```
/// use http::HeaderMap;
/// use palisade_tower::ClientAddress;
///
/// let mut headers = HeaderMap::new();
/// headers.append("x-forwarded-for", "1.1.1.1, 203.0.113.7".parse()?);
/// headers.append("x-forwarded-for", "10.0.0.2".parse()?);
///
/// // Two of our own proxies, one behind the other: the outer wrote 203.0.113.7, the inner 10.0.0.2.
/// let client = ClientAddress::behind_hops(2);
/// assert_eq!(client.of(&headers, "10.0.0.3".parse()?), "203.0.113.7".parse::<std::net::IpAddr>()?);
/// let client = ClientAddress::behind(vec!["10.0.0.0/8".parse()?]);
/// assert_eq!(client.of(&headers, "10.0.0.3".parse()?), "203.0.113.7".parse::<std::net::IpAddr>()?);
/// // Nobody is trusted by default: the client is who calls.
/// assert_eq!(ClientAddress::direct().of(&headers, "10.0.0.3".parse()?), "10.0.0.3".parse::<std::net::IpAddr>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    trusted: Trusted,
    ipv6_prefix: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Trusted {
    Hops(usize),
    Networks(Vec<Network>),
}

/// The most entries of the field that are looked at, from the right.
const ENTRIES_MAX: usize = 32;

impl ClientAddress {
    /// The prefix by default, in bits: what a provider gives one customer. Who has it has 2^64 addresses.
    pub const IPV6_PREFIX: u8 = 64;

    /// The client is whoever calls: there is no proxy in front.
    #[must_use]
    pub const fn direct() -> Self {
        Self::behind_hops(0)
    }

    /// The client is behind so many proxies of ours, each of which adds one entry.
    #[must_use]
    pub const fn behind_hops(hops: usize) -> Self {
        Self {
            trusted: Trusted::Hops(hops),
            ipv6_prefix: Self::IPV6_PREFIX,
        }
    }

    /// The client is the first from the right that is not in one of these networks, which are those of our proxies.
    #[must_use]
    pub const fn behind(networks: Vec<Network>) -> Self {
        Self {
            trusted: Trusted::Networks(networks),
            ipv6_prefix: Self::IPV6_PREFIX,
        }
    }

    /// The same, with clients of IPv6 told apart by so many bits of their address, at most 128.
    #[must_use]
    pub const fn with_ipv6_prefix(mut self, bits: u8) -> Self {
        self.ipv6_prefix = if bits > 128 { 128 } else { bits };
        self
    }

    /// The client of a request with these headers that was received from `peer`.
    ///
    /// An entry that cannot be read ends the search: the proxy that vouches for it is taken for the client.
    #[must_use]
    pub fn of(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let mut client = canonical(peer);
        let mut trusts = match &self.trusted {
            Trusted::Hops(hops) => *hops,
            Trusted::Networks(_) => usize::MAX,
        };
        // From the right: the last field first, and in each the last entry.
        let entries = headers
            .get_all("x-forwarded-for")
            .iter()
            .rev()
            .flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
        for entry in entries.take(ENTRIES_MAX) {
            let passes = match &self.trusted {
                Trusted::Hops(_) => trusts > 0,
                Trusted::Networks(networks) => networks.iter().any(|n| n.contains(client)),
            };
            let Some(address) = passes.then(|| address(entry)).flatten() else {
                break;
            };
            trusts = trusts.saturating_sub(1);
            client = address;
        }
        client
    }

    /// The key that counts for this client: its address, or the network of it for IPv6.
    #[must_use]
    pub fn key(&self, client: IpAddr) -> Key {
        let text = match canonical(client) {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let mask = mask(128, self.ipv6_prefix);
                let network = Ipv6Addr::from_bits(address.to_bits() & mask);
                format!("{network}/{}", self.ipv6_prefix)
            }
        };
        // An address is shorter than a key may be.
        Key::new(Dimension::Ip, text).unwrap_or_else(|_| Key::global())
    }

    /// The key that counts for the client of a request; `None` if nobody has said where it comes from.
    #[must_use]
    pub fn key_of<T>(&self, request: &Request<T>) -> Option<Key> {
        let peer = request.extensions().get::<PeerAddress>()?.0;
        Some(self.key(self.of(request.headers(), peer)))
    }
}

/// Whether a browser only asks whether it may ask: such a request costs nothing and should take from no limit.
#[must_use]
pub fn is_preflight<T>(request: &Request<T>) -> bool {
    let has = |name| request.headers().contains_key(name);
    request.method() == Method::OPTIONS
        && has(header::ORIGIN)
        && has(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// A network, such as `10.0.0.0/8` or `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a network is an address, a slash and the number of its leading bits, as in 10.0.0.0/8",
        )
    }
}

impl std::error::Error for NotANetwork {}

impl Network {
    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, canonical(address)) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = u128::from(network.to_bits() ^ address.to_bits());
                differ & mask(32, self.prefix) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()) & mask(128, self.prefix) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = text.split_once('/').ok_or(NotANetwork)?;
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u8 = prefix.parse().map_err(|_| NotANetwork)?;
        if !digits || prefix > bits {
            return Err(NotANetwork);
        }
        match (address, canonical(address)) {
            // An IPv4 address inside IPv6 is itself, and so is a network of such. One that is wider than all of them is none.
            (IpAddr::V6(_), address @ IpAddr::V4(_)) => Ok(Self {
                address,
                prefix: prefix.checked_sub(96).ok_or(NotANetwork)?,
            }),
            _ => Ok(Self { address, prefix }),
        }
    }
}

/// The leading `prefix` bits of an address of so many bits.
fn mask(bits: u8, prefix: u8) -> u128 {
    let rest = u32::from(bits.saturating_sub(prefix));
    let all = u128::MAX >> (128 - u32::from(bits));
    all & u128::MAX.checked_shl(rest).unwrap_or(0)
}

/// One address, one spelling: an IPv4 address inside IPv6 is itself.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// One entry of the field: an address, with or without a port, in brackets if it is IPv6 with one.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(canonical(address));
    }
    if let Ok(address) = text.parse::<std::net::SocketAddr>() {
        return Some(canonical(address.ip()));
    }
    let bare = text.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse::<Ipv6Addr>().ok().map(|a| canonical(a.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(fields: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append("x-forwarded-for", field.parse().unwrap());
        }
        headers
    }

    #[test]
    fn what_a_stranger_writes_in_front_never_changes_the_client() {
        let ours = ["203.0.113.7, 10.0.0.2", "10.0.0.9"];
        let forged = [
            "1.1.1.1",
            "10.0.0.7, 10.0.0.8",
            "garbage",
            ", , ,",
            "127.0.0.1, ::1",
            "203.0.113.7\t",
        ];
        for client in [
            ClientAddress::direct(),
            ClientAddress::behind_hops(1),
            ClientAddress::behind_hops(3),
            ClientAddress::behind(vec!["10.0.0.0/8".parse().unwrap()]),
        ] {
            let alone = client.of(&headers(&ours), ip("10.0.0.3"));
            for front in forged {
                let joined = format!("{front}, {}", ours[0]);
                for fields in [&[front, ours[0], ours[1]][..], &[&*joined, ours[1]]] {
                    assert_eq!(
                        client.of(&headers(fields), ip("10.0.0.3")),
                        alone,
                        "{front}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_proxy_we_do_not_know_is_the_client() {
        let client = ClientAddress::behind(vec!["10.0.0.0/8".parse().unwrap()]);
        let forged = headers(&["10.0.0.1, 10.0.0.2"]);
        assert_eq!(client.of(&forged, ip("198.51.100.1")), ip("198.51.100.1"));
        // What cannot be read ends the search at whoever vouches for it.
        assert_eq!(
            client.of(&headers(&["1.1.1.1, unknown"]), ip("10.0.0.3")),
            ip("10.0.0.3")
        );
        assert_eq!(client.of(&HeaderMap::new(), ip("10.0.0.3")), ip("10.0.0.3"));
    }

    #[test]
    fn an_address_has_one_spelling() {
        let client = ClientAddress::behind_hops(1);
        for (entry, text) in [
            ("203.0.113.7:4711", "ip=203.0.113.7"),
            ("::ffff:203.0.113.7", "ip=203.0.113.7"),
            ("[2001:db8::1:2]:443", "ip=2001:db8::%2F64"),
            ("[2001:db8::1:2]", "ip=2001:db8::%2F64"),
            ("2001:DB8:0:0:9::", "ip=2001:db8::%2F64"),
        ] {
            let found = client.of(&headers(&[entry]), ip("10.0.0.3"));
            assert_eq!(client.key(found).as_str(), text, "{entry}");
        }
        let narrow = client.with_ipv6_prefix(128);
        assert_ne!(narrow.key(ip("2001:db8::1")), narrow.key(ip("2001:db8::2")));
    }

    #[test]
    fn networks_hold_what_their_bits_say_and_nonsense_is_refused() {
        let contains =
            |network: &str, address| network.parse::<Network>().unwrap().contains(ip(address));
        assert!(contains("10.0.0.0/8", "10.255.255.255"));
        assert!(contains("10.0.0.0/8", "::ffff:10.1.1.1"));
        assert!(!contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("0.0.0.0/0", "198.51.100.1"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::"));
        assert!(contains("::1/128", "::1") && !contains("::1/128", "::2"));
        for wrong in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::/129",
            "a/8",
        ] {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork), "{wrong}");
        }
        assert_eq!(
            "::ffff:10.0.0.0/104".parse::<Network>(),
            "10.0.0.0/8".parse()
        );
        assert_eq!("::ffff:10.0.0.1/0".parse::<Network>(), Err(NotANetwork));
    }

    #[test]
    fn a_question_before_the_question_is_known_as_one() {
        let request = |method: Method, names: &[&str]| {
            let mut builder = Request::builder().method(method);
            for name in names {
                builder = builder.header(*name, "x");
            }
            builder.body(()).unwrap()
        };
        let both = ["origin", "access-control-request-method"];
        assert!(is_preflight(&request(Method::OPTIONS, &both)));
        assert!(!is_preflight(&request(Method::POST, &both)));
        assert!(!is_preflight(&request(Method::OPTIONS, &both[..1])));
    }
}
