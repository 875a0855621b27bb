//! Texts with variables, conditions, paths.

use std::collections::BTreeSet;

use fh_core::Result;
use fh_core::nearest::nearest;
use fh_http::jsonpath;

use super::Checker;
use crate::matcher::Matcher;
use crate::template;

impl Checker<'_> {
    pub(super) fn texts(
        &self,
        texts: &[&String],
        path: &str,
        known: &BTreeSet<String>,
        used: &mut BTreeSet<String>,
    ) -> Result<()> {
        let mut names = BTreeSet::new();
        for text in texts {
            template::names(text, &mut names).map_err(|what| self.fault(path, &what, "correct the text"))?;
        }
        self.defined(&names, path, known)?;
        used.extend(names);
        Ok(())
    }

    pub(super) fn defined(
        &self,
        names: &BTreeSet<String>,
        path: &str,
        known: &BTreeSet<String>,
    ) -> Result<()> {
        match names.iter().find(|name| !known.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                let near = nearest(name, known.iter().map(String::as_str))
                    .map_or(String::new(), |near| format!("did you mean `{near}`? "));
                let all: Vec<&str> = known.iter().map(String::as_str).collect();
                Err(self.fault(
                    path,
                    &format!("nothing defines the variable `{name}` before this"),
                    &format!("{near}defined here: {}", all.join(", ")),
                ))
            }
        }
    }

    pub(super) fn matcher(
        &self,
        matcher: &Matcher,
        path: &str,
        known: &BTreeSet<String>,
        used: &mut BTreeSet<String>,
    ) -> Result<()> {
        for expression in matcher.expressions() {
            crate::judge::regex(expression)
                .map_err(|what| self.fault(path, &what, "correct the regular expression"))?;
        }
        let mut names = BTreeSet::new();
        for value in matcher.values() {
            template::names_in(&value, &mut names)
                .map_err(|what| self.fault(path, &what, "correct the text"))?;
        }
        self.defined(&names, path, known)?;
        used.extend(names);
        Ok(())
    }

    pub(super) fn jsonpath(&self, text: &str, path: &str) -> Result<()> {
        text.parse::<jsonpath::Path>()
            .map(drop)
            .map_err(|what| self.fault(path, &what, "a path begins with $, such as $.items[0].id"))
    }
}
