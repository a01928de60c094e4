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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    org: Arc<str>,
    project: Option<Arc<str>>,
    user: Option<Arc<str>>,
    key_id: Option<KeyId>,
    role: Role,
}

impl Principal {
    /// The longest id, in bytes: what a [`Key`] can hold.
    pub const ID_BYTES_MAX: usize = Key::VALUE_BYTES_MAX;

    /// Somebody of an organisation.
    ///
    /// # Errors
    ///
    /// [`PrincipalError::Id`] if the id is empty or longer than [`Principal::ID_BYTES_MAX`].
    pub fn new(org: impl Into<Arc<str>>, role: Role) -> Result<Self, PrincipalError> {
        Ok(Self {
            org: id("organisation", org.into())?,
            project: None,
            user: None,
            key_id: None,
            role,
        })
    }

    /// The same in a project of the organisation. The role is the role there.
    ///
    /// # Errors
    ///
    /// As [`Principal::new`].
    pub fn with_project(mut self, project: impl Into<Arc<str>>) -> Result<Self, PrincipalError> {
        self.project = Some(id("project", project.into())?);
        Ok(self)
    }

    /// The same, known to be this user.
    ///
    /// # Errors
    ///
    /// As [`Principal::new`].
    pub fn with_user(mut self, user: impl Into<Arc<str>>) -> Result<Self, PrincipalError> {
        self.user = Some(id("user", user.into())?);
        Ok(self)
    }

    /// The same, proven by the API key of this id.
    #[must_use]
    pub fn with_key_id(mut self, key_id: KeyId) -> Self {
        self.key_id = Some(key_id);
        self
    }

    /// The organisation.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The project, if the credentials belong to one.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// The user, if the credentials belong to one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The id of the API key, if there was one.
    #[must_use]
    pub const fn key_id(&self) -> Option<KeyId> {
        self.key_id
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whether the role includes `needed`.
    #[must_use]
    pub fn may(&self, needed: Role) -> bool {
        self.role.includes(needed)
    }

    /// The key with all that is known: organisation, project, user and API key.
    #[must_use]
    pub fn key(&self) -> Key {
        self.key_of(&[
            Dimension::Org,
            Dimension::Project,
            Dimension::User,
            Dimension::ApiKey,
        ])
    }

    /// The key with those of `dimensions` that are known. Two principals that agree in them have equal keys.
    #[must_use]
    pub fn key_of(&self, dimensions: &[Dimension]) -> Key {
        let key_id = self.key_id.map(|id| id.to_string());
        let parts = [
            (Dimension::Org, Some(&*self.org)),
            (Dimension::Project, self.project.as_deref()),
            (Dimension::User, self.user.as_deref()),
            (Dimension::ApiKey, key_id.as_deref()),
        ];
        parts
            .into_iter()
            .fold(Key::global(), |key, (dimension, value)| match value {
                Some(value) if dimensions.contains(&dimension) => {
                    // Fits: four different dimensions, and lengths checked when they came in.
                    key.with(dimension, value).unwrap_or(key)
                }
                _ => key,
            })
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
        fields.serialize_field("org", &*self.org)?;
        fields.serialize_field("project", &self.project())?;
        fields.serialize_field("user", &self.user())?;
        fields.serialize_field("key_id", &self.key_id)?;
        fields.serialize_field("role", &self.role)?;
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
