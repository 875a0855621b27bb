//! Where a setting of `[health.checks]` stands, and what is wrong with it.

use fh_core::Error;
use fh_core::config::{Loaded, Origin, Threshold};
use fh_core::nearest::nearest;

/// One table of `[health.checks]`.
pub(super) struct Place<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) pattern: &'a str,
}

impl Place<'_> {
    fn path(&self, key: &str) -> String {
        format!("health.checks.\"{}\".{key}", self.pattern)
    }

    fn origin(&self, key: &str) -> String {
        place_of(self.loaded, &format!("health.checks.{}.{key}", self.pattern))
    }

    /// Where the table begins: the place of any key in it.
    fn table(&self) -> String {
        ["warn", "crit", "for", "recover", "enabled", "depends_on", "hint"]
            .iter()
            .map(|key| self.origin(key))
            .find(|origin| !origin.is_empty())
            .unwrap_or_default()
    }

    pub(super) fn no_such_check(&self, ids: &[&str]) -> Error {
        Error::usage(format!(
            "health.checks.\"{}\": no check has such an id{}",
            self.pattern,
            self.table()
        ))
        .hint(near(self.pattern, ids))
    }

    pub(super) fn no_such_dependency(&self, dependency: &str, ids: &[&str]) -> Error {
        Error::usage(format!(
            "{}: there is no check `{dependency}`{}",
            self.path("depends_on"),
            self.origin("depends_on")
        ))
        .hint(near(dependency, ids))
    }

    pub(super) fn no_limits(&self, key: &str, id: &str) -> Error {
        Error::usage(format!(
            "{}: {id} has no value that could be compared{}",
            self.path(key),
            self.origin(key)
        ))
        .hint(format!("`fh-health explain {id}` says what it looks at"))
    }

    pub(super) fn other_unit(&self, key: &str, threshold: Threshold, id: &str, why: String) -> Error {
        Error::usage(format!(
            "{}: `{threshold}` does not fit {id}{}",
            self.path(key),
            self.origin(key)
        ))
        .hint(why)
    }

    pub(super) fn out_of_range(&self, key: &str) -> Error {
        Error::usage(format!(
            "{}: expected 1 to 1000 runs{}",
            self.path(key),
            self.origin(key)
        ))
        .hint("1 believes the first run")
    }
}

fn near(text: &str, ids: &[&str]) -> String {
    let near =
        nearest(text, ids.iter().copied()).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    format!("{near}`fh-health list` shows every id")
}

/// ` (file:line:column)` of a setting that was given; nothing for one that was not.
pub(crate) fn place_of(loaded: &Loaded, path: &str) -> String {
    match loaded.origins.of(path) {
        Origin::Default => String::new(),
        origin => format!(" ({origin})"),
    }
}
