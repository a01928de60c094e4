use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};

use palisade_core::{Timestamp, random};

use crate::ContextError;

/// The id of a trace: 16 bytes, not all zero (W3C Trace Context §3.2.2.3).
///
/// Several requests of one client may share it, if the client sent its own trace context.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

/// The id of a span: 8 bytes, not all zero (W3C Trace Context §3.2.2.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId([u8; 8]);

macro_rules! id {
    ($name:ident, $bytes:literal) => {
        impl $name {
            /// The least id, for the start of a range.
            pub(crate) const MIN: Self = Self([0; $bytes]);

            /// A new random id.
            #[must_use]
            pub fn random() -> Self {
                loop {
                    let bytes = bytes();
                    if bytes != [0; $bytes] {
                        return Self(bytes);
                    }
                }
            }

            /// The id of these bytes.
            ///
            /// # Errors
            ///
            /// [`ContextError::ZeroId`] if all are zero.
            pub fn from_bytes(bytes: [u8; $bytes]) -> Result<Self, ContextError> {
                if bytes == [0; $bytes] {
                    return Err(ContextError::ZeroId);
                }
                Ok(Self(bytes))
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; $bytes * 2];
                write_hex(&self.0, &mut text);
                f.pad(std::str::from_utf8(&text).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        /// Lower-case hexadecimal, exactly; upper case is another spelling of the same id and refused.
        impl FromStr for $name {
            type Err = ContextError;

            fn from_str(text: &str) -> Result<Self, ContextError> {
                Self::from_bytes(read_hex(text.as_bytes()).ok_or(ContextError::Malformed)?)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(TraceId, 16);
id!(SpanId, 8);

impl TraceId {
    /// A new id for a trace that begins `now`: the first six bytes say when, to 65.536 µs, the other ten are random.
    ///
    /// Ids that come one after the other then stand side by side in a store's index, where random ones would touch
    /// another page with each trace. Level 2 of the W3C's Trace Context asks for this of a `random` id: that the
    /// right-most seven bytes be random, which is what samplers look at. So a reader of the id learns when the trace
    /// began, and nothing else.
    #[must_use]
    pub fn random_at(now: Timestamp) -> Self {
        // Before 1970 all times are one. The 48 bits begin anew in the year 2554.
        let nanos = u64::try_from(now.as_nanos()).unwrap_or_default();
        let time = nanos.to_be_bytes();
        let mut bytes = Self::random().0;
        bytes[..6].copy_from_slice(&time[..6]);
        if bytes == [0; 16] {
            return Self::random();
        }
        Self(bytes)
    }
}

fn write_hex(bytes: &[u8], text: &mut [u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
}

/// Reads exactly `2 * N` lower-case hexadecimal digits.
pub(crate) fn read_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    const fn digit(byte: u8) -> Option<u8> {
        match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        }
    }
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// Random bytes, or others if the system has none: a trace without an id would be lost.
fn bytes<const N: usize>() -> [u8; N] {
    random().unwrap_or_else(unique)
}

/// Ids for a system without a source of randomness. They need to be different, not secret: a counter, scattered by the
/// keyed hash of the standard library.
fn unique<const N: usize>() -> [u8; N] {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let state = RandomState::new();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut bytes = [0; N];
    for (index, chunk) in bytes.chunks_mut(8).enumerate() {
        let hash = state.hash_one((count, index)).to_ne_bytes();
        chunk.copy_from_slice(&hash[..chunk.len()]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_stand_in_the_order_of_their_times_and_their_right_parts_are_random() {
        let at = |nanos| TraceId::random_at(Timestamp::from_nanos(nanos));
        let (step, now) = (1 << 16, 1_795_132_800_000_000_000);
        let ids: Vec<TraceId> = (0..1_000).map(|index| at(now + index * step)).collect();
        assert!(ids.is_sorted());
        let tails: HashSet<_> = (0..1_000).map(|_| at(now).0[6..].to_vec()).collect();
        assert_eq!(tails.len(), 1_000);
        assert_eq!(at(-1).0[..6], [0; 6], "before 1970");
        assert!(at(0) < at(i64::MAX));
    }

    #[test]
    fn ids_do_not_repeat_from_either_source() {
        let drawn: HashSet<_> = (0..10_000).map(|_| SpanId::random()).collect();
        assert_eq!(drawn.len(), 10_000);
        let counted: HashSet<[u8; 16]> = (0..10_000).map(|_| unique()).collect();
        assert_eq!(counted.len(), 10_000);
    }
}
