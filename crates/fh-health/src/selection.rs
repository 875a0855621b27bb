//! Which checks are wanted: `--only` and `--skip`.

use fh_core::nearest::nearest;
use fh_core::{Error, Result};

use crate::glob;

/// Patterns of the command line.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only ids that fit one of these; all when empty.
    pub only: Vec<String>,
    /// No ids that fit one of these.
    pub skip: Vec<String>,
}

impl Selection {
    /// Whether a check is wanted. A pattern also takes what is below it: `postgres.main` is `postgres.main.locks` too.
    #[must_use]
    pub fn takes(&self, id: &str) -> bool {
        let fits = |pattern: &String| glob::fits(pattern, id) || glob::fits(&format!("{pattern}.*"), id);
        (self.only.is_empty() || self.only.iter().any(fits)) && !self.skip.iter().any(fits)
    }

    /// Makes sure that every pattern means something, and that something is left.
    ///
    /// # Errors
    /// Exit code 2 when a pattern fits no id, or nothing is left to check.
    pub fn check(&self, ids: &[String]) -> Result<()> {
        for (flag, patterns) in [("--only", &self.only), ("--skip", &self.skip)] {
            for pattern in patterns {
                let one = Self {
                    only: vec![pattern.clone()],
                    skip: Vec::new(),
                };
                if !ids.iter().any(|id| one.takes(id)) {
                    let near = nearest(pattern, ids.iter().map(String::as_str))
                        .map_or(String::new(), |near| format!("did you mean `{near}`? "));
                    return Err(Error::usage(format!("{flag} {pattern}: no check has such an id"))
                        .hint(format!("{near}`fh-health list` shows every id")));
                }
            }
        }
        if !ids.iter().any(|id| self.takes(id)) {
            return Err(Error::usage("--only and --skip leave nothing to check")
                .hint("`fh-health list` shows every id"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(only: &[&str], skip: &[&str]) -> Selection {
        let owned = |patterns: &[&str]| patterns.iter().map(|&text| text.to_owned()).collect();
        Selection {
            only: owned(only),
            skip: owned(skip),
        }
    }

    #[test]
    fn a_pattern_takes_what_is_below_it() {
        let one = selection(&["postgres.main"], &["*.locks"]);
        assert!(one.takes("postgres.main") && one.takes("postgres.main.slots"));
        assert!(!one.takes("postgres.main.locks") && !one.takes("postgres.main2"));
        assert!(selection(&[], &[]).takes("anything"));
    }

    #[test]
    fn what_selects_nothing_is_a_mistake() {
        let ids = ["http.api".to_owned(), "tcp.db".to_owned()];
        assert!(selection(&["http.*"], &["tcp.*"]).check(&ids).is_ok());
        let wrong: [(&[&str], &[&str]); 3] = [
            (&["http.apj"], &[]),
            (&[], &["udp.*"]),
            (&["http.*"], &["http.api"]),
        ];
        for (only, skip) in wrong {
            let error = selection(only, skip).check(&ids).unwrap_err();
            assert_eq!(error.exit(), fh_core::Exit::Usage);
        }
        let said = selection(&["http.apj"], &[]).check(&ids).unwrap_err().render();
        assert!(said.contains("did you mean `http.api`?"), "{said}");
    }
}
