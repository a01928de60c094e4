use std::{fmt, str::FromStr};

use palisade_core::random;

use crate::IdError;

/// Names one reservation: 128 bits, chosen by the caller.
///
/// It is the idempotency key of the whole life of a hold. Whoever repeats a `reserve`, `settle` or `release` after a
/// lost answer repeats it with the same id, and the ledger acts once. Use one id for one call of a user, not one for
/// each attempt; derive it from the request's id or take a [random](ReservationId::random) one.
///
/// Printed and parsed as a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservationId(u128);

impl ReservationId {
    /// The id of these 128 bits.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The 128 bits.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// A random id: a UUID of version 4 (RFC 9562 §5.4), from the system's secure source.
    ///
    /// # Errors
    ///
    /// [`IdError::NoRandomness`] if the system has none to give.
    pub fn random() -> Result<Self, IdError> {
        let mut bytes: [u8; 16] = random().ok_or(IdError::NoRandomness)?;
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

/// A name of 128 bits that is not printed as anything in particular.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// The id of these 128 bits.
            #[must_use]
            pub const fn from_u128(bits: u128) -> Self {
                Self(bits)
            }

            /// The 128 bits.
            #[must_use]
            pub const fn as_u128(self) -> u128 {
                self.0
            }

            /// A random id, from the system's secure source.
            ///
            /// # Errors
            ///
            /// [`IdError::NoRandomness`] if the system has none to give.
            pub fn random() -> Result<Self, IdError> {
                ReservationId::random().map(|id| Self(id.as_u128()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:032x})"), self.0)
            }
        }
    };
}

id! {
    /// Names one change of an administrator, so that it can be repeated.
    ChangeId
}

id! {
    /// Names one lessee: one life of one process.
    LesseeId
}

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let (a, b, c) = (&digits[..8], &digits[8..12], &digits[12..16]);
        write!(f, "{a}-{b}-{c}-{}-{}", &digits[16..20], &digits[20..])
    }
}

impl fmt::Debug for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReservationId({self})")
    }
}

impl FromStr for ReservationId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = text.as_bytes();
        let hyphens = [8, 13, 18, 23];
        let shaped = bytes.len() == 36
            && bytes.iter().enumerate().all(|(index, byte)| {
                if hyphens.contains(&index) {
                    *byte == b'-'
                } else {
                    byte.is_ascii_hexdigit()
                }
            });
        if !shaped {
            return Err(IdError::Malformed);
        }
        u128::from_str_radix(&text.replace('-', ""), 16)
            .map(Self)
            .map_err(|_| IdError::Malformed)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for ReservationId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for ReservationId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        for bits in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0011_2233_4455_6677] {
            let id = ReservationId::from_u128(bits);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for text in [
            "",
            "1",
            "+1234567-89ab-cdef-0011-223344556677",
            "0123456789abcdef0011223344556677",
        ] {
            assert_eq!(text.parse::<ReservationId>(), Err(IdError::Malformed));
        }
    }

    #[test]
    fn random_ids_differ_and_say_what_they_are() {
        let (one, other) = (
            ReservationId::random().unwrap(),
            ReservationId::random().unwrap(),
        );
        assert_ne!(one, other);
        assert_eq!(one.to_string().as_bytes()[14], b'4');
        // Across the borders of what is drawn at once too.
        let many: HashSet<_> = (0..200).map(|_| ReservationId::random().unwrap()).collect();
        assert_eq!(many.len(), 200);
    }
}
