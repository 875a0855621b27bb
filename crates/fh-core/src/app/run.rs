//! From the process's arguments to its exit code.

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, ValueEnum};
use jiff::Timestamp;

use super::{Session, Tool};
use crate::cancel::Cancel;
use crate::config::Config;
use crate::error::{Context, Error, Hint, Result};
use crate::exit::Exit;
use crate::output::{OutputOptions, Printer};
use crate::progress::Progress;
use crate::render::Format;
use crate::report::{FailOn, Failure, Report};
use crate::{logs, secret};

/// Runs a tool: reads the command line and the configuration, does the work, shows the report, and gives the exit code
/// that the report or the error stands for.
pub fn main<T: Tool>() -> ExitCode {
    let started = Timestamp::now();
    hide_secrets_in_panics();
    // Whatever goes wrong in our own code must not end with an exit code that the contract does not know.
    std::panic::catch_unwind(|| parse_and_run::<T>(started)).unwrap_or_else(|_| Exit::Unable.into())
}

fn parse_and_run<T: Tool>(started: Timestamp) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let parsed = super::command::<T>()
        .try_get_matches_from(&arguments)
        .and_then(|matches| {
            let command = command_name(&matches);
            T::from_arg_matches(&matches).map(|tool| (tool, command))
        });
    match parsed {
        Ok((tool, command)) => run(tool, &command, started),
        Err(error) => usage::<T>(&error, &arguments, started),
    }
}

fn run<T: Tool>(tool: T, command: &str, started: Timestamp) -> ExitCode {
    let common = tool.common().clone();
    let mut options = common.output_options(version::<T>());
    options.stdout_is_data = tool.stdout_is_data();
    let printer = Printer::new(options);
    let asked = common
        .env
        .clone()
        .or_else(|| std::env::var("FH_ENV").ok())
        .filter(|name| !name.is_empty());
    let result = prepare(&tool, started).and_then(|session| {
        let environment = session.loaded.environment.clone();
        work(tool, &session).map(|report| (report, environment))
    });
    let (mut report, environment) = match result {
        Ok(found) => found,
        Err(error) => {
            printer.error(&error);
            let report = Report::failed(T::NAME, command, &error);
            // A file of yesterday that says all is well must not outlive today's failure.
            if !common.format.is_document() && common.output.is_none() {
                return exit_code(&report, common.format, common.fail_on);
            }
            (report, asked)
        }
    };
    if let Some(name) = environment
        && report.subject.iter().all(|(key, _)| key != "environment")
    {
        report.subject.insert(0, ("environment".into(), name));
    }
    finish(report, started, &printer, common.format, common.fail_on)
}

fn prepare<T: Tool>(tool: &T, started: Timestamp) -> Result<Session> {
    let common = tool.common().clone();
    let progress = Progress::on_stderr(!common.quiet && !common.no_progress, common.verbose > 0);
    let var = |name: &str| std::env::var(name).ok();
    let color = common
        .color
        .wanted(std::io::IsTerminal::is_terminal(&std::io::stderr()), var);
    logs::init(
        common.quiet,
        common.verbose,
        var("RUST_LOG").as_deref(),
        color,
        &progress,
    )?;
    let cancel = Cancel::on_signals()?;
    crate::tls::install_crypto_provider();
    let deadline = common.deadline();
    let folder = std::env::current_dir()
        .or_unable(|| "cannot find out the current folder")
        .hint(|| "it may have been deleted; change to another one")?;
    let mut source = common.source(tool.flags());
    let loaded = if tool.has_own_environments() {
        source.environment = None;
        Config::load(&source, &|name| var(name).filter(|_| name != "FH_ENV"), &folder)?
    } else {
        Config::load(&source, &var, &folder)?
    };
    Ok(Session {
        loaded,
        deadline,
        cancel,
        progress,
        common,
        started,
    })
}

fn work<T: Tool>(tool: T, session: &Session) -> Result<Report> {
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| tool.execute(session))).unwrap_or_else(|_| {
        Err(
            Error::unable("stopped at a mistake in this program, which is described above")
                .hint("please report it, with the output of the same command under RUST_BACKTRACE=1"),
        )
    });
    let Err(stopped) = session.cancel.check() else {
        return result;
    };
    match result {
        // A child that the same signal ended, or a connection cut on the way out: the signal is the cause.
        Err(error) if error.exit() != stopped.exit() => Err(stopped.because(error)),
        Ok(mut report) if report.failure.is_none() && report.exit(FailOn::Error) != Exit::Good => {
            report.failure = Some(Failure::from(&stopped));
            Ok(report)
        }
        // It was faster than the signal.
        done => done,
    }
}

fn finish(
    mut report: Report,
    started: Timestamp,
    printer: &Printer,
    format: Format,
    fail_on: FailOn,
) -> ExitCode {
    report.started = started;
    report.finished = Timestamp::now().max(started);
    report.settle();
    match printer.report(&report) {
        Ok(()) => exit_code(&report, format, fail_on),
        Err(error) => {
            printer.error(&error);
            // Nobody was told, which must not look good; a bad answer stays the worse one.
            if report.exit(fail_on) == Exit::Good {
                report.failure = Some(Failure::from(&error));
            }
            exit_code(&report, format, fail_on)
        }
    }
}

fn exit_code(report: &Report, format: Format, fail_on: FailOn) -> ExitCode {
    match format {
        Format::Nagios => ExitCode::from(report.nagios_exit()),
        _ => report.exit(fail_on).into(),
    }
}

/// Help and version go to stdout and are good; everything else about the command line is a usage error. A monitoring
/// system that calls us with a wrong option must not take exit code 2 for a critical finding, so that even then the
/// format is obeyed.
fn usage<T: Tool>(error: &clap::Error, arguments: &[OsString], started: Timestamp) -> ExitCode {
    let printed = error.print();
    if !error.use_stderr() {
        return match printed {
            Err(source) if source.kind() != std::io::ErrorKind::BrokenPipe => Exit::Unable.into(),
            _ => Exit::Good.into(),
        };
    }
    let format = typed_format(arguments);
    if !format.is_document() {
        return Exit::Usage.into();
    }
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let error =
        Error::usage(line.strip_prefix("error: ").unwrap_or(line)).hint(format!("see {} --help", T::NAME));
    let printer = Printer::new(OutputOptions {
        format,
        version: version::<T>(),
        ..OutputOptions::default()
    });
    finish(
        Report::failed(T::NAME, "", &error),
        started,
        &printer,
        format,
        FailOn::Error,
    )
}

/// The format in a command line that cannot be parsed.
fn typed_format(arguments: &[OsString]) -> Format {
    let arguments: Vec<&str> = arguments
        .iter()
        .filter_map(|argument| argument.to_str())
        .collect();
    let mut found = Format::default();
    for (index, argument) in arguments.iter().enumerate() {
        let value = match argument.strip_prefix("--format") {
            Some("") => arguments.get(index + 1).copied(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(format) = value.and_then(|value| Format::from_str(value, false).ok()) {
            found = format;
        }
    }
    found
}

fn version<T: CommandFactory>() -> String {
    T::command()
        .get_version()
        .unwrap_or(env!("CARGO_PKG_VERSION"))
        .to_owned()
}

/// `config show`: the words of the sub-commands that were chosen.
fn command_name(matches: &ArgMatches) -> String {
    let mut words = Vec::new();
    let mut level = matches;
    while let Some((name, inner)) = level.subcommand() {
        words.push(name);
        level = inner;
    }
    words.join(" ")
}

/// A panic's message may hold anything, so it goes through the same sieve as every other text.
fn hide_secrets_in_panics() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write as _;
        let trace = std::backtrace::Backtrace::capture();
        let trace = match trace.status() {
            std::backtrace::BacktraceStatus::Captured => format!("\n{trace}"),
            _ => String::new(),
        };
        let _ = writeln!(std::io::stderr(), "{}", secret::scrub(&format!("{panic}{trace}")));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_found_in_a_line_that_does_not_parse() {
        let cases = [
            ("x --nonsense --format nagios", Format::Nagios),
            ("x --format=json create", Format::Json),
            ("x --format nonsense", Format::Human),
            ("x --format", Format::Human),
            ("x --formats json", Format::Human),
            ("x --format json --format junit", Format::Junit),
        ];
        for (line, format) in cases {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(typed_format(&arguments), format, "{line}");
        }
    }
}
