//! What can be known to be wrong before anything is sent. A suite that would assert nothing must not look green.

use std::collections::{BTreeMap, BTreeSet};

use fh_core::nearest::nearest;
use fh_core::{Error, Result};
use fh_http::jsonpath;

use crate::html::Selector;
use crate::load::Loaded;
use crate::matcher::Matcher;
use crate::scope::RUN_ID;
use crate::step::{Capture, Step};
use crate::suite::{DEFAULT_ROUTE, Suite};
use crate::template::{self, is_name};

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

    /// The variables that pages, assets and certificates use.
    fn pages(&self, suite: &Suite, known: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let mut used = BTreeSet::new();
        for (index, assets) in suite.assets.iter().enumerate() {
            let path = format!("assets[{index}]");
            self.texts(&[&assets.page], &format!("{path}.page"), known, &mut used)?;
            for selector in &assets.select {
                let parsed = Selector::parse(selector)
                    .map_err(|what| self.fault(&format!("{path}.select"), &what, "change the selector"))?;
                if parsed.wanted_attribute().is_none() {
                    return Err(self.fault(
                        &format!("{path}.select"),
                        &format!("the selector `{selector}` names no attribute"),
                        "end it with the attribute that holds the address, such as script[src]",
                    ));
                }
            }
            if assets.at_least == 0 {
                return Err(self.fault(
                    &format!("{path}.at_least"),
                    "a page without assets would pass",
                    "give 1 or more",
                ));
            }
        }
        for (index, security) in suite.security.iter().enumerate() {
            let path = format!("security[{index}]");
            self.texts(&[&security.page], &format!("{path}.page"), known, &mut used)?;
            for (name, matcher) in &security.headers {
                self.matcher(matcher, &format!("{path}.headers.{name}"), known, &mut used)?;
            }
        }
        for (index, certificate) in suite.tls.iter().enumerate() {
            if let Some(host) = &certificate.host {
                self.texts(&[host], &format!("tls[{index}].host"), known, &mut used)?;
            }
        }
        Ok(used)
    }

    fn steps(&self, steps: &[Step], path: &str, known: &BTreeSet<String>) -> Result<Walked> {
        let mut walked = Walked {
            defined: known.clone(),
            used: BTreeSet::new(),
            unused: Vec::new(),
        };
        let mut titles = BTreeSet::new();
        for (index, step) in steps.iter().enumerate() {
            let here = format!("{path}[{index}]");
            if step.target().is_none() {
                return Err(self.fault(
                    &here,
                    "a step asks exactly one thing",
                    "give one of get, head, post, put, patch, delete and options",
                ));
            }
            if !titles.insert(step.title()) {
                return Err(self.fault(
                    &here,
                    &format!("two steps are called `{}`", step.title()),
                    "give them names of their own",
                ));
            }
            if step.expect.count() == 0 && step.capture.is_empty() {
                return Err(self.fault(
                    &here,
                    &format!("the step `{}` asserts nothing", step.title()),
                    "add an expect, such as expect = { status = 200 }",
                ));
            }
            let bodies = [
                step.json.is_some(),
                !step.form.is_empty(),
                !step.multipart.is_empty(),
                step.body.is_some(),
            ];
            if bodies.into_iter().filter(|given| *given).count() > 1 {
                return Err(self.fault(
                    &here,
                    "a request has one body",
                    "give one of json, form, multipart and body",
                ));
            }
            let mut used = BTreeSet::new();
            self.step_texts(step, &here, &walked.defined, &mut used)?;
            walked.unused.retain(|(name, _)| !used.contains(name));
            walked.used.extend(used);
            for (name, capture) in &step.capture {
                let place = format!("{here}.capture.{name}");
                self.capture(name, capture, &place)?;
                walked.defined.insert(name.clone());
                walked.unused.push((name.clone(), place));
            }
        }
        Ok(walked)
    }

    /// Every text of a step that may hold variables, and every expression that must parse.
    fn step_texts(
        &self,
        step: &Step,
        path: &str,
        known: &BTreeSet<String>,
        used: &mut BTreeSet<String>,
    ) -> Result<()> {
        let mut texts: Vec<&String> = Vec::new();
        texts.extend(
            [&step.get, &step.head, &step.post, &step.put]
                .into_iter()
                .flatten(),
        );
        texts.extend([&step.patch, &step.delete, &step.options].into_iter().flatten());
        texts.extend(
            step.query
                .values()
                .chain(step.headers.values())
                .chain(step.form.values()),
        );
        texts.extend(step.multipart.iter().map(|part| &part.value));
        texts.extend([&step.body, &step.bearer].into_iter().flatten());
        texts.extend(step.basic.iter().flat_map(|basic| [&basic.user, &basic.password]));
        self.texts(&texts, path, known, used)?;
        if let Some(json) = &step.json {
            let mut names = BTreeSet::new();
            template::names_in(json, &mut names)
                .map_err(|what| self.fault(&format!("{path}.json"), &what, "correct the text"))?;
            self.defined(&names, &format!("{path}.json"), known)?;
            used.extend(names);
        }
        let expect = &step.expect;
        for (text, matcher) in &expect.json {
            let here = format!("{path}.expect.json.{text}");
            self.jsonpath(text, &here)?;
            self.matcher(matcher, &here, known, used)?;
        }
        for (name, matcher) in &expect.headers {
            self.matcher(matcher, &format!("{path}.expect.headers.{name}"), known, used)?;
        }
        for (key, matcher) in [("body", &expect.body), ("redirect_to", &expect.redirect_to)] {
            if let Some(matcher) = matcher {
                self.matcher(matcher, &format!("{path}.expect.{key}"), known, used)?;
            }
        }
        Ok(())
    }

    fn texts(
        &self,
        texts: &[&String],
        path: &str,
        known: &BTreeSet<String>,
        used: &mut BTreeSet<String>,
    ) -> Result<()> {
        let mut names = BTreeSet::new();
        for text in texts {
            template::names(text, &mut names).map_err(|what| self.fault(path, &what, "correct the text"))?;
        }
        self.defined(&names, path, known)?;
        used.extend(names);
        Ok(())
    }

    fn defined(&self, names: &BTreeSet<String>, path: &str, known: &BTreeSet<String>) -> Result<()> {
        match names.iter().find(|name| !known.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                let near = nearest(name, known.iter().map(String::as_str))
                    .map_or(String::new(), |near| format!("did you mean `{near}`? "));
                let all: Vec<&str> = known.iter().map(String::as_str).collect();
                Err(self.fault(
                    path,
                    &format!("nothing defines the variable `{name}` before this"),
                    &format!("{near}defined here: {}", all.join(", ")),
                ))
            }
        }
    }

    fn matcher(
        &self,
        matcher: &Matcher,
        path: &str,
        known: &BTreeSet<String>,
        used: &mut BTreeSet<String>,
    ) -> Result<()> {
        for expression in matcher.expressions() {
            crate::judge::regex(expression)
                .map_err(|what| self.fault(path, &what, "correct the regular expression"))?;
        }
        let mut names = BTreeSet::new();
        for value in matcher.values() {
            template::names_in(&value, &mut names)
                .map_err(|what| self.fault(path, &what, "correct the text"))?;
        }
        self.defined(&names, path, known)?;
        used.extend(names);
        Ok(())
    }

    fn jsonpath(&self, text: &str, path: &str) -> Result<()> {
        text.parse::<jsonpath::Path>()
            .map(drop)
            .map_err(|what| self.fault(path, &what, "a path begins with $, such as $.items[0].id"))
    }

    fn capture(&self, name: &str, capture: &Capture, path: &str) -> Result<()> {
        if !is_name(name) {
            return Err(self.fault(
                path,
                &format!("`{name}` cannot be a variable's name"),
                "use letters, digits and _",
            ));
        }
        let sources = [
            capture.jsonpath.is_some(),
            capture.header.is_some(),
            capture.cookie.is_some(),
            capture.regex.is_some(),
            capture.css.is_some(),
        ];
        if sources.into_iter().filter(|given| *given).count() != 1 {
            return Err(self.fault(
                path,
                "a capture has exactly one source",
                "give one of jsonpath, header, cookie, regex and css",
            ));
        }
        if let Some(text) = &capture.jsonpath {
            self.jsonpath(text, &format!("{path}.jsonpath"))?;
        }
        if let Some(expression) = &capture.regex {
            crate::judge::regex(expression).map_err(|what| {
                self.fault(&format!("{path}.regex"), &what, "correct the regular expression")
            })?;
        }
        match (&capture.css, &capture.attr) {
            (Some(selector), _) => Selector::parse(selector)
                .map(drop)
                .map_err(|what| self.fault(&format!("{path}.css"), &what, "change the selector")),
            (None, Some(_)) => Err(self.fault(
                &format!("{path}.attr"),
                "an attribute is taken of an element",
                "give css = \"…\" beside it",
            )),
            (None, None) => Ok(()),
        }
    }
}
