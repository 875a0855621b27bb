//! Consent to replacing a live database: its name, typed or given. Where the environment is protected, its name too.

use fh_core::app::Session;
use fh_core::confirm::{Console, Terminal};
use fh_core::{Error, Result};
use fh_pg::ConnectionString;

/// Lets the replacement of `target` by the set `id` go on.
///
/// # Errors
/// Exit code 4 when a name is missing or another one.
pub(super) fn to_replace(
    session: &Session,
    target: &ConnectionString,
    id: &str,
    given: Option<&str>,
) -> Result<()> {
    let name = target.database();
    let action = format!(
        "replace the database {name} on {} by the set {id}",
        target.place()
    );
    let _environment = session.confirm(action.as_str())?;
    let mut console = Console::open(&session.cancel);
    let terminal = console.as_mut().map(|console| console as &mut dyn Terminal);
    session.progress.suspend(|| named(name, &action, given, terminal))
}

fn named(name: &str, action: &str, given: Option<&str>, terminal: Option<&mut dyn Terminal>) -> Result<()> {
    let typed = match (given, terminal) {
        (Some(given), _) if given == name => return Ok(()),
        (Some(given), _) => {
            return Err(Error::refused(format!(
                "--confirm-database names {given:?}, but the database to replace is {name:?}"
            ))
            .hint("check --into, DATABASE_URL and the configuration; nothing was changed"));
        }
        (None, None) => {
            return Err(Error::refused(format!("this would {action}"))
                .hint(format!("add --confirm-database {name} if that is what you want; nothing was changed")));
        }
        (None, Some(terminal)) => terminal.ask(&format!(
            "This will {action}. The old database stays, under another name.\nType the name of the database to go on: "
        ))?,
    };
    if typed.trim() == name {
        return Ok(());
    }
    Err(
        Error::refused(format!("not confirmed: what was typed is not {name:?}"))
            .hint("nothing was changed; run again and type the name of the database"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use fh_core::Exit;

    struct Typing(&'static str);

    impl Terminal for Typing {
        fn ask(&mut self, question: &str) -> Result<String> {
            assert!(question.contains("replace shop"), "{question}");
            Ok(self.0.to_owned())
        }
    }

    #[test]
    fn only_the_name_itself_lets_it_go_on() {
        let ask = |given: Option<&str>, typed: Option<&'static str>| {
            let mut typing = typed.map(Typing);
            let terminal = typing.as_mut().map(|typing| typing as &mut dyn Terminal);
            named("shop", "replace shop", given, terminal)
        };
        assert!(ask(Some("shop"), None).is_ok());
        assert!(ask(None, Some("shop ")).is_ok());
        for (given, typed) in [
            (None, None),
            (None, Some("")),
            (None, Some("yes")),
            (Some("sho"), Some("shop")),
        ] {
            assert_eq!(ask(given, typed).unwrap_err().exit(), Exit::Refused);
        }
    }
}
