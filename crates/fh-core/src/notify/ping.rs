//! The pings of healthchecks.io and its kin ("Pinging API"): they notice a run that failed, and one that never came.

use super::post::{Answer, Target, post};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::secret::{Secret, scrub};

/// What healthchecks.io keeps of a body.
const BODY_LIMIT: usize = 100_000;

/// What is said about the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ping {
    /// It begins; the service measures how long it takes.
    Start,
    /// It ended well.
    Ok,
    /// It did not.
    Fail,
}

/// Pings `url`, with `log` as the body. Of a log that is too long the end is kept, which is where errors stand.
///
/// The start goes to `url/start` and a failure to `url/fail`, before a query if the address has one.
///
/// # Errors
/// Exit code 3 when the service cannot be reached or does not know the check, 2 when `url` is not a URL. The URL is in
/// none of them.
pub fn ping(url: &Secret, ping: Ping, log: &str, deadline: &Deadline) -> Result<()> {
    let url = Secret::new(address(url.expose(), ping));
    let target = Target {
        name: "the ping address",
        setting: "notify.ping_url",
        url: &url,
    };
    let log = scrub(log);
    let answer = post(
        &target,
        "text/plain; charset=utf-8",
        body(&log).as_bytes(),
        deadline,
    )?;
    judge(&answer)
}

/// For addresses with a UUID the service answers 200 even when it did not take the ping, and says so in the body.
fn judge(answer: &Answer) -> Result<()> {
    let lower = answer.excerpt().to_lowercase();
    if (200..300).contains(&answer.status) && !lower.contains("not found") && !lower.contains("rate limited")
    {
        return Ok(());
    }
    let hint = match answer.status {
        300..400 => "notify.ping_url answers with a redirect: give the address it leads to",
        409 => "several checks have this name: use the address with the check's UUID",
        429 => "too many pings in a short time; the next run tries again",
        500.. => "the fault is on the service's side; the next run tries again",
        _ if lower.contains("rate limited") => "too many pings in a short time; the next run tries again",
        _ => "check that notify.ping_url is the check's whole address, and that the check still exists",
    };
    Err(Error::unable(format!("the ping was not taken: {}", answer.said())).hint(hint))
}

fn address(url: &str, ping: Ping) -> String {
    let suffix = match ping {
        Ping::Start => "/start",
        Ping::Ok => "",
        Ping::Fail => "/fail",
    };
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (url, String::new()),
    };
    format!("{}{suffix}{query}", path.trim_end_matches('/'))
}

fn body(log: &str) -> String {
    if log.len() <= BODY_LIMIT {
        return log.to_owned();
    }
    // Room for the line that says what was cut.
    let mut start = log.len() - BODY_LIMIT + 100;
    while !log.is_char_boundary(start) {
        start += 1;
    }
    format!("({start} bytes before this are left out)\n{}", &log[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_ping_is_the_end_of_the_path() {
        let cases = [
            (
                "https://hc.example/u-u",
                Ping::Start,
                "https://hc.example/u-u/start",
            ),
            ("https://hc.example/u-u/", Ping::Ok, "https://hc.example/u-u"),
            (
                "https://hc.example/key/db?create=1",
                Ping::Fail,
                "https://hc.example/key/db/fail?create=1",
            ),
        ];
        for (url, ping, expected) in cases {
            assert_eq!(address(url, ping), expected);
        }
    }

    #[test]
    fn a_long_log_keeps_its_end() {
        let log = "ü".repeat(80_000) + "the error";
        let body = body(&log);
        assert!(body.len() <= BODY_LIMIT, "{}", body.len());
        assert!(body.ends_with("the error"));
        assert!(body.starts_with("(60110 bytes before this are left out)\n"));
        assert_eq!(super::body("short"), "short");
    }

    #[test]
    fn what_the_service_says_decides() {
        assert!(
            judge(&Answer {
                status: 200,
                body: "OK".into()
            })
            .is_ok()
        );
        assert!(
            judge(&Answer {
                status: 201,
                body: "Created".into()
            })
            .is_ok()
        );
        let cases = [
            (200, "OK (not found)"),
            (200, "OK (rate limited)"),
            (404, "not found"),
            (409, "ambiguous slug"),
            (503, ""),
            (301, ""),
        ];
        let said: Vec<String> = cases
            .iter()
            .map(|(status, body)| {
                judge(&Answer {
                    status: *status,
                    body: (*body).into(),
                })
                .unwrap_err()
                .render()
            })
            .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        error: the ping was not taken: HTTP 200, `OK (not found)`
        hint: check that notify.ping_url is the check's whole address, and that the check still exists
        error: the ping was not taken: HTTP 200, `OK (rate limited)`
        hint: too many pings in a short time; the next run tries again
        error: the ping was not taken: HTTP 404, `not found`
        hint: check that notify.ping_url is the check's whole address, and that the check still exists
        error: the ping was not taken: HTTP 409, `ambiguous slug`
        hint: several checks have this name: use the address with the check's UUID
        error: the ping was not taken: HTTP 503
        hint: the fault is on the service's side; the next run tries again
        error: the ping was not taken: HTTP 301
        hint: notify.ping_url answers with a redirect: give the address it leads to
        ");
    }
}
