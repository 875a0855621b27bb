//! The smallest tool there is. Try `cargo run --example fh-example -- check 42`, then another number, then `--help`.

use std::time::Duration;

use clap::{Parser, Subcommand};
use fh_core::app::{self, Common, ConfigCommand, Session, Tool};
use fh_core::report::{Check, Measure, Report, Table, Unit};
use fh_core::{Error, Result, Secret};

/// Tells whether a number is the answer.
#[derive(Parser)]
#[command(
    version,
    before_help = "Examples:\n  fh-example check 42\n  fh-example list --format json"
)]
struct Example {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Check numbers; the answer passes, its neighbours warn, others fail, zero is unknown.
    Check {
        /// The numbers.
        numbers: Vec<u32>,
    },
    /// List some numbers.
    List,
    /// Wait until the deadline, or until somebody stops it, then check the answer.
    Wait {
        /// Do not look whether somebody asked to stop; fail as a child process would that got the same signal.
        #[arg(long)]
        deaf: bool,
    },
    /// Change something that may be protected.
    Destroy,
    /// Fail with a secret in every part of the message.
    Leak {
        /// Panic instead.
        #[arg(long)]
        panic: bool,
    },
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

impl Tool for Example {
    const NAME: &'static str = "fh-example";

    fn common(&self) -> &Common {
        &self.common
    }

    fn flags(&self) -> Vec<(String, String, &'static str)> {
        Vec::new()
    }

    fn execute(self, session: &Session) -> Result<Report> {
        tracing::info!("looking at {} environment variables", std::env::vars_os().count());
        match self.command {
            Command::Check { numbers } => Ok(check(&numbers)),
            Command::List => Ok(list()),
            Command::Wait { deaf } => wait(session, deaf),
            Command::Destroy => session.confirm("delete all numbers").map(|_| check(&[42])),
            Command::Leak { panic } => leak(panic),
            Command::Config(command) => Ok(command.report(Self::NAME, &session.loaded)),
        }
    }
}

fn check(numbers: &[u32]) -> Report {
    let mut report = Report::verdict_run("fh-example", "check", "The answer");
    for number in numbers {
        let id = format!("number.{number}");
        let check = match number {
            42 => Check::pass(id, "it is the answer"),
            41 | 43 => Check::warn(id, "close to the answer").hint("try the number beside it"),
            0 => Check::unknown(id, "nothing can be said about zero"),
            _ => Check::fail(id, "not the answer").hint("ask again, and take your time"),
        };
        let off = f64::from(number.abs_diff(42));
        report.push(
            check.measure(
                Measure::new("off", off, Unit::Count)
                    .warn_at(1.0)
                    .critical_at(2.0),
            ),
        );
    }
    report
}

fn list() -> Report {
    let mut report = Report::listing("fh-example", "list", "Numbers");
    let mut table = Table::new("").left("name").right("number");
    for number in 1..=5000 {
        table.push([format!("number {number}"), number.to_string()]);
    }
    report.show(table);
    report.data = (1..=5000).collect();
    report
}

fn wait(session: &Session, deaf: bool) -> Result<Report> {
    let task = session.progress.spinner("waiting");
    // On stderr, so that whoever started this knows that signals are handled from here on.
    tracing::warn!("waiting");
    while !session.cancel.is_cancelled() {
        session.deadline.bound(Duration::from_secs(1), "the answer")?;
        std::thread::sleep(Duration::from_millis(5));
    }
    task.finish("waited");
    if deaf {
        return Err(Error::unable("the child process died"));
    }
    session.cancel.check()?;
    Ok(check(&[42]))
}

#[expect(clippy::panic, reason = "it shows what a mistake in a tool looks like")]
fn leak(panic: bool) -> Result<Report> {
    let secret = Secret::new("correct-horse-battery");
    tracing::error!("the log says {}", secret.expose());
    if panic {
        panic!("the panic says {}", secret.expose());
    }
    Err(Error::unable(format!("login with {} failed", secret.expose()))
        .because(std::io::Error::other(format!("bad password {}", secret.expose())))
        .hint(format!("{} is too simple", secret.expose())))
}

fn main() -> std::process::ExitCode {
    app::main::<Example>()
}
