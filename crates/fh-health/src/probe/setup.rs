//! From the configuration to probes.

use fh_core::config::{Config, Loaded};
use fh_core::{Error, Result};

use crate::rules::place_of;

/// What probes are made of.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The configuration, with where each value came from.
    pub loaded: &'a Loaded,
}

impl<'a> Setup<'a> {
    /// The configuration's values.
    #[must_use]
    pub fn config(&self) -> &'a Config {
        &self.loaded.config
    }

    /// `family.name`, when the name can be part of an id.
    ///
    /// # Errors
    /// Exit code 2 when it cannot.
    pub fn id(&self, family: &str, name: &str) -> Result<String> {
        let fits =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        if name.is_empty() || name.len() > 60 || !name.chars().all(fits) {
            return Err(self
                .wrong(family, name, "the name cannot be part of an id")
                .hint("use small letters, digits, `-` and `_`"));
        }
        Ok(format!("{family}.{name}"))
    }

    /// An entry of `health.FAMILY` that cannot be used.
    #[must_use]
    pub fn wrong(&self, family: &str, name: &str, why: impl std::fmt::Display) -> Error {
        let origin = place_of(self.loaded, &format!("health.{family}"));
        Error::usage(format!("health.{family} `{name}`: {why}{origin}"))
    }

    pub(super) fn twice(&self, id: &str) -> Error {
        let family = id.split('.').next().unwrap_or(id);
        let origin = place_of(self.loaded, &format!("health.{family}"));
        Error::usage(format!("two entries of health.{family} have the id {id}{origin}"))
            .hint("give each a name of its own")
    }
}
