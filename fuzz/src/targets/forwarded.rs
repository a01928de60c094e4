use http::{HeaderMap, HeaderValue};
use palisade_tower::{ClientAddress, Network};

pub(super) const PIECES: &[&str] = &[
    "203.0.113.7",
    "10.0.0.1",
    "10.0.0.0/8",
    "2001:db8::1",
    "[2001:db8::1]:443",
    "::ffff:10.0.0.1",
    "192.0.2.1:80",
    ", ",
    ",",
    "\n",
    "for=",
    "unknown",
    "_hidden",
    "/0",
    "/33",
    "%eth0",
    "\t",
    "",
];

/// Whatever stands in `X-Forwarded-For`: nothing panics, and who writes something in front of what our proxies wrote is the
/// same client as before. A network that is read contains its own address.
pub fn forwarded(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let peer = [10, 0, 0, *first].into();
    let lines: Vec<&[u8]> = rest.split(|byte| *byte == b'\n').take(8).collect();
    let networks: Vec<Network> = lines
        .iter()
        .filter_map(|line| str::from_utf8(line).ok()?.trim().parse().ok())
        .collect();
    for line in &lines {
        if let Ok(text) = str::from_utf8(line)
            && let Some((address, _)) = text.split_once('/')
            && let (Ok(network), Ok(address)) = (text.parse::<Network>(), address.parse())
        {
            assert!(network.contains(address), "{text:?}");
        }
    }
    let mut headers = HeaderMap::new();
    for value in lines
        .iter()
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
    {
        headers.append("x-forwarded-for", value);
    }
    let mut spoofed = HeaderMap::new();
    spoofed.append(
        "x-forwarded-for",
        HeaderValue::from_static("198.51.100.1, 10.0.0.9"),
    );
    for value in headers.get_all("x-forwarded-for") {
        spoofed.append("x-forwarded-for", value.clone());
    }
    // As many entries as there are: with fewer of our own proxies than that, what stands in front is a stranger's.
    let entries: usize = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(|value| value.as_bytes().split(|byte| *byte == b',').count())
        .sum();
    let hops = usize::from(*first % 8).min(entries);
    for client in [ClientAddress::direct(), ClientAddress::behind_hops(hops)] {
        assert_eq!(client.of(&headers, peer), client.of(&spoofed, peer));
    }
    // Told by networks, who is found is a stranger, or nobody stands further left.
    let client = ClientAddress::behind(networks.clone()).with_ipv6_prefix(*first);
    let found = client.of(&spoofed, peer);
    let is_ours = |address| networks.iter().any(|network| network.contains(address));
    if !is_ours(client.of(&headers, peer)) {
        assert_eq!(found, client.of(&headers, peer));
    }
    drop(client.key(found));
}
