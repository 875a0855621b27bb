//! What the demonstration prints: one line per step, with its time.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;

/// The lines on stdout; on a terminal a spinner on stderr shows the step that runs.
pub(super) struct Screen {
    started: Instant,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    pub(super) fn title(&mut self, text: &str) {
        self.line(&format!("{text}\n"));
    }

    /// Runs one step, which gives what there is to say about it and its result.
    pub(super) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<(String, T)>) -> Result<T> {
        let spinner = ProgressBar::new_spinner().with_message(name.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(120));
        let started = Instant::now();
        let result = work();
        spinner.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok((about, value)) => {
                self.line(&format!("  ok    {name:<32} {seconds:>7.2} s   {about}"));
                Ok(value)
            }
            Err(error) => {
                self.line(&format!("  FAIL  {name:<32} {seconds:>7.2} s"));
                Err(error).with_context(|| format!("the step `{name}` failed"))
            }
        }
    }

    pub(super) fn success(&mut self, text: &str) {
        self.line(&format!(
            "\n{text} ({:.1} s in all)",
            self.started.elapsed().as_secs_f64()
        ));
    }

    pub(super) fn failure(&mut self, error: &anyhow::Error) {
        self.line(&format!("\nNOT PROVEN: {error:#}"));
    }

    pub(super) fn kept(&mut self, what: &str, path: &Path) {
        self.line(&format!("kept: {what} in {}", path.display()));
    }

    /// A closed stdout is no reason to stop: the exit code says the result.
    fn line(&mut self, text: &str) {
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

/// Bytes for people, with binary units.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // A size that a float cannot hold exactly is far beyond what three digits show.
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_read_well() {
        let texts = [5, 1023, 1024, 1_500_000, 5_000_000_000].map(super::size);
        assert_eq!(texts, ["5 B", "1023 B", "1.0 KiB", "1.4 MiB", "4.7 GiB"]);
    }
}
