//! What variables hold while a suite runs.

use std::collections::BTreeMap;

use fh_core::config::LocalSecrets;
use fh_core::nearest::nearest;
use fh_core::{Error, Result, Secret};
use serde_json::Value;

use crate::suite::{Environment, Suite, Variable};

/// Twelve hexadecimal digits that differ in every run, for names of things that a suite makes.
pub const RUN_ID: &str = "run_id";

/// The values of variables, secrets and captures.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    values: BTreeMap<String, Held>,
}

#[derive(Debug, Clone)]
enum Held {
    Open(Value),
    /// A text, or JSON when `json` is set.
    Hidden {
        secret: Secret,
        json: bool,
    },
}

impl Scope {
    /// The variables and secrets of a suite in an environment. `given` are those of the command line, which go first;
    /// `variable` looks up an environment variable.
    ///
    /// # Errors
    /// Exit code 2 when a secret cannot be read, an environment variable is not set, or a given name is unknown.
    pub fn new(
        suite: &Suite,
        environment: &Environment,
        given: &[(String, String)],
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut scope = Self::default();
        scope.set(RUN_ID, run_id()?.into(), false);
        let mut secrets = suite.secrets.clone();
        secrets.extend(environment.secrets.clone());
        let mut vars = suite.vars.clone();
        vars.extend(environment.vars.clone());
        for (name, value) in given {
            // On a command line everybody can read it, and so no secret may stand there.
            if secrets.contains_key(name) {
                return Err(Error::usage(format!(
                    "--var {name}: `{name}` is a secret, and a command line is seen by everybody on the machine"
                ))
                .hint(format!(
                    "give it as secrets.{name} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}"
                )));
            }
            if vars.insert(name.clone(), Variable::Text(value.clone())).is_none() {
                return Err(unknown(name, &vars));
            }
        }
        for (name, source) in &secrets {
            let secret = source.resolve(&LocalSecrets, &format!("the secret `{name}`"))?;
            scope
                .values
                .insert(name.clone(), Held::Hidden { secret, json: false });
        }
        for (name, value) in vars {
            let text = match value {
                Variable::Text(text) => text,
                Variable::Env { env, default } => variable(&env).or(default).ok_or_else(|| {
                    Error::usage(format!(
                        "the variable `{name}` comes from the environment variable {env}, which is not set"
                    ))
                    .hint(format!(
                        "set {env}, give --var {name}=VALUE, or add a default to the variable"
                    ))
                })?,
            };
            scope.set(&name, text.into(), false);
        }
        Ok(scope)
    }

    /// Gives a name a value; a secret one is never shown from then on.
    pub fn set(&mut self, name: &str, value: Value, secret: bool) {
        let held = if secret {
            let (text, json) = match value {
                Value::String(text) => (text, false),
                other => (other.to_string(), true),
            };
            Held::Hidden {
                secret: Secret::new(text),
                json,
            }
        } else {
            Held::Open(value)
        };
        self.values.insert(name.to_owned(), held);
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// When it has none.
    pub fn value(&self, name: &str) -> std::result::Result<Value, String> {
        match self.values.get(name) {
            Some(Held::Open(value)) => Ok(value.clone()),
            Some(Held::Hidden { secret, json: false }) => Ok(Value::String(secret.expose().to_owned())),
            Some(Held::Hidden { secret, json: true }) => {
                serde_json::from_str(secret.expose()).map_err(|_| format!("`{name}` holds no JSON any more"))
            }
            None => Err(format!("the variable `{name}` has no value")),
        }
    }

    /// The value of a variable as a text: a string without quotes, anything else as JSON.
    ///
    /// # Errors
    /// When it has none.
    pub fn text(&self, name: &str) -> std::result::Result<String, String> {
        self.value(name).map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// The names that have values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

fn unknown(name: &str, known: &BTreeMap<String, Variable>) -> Error {
    let names: Vec<&str> = known
        .keys()
        .map(String::as_str)
        .filter(|have| *have != name)
        .collect();
    let near =
        nearest(name, names.iter().copied()).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    Error::usage(format!("--var {name}: the suite has no variable `{name}`"))
        .hint(format!("{near}its variables: {}", names.join(", ")))
}

fn run_id() -> Result<String> {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::unable("the system gives no random numbers").because(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
