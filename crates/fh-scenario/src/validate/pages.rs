//! Pages, assets and certificates.

use std::collections::BTreeSet;

use fh_core::Result;

use super::Checker;
use crate::html::Selector;
use crate::suite::Suite;

/// The grades of MDN's HTTP Observatory, best first.
const GRADES: [&str; 13] = [
    "A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D+", "D", "D-", "F",
];

impl Checker<'_> {
    /// The variables that pages, assets and certificates use.
    pub(super) fn pages(&self, suite: &Suite, known: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let mut used = BTreeSet::new();
        for (index, assets) in suite.assets.iter().enumerate() {
            let path = format!("assets[{index}]");
            self.texts(&[&assets.page], &format!("{path}.page"), known, &mut used)?;
            for selector in &assets.select {
                let parsed = Selector::parse(selector)
                    .map_err(|what| self.fault(&format!("{path}.select"), &what, "change the selector"))?;
                if parsed.wanted_attribute().is_none() {
                    return Err(self.fault(
                        &format!("{path}.select"),
                        &format!("the selector `{selector}` names no attribute"),
                        "end it with the attribute that holds the address, such as script[src]",
                    ));
                }
            }
            if assets.at_least == 0 {
                return Err(self.fault(
                    &format!("{path}.at_least"),
                    "a page without assets would pass",
                    "give 1 or more",
                ));
            }
        }
        for (index, security) in suite.security.iter().enumerate() {
            let path = format!("security[{index}]");
            self.texts(&[&security.page], &format!("{path}.page"), known, &mut used)?;
            if !GRADES.contains(&security.min_grade.as_str()) {
                return Err(self.fault(
                    &format!("{path}.min_grade"),
                    &format!("`{}` is no grade", security.min_grade),
                    &format!("known grades: {}", GRADES.join(", ")),
                ));
            }
            if let Some(base) = &security.http_base
                && !url::Url::parse(base).is_ok_and(|url| url.scheme() == "http")
            {
                return Err(self.fault(
                    &format!("{path}.http_base"),
                    &format!("`{base}` is no URL of http"),
                    "write it as http://HOST:PORT/",
                ));
            }
            for (name, matcher) in &security.headers {
                self.matcher(matcher, &format!("{path}.headers.{name}"), known, &mut used)?;
            }
        }
        for (index, certificate) in suite.tls.iter().enumerate() {
            if let Some(host) = &certificate.host {
                self.texts(&[host], &format!("tls[{index}].host"), known, &mut used)?;
            }
        }
        Ok(used)
    }
}
