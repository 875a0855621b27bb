//! From a step to the request that goes out.

use fh_core::Secret;
use fh_core::secret::basic_credentials;
use fh_http::Request;
use url::Url;
use url::form_urlencoded::Serializer;

use super::{Runner, Shared};
use crate::scope::{RUN_ID, Scope};
use crate::step::{Part, Step};
use crate::template::{render, render_value};

/// The request of a step, with variables filled in and cookies added.
pub(super) fn request(runner: &Runner<'_>, step: &Step, shared: &Shared) -> Result<Request, String> {
    let scope = &shared.scope;
    let (method, target) = step.target().ok_or("the step asks nothing")?;
    let mut url = locate(&runner.base, &render(target, scope)?)?;
    if !step.query.is_empty() {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in &step.query {
            pairs.append_pair(name, &render(value, scope)?);
        }
    }
    let same_host = url.host_str() == runner.base.host_str();
    let mut request = Request::to(method, url);
    request.timeout = step.timeout.unwrap_or(runner.settings.timeout).get();
    request.max_body = usize::try_from(runner.settings.max_body.bytes()).unwrap_or(usize::MAX);
    request.tls = runner.tls.clone();
    request.connect_to = runner.connect_to.filter(|_| same_host);
    for (name, value) in &step.headers {
        request.headers.push((name.clone(), render(value, scope)?));
    }
    if let Some(agent) = &runner.settings.user_agent
        && !request.has_header("user-agent")
    {
        request.headers.push(("user-agent".into(), agent.clone()));
    }
    authorize(&mut request, step, scope)?;
    fill(&mut request, step, scope)?;
    if !request.has_header("cookie")
        && let Some(cookies) = shared.cookies.header(&request.url)
    {
        request.headers.push(("cookie".into(), cookies));
    }
    Ok(request)
}

/// A path behind the base, or a whole URL.
///
/// # Errors
/// When it is neither.
pub fn locate(base: &Url, target: &str) -> Result<Url, String> {
    if target.starts_with("http://") || target.starts_with("https://") {
        return Url::parse(target).map_err(|error| format!("`{target}` is no URL: {error}"));
    }
    if !target.starts_with('/') {
        return Err(format!(
            "`{target}` is neither a path that begins with / nor a whole URL"
        ));
    }
    let whole = format!("{}{target}", base.as_str().trim_end_matches('/'));
    Url::parse(&whole).map_err(|error| format!("`{whole}` is no URL: {error}"))
}

/// What goes into the Authorization header is a secret, wherever it came from.
fn authorize(request: &mut Request, step: &Step, scope: &Scope) -> Result<(), String> {
    let value = match (&step.bearer, &step.basic) {
        (Some(token), _) => {
            let token = Secret::new(render(token, scope)?);
            format!("Bearer {}", token.expose())
        }
        (None, Some(basic)) => {
            let credentials =
                basic_credentials(&render(&basic.user, scope)?, &render(&basic.password, scope)?);
            format!("Basic {}", credentials.expose())
        }
        (None, None) => return Ok(()),
    };
    request.headers.push(("authorization".into(), value));
    Ok(())
}

fn fill(request: &mut Request, step: &Step, scope: &Scope) -> Result<(), String> {
    let kind;
    if let Some(json) = &step.json {
        request.body = render_value(json, scope)?.to_string().into();
        kind = "application/json".to_owned();
    } else if !step.form.is_empty() {
        let mut form = Serializer::new(String::new());
        for (name, value) in &step.form {
            form.append_pair(name, &render(value, scope)?);
        }
        request.body = form.finish().into();
        kind = "application/x-www-form-urlencoded".into();
    } else if !step.multipart.is_empty() {
        let boundary = format!("fh-{}", scope.text(RUN_ID).unwrap_or_else(|_| "boundary".into()));
        request.body = multipart(&step.multipart, &boundary, scope)?.into();
        kind = format!("multipart/form-data; boundary={boundary}");
    } else if let Some(body) = &step.body {
        request.body = render(body, scope)?.into();
        kind = "text/plain; charset=utf-8".into();
    } else {
        return Ok(());
    }
    if !request.has_header("content-type") {
        request.headers.push(("content-type".into(), kind));
    }
    Ok(())
}

/// RFC 7578; quotes and line ends in names are escaped as browsers do (HTML standard, "multipart form data").
fn multipart(parts: &[Part], boundary: &str, scope: &Scope) -> Result<String, String> {
    let escaped = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let mut body = String::new();
    for part in parts {
        body += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
            escaped(&part.name)
        );
        if let Some(filename) = &part.filename {
            body += &format!("; filename=\"{}\"", escaped(filename));
        }
        if let Some(kind) = &part.content_type {
            body += &format!("\r\nContent-Type: {}", kind.replace(['\r', '\n'], " "));
        }
        body += &format!("\r\n\r\n{}\r\n", render(&part.value, scope)?);
    }
    body += &format!("--{boundary}--\r\n");
    Ok(body)
}
