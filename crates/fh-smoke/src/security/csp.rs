//! Content-Security-Policy (W3C CSP Level 3).

use std::collections::BTreeMap;

use fh_http::Response;
use fh_scenario::html::elements;
use url::Url;

use super::Ruling;

const TEST: &str = "content-security-policy";

/// Sources that allow nearly everything.
const BROAD: [&str; 8] = [
    "*",
    "http:",
    "https:",
    "ftp:",
    "http://*",
    "http://*.*",
    "https://*",
    "https://*.*",
];

/// A page's policy: the directives of all its policies together, and those that came in a header.
#[derive(Debug, Default)]
pub(super) struct Policy {
    directives: BTreeMap<String, Vec<String>>,
    ancestors: Option<Vec<String>>,
    given: bool,
}

impl Policy {
    /// From the headers, and from meta elements, in which frame-ancestors does not count (CSP3 §3.3).
    pub(super) fn of(response: &Response) -> Self {
        let mut policy = Self::default();
        for header in response.headers("content-security-policy") {
            for text in header.split(',') {
                policy.add(text, true);
            }
        }
        for element in elements(response.text().unwrap_or_default()) {
            let is_policy = element.name == "meta"
                && element
                    .attribute("http-equiv")
                    .is_some_and(|name| name.eq_ignore_ascii_case("content-security-policy"));
            if is_policy {
                policy.add(element.attribute("content").unwrap_or_default(), false);
            }
        }
        policy
    }

    fn add(&mut self, text: &str, in_header: bool) {
        for directive in text.split(';') {
            let mut words = directive.split_ascii_whitespace().map(str::to_ascii_lowercase);
            let Some(name) = words.next() else { continue };
            let sources: Vec<String> = words.collect();
            self.given = true;
            if name == "frame-ancestors" {
                if in_header {
                    self.ancestors.get_or_insert(sources);
                }
                continue;
            }
            // Of two directives of one name the first counts (CSP3 §2.2.1).
            self.directives.entry(name).or_insert(sources);
        }
    }

    /// The sources of a directive, or of what it falls back to; everything when there is neither.
    fn sources(&self, name: &str) -> Vec<String> {
        self.directives
            .get(name)
            .or_else(|| self.directives.get("default-src"))
            .cloned()
            .unwrap_or_else(|| vec!["*".into()])
    }

    /// Whether it keeps the page out of foreign frames.
    pub(super) fn keeps_out_of_frames(&self) -> bool {
        self.ancestors
            .as_ref()
            .is_some_and(|sources| !sources.iter().any(|source| BROAD.contains(&source.as_str())))
    }
}

/// What the policy is worth.
pub(super) fn ruling(url: &Url, policy: &Policy) -> Ruling {
    let rule = |points, says: &str| Ruling::new(TEST, points, says);
    if !policy.given {
        return rule(-25, "there is none");
    }
    let hashed = |sources: &[String]| {
        sources.iter().any(|source| {
            ["'nonce-", "'sha256-", "'sha384-", "'sha512-"]
                .iter()
                .any(|start| source.starts_with(start))
        })
    };
    let mut script = policy.sources("script-src");
    let mut style = policy.sources("style-src");
    for sources in [&mut script, &mut style] {
        // Browsers that know hashes pass 'unsafe-inline' over when there is one.
        if hashed(sources) {
            sources.retain(|source| source != "'unsafe-inline'");
        }
    }
    if script.iter().any(|source| source == "'strict-dynamic'") {
        if !hashed(&script) {
            return rule(
                -25,
                "'strict-dynamic' without a nonce or hash allows no script at all",
            );
        }
        script.retain(|source| source != "'self'" && !BROAD.iter().any(|broad| source.starts_with(broad)));
    }
    let broad = |sources: &[String]| sources.iter().any(|source| BROAD.contains(&source.as_str()));
    let inline = |sources: &[String]| {
        sources
            .iter()
            .any(|source| matches!(source.as_str(), "'unsafe-inline'" | "data:"))
    };
    let insecure = |sources: &[String]| {
        sources
            .iter()
            .any(|source| source.starts_with("http:") || source.starts_with("ftp:"))
    };
    let is_https = url.scheme() == "https";
    if broad(&script) || inline(&script) || broad(&policy.sources("object-src")) {
        return rule(
            -20,
            "scripts or objects may come from nearly everywhere, or stand in the page",
        );
    }
    let active: Vec<String> = policy
        .directives
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "img-src" | "media-src" | "script-src"))
        .flat_map(|(_, sources)| sources.clone())
        .chain(script.clone())
        .collect();
    if is_https && insecure(&active) {
        return rule(-20, "a page of https allows sources of http");
    }
    if script
        .iter()
        .chain(&style)
        .any(|source| source == "'unsafe-eval'")
    {
        return rule(-10, "'unsafe-eval' is allowed");
    }
    let passive = [policy.sources("img-src"), policy.sources("media-src")].concat();
    if is_https && insecure(&passive) {
        return rule(-10, "images or media may come over http");
    }
    if broad(&style) || inline(&style) {
        return rule(0, "styles may come from nearly everywhere, or stand in the page");
    }
    match policy.directives.get("default-src") {
        Some(sources) if sources.len() == 1 && sources[0] == "'none'" => {
            rule(10, "nothing is allowed that is not named")
        }
        _ => rule(5, "nothing unsafe is allowed"),
    }
}
