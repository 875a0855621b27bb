//! `cargo xtask ci`: the chosen gates in order, a line for each as it goes, a table at the end, and an exit code that
//! is good only if something ran and nothing failed.

mod github;
mod report;
mod select;

use std::cell::RefCell;
use std::time::Instant;

use report::{Report, State};
use select::Choice;

use crate::cli::{CiOptions, SetupOptions};
use crate::gates::{GATES, Outcome, Run};
use crate::ui::Colour;
use crate::workspace::Workspace;
use crate::{setup, ui};

/// Whether all is good.
pub(crate) fn run(workspace: &Workspace, options: &CiOptions) -> anyhow::Result<bool> {
    if options.list {
        for gate in GATES {
            ui::result(&format!("{:<12} {}", gate.name, gate.about));
        }
        return Ok(true);
    }
    if options.how.setup {
        let all = SetupOptions {
            yes: true,
            ..SetupOptions::default()
        };
        anyhow::ensure!(
            setup::run(workspace, &all)?,
            "the setup is not complete, so no gate was run"
        );
    }
    let run = Run {
        workspace,
        how: options.how,
        tests: RefCell::new(None),
    };
    let mut report = Report::new(options.how.strict);
    let mut stopped = false;
    for (gate, choice) in select::select(&options.only, &options.skip) {
        match choice {
            Choice::Skip(why) => report.add(gate.name, State::Skipped(why), 0.0),
            Choice::Run if stopped => {
                report.add(gate.name, State::Skipped("an earlier gate failed".into()), 0.0);
            }
            Choice::Run => {
                github::open(gate);
                let colour = ui::on_terminal(&std::io::stderr());
                ui::say(&format!(
                    "{} {}",
                    Colour::Bold.paint(&format!("==> {}", gate.name), colour),
                    gate.about
                ));
                let started = Instant::now();
                let state = State::Ran(gate.run(&run));
                let seconds = started.elapsed().as_secs_f64();
                ui::say(&report::line(gate.name, &state, seconds, colour));
                github::close();
                let failed = report.is_bad(&state);
                if let (true, State::Ran(outcome)) = (failed, &state) {
                    github::error(gate, outcome);
                }
                stopped |= failed && options.fail_fast;
                report.add(gate.name, state, seconds);
            }
        }
    }
    report.counts = run.tests.borrow().as_ref().and_then(|tests| tests.counts);
    ui::say("");
    ui::result(&report.table(ui::on_terminal(&std::io::stdout())));
    github::summary(&report.markdown())?;
    Ok(report.is_good())
}

impl Outcome {
    /// The word of the table.
    fn word(&self) -> &'static str {
        match self {
            Self::Pass(_) => "pass",
            Self::Fail(_) => "fail",
            Self::Unavailable(_) | Self::Unreachable(_) => "unavailable",
        }
    }

    /// What there is to say beside the word.
    fn detail(&self) -> &str {
        match self {
            Self::Pass(text) | Self::Fail(text) | Self::Unavailable(text) | Self::Unreachable(text) => text,
        }
    }
}
