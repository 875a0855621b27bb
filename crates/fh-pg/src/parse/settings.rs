//! Parameters as they were written, before anything is made of them.

use std::collections::BTreeMap;

use fh_core::{Error, Result, Secret};

use super::parameters::{PARAMETERS, Parameter, Use};
use crate::environment::Environment;

/// Parameter names with their values. A value given twice counts the second time, as in libpq.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    values: BTreeMap<&'static str, Value>,
}

/// A value, and the environment variable it came from if it did not come from the connection string.
#[derive(Debug, PartialEq, Eq)]
struct Value {
    text: Text,
    variable: Option<&'static str>,
}

/// A text that is hidden when it is the password's.
#[derive(Debug)]
enum Text {
    Plain(String),
    Hidden(Secret),
}

impl Text {
    fn new(name: &str, text: String) -> Self {
        if name == "password" {
            Self::Hidden(Secret::new(text))
        } else {
            Self::Plain(text)
        }
    }

    fn read(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Hidden(secret) => secret.expose(),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.read() == other.read()
    }
}

impl Eq for Text {}

impl Settings {
    /// Sets what the connection string says.
    ///
    /// # Errors
    /// Exit code 2 when the purpose of the parameter is one that we refuse.
    pub(super) fn set(&mut self, parameter: &Parameter, value: String) -> Result<()> {
        match parameter.purpose {
            Use::Obeyed => self.obey(parameter.name, value),
            Use::Ignored => {}
            // Said, but asking for nothing.
            Use::Refused(_) if value.is_empty() || (parameter.name == "replication" && is_no(&value)) => {}
            Use::Refused(why) => {
                let name = parameter.name;
                return Err(
                    Error::usage(format!("`{name}` in the connection string cannot be obeyed")).hint(why),
                );
            }
        }
        Ok(())
    }

    /// Sets a parameter that is obeyed.
    pub(super) fn obey(&mut self, name: &'static str, value: String) {
        self.values.insert(
            name,
            Value {
                text: Text::new(name, value),
                variable: None,
            },
        );
    }

    /// Fills in what is not set from the environment. What is set, even to nothing, stays.
    ///
    /// # Errors
    /// Exit code 2 when a variable asks for what we refuse.
    pub(super) fn add_defaults(&mut self, environment: &Environment) -> Result<()> {
        for parameter in &PARAMETERS {
            let Some(variable) = parameter.variable else {
                continue;
            };
            let Some(value) = environment.get(variable) else {
                continue;
            };
            match parameter.purpose {
                Use::Refused(why) => {
                    return Err(Error::usage(format!(
                        "the environment variable {variable} cannot be obeyed"
                    ))
                    .hint(why));
                }
                Use::Ignored => {}
                Use::Obeyed => {
                    self.default(parameter.name, variable, value);
                }
            }
        }
        // Its old form, which libpq still reads.
        if environment
            .get("PGREQUIRESSL")
            .is_some_and(|value| value.starts_with('1'))
        {
            self.default("sslmode", "PGREQUIRESSL", "require");
        }
        Ok(())
    }

    fn default(&mut self, name: &'static str, variable: &'static str, value: &str) {
        let value = || Value {
            text: Text::new(name, value.to_owned()),
            variable: Some(variable),
        };
        self.values.entry(name).or_insert_with(value);
    }

    /// A value; an empty one counts as not set.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// A value, which may be empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.read())
    }

    /// What messages call a parameter: where it was set.
    pub(super) fn called(&self, name: &str) -> String {
        match self.values.get(name).and_then(|value| value.variable) {
            Some(variable) => format!("the environment variable {variable}"),
            None => format!("`{name}` in the connection string"),
        }
    }

    pub(super) fn password(&self) -> Option<Secret> {
        match self.values.get("password").map(|value| &value.text) {
            Some(Text::Hidden(secret)) if !secret.expose().is_empty() => Some(secret.clone()),
            _ => None,
        }
    }
}

/// PostgreSQL's spellings of "no".
fn is_no(value: &str) -> bool {
    ["false", "off", "no", "0"].contains(&value.to_ascii_lowercase().as_str())
}
