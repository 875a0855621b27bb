//! A suite ready to run: its file read, its environment chosen, its variables filled in.

use std::path::Path;

use fh_core::app::Session;
use fh_core::error::{Context, Hint};
use fh_core::nearest::nearest;
use fh_core::{Deadline, Error, Result};
use fh_http::TlsOptions;
use fh_scenario::run::{Network, Runner};
use fh_scenario::{Environment, Loaded, Scenario, Scope, render};
use url::Url;

use crate::cli::{Choice, Run};

/// A suite ready to run.
pub(crate) struct Prepared {
    pub(crate) loaded: Loaded,
    pub(crate) environment: String,
    pub(crate) settings: Environment,
    pub(crate) scope: Scope,
    pub(crate) base: Url,
    pub(crate) tls: TlsOptions,
    pub(crate) deadline: Deadline,
}

impl Prepared {
    pub(crate) fn new(session: &Session, run: &Run) -> Result<Self> {
        let loaded = load(&run.choice)?;
        let asked = asked_environment(session);
        let (environment, settings) = loaded.environment(asked.as_deref())?;
        let scope = Scope::new(&loaded.suite, &settings, &run.vars, &|name| {
            std::env::var(name).ok().filter(|value| !value.is_empty())
        })?;
        let base = render(&settings.base, &scope)
            .map_err(|why| Error::usage(format!("env.{environment}.base: {why}")))?;
        let base = base_url(&base, &environment)?;
        let tls = TlsOptions {
            extra_roots: loaded
                .suite
                .suite
                .ca_file
                .as_deref()
                .map(authorities)
                .transpose()?
                .unwrap_or_default(),
            ..TlsOptions::default()
        };
        // The suite's deadline counts from here; one of the command line, from the start of the process.
        let deadline = match (session.common.deadline, loaded.suite.suite.deadline) {
            (None, Some(limit)) => Deadline::after(limit.get()),
            _ => session.deadline,
        };
        Ok(Self {
            loaded,
            environment,
            settings,
            scope,
            base,
            tls,
            deadline,
        })
    }

    /// What runs steps on the default route.
    pub(crate) fn runner<'r>(&'r self, network: &'r Network<'r>) -> Runner<'r> {
        Runner {
            transport: network,
            settings: &self.loaded.suite.suite,
            base: self.base.clone(),
            connect_to: None,
            tls: self.tls.clone(),
            deadline: self.deadline,
            cancel: network.cancel,
        }
    }
}

/// Reads the suite that was named.
pub(crate) fn load(choice: &Choice) -> Result<Loaded> {
    let path = choice.suite.as_deref().ok_or_else(|| {
        Error::usage("no suite was named")
            .hint("give its file: fh-smoke suite.toml; `fh-smoke init` writes a first one")
    })?;
    fh_scenario::load(path)
}

/// `--env`, else FH_ENV.
pub(crate) fn asked_environment(session: &Session) -> Option<String> {
    session
        .common
        .env
        .clone()
        .or_else(|| std::env::var("FH_ENV").ok())
        .filter(|name| !name.is_empty())
}

fn base_url(text: &str, environment: &str) -> Result<Url> {
    let wrong = |why: String| {
        Error::usage(format!("env.{environment}.base: {why}"))
            .hint("write it as https://HOST or http://HOST:PORT, with a path if the application has one")
    };
    let request = fh_http::Request::get(text).map_err(|error| wrong(error.to_string()))?;
    if request.url.query().is_some() || request.url.fragment().is_some() {
        return Err(wrong(
            "it has a query or fragment, and paths are put behind it".into(),
        ));
    }
    Ok(request.url)
}

fn authorities(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .or_usage(|| format!("cannot read suite.ca_file {}", path.display()))
        .hint(|| "it is relative to the suite's folder")
}

/// The scenarios that were chosen.
///
/// # Errors
/// Exit code 2 when a name or tag selects nothing: a run that quietly checks nothing would look green.
pub(crate) fn chosen<'l>(loaded: &'l Loaded, choice: &Choice) -> Result<Vec<&'l Scenario>> {
    let all = &loaded.suite.scenario;
    let names: Vec<&str> = all.iter().map(|scenario| scenario.name.as_str()).collect();
    let tags: Vec<&str> = all
        .iter()
        .flat_map(|scenario| scenario.tags.iter().map(String::as_str))
        .collect();
    for (asked, known, kind) in [
        (&choice.scenario, &names, "scenario"),
        (&choice.tag, &tags, "tag"),
    ] {
        if let Some(unknown) = asked.iter().find(|asked| !known.contains(&asked.as_str())) {
            let near = nearest(unknown, known.iter().copied())
                .map_or(String::new(), |near| format!("did you mean `{near}`? "));
            let mut all = known.clone();
            all.sort_unstable();
            all.dedup();
            return Err(Error::usage(format!(
                "{} has no {kind} `{unknown}`, so that nothing would be checked",
                loaded.path.display()
            ))
            .hint(format!("{near}it has: {}", all.join(", "))));
        }
    }
    let found: Vec<&Scenario> = all
        .iter()
        .filter(|scenario| {
            (choice.scenario.is_empty() || choice.scenario.contains(&scenario.name))
                && (choice.tag.is_empty() || scenario.tags.iter().any(|tag| choice.tag.contains(tag)))
        })
        .collect();
    if found.is_empty() && (!choice.scenario.is_empty() || !choice.tag.is_empty()) {
        return Err(Error::usage(
            "no scenario has both a chosen name and a chosen tag, so that nothing would be checked",
        )
        .hint("`fh-smoke list SUITE` shows names and tags"));
    }
    Ok(found)
}
