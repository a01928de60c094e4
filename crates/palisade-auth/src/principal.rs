use std::{fmt, str::FromStr, sync::Arc};

use palisade_core::{Dimension, Key};

use crate::{KeyId, PrincipalError};

/// What somebody may do in a project. Each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Role {
    /// May look.
    Viewer,
    /// May call models and look at what came of it.
    Developer,
    /// May also issue and revoke keys, and set limits.
    Admin,
    /// May also appoint admins, and end the project.
    Owner,
}

impl Role {
    /// All roles, from the one that may least.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Developer, Self::Admin, Self::Owner];

    /// Whether this role may do what `needed` may.
    #[must_use]
    pub fn includes(self, needed: Self) -> bool {
        self >= needed
    }

    /// The name, as it stands in stores and configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = PrincipalError;

    fn from_str(name: &str) -> Result<Self, PrincipalError> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or(PrincipalError::Role)
    }
}

/// Who asks, and with which role.
///
/// Cheap to clone. Holds ids and no secret, so it may be logged.
///
/// ```
/// use palisade_auth::{Principal, Role};
/// use palisade_core::Dimension;
///
/// let principal = Principal::new("acme", Role::Developer)?
///     .with_project("chatbot")?
///     .with_user("alice")?;
/// assert_eq!(principal.key().as_str(), "org=acme/project=chatbot/user=alice");
/// // What to count by is the host's choice: here one limit for the whole project.
/// let shared = principal.key_of(&[Dimension::Org, Dimension::Project]);
/// assert_eq!(shared.as_str(), "org=acme/project=chatbot");
/// # Ok::<(), palisade_auth::PrincipalError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Principal(Arc<Known>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Known {
    org: Arc<str>,
    project: Option<Arc<str>>,
    user: Option<Arc<str>>,
    key_id: Option<KeyId>,
    role: Role,
    /// The keys of the circles, from the widest to the narrowest: each is asked for several times in every request.
    circles: [Key; 4],
}

/// The dimensions of a principal, from the widest to the narrowest.
const DIMENSIONS: [Dimension; 4] = [
    Dimension::Org,
    Dimension::Project,
    Dimension::User,
    Dimension::ApiKey,
];

impl Principal {
    /// The longest id, in bytes: what a [`Key`] can hold.
    pub const ID_BYTES_MAX: usize = Key::VALUE_BYTES_MAX;

    /// Somebody of an organisation.
    ///
    /// # Errors
    ///
    /// [`PrincipalError::Id`] if the id is empty or longer than [`Principal::ID_BYTES_MAX`].
    pub fn new(org: impl Into<Arc<str>>, role: Role) -> Result<Self, PrincipalError> {
        let org = id("organisation", org.into())?;
        let known = Known {
            org,
            project: None,
            user: None,
            key_id: None,
            role,
            circles: std::array::from_fn(|_| Key::global()),
        };
        Ok(known.into())
    }

    /// The same in a project of the organisation. The role is the role there.
    ///
    /// # Errors
    ///
    /// As [`Principal::new`].
    pub fn with_project(self, project: impl Into<Arc<str>>) -> Result<Self, PrincipalError> {
        let project = Some(id("project", project.into())?);
        Ok(self.with(|known| known.project = project))
    }

    /// The same, known to be this user.
    ///
    /// # Errors
    ///
    /// As [`Principal::new`].
    pub fn with_user(self, user: impl Into<Arc<str>>) -> Result<Self, PrincipalError> {
        let user = Some(id("user", user.into())?);
        Ok(self.with(|known| known.user = user))
    }

    /// The same, proven by the API key of this id.
    #[must_use]
    pub fn with_key_id(self, key_id: KeyId) -> Self {
        self.with(|known| known.key_id = Some(key_id))
    }

    fn with(self, change: impl FnOnce(&mut Known)) -> Self {
        let mut known = Arc::unwrap_or_clone(self.0);
        change(&mut known);
        known.into()
    }

    /// The organisation.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.0.org
    }

    /// The project, if the credentials belong to one.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.0.project.as_deref()
    }

    /// The user, if the credentials belong to one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.0.user.as_deref()
    }

    /// The id of the API key, if there was one.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        self.0.key_id
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.0.role
    }

    /// Whether the role includes `needed`.
    #[must_use]
    pub fn may(&self, needed: Role) -> bool {
        self.0.role.includes(needed)
    }

    /// The key with all that is known: organisation, project, user and API key.
    #[must_use]
    pub fn key(&self) -> Key {
        let [.., narrowest] = &self.0.circles;
        narrowest.clone()
    }

    /// The key with those of `dimensions` that are known. Two principals that agree in them have equal keys.
    #[must_use]
    pub fn key_of(&self, dimensions: &[Dimension]) -> Key {
        let asked = DIMENSIONS.map(|dimension| dimensions.contains(&dimension));
        let has = self.0.has();
        let wanted = |index: usize| asked[index] && has[index];
        // A circle is what it is called by and all around it.
        let circle = (0..DIMENSIONS.len())
            .find(|&circle| (0..DIMENSIONS.len()).all(|i| wanted(i) == (has[i] && i <= circle)));
        circle.map_or_else(
            || self.0.key(wanted),
            |circle| self.0.circles[circle].clone(),
        )
    }
}

impl Known {
    fn has(&self) -> [bool; 4] {
        let Self {
            project,
            user,
            key_id,
            ..
        } = self;
        [true, project.is_some(), user.is_some(), key_id.is_some()]
    }

    fn key(&self, wanted: impl Fn(usize) -> bool) -> Key {
        let key_id = self.key_id.map(|id| id.to_string());
        let parts = [
            Some(&*self.org),
            self.project.as_deref(),
            self.user.as_deref(),
            key_id.as_deref(),
        ];
        let parts = DIMENSIONS.into_iter().zip(parts).enumerate();
        parts.fold(
            Key::global(),
            |key, (index, (dimension, value))| match value {
                // Fits: four different dimensions, and lengths checked when they came in.
                Some(value) if wanted(index) => key.with(dimension, value).unwrap_or(key),
                _ => key,
            },
        )
    }
}

impl From<Known> for Principal {
    fn from(mut known: Known) -> Self {
        known.circles = [0, 1, 2, 3].map(|circle| known.key(|index| index <= circle));
        Self(Arc::new(known))
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("org", &self.0.org)
            .field("project", &self.0.project)
            .field("user", &self.0.user)
            .field("key_id", &self.0.key_id)
            .field("role", &self.0.role)
            .finish()
    }
}

fn id(part: &'static str, id: Arc<str>) -> Result<Arc<str>, PrincipalError> {
    if (1..=Principal::ID_BYTES_MAX).contains(&id.len()) {
        Ok(id)
    } else {
        Err(PrincipalError::Id {
            part,
            length: id.len(),
        })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Principal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let mut fields = serializer.serialize_struct("Principal", 5)?;
        fields.serialize_field("org", self.org())?;
        fields.serialize_field("project", &self.project())?;
        fields.serialize_field("user", &self.user())?;
        fields.serialize_field("key_id", &self.key_id())?;
        fields.serialize_field("role", &self.role())?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_includes_those_below_it_and_no_other() {
        for (rank, role) in Role::ALL.into_iter().enumerate() {
            for (other_rank, other) in Role::ALL.into_iter().enumerate() {
                assert_eq!(role.includes(other), rank >= other_rank);
            }
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(PrincipalError::Role));
    }

    #[test]
    fn every_choice_of_dimensions_gives_the_key_of_those_that_are_known() {
        let values = ["o", "p", "u"];
        for known in 0..8_u32 {
            let has = |index: usize| known >> index & 1 == 1;
            let mut principal = Principal::new("o", Role::Viewer).unwrap();
            if has(0) {
                principal = principal.with_project("p").unwrap();
            }
            if has(1) {
                principal = principal.with_user("u").unwrap();
            }
            let id: KeyId = "abcdefghijklmnop".parse().unwrap();
            if has(2) {
                principal = principal.with_key_id(id);
            }
            for asked in 0..16_u32 {
                let mut expected = Key::global();
                let mut dimensions = Vec::new();
                for (index, dimension) in DIMENSIONS.into_iter().enumerate() {
                    if asked >> index & 1 == 0 {
                        continue;
                    }
                    dimensions.push(dimension.clone());
                    if index == 0 || has(index - 1) {
                        let text = id.to_string();
                        let value = values.get(index).copied().unwrap_or(&text);
                        expected = expected.with(dimension, value).unwrap();
                    }
                }
                dimensions.reverse();
                assert_eq!(
                    principal.key_of(&dimensions),
                    expected,
                    "{known:b} {asked:b}"
                );
            }
        }
    }

    #[test]
    fn ids_have_a_length_and_no_id_reads_as_structure() {
        let longest = "x".repeat(Principal::ID_BYTES_MAX);
        let principal = Principal::new(&*longest, Role::Viewer).unwrap();
        assert_eq!(principal.key().value(&Dimension::Org).unwrap().len(), 256);
        for length in [0, 257] {
            assert_eq!(
                principal.clone().with_user("x".repeat(length)),
                Err(PrincipalError::Id {
                    part: "user",
                    length
                })
            );
        }
        let one = Principal::new("a/user=b", Role::Viewer).unwrap();
        let other = Principal::new("a", Role::Viewer)
            .unwrap()
            .with_user("b")
            .unwrap();
        assert_ne!(one.key(), other.key());
    }
}
