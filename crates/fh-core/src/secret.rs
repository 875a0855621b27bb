//! Values that must never be seen: held apart, printed as `***`, and scrubbed from everything that others print.

use std::fmt;
use std::sync::{OnceLock, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};

use crate::encodings;

/// What stands where a secret was.
pub const MASK: &str = "***";

/// Values shorter than this are masked where we hold them but not searched for in foreign text: replacing every "a" of
/// an error message would hide the message and, by the pattern of the holes, tell the secret.
const SHORTEST_SCRUBBED: usize = 4;

/// A secret text: a password, a token, a connection URL with a password in it.
///
/// `Debug`, `Display` and `Serialize` give `***`; the memory is overwritten when the last copy goes. Making one also
/// registers the value, so that [`scrub`] removes it from the messages of libraries and child processes.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the value and registers it for [`scrub`], as it is and percent-encoded, JSON-escaped and in base64.
    pub fn new(value: impl Into<String>) -> Self {
        let value = value.into();
        register(&value);
        Self(SecretString::from(value))
    }

    /// The value itself, for the one call that needs it. Never format what this returns.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

fn registry() -> &'static RwLock<Vec<SecretString>> {
    static REGISTRY: OnceLock<RwLock<Vec<SecretString>>> = OnceLock::new();
    REGISTRY.get_or_init(RwLock::default)
}

fn register(value: &str) {
    if value.len() < SHORTEST_SCRUBBED {
        return;
    }
    let mut known = registry().write().unwrap_or_else(PoisonError::into_inner);
    for form in encodings::spellings(value) {
        if !known.iter().any(|secret| secret.expose_secret() == form) {
            known.push(SecretString::from(form));
        }
    }
    // A secret that contains another (a URL with its password) must be replaced before its part.
    known.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
}

/// `text` with every secret this process has held replaced by `***`.
#[must_use]
pub fn scrub(text: &str) -> String {
    let known = registry().read().unwrap_or_else(PoisonError::into_inner);
    let mut out = text.to_owned();
    for secret in known.iter() {
        if out.contains(secret.expose_secret()) {
            out = out.replace(secret.expose_secret(), MASK);
        }
    }
    out
}

/// `user:password` as HTTP's Basic scheme sends it (RFC 7617), known as a secret from then on.
#[must_use]
pub fn basic_credentials(user: &str, password: &str) -> Secret {
    Secret::new(encodings::base64(format!("{user}:{password}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_three_stars() {
        let secret = Secret::new("correct horse");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        assert_eq!(secret.expose(), "correct horse");
    }

    #[test]
    fn foreign_text_loses_the_secret_in_both_spellings() {
        let _secret = Secret::new("p@ss/word");
        assert_eq!(
            scrub("FATAL: p@ss/word in postgres://u:p%40ss%2Fword@h"),
            "FATAL: *** in postgres://u:***@h"
        );
    }

    #[test]
    fn foreign_text_loses_the_secret_in_json_and_base64() {
        let _secret = Secret::new("line\"one\n+two");
        let json = serde_json::json!({"password": "line\"one\n+two"}).to_string();
        assert_eq!(scrub(&json), r#"{"password":"***"}"#);
        let header = basic_credentials("ann", "line\"one\n+two");
        assert!(!header.expose().contains("***"));
        assert_eq!(scrub(header.expose()), MASK);
    }

    #[test]
    fn the_longer_of_two_overlapping_secrets_goes_first() {
        let _part = Secret::new("overlap");
        let _whole = Secret::new("overlap-and-tail");
        assert_eq!(scrub("x overlap-and-tail y overlap z"), "x *** y *** z");
    }

    #[test]
    fn a_very_short_secret_does_not_shred_other_text() {
        let _short = Secret::new("err");
        assert_eq!(scrub("error"), "error");
    }
}
