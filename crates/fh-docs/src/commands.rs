//! Whether a command line in the documentation is one that the tool accepts.

use clap::Command;
use clap::error::ErrorKind;

/// Checks every command of ours in one line of a shell block; gives a message for each that would be refused.
#[must_use]
pub fn check_line(line: &str, trees: &[Command]) -> Vec<String> {
    ours(line, trees)
        .into_iter()
        .filter_map(|(words, tree)| refusal(&words, tree))
        .collect()
}

/// How many commands of ours a line holds.
#[must_use]
pub fn count(line: &str, trees: &[Command]) -> usize {
    ours(line, trees).len()
}

fn refusal(words: &[String], tree: &Command) -> Option<String> {
    let error = tree.clone().try_get_matches_from(words).err()?;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return None;
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    Some(format!(
        "`{}`: {}",
        words.join(" "),
        first.trim_start_matches("error: ")
    ))
}

/// The commands of ours in a line: it is cut at pipes and list operators, and words that may stand before a command
/// (assignments, `sudo`, the five fields of a crontab line) are passed over.
fn ours<'a>(line: &str, trees: &'a [Command]) -> Vec<(Vec<String>, &'a Command)> {
    let line = line.trim_start().trim_start_matches("$ ");
    if line.starts_with('#') {
        return Vec::new();
    }
    // Quotes that never close are prose or program output, not a command.
    let Some(words) = shlex::split(line) else {
        return Vec::new();
    };
    words
        .split(|word| matches!(word.as_str(), "|" | "||" | "&&" | ";" | "&"))
        .filter_map(|command| {
            let start = command.iter().position(|word| !may_stand_before(word))?;
            let words = strip_redirections(&command[start..]);
            let (name, words) = match words.split_first()? {
                (cargo, rest) if cargo == "cargo" && rest.first().is_some_and(|word| word == "xtask") => {
                    ("xtask", rest.to_vec())
                }
                (program, _) => (program.rsplit('/').next().unwrap_or(program), words.clone()),
            };
            let tree = trees.iter().find(|tree| tree.get_name() == name)?;
            Some((words, tree))
        })
        .collect()
}

fn may_stand_before(word: &str) -> bool {
    let assignment = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    let crontab = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || "*/,-".contains(c));
    assignment
        || crontab
        || matches!(
            word,
            "sudo" | "exec" | "time" | "nice" | "@daily" | "@hourly" | "@weekly"
        )
}

fn strip_redirections(words: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            ">" | ">>" | "<" | "2>" | "2>>" => {
                rest.next();
            }
            word if word.starts_with("2>") || word.starts_with('>') => {}
            word => kept.push(word.to_owned()),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn trees() -> Vec<Command> {
        vec![
            Command::new("fh-x").subcommand(Command::new("go").arg(Arg::new("fast").long("fast"))),
            Command::new("xtask").subcommand(Command::new("ci")),
        ]
    }

    fn check(line: &str) -> Vec<String> {
        check_line(line, &trees())
    }

    #[test]
    fn right_commands_pass_in_every_dress() {
        for line in [
            "fh-x go --fast 1",
            "$ DATABASE_URL=x sudo fh-x go",
            "0 2 * * * /usr/local/bin/fh-x go >> /var/log/x.log 2>&1",
            "cat y | fh-x go && cargo xtask ci",
            "fh-x --help",
        ] {
            assert_eq!(check(line), [""; 0], "{line}");
            assert!(count(line, &trees()) > 0, "{line}");
        }
    }

    #[test]
    fn wrong_flags_and_subcommands_are_named() {
        assert_eq!(
            check("fh-x go --fats 1"),
            ["`fh-x go --fats 1`: unexpected argument '--fats' found"]
        );
        assert_eq!(
            check("true && cargo xtask cy"),
            ["`xtask cy`: unrecognized subcommand 'cy'"]
        );
    }

    #[test]
    fn other_programs_and_comments_are_not_ours() {
        assert_eq!(
            count("ls fh-x", &trees()) + count("# fh-x nope", &trees()) + count("it's fh-x", &trees()),
            0
        );
    }
}
