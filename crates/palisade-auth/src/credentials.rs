use std::fmt;

use zeroize::Zeroizing;

use crate::CredentialsError;

/// What a request brings to prove who it is from: a token, taken from its header fields.
///
/// Wiped from memory when dropped; `Debug` shows its length alone.
///
/// ```
/// use palisade_auth::{Credentials, CredentialsError};
///
/// let credentials = Credentials::from_fields(Some("Bearer abc"), None)?;
/// assert_eq!(credentials.token(), "abc");
/// assert_eq!(format!("{credentials:?}"), "Credentials(3 bytes)");
///
/// let smuggled = Credentials::from_fields(Some("Bearer abc"), Some("xyz"));
/// assert_eq!(smuggled.unwrap_err(), CredentialsError::Ambiguous);
/// # Ok::<(), CredentialsError>(())
/// ```
pub struct Credentials {
    token: Zeroizing<String>,
}

impl Credentials {
    /// The longest token, in bytes. A signed token with many claims fits.
    pub const TOKEN_BYTES_MAX: usize = 8_192;

    /// A token.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::Malformed`] or [`CredentialsError::TooLong`].
    pub fn new(token: &str) -> Result<Self, CredentialsError> {
        if token.len() > Self::TOKEN_BYTES_MAX {
            return Err(CredentialsError::TooLong {
                length: token.len(),
            });
        }
        if !is_token68(token) {
            return Err(CredentialsError::Malformed);
        }
        Ok(Self {
            token: Zeroizing::new(token.to_owned()),
        })
    }

    /// From the value of an `Authorization` field with the scheme `Bearer` (RFC 6750 §2.1). The name of the scheme may be
    /// in any case (RFC 9110 §11.1).
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if the scheme is another or what follows is no token.
    pub fn from_authorization(value: &str) -> Result<Self, CredentialsError> {
        let value = trim(value);
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(CredentialsError::Scheme);
        }
        Self::new(token.trim_start_matches(' '))
    }

    /// From the value of an `x-api-key` field, which is the token itself.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::Malformed`] or [`CredentialsError::TooLong`].
    pub fn from_x_api_key(value: &str) -> Result<Self, CredentialsError> {
        Self::new(trim(value))
    }

    /// From whichever of the two fields a request has. Both are accepted if they agree.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if there is neither, if one is malformed, or if they differ.
    pub fn from_fields(
        authorization: Option<&str>,
        x_api_key: Option<&str>,
    ) -> Result<Self, CredentialsError> {
        match (authorization, x_api_key) {
            (None, None) => Err(CredentialsError::Missing),
            (Some(value), None) => Self::from_authorization(value),
            (None, Some(value)) => Self::from_x_api_key(value),
            (Some(authorization), Some(x_api_key)) => {
                let bearer = Self::from_authorization(authorization)?;
                let plain = Self::from_x_api_key(x_api_key)?;
                // The caller knows both, so comparing them tells nobody anything.
                if bearer.token == plain.token {
                    Ok(bearer)
                } else {
                    Err(CredentialsError::Ambiguous)
                }
            }
        }
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} bytes)", self.token.len())
    }
}

/// `token68` of RFC 9110 §11.2: what may stand in a header as it is.
fn is_token68(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty()
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// The white space that RFC 9110 §5.5 allows around a field value.
fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_bearer_token_is_read_from_authorization() {
        for value in ["Bearer abc", "bearer abc", "BEARER   abc", "\tBearer abc "] {
            assert_eq!(
                Credentials::from_authorization(value).unwrap().token(),
                "abc"
            );
        }
        for (value, error) in [
            ("", CredentialsError::Scheme),
            ("abc", CredentialsError::Scheme),
            ("Basic abc", CredentialsError::Scheme),
            ("Bearerabc", CredentialsError::Scheme),
            ("Bearer\tabc", CredentialsError::Scheme),
            ("Bearer", CredentialsError::Malformed),
            ("Bearer ", CredentialsError::Malformed),
            ("Bearer a b", CredentialsError::Malformed),
            ("Bearer a, Bearer b", CredentialsError::Malformed),
            ("Bearer =", CredentialsError::Malformed),
            ("Bearer a=b", CredentialsError::Malformed),
            ("Bearer \"abc\"", CredentialsError::Malformed),
            ("Bearer ключ", CredentialsError::Malformed),
            ("Bearer a\0b", CredentialsError::Malformed),
        ] {
            assert_eq!(
                Credentials::from_authorization(value).unwrap_err(),
                error,
                "{value:?}"
            );
        }
    }

    #[test]
    fn a_token_has_a_longest_length() {
        let longest = "x".repeat(Credentials::TOKEN_BYTES_MAX);
        assert!(Credentials::from_x_api_key(&longest).is_ok());
        let length = longest.len() + 1;
        assert_eq!(
            Credentials::from_x_api_key(&(longest + "x")).unwrap_err(),
            CredentialsError::TooLong { length }
        );
    }

    #[test]
    fn two_fields_must_agree() {
        let both = |x_api_key| Credentials::from_fields(Some("Bearer abc"), Some(x_api_key));
        assert!(both("abc").is_ok());
        assert_eq!(both("abd").unwrap_err(), CredentialsError::Ambiguous);
        assert_eq!(both("").unwrap_err(), CredentialsError::Malformed);
        assert_eq!(
            Credentials::from_fields(None, None).unwrap_err(),
            CredentialsError::Missing
        );
        let wrong_scheme = Credentials::from_fields(Some("Basic abc"), Some("abc"));
        assert_eq!(wrong_scheme.unwrap_err(), CredentialsError::Scheme);
    }
}
