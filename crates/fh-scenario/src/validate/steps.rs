//! Steps: what they define, use and assert.

use std::collections::BTreeSet;

use fh_core::Result;

use super::{Checker, Walked};
use crate::html::Selector;
use crate::step::{Capture, Step};
use crate::template::{self, is_name};

impl Checker<'_> {
    pub(super) fn steps(&self, steps: &[Step], path: &str, known: &BTreeSet<String>) -> Result<Walked> {
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
        let targets = [
            ("get", &step.get),
            ("head", &step.head),
            ("post", &step.post),
            ("put", &step.put),
            ("patch", &step.patch),
            ("delete", &step.delete),
            ("options", &step.options),
            ("body", &step.body),
            ("bearer", &step.bearer),
        ];
        let mut texts: Vec<(String, &String)> = targets
            .into_iter()
            .filter_map(|(key, text)| Some((key.to_owned(), text.as_ref()?)))
            .collect();
        for (table, pairs) in [
            ("query", &step.query),
            ("headers", &step.headers),
            ("form", &step.form),
        ] {
            texts.extend(pairs.iter().map(|(name, text)| (format!("{table}.{name}"), text)));
        }
        texts.extend(
            step.multipart
                .iter()
                .enumerate()
                .map(|(index, part)| (format!("multipart[{index}].value"), &part.value)),
        );
        if let Some(basic) = &step.basic {
            texts.push(("basic.user".into(), &basic.user));
            texts.push(("basic.password".into(), &basic.password));
        }
        for (key, text) in texts {
            self.texts(&[text], &format!("{path}.{key}"), known, used)?;
        }
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
