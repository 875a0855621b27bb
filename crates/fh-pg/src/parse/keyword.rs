//! `host=db.example.com user=app password='it\'s'` (PostgreSQL manual, 34.1.1.1).

use std::iter::Peekable;
use std::str::Chars;

use fh_core::{Error, Result};

use super::parameters;
use super::settings::Settings;

/// What to do about a character that cut a value in the wrong place.
const QUOTE: &str =
    "a value with spaces stands in single quotes, with \\' for a quote and \\\\ for a backslash in it";

/// Reads the keyword/value form. Messages repeat parameter names only.
///
/// # Errors
/// Exit code 2 for whatever libpq rejects.
pub(super) fn parse(text: &str) -> Result<Settings> {
    let mut settings = Settings::default();
    let mut rest = text.chars().peekable();
    for position in 1.. {
        skip_spaces(&mut rest);
        if rest.peek().is_none() {
            break;
        }
        let mut name = String::new();
        while let Some(letter) = rest.next_if(|letter| *letter != '=' && !is_space(*letter)) {
            name.push(letter);
        }
        skip_spaces(&mut rest);
        if rest.next() != Some('=') {
            return Err(Error::usage("the connection string has a word that no `=` follows").hint(
                format!("write a URL such as postgresql://user@host:5432/database, or pairs such as host=… dbname=…; {QUOTE}"),
            ));
        }
        skip_spaces(&mut rest);
        let value = if rest.next_if_eq(&'\'').is_some() {
            quoted(&mut rest)?
        } else {
            bare(&mut rest)
        };
        // The old name of `sslmode`, which libpq still reads.
        if name == "requiressl" {
            settings.obey(
                "sslmode",
                if value.starts_with('1') {
                    "require"
                } else {
                    "prefer"
                }
                .to_owned(),
            );
        } else {
            settings.set(parameters::find(&name, position, QUOTE)?, value)?;
        }
    }
    Ok(settings)
}

fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String> {
    let mut value = String::new();
    loop {
        match rest.next() {
            Some('\'') => return Ok(value),
            Some('\\') => value.extend(rest.next()),
            Some(letter) => value.push(letter),
            None => {
                return Err(
                    Error::usage("the connection string has a quoted value without an end").hint(QUOTE),
                );
            }
        }
    }
}

fn bare(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    while let Some(letter) = rest.next_if(|letter| !is_space(*letter)) {
        if letter == '\\' {
            value.extend(rest.next());
        } else {
            value.push(letter);
        }
    }
    value
}

fn skip_spaces(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|letter| is_space(*letter)).is_some() {}
}

/// C's `isspace`, which libpq uses.
fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}
