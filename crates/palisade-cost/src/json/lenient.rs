//! Values that may be of any type, and remember whether they were of the right one.
//!
//! A response is never refused for a field that looks odd: what it says about usage must not be lost because a provider
//! sent a number where a text was, and a count that is no count has to be seen rather than skipped.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::UsageFault;

/// A count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Count {
    /// Not there, or null.
    #[default]
    Absent,
    /// A whole number that is not negative.
    Value(u64),
    /// Anything else.
    Bad,
}

impl Count {
    /// The number, if there is one.
    pub(super) fn get(self, field: &'static str) -> Result<Option<u64>, UsageFault> {
        match self {
            Self::Absent => Ok(None),
            Self::Value(count) => Ok(Some(count)),
            Self::Bad => Err(UsageFault::Count { field }),
        }
    }

    /// The number and `sum`; `None` if it is no number or the sum does not fit.
    pub(super) fn added_to(self, sum: u64) -> Option<u64> {
        match self {
            Self::Absent => Some(sum),
            Self::Value(count) => sum.checked_add(count),
            Self::Bad => None,
        }
    }

    /// The number, or none of it.
    pub(super) fn or_zero(self, field: &'static str) -> Result<u64, UsageFault> {
        Ok(self.get(field)?.unwrap_or(0))
    }

    /// This count, or another if this one is not there.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::Absent { other } else { self }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl<'de> Visitor<'de> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count")
            }

            fn visit_u64<E: Error>(self, count: u64) -> Result<Count, E> {
                Ok(Count::Value(count))
            }

            fn visit_unit<E: Error>(self) -> Result<Count, E> {
                Ok(Count::Absent)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Count, E> {
                Ok(Count::Bad)
            }

            // Negative: what is not negative arrives as `u64`.
            fn visit_i64<E: Error>(self, _: i64) -> Result<Count, E> {
                Ok(Count::Bad)
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Count, E> {
                Ok(Count::Bad)
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Count, E> {
                Ok(Count::Bad)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Count, A::Error> {
                skip_seq(seq)?;
                Ok(Count::Bad)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Count, A::Error> {
                skip_map(map)?;
                Ok(Count::Bad)
            }
        }
        deserializer.deserialize_any(CountVisitor)
    }
}

/// Whether something is said to be so. Anything but `true` is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;
        impl<'de> Visitor<'de> for FlagVisitor {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a flag")
            }

            fn visit_bool<E: Error>(self, is_so: bool) -> Result<Flag, E> {
                Ok(Flag(is_so))
            }

            fn visit_unit<E: Error>(self) -> Result<Flag, E> {
                Ok(Flag(false))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Flag, E> {
                Ok(Flag(false))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Flag, E> {
                Ok(Flag(false))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Flag, E> {
                Ok(Flag(false))
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Flag, E> {
                Ok(Flag(false))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Flag, A::Error> {
                skip_seq(seq)?;
                Ok(Flag(false))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Flag, A::Error> {
                skip_map(map)?;
                Ok(Flag(false))
            }
        }
        deserializer.deserialize_any(FlagVisitor)
    }
}

/// A text; `None` if it is anything else.
#[derive(Clone, Debug, Default)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

impl Text<'_> {
    pub(super) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Option<Cow<'de, str>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Some(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Some(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq)?;
                Ok(None)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                skip_map(map)?;
                Ok(None)
            }
        }
        deserializer.deserialize_any(TextVisitor).map(Text)
    }
}

/// An object.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Object<T> {
    /// Not there, or null.
    #[default]
    Absent,
    /// An object.
    Value(T),
    /// Anything else.
    Bad,
}

impl<T> Object<T> {
    pub(super) fn get(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Bad => None,
        }
    }

    /// The object if there is one, and a fault if there is something else.
    pub(super) fn checked(&self) -> Result<Option<&T>, UsageFault> {
        match self {
            Self::Absent => Ok(None),
            Self::Value(value) => Ok(Some(value)),
            Self::Bad => Err(UsageFault::Unreadable),
        }
    }

    /// Whether there is anything but null.
    pub(super) const fn is_there(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object::Value)
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Object::Absent)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Object::Bad)
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Object::Bad)
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Object::Bad)
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Object::Bad)
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Object::Bad)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq)?;
                Ok(Object::Bad)
            }
        }
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

/// A list folded while it is read, so that a long one takes no memory.
pub(super) trait Fold: Default {
    /// One element, if it is an object.
    type Element<'de>: Deserialize<'de>;

    /// Takes an element in.
    fn fold(&mut self, element: &Self::Element<'_>);

    /// Takes note of something that is not what it should be.
    fn bad(&mut self);
}

/// See [`Fold`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct List<F>(pub(super) F);

impl<'de, F: Fold> Deserialize<'de> for List<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<F>(PhantomData<F>);
        impl<'de, F: Fold> Visitor<'de> for ListVisitor<F> {
            type Value = F;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<F, A::Error> {
                let mut folded = F::default();
                while let Some(element) = seq.next_element::<Object<F::Element<'de>>>()? {
                    match element {
                        Object::Value(element) => folded.fold(&element),
                        Object::Absent | Object::Bad => folded.bad(),
                    }
                }
                Ok(folded)
            }

            fn visit_unit<E: Error>(self) -> Result<F, E> {
                Ok(F::default())
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<F, E> {
                Ok(bad())
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<F, E> {
                Ok(bad())
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<F, E> {
                Ok(bad())
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<F, E> {
                Ok(bad())
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<F, E> {
                Ok(bad())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<F, A::Error> {
                skip_map(map)?;
                Ok(bad())
            }
        }
        fn bad<F: Fold>() -> F {
            let mut folded = F::default();
            folded.bad();
            folded
        }
        deserializer
            .deserialize_any(ListVisitor(PhantomData))
            .map(List)
    }
}

fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_whole_number_and_nothing_else() {
        let count = |text: &str| serde_json::from_str::<Count>(text).unwrap();
        assert_eq!(count("7"), Count::Value(7));
        assert_eq!(count("18446744073709551615"), Count::Value(u64::MAX));
        assert_eq!(count("null"), Count::Absent);
        for text in [
            "-1",
            "1.5",
            "1.0",
            "1e3",
            "\"7\"",
            "true",
            "[1]",
            "{\"a\":1}",
            "18446744073709551616",
        ] {
            assert_eq!(count(text), Count::Bad, "{text}");
        }
    }

    #[test]
    fn a_field_of_another_type_does_not_spoil_the_rest() {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Two<'a> {
            #[serde(borrow)]
            text: Text<'a>,
            object: Object<Count2>,
            count: Count,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Count2 {
            count: Count,
        }
        for odd in [
            "1",
            "-1",
            "0.5",
            "null",
            "true",
            "[[1]]",
            "{\"a\":{}}",
            "\"t\\n\"",
        ] {
            let text = format!("{{\"text\":{odd},\"object\":{odd},\"count\":3}}");
            let two: Two<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!(two.count, Count::Value(3), "{odd}");
            assert_eq!(two.text.0.is_some(), odd.starts_with('"'));
            assert_eq!(two.object.get().is_some(), odd.starts_with('{'));
            assert!(
                two.object
                    .get()
                    .is_none_or(|object| object.count == Count::Absent)
            );
        }
    }
}
