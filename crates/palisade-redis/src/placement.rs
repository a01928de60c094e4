use palisade_core::{Dimension, Key};

/// Which keys lie in one slot of a Cluster, and so on one of its nodes.
///
/// A decision about several keys is one script, and a script has all its keys in one slot. Keys do so if they have the same
/// *hash tag*. The choice is the same on one node and on many: so a service can move to a Cluster without losing what it
/// has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// All of them: any keys can be decided about together, and one node of a Cluster does all the work.
    #[default]
    Together,
    /// Those that have the same value in this part, such as the organisation. The work spreads over the Cluster; what is
    /// decided about together must have that part, and the same value in it.
    ByPart(Dimension),
}

/// Why keys cannot be decided about together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlacementError {
    /// A key lacks the part that says where it lies.
    #[error(
        "keys are placed by {part}, and one has no such part; give it one, or place keys together"
    )]
    Missing {
        /// The name of the part.
        part: String,
    },
    /// Two keys of one decision would lie in different slots.
    #[error(
        "keys are placed by {part}, and two of one decision differ in it; ask apart, or place keys together"
    )]
    Apart {
        /// The name of the part.
        part: String,
    },
}

impl Placement {
    /// Whether keys that have these parts can be decided about together: to be asked when a service is configured, with the
    /// parts of every key that one request will be charged under.
    ///
    /// ```
    /// use palisade_core::Dimension::{Model, Org, User};
    /// use palisade_redis::Placement;
    ///
    /// let by_org = Placement::ByPart(Org);
    /// assert!(by_org.check([&[Org, User][..], &[Org, Model]]).is_ok());
    /// // A limit for everybody lies nowhere near one organisation's.
    /// assert!(by_org.check([&[Org, User][..], &[]]).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`PlacementError::Missing`].
    pub fn check<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a [Dimension]>,
    ) -> Result<(), PlacementError> {
        match self {
            Self::Together => Ok(()),
            Self::ByPart(part) => {
                let all = keys.into_iter().all(|parts| parts.contains(part));
                all.then_some(()).ok_or_else(|| PlacementError::Missing {
                    part: part.name().to_owned(),
                })
            }
        }
    }

    /// The hash tag of all these keys, with its braces.
    pub(crate) fn tag<'a>(
        &self,
        prefix: &str,
        keys: impl IntoIterator<Item = &'a Key>,
    ) -> Result<String, PlacementError> {
        let Self::ByPart(part) = self else {
            return Ok(format!("{{{prefix}}}"));
        };
        let mut common: Option<&str> = None;
        for key in keys {
            let value = value_of(key, part).ok_or_else(|| PlacementError::Missing {
                part: part.name().to_owned(),
            })?;
            if common.is_some_and(|common| common != value) {
                return Err(PlacementError::Apart {
                    part: part.name().to_owned(),
                });
            }
            common = Some(value);
        }
        let value = common.unwrap_or_default();
        Ok(format!("{{{prefix}:{}={value}}}", part.name()))
    }
}

/// The value as it stands in the text of the key: printable, and without a brace.
fn value_of<'a>(key: &'a Key, part: &Dimension) -> Option<&'a str> {
    key.as_str().split('/').find_map(|text| {
        let (name, value) = text.split_once('=')?;
        (name == part.name()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_part_lie_together_and_others_are_refused() {
        let by_org = Placement::ByPart(Dimension::Org);
        let acme = Key::new(Dimension::Org, "ac}me").unwrap();
        let alice = acme.with(Dimension::User, "alice").unwrap();
        let other = Key::new(Dimension::Org, "other").unwrap();
        assert_eq!(
            by_org.tag("p", [&acme, &alice]),
            Ok("{p:org=ac%7Dme}".to_owned())
        );
        assert!(matches!(
            by_org.tag("p", [&acme, &other]),
            Err(PlacementError::Apart { .. })
        ));
        assert!(matches!(
            by_org.tag("p", [&Key::global()]),
            Err(PlacementError::Missing { .. })
        ));
        assert_eq!(
            Placement::Together.tag("p", [&acme, &other]),
            Ok("{p}".to_owned())
        );
    }
}
