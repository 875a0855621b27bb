//! Numbers and words in parameters.

use std::time::Duration;

use fh_core::nearest::nearest;
use fh_core::{Error, Result};

use super::settings::Settings;

/// A whole number; libpq gives zero and negative ones the meaning of "default".
pub(super) fn number(settings: &Settings, name: &str) -> Result<Option<i32>> {
    settings
        .get(name)
        .map(|text| {
            text.trim().parse::<i32>().map_err(|_| {
                Error::usage(format!("{} is not a whole number", settings.called(name)))
                    .hint(format!("write {name}=10"))
            })
        })
        .transpose()
}

pub(super) fn seconds(settings: &Settings, name: &str) -> Result<Option<Duration>> {
    let seconds = number(settings, name)?
        .and_then(|number| u64::try_from(number).ok())
        .filter(|number| *number > 0);
    Ok(seconds.map(Duration::from_secs))
}

/// One of some words. An empty one is an error, as in libpq: somebody meant to say something.
pub(super) fn choice<T: Copy>(settings: &Settings, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
    let Some(given) = settings.given(name) else {
        return Ok(None);
    };
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == given) {
        return Ok(Some(*value));
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    // node-postgres calls it so.
    let near = if given.is_empty() {
        None
    } else if given == "no-verify" {
        Some("require")
    } else {
        nearest(given, words.iter().copied())
    };
    let hint = match near {
        Some(near) => format!("did you mean {name}={near}? The values are {}", words.join(", ")),
        None => format!("the values are {}", words.join(", ")),
    };
    let problem = if given.is_empty() {
        "is empty"
    } else {
        "has an unknown value"
    };
    Err(Error::usage(format!("{} {problem}", settings.called(name))).hint(hint))
}
