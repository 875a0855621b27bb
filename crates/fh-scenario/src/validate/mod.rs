//! What can be known to be wrong before anything is sent. A suite that would assert nothing must not look green.

mod pages;
mod steps;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use fh_core::nearest::nearest;
use fh_core::{Error, Result};

use crate::load::Loaded;
use crate::scope::RUN_ID;
use crate::suite::{DEFAULT_ROUTE, Suite};
use crate::template::is_name;

/// Checks a whole suite.
///
/// # Errors
/// Exit code 2 for the first fault, with its place.
pub(crate) fn check(loaded: &Loaded) -> Result<()> {
    let suite = &loaded.suite;
    let check = Checker { loaded };
    check.environments(suite)?;
    if suite.scenario.is_empty()
        && suite.setup.is_empty()
        && suite.assets.is_empty()
        && suite.security.is_empty()
        && suite.tls.is_empty()
        && suite.version.is_none()
    {
        return Err(Error::usage(format!("{} checks nothing", loaded.path.display()))
            .hint("add a [[scenario]], or [[assets]], [[security]], [[tls]] or [version]"));
    }
    if suite.suite.concurrency == 0 {
        return Err(check.fault(
            "suite.concurrency",
            "it is 0, so that nothing would run",
            "give 1 or more",
        ));
    }
    let known = known_variables(suite);
    check.version(suite, &known)?;
    let setup = check.steps(&suite.setup, "setup", &known)?;
    let mut of_setup: BTreeMap<String, String> = setup.unused.into_iter().collect();
    let mut names = BTreeSet::new();
    for (index, scenario) in suite.scenario.iter().enumerate() {
        let path = format!("scenario[{index}]");
        if scenario.name.trim().is_empty() || !names.insert(scenario.name.as_str()) {
            return Err(check.fault(
                &format!("{path}.name"),
                &format!("the scenario's name `{}` is empty or taken", scenario.name),
                "give each scenario a name of its own",
            ));
        }
        check.routes(&scenario.routes, &path)?;
        let steps = check.steps(&scenario.step, &format!("{path}.step"), &setup.defined)?;
        if let Some((name, place)) = steps.unused.first() {
            return Err(check.unused(name, place));
        }
        if scenario.step.iter().all(|step| step.expect.count() == 0) {
            return Err(check.fault(
                &path,
                &format!("the scenario `{}` asserts nothing", scenario.name),
                "add an expect to one of its steps, such as expect = { status = 200 }",
            ));
        }
        for used in &steps.used {
            of_setup.remove(used);
        }
    }
    for name in check.pages(suite, &setup.defined)? {
        of_setup.remove(&name);
    }
    match of_setup.iter().next() {
        Some((name, place)) => Err(check.unused(name, place)),
        None => Ok(()),
    }
}

/// The variables that are there before the first step: those of the suite, and those that every environment has.
fn known_variables(suite: &Suite) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = suite.vars.keys().chain(suite.secrets.keys()).cloned().collect();
    known.insert(RUN_ID.to_owned());
    let mut of_all: Option<BTreeSet<String>> = None;
    for environment in suite.env.values() {
        let here: BTreeSet<String> = environment
            .vars
            .keys()
            .chain(environment.secrets.keys())
            .cloned()
            .collect();
        of_all = Some(match of_all {
            Some(all) => all.intersection(&here).cloned().collect(),
            None => here,
        });
    }
    known.extend(of_all.unwrap_or_default());
    known
}

struct Checker<'l> {
    loaded: &'l Loaded,
}

/// What a row of steps defines and uses.
struct Walked {
    defined: BTreeSet<String>,
    used: BTreeSet<String>,
    /// Captures that no later step of the row uses, with their places.
    unused: Vec<(String, String)>,
}

impl Checker<'_> {
    fn fault(&self, path: &str, what: &str, hint: &str) -> Error {
        Error::usage(format!("{path}: {what} ({})", self.loaded.places.of(path))).hint(hint)
    }

    fn unused(&self, name: &str, path: &str) -> Error {
        self.fault(
            path,
            &format!("nothing uses the capture `{name}`"),
            &format!("use it as ${{{name}}} in a later step, or take it out; to assert that the value is there, use expect"),
        )
    }

    fn environments(&self, suite: &Suite) -> Result<()> {
        if suite.env.is_empty() {
            return Err(
                Error::usage(format!("{} has no environment", self.loaded.path.display()))
                    .hint("add for example [env.staging] with base = \"https://staging.example.com\""),
            );
        }
        let known = known_variables(suite);
        for (name, environment) in &suite.env {
            let path = format!("env.{name}.base");
            if environment.base.trim().is_empty() {
                return Err(self.fault(&path, "the base is missing", "give base = \"https://…\""));
            }
            let mut here = known.clone();
            here.extend(environment.vars.keys().chain(environment.secrets.keys()).cloned());
            self.texts(&[&environment.base], &path, &here, &mut BTreeSet::new())?;
            for (route, place) in &environment.routes {
                let port = place.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
                if !matches!(port, Some(Ok(_))) || route == DEFAULT_ROUTE {
                    return Err(self.fault(
                        &format!("env.{name}.routes.{route}"),
                        &format!("`{route}` leads to `{place}`"),
                        "a route has a name other than default, and leads to HOST:PORT",
                    ));
                }
            }
            let both = |vars: &BTreeMap<String, _>, secrets: &BTreeMap<String, _>| {
                vars.keys().find(|name| secrets.contains_key(*name)).cloned()
            };
            if let Some(name) =
                both(&environment.vars, &environment.secrets).or(both(&suite.vars, &suite.secrets))
            {
                return Err(self.fault(
                    &path,
                    &format!("`{name}` is both a variable and a secret"),
                    "give one of them another name",
                ));
            }
            for variable in &here {
                if !is_name(variable) {
                    return Err(self.fault(
                        &path,
                        &format!("`{variable}` cannot be a variable's name"),
                        "use letters, digits and _",
                    ));
                }
            }
        }
        Ok(())
    }

    fn routes(&self, routes: &[String], path: &str) -> Result<()> {
        let known: BTreeSet<&str> = self
            .loaded
            .suite
            .env
            .values()
            .flat_map(|environment| environment.routes.keys())
            .map(String::as_str)
            .chain([DEFAULT_ROUTE])
            .collect();
        for route in routes {
            if !known.contains(route.as_str()) {
                let near = nearest(route, known.iter().copied())
                    .map_or(String::new(), |near| format!("did you mean `{near}`? "));
                return Err(self.fault(
                    &format!("{path}.routes"),
                    &format!("no environment has a route `{route}`"),
                    &format!(
                        "{near}known routes: {}",
                        known.iter().copied().collect::<Vec<_>>().join(", ")
                    ),
                ));
            }
        }
        if routes.is_empty() {
            return Err(self.fault(
                &format!("{path}.routes"),
                "the list is empty, so that the scenario would never run",
                "leave it out, or name a route",
            ));
        }
        Ok(())
    }

    fn version(&self, suite: &Suite, known: &BTreeSet<String>) -> Result<()> {
        let Some(gate) = &suite.version else {
            return Ok(());
        };
        self.texts(
            &[&gate.path, &gate.equals],
            "version",
            known,
            &mut BTreeSet::new(),
        )?;
        match (&gate.jsonpath, &gate.header) {
            (Some(path), None) => self.jsonpath(path, "version.jsonpath")?,
            (None, Some(_)) => {}
            _ => {
                return Err(self.fault(
                    "version",
                    "it needs jsonpath or header, and not both",
                    "say where the version stands: jsonpath = \"$.version\"",
                ));
            }
        }
        if gate.stable_for == 0 {
            return Err(self.fault("version.stable_for", "0 answers prove nothing", "give 1 or more"));
        }
        Ok(())
    }
}
