//! Consent for what cannot be taken back: a token that only the confirmed path can make.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc;
use std::time::Duration;

use crate::cancel::Cancel;
use crate::config::Loaded;
use crate::error::{Context, Error, Result};

/// Proof that the operator agreed to the action, or that the environment does not ask for it. Functions that destroy
/// take one; only [`confirm`] makes one.
#[derive(Debug)]
#[must_use = "pass it to the function that needs consent"]
pub struct Confirmed {
    environment: String,
}

impl Confirmed {
    /// The environment that was agreed to.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.environment
    }
}

/// What is about to happen, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The environment's name, or the project's when none was chosen.
    pub environment: String,
    /// Whether its configuration says `protected = true`.
    pub protected: bool,
    /// What would happen, as the end of "this will …": "replace every table of database app on db.example.com".
    pub action: String,
}

impl Gate {
    /// The gate of a configuration's environment.
    pub fn of(loaded: &Loaded, action: impl Into<String>) -> Self {
        Self {
            environment: loaded
                .environment
                .clone()
                .unwrap_or_else(|| loaded.config.project.name.clone()),
            protected: loaded.config.protected,
            action: action.into(),
        }
    }
}

/// Somebody who can be asked.
pub trait Terminal {
    /// Shows `question` and returns the line that was typed, without its end.
    ///
    /// # Errors
    /// When the line cannot be read, or the run was stopped meanwhile.
    fn ask(&mut self, question: &str) -> Result<String>;
}

/// Asks for consent where it is needed. `given` is the value of `--confirm`; `terminal` is `None` when nobody is there.
///
/// An environment that is not protected needs no consent; but a `--confirm` that names another environment is refused
/// there too, because then something is not as the operator thinks.
///
/// # Errors
/// Exit code 4 when the name is missing or wrong.
pub fn confirm(gate: &Gate, given: Option<&str>, terminal: Option<&mut dyn Terminal>) -> Result<Confirmed> {
    let Gate {
        environment,
        protected,
        action,
    } = gate;
    let confirmed = || Confirmed {
        environment: environment.clone(),
    };
    if let Some(name) = given {
        if name == environment {
            return Ok(confirmed());
        }
        return Err(Error::refused(format!(
            "--confirm names `{name}`, but the environment is `{environment}`"
        ))
        .hint("check --env, FH_ENV and the configuration before trying again"));
    }
    if !protected {
        return Ok(confirmed());
    }
    let Some(terminal) = terminal else {
        return Err(Error::refused(format!(
            "environment `{environment}` is protected, and this would {action}"
        ))
        .hint(format!("add --confirm {environment} if that is what you want")));
    };
    let typed = terminal.ask(&format!(
        "This will {action}.\nEnvironment `{environment}` is protected. Type its name to go on: "
    ))?;
    if typed.trim() == environment {
        return Ok(confirmed());
    }
    Err(
        Error::refused(format!("not confirmed: what was typed is not `{environment}`"))
            .hint("nothing was changed; run again and type the name of the environment"),
    )
}

/// The process's own terminal: questions on stderr, answers from stdin.
#[derive(Debug)]
pub struct Console {
    cancel: Cancel,
}

impl Console {
    /// The console, if there is somebody at both ends: stdin and stderr are terminals.
    #[must_use]
    pub fn open(cancel: &Cancel) -> Option<Self> {
        (io::stdin().is_terminal() && io::stderr().is_terminal()).then(|| Self {
            cancel: cancel.clone(),
        })
    }
}

impl Terminal for Console {
    fn ask(&mut self, question: &str) -> Result<String> {
        let failed = || "cannot ask for confirmation";
        let mut stderr = io::stderr().lock();
        stderr.write_all(question.as_bytes()).or_unable(failed)?;
        stderr.flush().or_unable(failed)?;
        // Reading a line cannot be interrupted, so it has a thread of its own, and Ctrl-C works at the question too.
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = sender.send(io::stdin().read_line(&mut line).map(|_| line));
        });
        loop {
            match receiver.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => return Ok(line.or_unable(failed)?.trim_end_matches(['\r', '\n']).to_owned()),
                Err(mpsc::RecvTimeoutError::Timeout) => self.cancel.check()?,
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(Error::unable(failed())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;

    struct Typing {
        answer: &'static str,
        asked: Vec<String>,
    }

    impl Terminal for Typing {
        fn ask(&mut self, question: &str) -> Result<String> {
            self.asked.push(question.to_owned());
            Ok(self.answer.to_owned())
        }
    }

    fn typing(answer: &'static str) -> Typing {
        Typing {
            answer,
            asked: Vec::new(),
        }
    }

    fn gate(protected: bool) -> Gate {
        Gate {
            environment: "production".into(),
            protected,
            action: "replace every table of database app".into(),
        }
    }

    fn refusal(result: Result<Confirmed>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        error.render()
    }

    #[test]
    fn the_name_as_flag_or_typed_opens_a_protected_gate() {
        assert_eq!(
            confirm(&gate(true), Some("production"), None)
                .unwrap()
                .environment(),
            "production"
        );
        let mut terminal = typing(" production ");
        let _ = confirm(&gate(true), None, Some(&mut terminal)).unwrap();
        insta::assert_snapshot!(terminal.asked.join("---"), @r"
        This will replace every table of database app.
        Environment `production` is protected. Type its name to go on:
        ");
    }

    #[test]
    fn anything_else_does_not() {
        insta::assert_snapshot!(refusal(confirm(&gate(true), None, None)), @r"
        error: environment `production` is protected, and this would replace every table of database app
        hint: add --confirm production if that is what you want
        ");
        insta::assert_snapshot!(refusal(confirm(&gate(true), Some("staging"), Some(&mut typing("production")))), @r"
        error: --confirm names `staging`, but the environment is `production`
        hint: check --env, FH_ENV and the configuration before trying again
        ");
        for answer in ["", "y", "yes", "Production", "productio"] {
            let text = refusal(confirm(&gate(true), None, Some(&mut typing(answer))));
            insta::allow_duplicates! { insta::assert_snapshot!(text, @r"
            error: not confirmed: what was typed is not `production`
            hint: nothing was changed; run again and type the name of the environment
            "); }
        }
    }

    #[test]
    fn an_open_gate_asks_nobody_but_minds_a_wrong_name() {
        let mut terminal = typing("nonsense");
        let _ = confirm(&gate(false), None, Some(&mut terminal)).unwrap();
        assert!(terminal.asked.is_empty());
        let _ = confirm(&gate(false), Some("production"), None).unwrap();
        refusal(confirm(&gate(false), Some("staging"), None));
    }

    #[test]
    fn the_gate_of_a_configuration() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("financehub.toml"),
            "project.name = 'shop'\n[env.production]\nprotected = true\n",
        )
        .unwrap();
        let mut source = crate::config::ConfigSource::default();
        let load = |source: &crate::config::ConfigSource| {
            let loaded = crate::config::Config::load(source, &|_| None, folder.path()).unwrap();
            Gate::of(&loaded, "x")
        };
        assert_eq!(
            load(&source),
            Gate {
                environment: "shop".into(),
                protected: false,
                action: "x".into()
            }
        );
        source.environment = Some("production".into());
        assert_eq!(
            load(&source),
            Gate {
                environment: "production".into(),
                protected: true,
                action: "x".into()
            }
        );
    }
}
