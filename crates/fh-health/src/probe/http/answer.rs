//! What one address answered.

use std::net::SocketAddr;

use fh_core::Check;
use fh_core::render::duration;
use fh_core::report::Status;
use fh_http::tls::TlsFacts;
use fh_http::{Failure, Kind, Phases, Response};

use super::expect::Expect;

/// What one address answered, judged.
pub(super) struct Answer {
    address: Option<SocketAddr>,
    result: Result<Response, Failure>,
    wrong: Vec<String>,
}

impl Answer {
    pub(super) fn new(
        address: Option<SocketAddr>,
        result: Result<Response, Failure>,
        expect: &Expect,
    ) -> Self {
        let wrong = match &result {
            Ok(response) => expect.compare(response),
            Err(failure) => vec![failure.text().to_owned()],
        };
        Self {
            address,
            result,
            wrong,
        }
    }

    /// What is wrong with it, the most important first.
    pub(super) fn problem(&self) -> Option<&str> {
        self.wrong.first().map(String::as_str)
    }

    /// A request that could not be made says nothing about the server.
    pub(super) fn verdict(&self) -> Status {
        match &self.result {
            Err(failure) if matches!(failure.kind(), Kind::Request | Kind::Cancelled) => Status::Unknown,
            _ => Status::Fail,
        }
    }

    /// What to do about it.
    pub(super) fn advice(&self) -> Option<String> {
        let advice = match &self.result {
            Err(failure) => advice(failure.kind())?,
            Ok(response) if matches!(response.status, 502 | 504) => {
                "the load balancer has no working server behind it: look at the targets' health and the application's log"
            }
            Ok(response) if response.status == 503 => {
                "the application is overloaded, starting or in maintenance: look at its log and its database"
            }
            Ok(response) if response.status >= 500 => "the application failed: look at its log",
            Ok(_) => return None,
        };
        Some(advice.to_owned())
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.result.as_ref().ok().map(|response| response.status)
    }

    pub(super) fn size(&self) -> Option<u64> {
        let response = self.result.as_ref().ok()?;
        Some(response.body.len() as u64)
    }

    pub(super) fn phases(&self) -> &Phases {
        match &self.result {
            Ok(response) => &response.phases,
            Err(failure) => failure.phases(),
        }
    }

    /// Whether there was an answer whose phases can be compared.
    pub(super) fn answered(&self) -> bool {
        self.result.is_ok()
    }

    /// The certificate that was shown, also when it did not verify.
    pub(super) fn certificate(&self) -> Option<&TlsFacts> {
        match &self.result {
            Ok(response) => response.tls.as_ref(),
            Err(failure) => failure.tls(),
        }
    }

    /// One line for the address, and one for each thing that is wrong.
    pub(super) fn evidence(&self) -> Vec<String> {
        let peer = match &self.result {
            Ok(response) => Some(response.peer),
            Err(failure) => failure.peer().or(self.address),
        };
        let place = peer.map_or(String::new(), |peer| format!("{peer}: "));
        match &self.result {
            Ok(response) => {
                let phases = shown(&response.phases);
                let mut lines = vec![format!("{place}{} in {phases}", response.status)];
                lines.extend(self.wrong.iter().map(|why| format!("{place}{why}")));
                lines
            }
            Err(failure) => vec![format!("{place}{}: {}", failure.phase(), failure.text())],
        }
    }
}

/// What to do about an exchange that failed.
fn advice(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Dns => "look at the name's DNS records, and at this host's name server",
        Kind::Connect => "is the server running there, and does the firewall let this host in?",
        Kind::Tls => {
            "look at the server's certificate: `fh-health` with a [[health.tls]] entry shows the whole chain"
        }
        Kind::Timeout => {
            "the server or the way to it is overloaded: look at the phase in which the time was up"
        }
        Kind::Closed | Kind::Protocol | Kind::TooLarge => {
            "the server broke the rules of HTTP: look at its log, and at proxies on the way"
        }
        Kind::Request | Kind::Cancelled => return None,
    })
}

pub(super) fn unresolved(id: &str, failure: &Failure) -> Check {
    let status = if failure.kind() == Kind::Cancelled {
        Status::Unknown
    } else {
        Status::Fail
    };
    let check = Check::new(id, status, failure.text());
    match advice(failure.kind()) {
        Some(advice) => check.hint(advice),
        None => check,
    }
}

/// `12 ms (connect 1 ms, first byte 10 ms)`.
fn shown(phases: &Phases) -> String {
    let parts: Vec<String> = super::phases::PHASES
        .iter()
        .filter(|phase| phase.name != "total")
        .filter_map(|phase| Some(format!("{} {}", phase.word, duration((phase.of)(phases)?))))
        .collect();
    format!("{} ({})", duration(phases.total), parts.join(", "))
}
