//! Asking for a page or an asset, outside of scenarios.

use fh_core::Deadline;
use fh_core::report::Check;
use fh_http::{Failure, Kind, Places, Request, Response};
use fh_scenario::run::{Runner, locate};
use fh_scenario::{Scope, render};
use url::Url;

use crate::findings::slug;

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

/// A page that answered.
pub(crate) struct Opened {
    /// What the ids of its checks begin with, such as `assets.home`.
    pub(crate) id: String,
    pub(crate) url: Url,
    pub(crate) response: Response,
}

/// Asks for a page as a suite names it. When there is no answer: the check that says so, and whether the target was reached.
pub(crate) fn open(
    runner: &Runner<'_>,
    family: &str,
    page: &str,
    scope: &Scope,
) -> Result<Opened, (Vec<Check>, bool)> {
    let page = render(page, scope).map_err(|why| (vec![Check::unknown(family, why)], false))?;
    let name = match slug(&page).as_str() {
        "unnamed" => "home".to_owned(),
        other => other.to_owned(),
    };
    let id = format!("{family}.{name}");
    let url = locate(&runner.base, &page).map_err(|why| (vec![Check::unknown(&id, why)], false))?;
    let response = get(runner, &url).map_err(|failure| {
        let (check, reached) = silence(&id, &failure);
        (vec![check], reached)
    })?;
    Ok(Opened { id, url, response })
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
