use std::collections::BTreeMap;

use crate::{Limit, TiersError};

/// Which limits hold for whom: per plan and endpoint, as data.
///
/// What a plan does not say of an endpoint, it says of [`Tiers::ANY`] endpoint; what it does not say at all, the plan
/// [`Tiers::ANY`] says. A changed table takes the place of the old one whole; counters keep what was used, since they know
/// limits by name alone.
///
/// ```
/// use palisade_rate_limit::{Limit, Tiers, presets};
///
/// let tiers = Tiers::new()
///     .with(Tiers::ANY, Tiers::ANY, vec![presets::API])?
///     .with(Tiers::ANY, "chat", vec![presets::CHAT, Limit::per_minute("tokens", 20_000)?])?
///     .with("team", "chat", vec![Limit::per_minute("chat", 600)?.with_burst(60)?])?;
///
/// assert_eq!(tiers.limits("free", "chat")[0], presets::CHAT);
/// assert_eq!(tiers.limits("team", "chat")[0].amount(), 600);
/// assert_eq!(tiers.limits("team", "models"), [presets::API]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Plain", into = "Plain")
)]
pub struct Tiers {
    plans: Plain,
}

/// Plan, endpoint, limits.
type Plain = BTreeMap<String, BTreeMap<String, Vec<Limit>>>;

impl Tiers {
    /// The plan of those who have none, and the endpoint of those that are not named.
    pub const ANY: &'static str = "*";
    /// The most entries a table has.
    pub const ENTRIES_MAX: usize = 4_096;
    /// The most limits one entry has: as many as a request may have charges.
    pub const LIMITS_MAX: usize = crate::CheckRequest::CHARGES_MAX;

    /// A table that limits nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            plans: BTreeMap::new(),
        }
    }

    /// The same table with these limits for an endpoint of a plan. No limits at all are an answer too: it is free.
    ///
    /// # Errors
    ///
    /// [`TiersError`] with two limits of one name, or too many of anything.
    pub fn with(
        mut self,
        plan: &str,
        endpoint: &str,
        limits: Vec<Limit>,
    ) -> Result<Self, TiersError> {
        self.plans
            .entry(plan.to_owned())
            .or_default()
            .insert(endpoint.to_owned(), limits);
        Self::checked(self.plans)
    }

    /// The limits of an endpoint for those of a plan.
    #[must_use]
    pub fn limits(&self, plan: &str, endpoint: &str) -> &[Limit] {
        [
            (plan, endpoint),
            (plan, Self::ANY),
            (Self::ANY, endpoint),
            (Self::ANY, Self::ANY),
        ]
        .into_iter()
        .find_map(|(plan, endpoint)| self.plans.get(plan)?.get(endpoint))
        .map_or(&[], Vec::as_slice)
    }

    fn checked(plans: Plain) -> Result<Self, TiersError> {
        let found = plans.values().map(BTreeMap::len).sum();
        if found > Self::ENTRIES_MAX {
            return Err(TiersError::Entries { found });
        }
        let part = |text: &str| text.chars().take(32).collect::<String>();
        for (plan, endpoints) in &plans {
            for (endpoint, limits) in endpoints {
                if limits.len() > Self::LIMITS_MAX {
                    return Err(TiersError::Limits {
                        plan: part(plan),
                        endpoint: part(endpoint),
                    });
                }
                for (index, limit) in limits.iter().enumerate() {
                    if limits[..index].iter().any(|l| l.name() == limit.name()) {
                        return Err(TiersError::Repeated {
                            plan: part(plan),
                            endpoint: part(endpoint),
                            limit: limit.name().to_owned(),
                        });
                    }
                }
            }
        }
        Ok(Self { plans })
    }
}

impl TryFrom<Plain> for Tiers {
    type Error = TiersError;

    fn try_from(plans: Plain) -> Result<Self, TiersError> {
        Self::checked(plans)
    }
}

impl From<Tiers> for Plain {
    fn from(tiers: Tiers) -> Self {
        tiers.plans
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    #[test]
    fn a_table_that_would_be_ambiguous_or_endless_is_refused() {
        let twice = vec![presets::CHAT, presets::CHAT];
        let error = Tiers::new().with("free", "chat", twice).unwrap_err();
        assert!(matches!(error, TiersError::Repeated { .. }), "{error}");
        let many = presets::ALL[..9].to_vec();
        let error = Tiers::new().with("free", "chat", many).unwrap_err();
        assert!(matches!(error, TiersError::Limits { .. }), "{error}");
        let plans: Plain = (0..=Tiers::ENTRIES_MAX)
            .map(|n| {
                (
                    n.to_string(),
                    BTreeMap::from([("x".to_owned(), Vec::new())]),
                )
            })
            .collect();
        assert_eq!(
            Tiers::try_from(plans),
            Err(TiersError::Entries { found: 4_097 })
        );
    }

    #[test]
    fn the_nearest_entry_holds_and_an_empty_one_is_free() {
        let tiers = Tiers::new()
            .with("team", Tiers::ANY, vec![presets::API])
            .and_then(|tiers| tiers.with("team", "health", Vec::new()))
            .and_then(|tiers| tiers.with(Tiers::ANY, "chat", vec![presets::CHAT]))
            .unwrap();
        assert_eq!(tiers.limits("team", "chat"), [presets::API]);
        assert!(tiers.limits("team", "health").is_empty());
        assert_eq!(tiers.limits("free", "chat"), [presets::CHAT]);
        assert!(tiers.limits("free", "models").is_empty());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_table_is_read_from_configuration_and_checked_there() {
        let text = r#"{"*":{"chat":[{"name":"chat","amount":60,"period":"1m","burst":10,"algorithm":"token_bucket"}]}}"#;
        let tiers: Tiers = serde_json::from_str(text).unwrap();
        assert_eq!(tiers.limits("free", "chat"), [presets::CHAT]);
        assert_eq!(serde_json::to_string(&tiers).unwrap(), text);
        let twice = text.replace("}]", r#"},{"name":"chat","amount":1,"period":"1s"}]"#);
        assert!(serde_json::from_str::<Tiers>(&twice).is_err());
    }
}
