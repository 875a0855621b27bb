//! Rules on single headers.

use fh_http::Response;
use url::Url;

use super::Ruling;
use super::csp::Policy;

/// Half a year in seconds, which the Observatory asks of HSTS.
const SIX_MONTHS: u64 = 15_768_000;

/// The value of a header in lower case, all of that name joined (RFC 9110 §5.3).
fn value(response: &Response, name: &str) -> Option<String> {
    let all: Vec<&str> = response.headers(name).collect();
    (!all.is_empty()).then(|| all.join(", ").to_ascii_lowercase())
}

/// Strict-Transport-Security (RFC 6797). The list of preloaded hosts is not looked at, so that its five points are never
/// given.
pub(super) fn strict_transport(url: &Url, response: &Response) -> Ruling {
    let rule = |points, says: String| Ruling::new("strict-transport-security", points, says);
    if url.scheme() != "https" {
        return rule(-20, "the page came over http, where it does not count".into());
    }
    // Of several headers only the first counts (§8.1).
    let Some(value) = response.header("strict-transport-security") else {
        return rule(-20, "there is none".into());
    };
    let age = value.split(';').find_map(|directive| {
        let (name, age) = directive.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("max-age")
            .then(|| age.trim().trim_matches('"').parse::<u64>().ok())?
    });
    match age {
        None => rule(-20, format!("`{value}` has no max-age")),
        Some(age) if age < SIX_MONTHS => rule(-10, format!("max-age={age} is less than six months")),
        Some(_) => rule(0, "for six months or more".into()),
    }
}

/// X-Content-Type-Options (Fetch standard).
pub(super) fn content_type_options(response: &Response) -> Ruling {
    let rule = |points, says: &str| Ruling::new("x-content-type-options", points, says);
    match value(response, "x-content-type-options").as_deref() {
        Some("nosniff") => rule(0, "nosniff"),
        Some(_) => rule(-5, "it is not nosniff"),
        None => rule(-5, "there is none"),
    }
}

/// X-Frame-Options (RFC 7034), or frame-ancestors, which goes before it (CSP3 §6.4.2).
pub(super) fn frame_options(response: &Response, policy: &Policy) -> Ruling {
    let rule = |points, says: &str| Ruling::new("x-frame-options", points, says);
    if policy.keeps_out_of_frames() {
        return rule(5, "the content security policy has frame-ancestors");
    }
    match value(response, "x-frame-options").as_deref() {
        Some("deny" | "sameorigin") => rule(0, "foreign pages cannot frame it"),
        Some(_) => rule(-20, "its value is none that browsers know"),
        None => rule(-20, "any page may frame it"),
    }
}

/// Referrer-Policy (W3C): the last value that is known counts.
pub(super) fn referrer_policy(response: &Response) -> Ruling {
    const PRIVATE: [&str; 4] = [
        "no-referrer",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
    ];
    const UNSAFE: [&str; 4] = [
        "origin",
        "origin-when-cross-origin",
        "unsafe-url",
        "no-referrer-when-downgrade",
    ];
    let rule = |points, says: String| Ruling::new("referrer-policy", points, says);
    let Some(value) = value(response, "referrer-policy") else {
        return rule(0, "there is none".into());
    };
    let known = value
        .split(',')
        .map(str::trim)
        .rfind(|word| PRIVATE.contains(word) || UNSAFE.contains(word));
    match known {
        Some(word) if PRIVATE.contains(&word) => rule(5, word.to_owned()),
        Some(word) => rule(-5, format!("{word} tells other sites too much")),
        None => rule(-5, format!("`{value}` is none that browsers know")),
    }
}

/// Cross-Origin-Resource-Policy (Fetch standard).
pub(super) fn resource_policy(response: &Response) -> Ruling {
    let rule = |points, says: &str| Ruling::new("cross-origin-resource-policy", points, says);
    match value(response, "cross-origin-resource-policy").as_deref() {
        Some("same-origin" | "same-site") => rule(10, "other sites cannot embed it"),
        Some("cross-origin") => rule(0, "every site may embed it"),
        Some(_) => rule(-5, "its value is none that browsers know"),
        None => rule(0, "there is none"),
    }
}

/// Access-Control-Allow-Origin (Fetch standard). The page is asked without an Origin header, so that only a server which
/// allows everybody with credentials is found.
pub(super) fn cross_origin_sharing(response: &Response) -> Ruling {
    let rule = |points, says: &str| Ruling::new("cross-origin-resource-sharing", points, says);
    let credentials = value(response, "access-control-allow-credentials").as_deref() == Some("true");
    match value(response, "access-control-allow-origin").as_deref() {
        None => rule(0, "nothing is shared"),
        Some("*" | "null") if credentials => rule(-50, "every site may read it with the user's credentials"),
        Some(_) => rule(0, "sharing is limited"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cookies, csp};
    use super::*;

    fn response(headers: &[(&str, &str)]) -> Response {
        Response {
            status: 200,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: "<p>".into(),
            truncated: false,
            phases: fh_http::Phases::default(),
            peer: ([127, 0, 0, 1], 443).into(),
            tls: None,
        }
    }

    /// Points for one header on a page of https, beside the Observatory's table.
    #[test]
    fn every_rule_gives_the_points_of_the_table() {
        let https = Url::parse("https://h.example/").unwrap();
        let cases = [
            (
                "strict-transport-security",
                "max-age=31536000; includeSubDomains",
                0,
            ),
            ("strict-transport-security", "max-age=3600", -10),
            ("strict-transport-security", "includeSubDomains", -20),
            ("x-content-type-options", "nosniff", 0),
            ("x-content-type-options", "sniff", -5),
            ("x-frame-options", "DENY", 0),
            ("x-frame-options", "ALLOWALL", -20),
            ("content-security-policy", "frame-ancestors 'none'", 5),
            ("referrer-policy", "no-referrer", 5),
            ("referrer-policy", "unsafe-url, strict-origin", 5),
            ("referrer-policy", "unsafe-url", -5),
            ("referrer-policy", "nonsense", -5),
            ("cross-origin-resource-policy", "same-origin", 10),
            ("cross-origin-resource-policy", "nonsense", -5),
        ];
        for (name, value, points) in cases {
            let response = response(&[(name, value)]);
            let ruling = match name {
                "strict-transport-security" => strict_transport(&https, &response),
                "x-content-type-options" => content_type_options(&response),
                "referrer-policy" => referrer_policy(&response),
                "cross-origin-resource-policy" => resource_policy(&response),
                _ => frame_options(&response, &Policy::of(&response)),
            };
            assert_eq!(ruling.points, points, "{name}: {value}: {}", ruling.says);
        }
        let none = response(&[]);
        assert_eq!(strict_transport(&https, &none).points, -20);
        assert_eq!(frame_options(&none, &Policy::default()).points, -20);
        let shared = response(&[
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
        ]);
        assert_eq!(cross_origin_sharing(&shared).points, -50);
        assert_eq!(
            cross_origin_sharing(&response(&[("access-control-allow-origin", "*")])).points,
            0
        );
    }

    #[test]
    fn content_security_policies_by_what_they_allow() {
        let https = Url::parse("https://h.example/").unwrap();
        let cases = [
            ("", -25),
            ("default-src 'none'; script-src 'self'; style-src 'self'", 10),
            ("default-src 'self'", 5),
            ("script-src 'self'", -20),
            ("default-src 'self'; script-src 'unsafe-inline'", -20),
            ("default-src 'self'; script-src 'nonce-abc' 'unsafe-inline'", 5),
            (
                "default-src 'self'; script-src 'strict-dynamic' 'nonce-abc' https:",
                5,
            ),
            ("default-src 'self'; script-src 'strict-dynamic'", -25),
            ("default-src https:", -20),
            ("default-src 'self'; connect-src http://x.example", -20),
            ("default-src 'self'; script-src 'self' 'unsafe-eval'", -10),
            ("default-src 'self'; img-src http://x.example", -10),
            ("default-src 'self'; style-src 'self' 'unsafe-inline'", 0),
            ("default-src 'self', default-src *", 5),
        ];
        for (value, points) in cases {
            let headers = [("content-security-policy", value)];
            let response = response(if value.is_empty() { &[] } else { &headers });
            let ruling = csp::ruling(&https, &Policy::of(&response));
            assert_eq!(ruling.points, points, "{value}: {}", ruling.says);
        }
        let mut meta = response(&[]);
        meta.body = "<meta http-equiv=content-security-policy content=\"default-src 'self'; frame-ancestors 'none'\">".into();
        assert_eq!(csp::ruling(&https, &Policy::of(&meta)).points, 5);
        assert!(
            !Policy::of(&meta).keeps_out_of_frames(),
            "not from a meta element"
        );
    }

    #[test]
    fn cookies_by_their_flags() {
        let cases = [
            (&["a=1; Secure; SameSite=Lax"][..], true, 5),
            (&["a=1; Secure"], true, 0),
            (&["a=1"], true, -5),
            (&["a=1"], false, -20),
            (&["a=1; Secure; SameSite=Nonsense"], true, -20),
            (&["csrftoken=1; Secure"], true, -20),
            (&["sessionid=1; Secure; SameSite=Lax"], true, -30),
            (&["sessionid=1; HttpOnly; SameSite=Lax"], false, -40),
            (&["sessionid=1; HttpOnly; SameSite=Lax"], true, -10),
            (&["a=1; Secure; SameSite=Lax", "login=1; Secure"], true, -30),
            (&[], true, 0),
        ];
        for (values, hsts, points) in cases {
            let headers: Vec<(&str, &str)> = values.iter().map(|value| ("set-cookie", *value)).collect();
            let ruling = cookies::ruling(&response(&headers), hsts);
            assert_eq!(ruling.points, points, "{values:?}: {}", ruling.says);
        }
    }
}
