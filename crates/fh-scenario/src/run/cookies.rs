//! The cookies of one scenario (RFC 6265).

use fh_http::Response;
use jiff::Timestamp;
use url::Url;

/// More cookies than any application sets; what comes after is not kept.
const MOST: usize = 200;

/// Cookies that answers have set.
#[derive(Debug, Clone, Default)]
pub struct Cookies {
    kept: Vec<Cookie>,
}

/// One cookie, as an answer sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// The host it is for, and whether its subdomains too.
    domain: (String, bool),
    path: String,
    secure: bool,
    gone: bool,
}

impl Cookie {
    /// Reads a Set-Cookie header of an answer from `url` (RFC 6265 §5.2). `None` for one that browsers would not keep.
    #[must_use]
    pub fn parse(header: &str, url: &Url) -> Option<Self> {
        let mut parts = header.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let host = url.host_str()?.to_ascii_lowercase();
        let default_path = match url.path().rfind('/') {
            Some(0) | None => "/",
            Some(end) => &url.path()[..end],
        };
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            domain: (host.clone(), false),
            path: default_path.to_owned(),
            secure: false,
            gone: false,
        };
        let (mut max_age, mut expires) = (None, None);
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    if !domain.is_empty() {
                        cookie.domain = (domain, true);
                    }
                }
                "path" if value.starts_with('/') => cookie.path = value.to_owned(),
                "secure" => cookie.secure = true,
                "max-age" => max_age = value.parse::<i64>().ok(),
                "expires" => expires = date(value),
                _ => {}
            }
        }
        // Max-Age goes before Expires (§5.3).
        cookie.gone = match (max_age, expires) {
            (Some(seconds), _) => seconds <= 0,
            (None, Some(end)) => end <= Timestamp::now(),
            (None, None) => false,
        };
        (!cookie.name.is_empty() && cookie.fits_host(&host)).then_some(cookie)
    }

    fn fits_host(&self, host: &str) -> bool {
        let (domain, and_below) = &self.domain;
        host == domain
            || (*and_below
                && host
                    .strip_suffix(domain.as_str())
                    .is_some_and(|before| before.ends_with('.')))
    }

    fn fits(&self, url: &Url) -> bool {
        let path = url.path();
        let under = path
            .strip_prefix(self.path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/'));
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        under && self.fits_host(&host) && (!self.secure || url.scheme() == "https")
    }
}

/// `Wed, 21 Oct 2026 07:28:00 GMT`, also with the dashes that some servers write.
fn date(text: &str) -> Option<Timestamp> {
    let text = text.replace('-', " ");
    jiff::fmt::rfc2822::parse(&text)
        .ok()
        .map(|zoned| zoned.timestamp())
}

impl Cookies {
    /// Keeps what an answer sets.
    pub fn take(&mut self, url: &Url, response: &Response) {
        for header in response.headers("set-cookie") {
            let Some(cookie) = Cookie::parse(header, url) else {
                continue;
            };
            self.kept.retain(|have| {
                (&have.name, &have.domain, &have.path) != (&cookie.name, &cookie.domain, &cookie.path)
            });
            if !cookie.gone && self.kept.len() < MOST {
                self.kept.push(cookie);
            }
        }
    }

    /// The Cookie header for a request.
    #[must_use]
    pub fn header(&self, url: &Url) -> Option<String> {
        let mut fitting: Vec<&Cookie> = self.kept.iter().filter(|cookie| cookie.fits(url)).collect();
        // Longer paths first (§5.4).
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = fitting
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(url: &str, headers: &[&str]) -> Cookies {
        let url = Url::parse(url).unwrap();
        let mut jar = Cookies::default();
        let response = Response {
            status: 200,
            headers: headers
                .iter()
                .map(|value| ("set-cookie".to_owned(), (*value).to_owned()))
                .collect(),
            body: bytes::Bytes::new(),
            truncated: false,
            phases: fh_http::Phases::default(),
            peer: ([127, 0, 0, 1], 80).into(),
            tls: None,
        };
        jar.take(&url, &response);
        jar
    }

    fn sent(jar: &Cookies, url: &str) -> String {
        jar.header(&Url::parse(url).unwrap()).unwrap_or_default()
    }

    #[test]
    fn cookies_go_back_where_they_belong() {
        let jar = jar(
            "https://app.example.com/login/form",
            &[
                "a=1",
                "b=2; Path=/",
                "c=3; Path=/; Secure",
                "d=4; Domain=.example.com; Path=/",
                "e=5; Domain=other.com",
            ],
        );
        assert_eq!(
            sent(&jar, "https://app.example.com/login/x"),
            "a=1; b=2; c=3; d=4"
        );
        assert_eq!(sent(&jar, "http://app.example.com/"), "b=2; d=4");
        assert_eq!(sent(&jar, "https://api.example.com/"), "d=4");
        assert_eq!(sent(&jar, "https://example.com.evil.org/"), "");
        assert_eq!(sent(&jar, "https://app.example.com/loginx"), "b=2; c=3; d=4");
    }

    #[test]
    fn a_cookie_that_has_ended_is_gone() {
        let gone = [
            "a=1; Path=/",
            "a=; Path=/; Max-Age=0",
            "b=1; Path=/",
            "b=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "c=1; Path=/; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
            "d=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60",
        ];
        assert_eq!(sent(&jar("https://h/", &gone), "https://h/"), "d=1");
    }
}
