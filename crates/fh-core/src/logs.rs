//! Logs on stderr, through `tracing`: without secrets, and without colours unless somebody looks.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::FormatTime;

use crate::error::{Context, Error, Hint, Result};
use crate::progress::Progress;
use crate::secret::scrub;

/// The level for a number of `-v` and `-q`: errors when quiet, warnings by default, then information, details and
/// everything. Other crates speak one level later than ours.
fn directives(quiet: bool, verbose: u8) -> &'static str {
    match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "warn,fh=info",
        (false, 2) => "info,fh=debug",
        (false, _) => "debug,fh=trace",
    }
}

/// Starts logging for the rest of the process. `rust_log` is the value of `RUST_LOG`, which goes before the options.
///
/// # Errors
/// Exit code 2 when `rust_log` cannot be read, 3 when logging was started before.
pub fn init(
    quiet: bool,
    verbose: u8,
    rust_log: Option<&str>,
    color: bool,
    progress: &Progress,
) -> Result<()> {
    let filter = match rust_log.filter(|text| !text.is_empty()) {
        Some(text) => EnvFilter::try_new(text)
            .or_usage(|| format!("cannot read RUST_LOG=`{text}`"))
            .hint(|| "write levels such as `debug` or `info,fh_pg=trace`, or unset it and use -v")?,
        // A target matches by its beginning, so that `fh` stands for all our crates.
        None => EnvFilter::try_new(directives(quiet, verbose)).or_unable(|| "cannot set the log level")?,
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(color)
        .with_timer(Utc)
        .with_writer(Stderr(progress.clone()))
        .try_init()
        .map_err(|source| Error::unable("cannot start logging").because(source))
}

/// RFC 3339 in UTC, to the millisecond.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, writer: &mut tracing_subscriber::fmt::format::Writer<'_>) -> std::fmt::Result {
        write!(writer, "{:.3}", jiff::Timestamp::now())
    }
}

/// Writes whole lines to stderr, scrubbed, between the bars.
struct Stderr(Progress);

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Line<'a, io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            progress: &self.0,
            buffer: Vec::new(),
            out: io::stderr(),
        }
    }
}

/// One event. Held back until it is complete, because a secret may be written in pieces.
struct Line<'a, W: Write> {
    progress: &'a Progress,
    buffer: Vec<u8>,
    out: W,
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Line<'_, W> {
    fn drop(&mut self) {
        let text = scrub(&String::from_utf8_lossy(&self.buffer));
        // There is nowhere to tell that stderr is gone.
        let _ = self.progress.suspend(|| self.out.write_all(text.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_written_in_pieces_is_scrubbed() {
        let _secret = crate::Secret::new("piecemeal-secret");
        let progress = Progress::hidden();
        let mut seen = Vec::new();
        let mut line = Line {
            progress: &progress,
            buffer: Vec::new(),
            out: &mut seen,
        };
        line.write_all(b"password piecemeal").unwrap();
        line.write_all(b"-secret\n").unwrap();
        line.flush().unwrap();
        drop(line);
        assert_eq!(String::from_utf8(seen).unwrap(), "password ***\n");
    }

    #[test]
    fn more_v_says_more() {
        let levels = [(true, 3), (false, 0), (false, 1), (false, 2), (false, 9)];
        for (quiet, verbose) in levels {
            assert!(EnvFilter::try_new(directives(quiet, verbose)).is_ok());
        }
        assert_eq!(directives(true, 3), "error");
        assert_ne!(directives(false, 1), directives(false, 2));
    }

    #[test]
    fn a_bad_rust_log_is_a_usage_error() {
        let error = init(false, 0, Some("fh=loudly"), false, &Progress::hidden()).unwrap_err();
        assert_eq!(error.exit(), crate::Exit::Usage);
        assert!(error.render().contains("RUST_LOG"), "{}", error.render());
    }
}
