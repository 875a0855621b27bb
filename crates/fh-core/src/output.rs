//! The one printer: the only place that writes to stdout. stdout is data, stderr is everything else.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::atomic;
use crate::error::{Context, Error, Hint, Result};
use crate::render::{self, Format, RenderOptions};
use crate::report::{FailOn, Report};

/// GitHub refuses a step summary of more than 1 MiB, all that the step wrote together.
const STEP_SUMMARY_LIMIT: u64 = 1024 * 1024;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// At a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether to colour a stream. `NO_COLOR` counts when it is set and not empty (no-color.org), and what was typed on
    /// the command line goes before it; a terminal that calls itself dumb gets none.
    #[must_use]
    pub fn wanted(self, terminal: bool, var: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                terminal
                    && var("NO_COLOR").is_none_or(|value| value.is_empty())
                    && var("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// How and where to show the report.
#[derive(Debug, Clone, Default)]
pub struct OutputOptions {
    /// The format.
    pub format: Format,
    /// A file instead of stdout.
    pub file: Option<PathBuf>,
    /// When to use colours.
    pub color: Color,
    /// Leave out what is as it should be.
    pub quiet: bool,
    /// What makes a run with warnings end badly.
    pub fail_on: FailOn,
    /// The tool's version.
    pub version: String,
    /// The run writes data of its own to stdout, so the report goes to stderr.
    pub stdout_is_data: bool,
}

/// Writes documents to stdout or a file, and errors to stderr.
#[derive(Debug)]
pub struct Printer {
    options: OutputOptions,
}

impl Printer {
    /// A printer for one run.
    #[must_use]
    pub fn new(options: OutputOptions) -> Self {
        Self { options }
    }

    /// Shows the report: to stdout, or to the file in one step, so that a reader finds the old document or the new one
    /// and never half of one. Under `--format github` the step summary is written too.
    ///
    /// # Errors
    /// Exit code 3 when it cannot be written. A reader that closed the pipe has seen enough, which is no error.
    pub fn report(&self, report: &Report) -> Result<()> {
        let options = self.render_options();
        let text = render::render(report, self.options.format, &options);
        match &self.options.file {
            Some(path) => write_file(path, text.as_bytes())?,
            None if self.options.stdout_is_data => {
                // When stderr is gone too, the exit code has to say it.
                let _ = io::stderr().lock().write_all(text.as_bytes());
            }
            None => write_stdout(text.as_bytes())?,
        }
        if self.options.format == Format::Github
            && let Some(path) = variable("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
        {
            append_summary(Path::new(&path), report, &options)?;
        }
        Ok(())
    }

    /// Shows an error to people.
    pub fn error(&self, error: &Error) {
        // When stderr is gone too, the exit code has to say it.
        let _ = writeln!(io::stderr().lock(), "{}", error.render());
    }

    fn render_options(&self) -> RenderOptions {
        let terminal =
            self.options.file.is_none() && !self.options.stdout_is_data && io::stdout().is_terminal();
        RenderOptions {
            version: self.options.version.clone(),
            color: self.options.color.wanted(terminal, variable),
            width: terminal.then(width).flatten(),
            quiet: self.options.quiet,
            zone: TimeZone::system(),
            fail_on: self.options.fail_on,
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The width of the terminal at stdout, at most what people read with ease.
fn width() -> Option<usize> {
    let columns = rustix::termios::tcgetwinsize(io::stdout()).ok()?.ws_col;
    (columns > 0).then(|| usize::from(columns).min(160))
}

/// Writes help texts, completions and other documents that are not reports to stdout.
///
/// # Errors
/// Exit code 3 when stdout cannot be written; a closed pipe is no error.
pub fn write_stdout(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::unable("cannot write to stdout")
                .because(source)
                .hint("is the disk full, or the other end of the pipe gone?"))
        }
        _ => Ok(()),
    }
}

/// Writes a file in one step. What is no regular file (`/dev/stdout`, a named pipe) is written to.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    match atomic::write(path, bytes, None) {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        done => done.hint(|| "choose another file with --output"),
    }
}

/// Whether the reader of a named pipe went away.
fn is_broken_pipe(error: &Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
}

fn append_summary(path: &Path, report: &Report, options: &RenderOptions) -> Result<()> {
    let failed = || format!("cannot append to the step summary {}", path.display());
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .or_unable(failed)?;
    let used = file.metadata().or_unable(failed)?.len();
    let room = usize::try_from(STEP_SUMMARY_LIMIT.saturating_sub(used)).unwrap_or(usize::MAX);
    let text = render::step_summary(report, options, room);
    file.write_all(text.as_bytes()).or_unable(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Check;

    #[test]
    fn no_color_is_obeyed_unless_told_otherwise() {
        let none = |_: &str| None;
        let no_color = |name: &str| (name == "NO_COLOR").then(|| "1".to_owned());
        let empty = |name: &str| (name == "NO_COLOR").then(String::new);
        let dumb = |name: &str| (name == "TERM").then(|| "dumb".to_owned());
        assert!(Color::Auto.wanted(true, none));
        assert!(!Color::Auto.wanted(false, none));
        assert!(!Color::Auto.wanted(true, no_color));
        assert!(Color::Auto.wanted(true, empty));
        assert!(!Color::Auto.wanted(true, dumb));
        assert!(Color::Always.wanted(false, no_color));
        assert!(!Color::Never.wanted(true, none));
    }

    #[test]
    fn a_new_file_can_be_read_by_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.prom");
        write_file(&path, b"new").unwrap();
        // node_exporter runs as somebody else.
        assert_ne!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o044, 0);
    }

    /// On a pipe of its own: were this broken, a test that runs as root would destroy a real device.
    #[test]
    fn a_pipe_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        // Open at both ends, so that neither side waits for the other.
        let mut pipe = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        write_file(&path, b"x").unwrap();
        assert!(path.metadata().unwrap().file_type().is_fifo());
        let mut seen = [0];
        io::Read::read_exact(&mut pipe, &mut seen).unwrap();
        assert_eq!(&seen, b"x");
    }

    #[test]
    fn only_a_closed_pipe_is_forgiven() {
        let pipe = Error::unable("x").because(io::Error::from(io::ErrorKind::BrokenPipe));
        let full = Error::unable("x").because(io::Error::from(io::ErrorKind::StorageFull));
        assert!(is_broken_pipe(&pipe) && !is_broken_pipe(&full));
        let error = write_file(Path::new("/nonexistent/folder/report.json"), b"x").unwrap_err();
        assert_eq!(error.exit(), crate::Exit::Unable);
        assert!(
            error.render().contains("/nonexistent/folder/report.json"),
            "{}",
            error.render()
        );
    }

    #[test]
    fn the_step_summary_is_appended_to_and_stays_within_the_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# before\n").unwrap();
        let mut report = Report::verdict_run("fh-x", "run", "Many");
        for number in 0..20_000 {
            report.push(Check::pass(format!("check.{number}"), "x".repeat(60)));
        }
        report.push(Check::fail("the.bad.one", "on top"));
        append_summary(file.path(), &report, &RenderOptions::default()).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.starts_with("# before\n"));
        assert!(
            text.len() as u64 <= STEP_SUMMARY_LIMIT && text.len() > 1_000_000,
            "{}",
            text.len()
        );
        assert!(text.find("the.bad.one").unwrap() < 400);
        assert!(text.ends_with("more blocks of this report are too long for this page._\n"));
        append_summary(file.path(), &report, &RenderOptions::default()).unwrap();
        assert!(std::fs::metadata(file.path()).unwrap().len() <= STEP_SUMMARY_LIMIT);
    }
}
