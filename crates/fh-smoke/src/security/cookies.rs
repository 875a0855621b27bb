//! Cookies by their flags (RFC 6265bis §5.6).

use fh_http::Response;

use super::Ruling;

/// The worst ruling over all cookies that the page sets. `hsts` says whether the connection is bound to https.
pub(super) fn ruling(response: &Response, hsts: bool) -> Ruling {
    const TEST: &str = "cookies";
    let mut worst: Option<Ruling> = None;
    let mut count = 0;
    let mut all_same_site = true;
    for header in response.headers("set-cookie") {
        let mut parts = header.split(';').map(str::trim);
        let Some((name, _)) = parts.next().and_then(|first| first.split_once('=')) else {
            continue;
        };
        count += 1;
        let flags: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
        let has = |flag: &str| flags.iter().any(|have| have == flag);
        let (secure, http_only) = (has("secure"), has("httponly"));
        let same_site = flags
            .iter()
            .find_map(|flag| flag.strip_prefix("samesite"))
            .map(|value| value.trim_start_matches('=').trim());
        all_same_site &= same_site.is_some();
        let lower = name.to_ascii_lowercase();
        let is_session = lower.contains("login") || lower.contains("sess");
        let mut rules = Vec::new();
        let mut add = |points: i32, says: &str| {
            rules.push(Ruling::new(TEST, points, format!("{name} {says}")));
        };
        match (secure, is_session, hsts) {
            (true, _, _) => {}
            (false, true, true) => add(-10, "is a session cookie without Secure, though HSTS protects it"),
            (false, true, false) => add(-40, "is a session cookie without Secure"),
            (false, false, true) => add(-5, "is without Secure, though HSTS protects it"),
            (false, false, false) => add(-20, "is without Secure"),
        }
        if is_session && !http_only {
            add(-30, "is a session cookie without HttpOnly");
        }
        match same_site {
            Some("lax" | "strict") => {}
            Some("none") if secure => {}
            Some(_) => add(-20, "has a SameSite that browsers do not take"),
            None if lower.contains("csrf") => {
                add(-20, "protects against forged requests, and has no SameSite");
            }
            None => {}
        }
        for rule in rules {
            if worst.as_ref().is_none_or(|worst| rule.points < worst.points) {
                worst = Some(rule);
            }
        }
    }
    match (worst, count) {
        (Some(worst), _) => worst,
        (None, 0) => Ruling::new(TEST, 0, "none are set"),
        (None, _) if all_same_site => Ruling::new(TEST, 5, "all have Secure and SameSite"),
        (None, _) => Ruling::new(TEST, 0, "all have Secure, and some no SameSite"),
    }
}
