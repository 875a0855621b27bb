//! Headers that should not be there: they tell of the software behind, or are withdrawn (OWASP Secure Headers Project,
//! "headers to remove").

use fh_core::report::Check;
use fh_http::Response;

/// Names that tell what runs there.
const TELL: &[&str] = &[
    "x-powered-by",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-generator",
    "x-runtime",
    "x-php-version",
    "x-drupal-cache",
    "x-drupal-dynamic-cache",
    "x-varnish",
    "x-envoy-upstream-service-time",
    "x-owa-version",
    "x-powered-by-plesk",
    "x-server-name",
    "x-backend-server",
    "liferay-portal",
];

/// Names that browsers have given up, some of which do harm.
const WITHDRAWN: &[&str] = &["public-key-pins", "expect-ct", "feature-policy", "p3p"];

/// One warning for all of them, or nothing.
pub(super) fn leaks(id: &str, response: &Response) -> Option<Check> {
    let mut found = Vec::new();
    for name in TELL.iter().chain(WITHDRAWN) {
        if let Some(value) = response.header(name) {
            found.push(format!("{name}: {value}"));
        }
    }
    // A product's name is harmless beside its version.
    if let Some(server) = response.header("server")
        && server.chars().any(|char| char.is_ascii_digit())
    {
        found.push(format!("server: {server}"));
    }
    if response
        .header("x-xss-protection")
        .is_some_and(|value| !value.trim().starts_with('0'))
    {
        found.push("x-xss-protection other than 0, which opens holes in old browsers".into());
    }
    if found.is_empty() {
        return None;
    }
    let count = found.len();
    let mut check = Check::warn(
        format!("{id}.tells"),
        format!(
            "{count} header{} should not be sent",
            if count == 1 { "" } else { "s" }
        ),
    )
    .hint("they tell attackers what runs there, or are withdrawn: take them out at the proxy");
    check.evidence = found;
    Some(check)
}
