//! One POST to an address that is a secret: bounded in time, tried twice, and never named in an error.

use std::time::{Duration, Instant};

use ureq::tls::{RootCerts, TlsConfig};

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The longest a notification may hold up the end of a run.
const BUDGET: Duration = Duration::from_secs(10);
/// The longest one attempt may take, so that a hanging first one leaves time for a second.
const ATTEMPT: Duration = Duration::from_secs(6);
const PAUSE: Duration = Duration::from_millis(500);
const ATTEMPTS: u32 = 2;
/// What is read of an answer. The ones that count are a word or two.
const ANSWER_LIMIT: u64 = 4096;

/// Where to, for people, and the address itself.
pub(super) struct Target<'a> {
    /// "Slack", "the ping address".
    pub(super) name: &'static str,
    /// The setting that holds the address, for hints.
    pub(super) setting: &'static str,
    pub(super) url: &'a Secret,
}

/// What the other side said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Answer {
    /// The first line of the answer, short enough for a message.
    pub(super) fn excerpt(&self) -> String {
        let line = self.body.lines().next().unwrap_or_default().trim();
        match line.char_indices().nth(120) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        }
    }

    /// Status and words, for a message.
    pub(super) fn said(&self) -> String {
        match self.excerpt() {
            words if words.is_empty() => format!("HTTP {}", self.status),
            words => format!("HTTP {}, `{words}`", self.status),
        }
    }
}

/// Posts `body`. Connection errors, time-outs, 429 and 5xx are tried a second time; the answer of the last attempt is
/// the caller's to judge. A message may so arrive twice, which is better than not at all.
pub(super) fn post(
    target: &Target<'_>,
    content_type: &str,
    body: &[u8],
    deadline: &Deadline,
) -> Result<Answer> {
    let what = format!("telling {}", target.name);
    let budget = Deadline::after(deadline.bound(BUDGET, &what)?);
    let started = Instant::now();
    let mut attempt = 1;
    loop {
        let limit = budget.bound(ATTEMPT, &what)?;
        let result = once(target.url.expose(), content_type, body, limit);
        let again = attempt < ATTEMPTS && budget.remaining().is_none_or(|left| left > PAUSE * 2);
        match result {
            Ok(answer) if again && (answer.status == 429 || answer.status >= 500) => {}
            Ok(answer) => return Ok(answer),
            Err(error) if is_wrong_address(&error) => return Err(wrong_address(target)),
            Err(_) if again => {}
            Err(error) => {
                return Err(Error::unable(format!("cannot reach {}", target.name))
                    .because(reason(&error, started.elapsed()))
                    .hint(
                        "check the network and proxy settings of this host; the run itself is not affected",
                    ));
            }
        }
        std::thread::sleep(PAUSE);
        attempt += 1;
    }
}

fn once(url: &str, content_type: &str, body: &[u8], limit: Duration) -> Result<Answer, ureq::Error> {
    crate::tls::install_crypto_provider();
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .timeout_global(Some(limit))
            // A redirect would carry the secret path to another place, and a POST would become a GET.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("fh-core/", env!("CARGO_PKG_VERSION")))
            .tls_config(
                TlsConfig::builder()
                    .root_certs(RootCerts::PlatformVerifier)
                    .build(),
            )
            .build(),
    );
    let mut response = agent.post(url).header("content-type", content_type).send(body)?;
    let status = response.status().as_u16();
    let body = response
        .body_mut()
        .with_config()
        .limit(ANSWER_LIMIT)
        .lossy_utf8(true)
        .read_to_string()
        // The status is there, and what could not be read of the words cannot change it.
        .unwrap_or_default();
    Ok(Answer { status, body })
}

fn is_wrong_address(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::BadUri(_) | ureq::Error::Http(_))
}

fn wrong_address(target: &Target<'_>) -> Error {
    Error::usage(format!("{} is not an http or https address", target.setting))
        .hint("give the whole address, beginning with https://")
}

/// Why it failed, in words of ours: those of the library may quote the address.
fn reason(error: &ureq::Error, after: Duration) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no answer within {:.1} s", after.as_secs_f64()),
        ureq::Error::HostNotFound => "its host name cannot be resolved".into(),
        ureq::Error::Io(error) => match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            Some(error) => format!("TLS: {error}"),
            None => error.to_string(),
        },
        ureq::Error::Rustls(error) => format!("TLS: {error}"),
        ureq::Error::Tls(text) => format!("TLS: {text}"),
        ureq::Error::ConnectionFailed => "the connection failed".into(),
        ureq::Error::InvalidProxyUrl => "the proxy address of this host's environment is not valid".into(),
        ureq::Error::Protocol(_) => "it does not answer in HTTP".into(),
        _ => "the request failed".into(),
    }
}
