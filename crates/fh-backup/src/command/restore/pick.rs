//! Which set, when nobody said: a person is asked, a script gets the newest.

use fh_core::app::Session;
use fh_core::confirm::{Console, Terminal};
use fh_core::render::{bytes, duration};
use fh_core::{Error, Result};
use fh_repository::{Repository, SetState, SetSummary};
use jiff::Timestamp;

/// Sets that are shown, the newest first.
const SHOWN: usize = 15;

/// How often a wrong answer may be given.
const ATTEMPTS: usize = 3;

/// The id of the set that `wanted` means, or that is chosen at the terminal.
///
/// # Errors
/// Exit code 2 when there is no such set, 3 when there is none at all.
pub(in crate::command) async fn pick(
    session: &Session,
    repository: &Repository,
    wanted: Option<&str>,
) -> Result<String> {
    let console = match wanted {
        Some(_) => None,
        None => Console::open(&session.cancel),
    };
    let Some(mut console) = console else {
        return repository.resolve(wanted.unwrap_or("latest")).await;
    };
    let sets = repository.list_sets().await?;
    if sets.is_empty() {
        return repository.resolve("latest").await;
    }
    let chosen = session
        .progress
        .suspend(|| choose(&sets, &mut console, Timestamp::now()))?;
    repository.resolve(&chosen).await
}

fn choose(sets: &[SetSummary], terminal: &mut dyn Terminal, now: Timestamp) -> Result<String> {
    let newest: Vec<&SetSummary> = sets.iter().rev().take(SHOWN).collect();
    let mut question = String::from("Which set?\n");
    for (index, set) in newest.iter().enumerate() {
        question.push_str(&format!("{:>4}  {}\n", index + 1, line(set, now)));
    }
    if sets.len() > newest.len() {
        question.push_str(&format!(
            "      and {} older: type the beginning of an id\n",
            sets.len() - newest.len()
        ));
    }
    question.push_str("Number or id [1]: ");
    let mut asked = question.as_str();
    for _ in 0..ATTEMPTS {
        let answer = terminal.ask(asked)?;
        let answer = answer.trim();
        // A number is the place in the list; ids begin with the year, so no list is as long as that.
        let chosen = match (answer, answer.parse::<usize>()) {
            ("", _) => Some(newest[0].id.as_str()),
            (_, Ok(number)) if (1..=newest.len()).contains(&number) => Some(newest[number - 1].id.as_str()),
            _ => only(sets, answer),
        };
        match chosen {
            Some(id) => return Ok(id.to_owned()),
            None => asked = "That is none of them, or several. Number or id [1]: ",
        }
    }
    Err(Error::usage("no set was chosen").hint("`fh-backup list` shows them; give the id as an argument"))
}

fn only<'a>(sets: &'a [SetSummary], beginning: &str) -> Option<&'a str> {
    let mut found = sets.iter().filter(|set| set.id.starts_with(beginning));
    let first = found.next()?;
    found.next().is_none().then_some(first.id.as_str())
}

fn line(set: &SetSummary, now: Timestamp) -> String {
    match &set.state {
        SetState::Good(header) => format!(
            "{}  {} ago  {}  {}",
            set.id,
            duration(
                now.duration_since(header.snapshot_at.unwrap_or(header.created))
                    .unsigned_abs()
            ),
            header.databases.join(", "),
            bytes(header.totals.plain_bytes)
        ),
        SetState::Damaged(_) => format!("{}  DAMAGED", set.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Typing {
        answers: Vec<&'static str>,
        asked: Vec<String>,
    }

    impl Terminal for Typing {
        fn ask(&mut self, question: &str) -> Result<String> {
            self.asked.push(question.to_owned());
            Ok(self.answers.remove(0).to_owned())
        }
    }

    fn ask(count: usize, answers: &[&'static str]) -> (Result<String>, Vec<String>) {
        let sets: Vec<SetSummary> = (1..=count)
            .map(|day| SetSummary {
                id: format!("2026-11-{day:02}T020000Z-7f3a91"),
                modified: None,
                state: SetState::Damaged("cut".into()),
            })
            .collect();
        let mut typing = Typing {
            answers: answers.to_vec(),
            asked: Vec::new(),
        };
        (choose(&sets, &mut typing, Timestamp::UNIX_EPOCH), typing.asked)
    }

    #[test]
    fn the_newest_is_first_and_what_enter_means() {
        let (chosen, asked) = ask(3, &[""]);
        assert_eq!(chosen.unwrap(), "2026-11-03T020000Z-7f3a91");
        assert!(
            asked[0].contains("   1  2026-11-03T020000Z-7f3a91  DAMAGED\n   2  2026-11-02"),
            "{}",
            asked[0]
        );
    }

    #[test]
    fn a_number_or_the_beginning_of_an_id_chooses() {
        assert_eq!(ask(3, &["3"]).0.unwrap(), "2026-11-01T020000Z-7f3a91");
        let (chosen, asked) = ask(20, &["2026-11-02"]);
        assert_eq!(chosen.unwrap(), "2026-11-02T020000Z-7f3a91");
        assert!(asked[0].contains("and 5 older"), "{}", asked[0]);
    }

    #[test]
    fn a_wrong_answer_is_asked_again_and_not_guessed() {
        let (chosen, asked) = ask(3, &["9", "2026", "2"]);
        assert_eq!(chosen.unwrap(), "2026-11-02T020000Z-7f3a91");
        assert_eq!(asked.len(), 3);
        assert_eq!(
            ask(3, &["x", "y", "z"]).0.unwrap_err().exit(),
            fh_core::Exit::Usage
        );
    }
}
