//! Asking for a page or an asset, outside of scenarios.

use fh_core::Deadline;
use fh_core::report::Check;
use fh_http::{Failure, Kind, Places, Request, Response};
use fh_scenario::run::Runner;
use url::Url;

/// Asks once, with the suite's limits. A redirect is an answer.
pub(crate) fn get(runner: &Runner<'_>, url: &Url) -> Result<Response, Failure> {
    let mut request = Request::to("GET", url.clone());
    request.timeout = runner.settings.timeout.get();
    request.max_body = usize::try_from(runner.settings.max_body.bytes()).unwrap_or(usize::MAX);
    request.tls = runner.tls.clone();
    if let Some(agent) = &runner.settings.user_agent {
        request.headers.push(("user-agent".into(), agent.clone()));
    }
    runner.transport.exchange(&request, runner.deadline)
}

/// The check for an answer that did not come, and whether the target was reached.
pub(crate) fn silence(id: &str, failure: &Failure) -> (Check, bool) {
    let silent = matches!(
        failure.kind(),
        Kind::Dns | Kind::Connect | Kind::Timeout | Kind::Cancelled
    );
    if silent {
        (Check::unknown(id, failure.text()), false)
    } else {
        (Check::fail(id, failure.text()), true)
    }
}

/// The addresses of a host, by whether this machine has a way to them.
pub(crate) fn addresses(
    runner: &Runner<'_>,
    host: &str,
    port: u16,
    deadline: Deadline,
) -> Result<Places, Failure> {
    fh_http::resolve(host, port, deadline, runner.cancel).map(Places::of)
}
