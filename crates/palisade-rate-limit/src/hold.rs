use std::{
    fmt,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    str::FromStr,
    time::Duration,
};

use crate::HoldError;

/// Names one reservation: 128 bits, chosen by the caller.
///
/// It makes every call about a reservation safe to repeat: whoever lost the answer asks again with the same id, and the
/// store acts once. Printed and parsed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(u128);

impl HoldId {
    /// The id of these 128 bits, for instance those of the request's own id.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The 128 bits.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// An id that no other has, with the certainty that 128 random bits give. Not a secret.
    #[must_use]
    pub fn unique() -> Self {
        // SipHash under keys that the standard library draws from the system and never uses twice in a thread.
        let half = || u128::from(RandomState::new().build_hasher().finish());
        Self(half() << 64 | half())
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HoldId({self})")
    }
}

impl FromStr for HoldId {
    type Err = HoldError;

    fn from_str(text: &str) -> Result<Self, HoldError> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u128::from_str_radix(text, 16) {
            Ok(bits) if digits => Ok(Self(bits)),
            _ => Err(HoldError::Id),
        }
    }
}

/// That what a request takes is to be settled later, under this id; and how long the store remembers.
///
/// After its time a hold expires by itself, whoever else uses the same keys meanwhile. What it took of a rate stays taken,
/// as if it had been used as estimated; what it held of a concurrency comes back. So nothing leaks when a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hold {
    id: HoldId,
    ttl_nanos: u64,
}

impl Hold {
    /// How long a hold lasts if nobody says otherwise: ten minutes.
    pub const TTL_DEFAULT: Duration = Duration::from_secs(600);
    /// The longest a hold may last: a day.
    pub const TTL_MAX: Duration = Duration::from_secs(86_400);

    /// A hold of this id for [`Hold::TTL_DEFAULT`].
    #[must_use]
    pub const fn new(id: HoldId) -> Self {
        Self {
            id,
            ttl_nanos: Self::TTL_DEFAULT.as_nanos() as u64,
        }
    }

    /// The same for another time: longer than any call takes, shorter than a leaked permit may hurt.
    ///
    /// # Errors
    ///
    /// [`HoldError::Ttl`] below a millisecond or above [`Hold::TTL_MAX`].
    pub fn with_ttl(mut self, ttl: Duration) -> Result<Self, HoldError> {
        if ttl < Duration::from_millis(1) || ttl > Self::TTL_MAX {
            return Err(HoldError::Ttl);
        }
        // At most a day.
        self.ttl_nanos = ttl.as_nanos() as u64;
        Ok(self)
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> HoldId {
        self.id
    }

    /// How long it lasts from the moment it is reserved or topped up.
    #[must_use]
    pub const fn ttl(&self) -> Duration {
        Duration::from_nanos(self.ttl_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_nothing_else_is_one() {
        for bits in [0, 1, u128::MAX, 0xA5 << 100] {
            let id = HoldId::from_u128(bits);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for text in [
            "",
            "0",
            "+0000000000000000000000000000001",
            &"0".repeat(33),
            &"g".repeat(32),
        ] {
            assert_eq!(text.parse::<HoldId>(), Err(HoldError::Id), "{text:?}");
        }
        assert_ne!(HoldId::unique(), HoldId::unique());
    }

    #[test]
    fn a_hold_that_never_ends_cannot_be_asked_for() {
        let hold = Hold::new(HoldId::from_u128(1));
        for wrong in [
            Duration::ZERO,
            Duration::from_nanos(1),
            Hold::TTL_MAX + Duration::from_nanos(1),
        ] {
            assert_eq!(hold.with_ttl(wrong), Err(HoldError::Ttl));
        }
        assert_eq!(hold.with_ttl(Hold::TTL_MAX).unwrap().ttl(), Hold::TTL_MAX);
    }
}
