//! `cargo xtask setup`: looks at the machine, says what it will install and why, does it, and looks again. On a machine
//! that has everything it changes nothing and takes less than a second.

mod facts;
mod plan;
mod step;
mod system;

use anyhow::Context as _;
use facts::Facts;
use step::Step;

use crate::cli::{Part, SetupOptions};
use crate::process::clean;
use crate::ui::{self, Colour};
use crate::workspace::Workspace;

/// Without `--only`.
const USUAL: &[Part] = &[Part::Services, Part::Cargo, Part::Python];

/// Whether all that was asked for is there now (or, in a dry run, could be planned).
pub(crate) fn run(workspace: &Workspace, options: &SetupOptions) -> anyhow::Result<bool> {
    let parts: &[Part] = if options.only.is_empty() {
        USUAL
    } else {
        &options.only
    };
    let plan = plan::plan(&Facts::look(workspace)?, parts);
    if plan.is_complete() {
        ui::say("setup: everything is there already");
        return Ok(true);
    }
    ui::result(&plan.to_string());
    if options.dry_run {
        return Ok(plan.gaps.is_empty());
    }
    if !options.yes && ui::can_ask() && !plan.steps.is_empty() && !ui::confirm("Do this?") {
        ui::say("setup: nothing was changed");
        return Ok(false);
    }
    for step in &plan.steps {
        take(workspace, step)?;
    }
    let left = plan::plan(&Facts::look(workspace)?, parts);
    if left.is_complete() {
        ui::say("setup: everything is there now");
        return Ok(true);
    }
    ui::say(&format!("setup: this is still missing\n{}", left.missing()));
    Ok(false)
}

fn take(workspace: &Workspace, step: &Step) -> anyhow::Result<()> {
    let colour = ui::on_terminal(&std::io::stderr());
    ui::say(&Colour::Bold.paint(&format!("==> {}", step.what), colour));
    for command in &step.commands {
        let first = start(workspace, &command.argv, &command.env);
        let done = match first {
            Err(error) if !command.otherwise.is_empty() => {
                ui::say(&format!("that failed ({error:#}), so the other way is tried"));
                start(workspace, &command.otherwise, &command.env)
            }
            first => first,
        };
        done.with_context(|| format!("{}: this step of the setup failed", step.what))?;
    }
    Ok(())
}

fn start(workspace: &Workspace, argv: &[String], env: &[(&str, &str)]) -> anyhow::Result<()> {
    let (program, arguments) = argv.split_first().context("a setup step without a program")?;
    clean(workspace.shell.cmd(program))
        .args(arguments)
        .envs(env.iter().copied())
        .run()?;
    Ok(())
}
