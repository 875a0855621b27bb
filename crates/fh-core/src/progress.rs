//! Progress on stderr: bars at a terminal, a line now and then in a log, nothing where nobody looks.
//!
//! ```
//! use fh_core::progress::Progress;
//! let progress = Progress::hidden();
//! let task = progress.bytes("dumping users", Some(1 << 20));
//! task.inc(4096);
//! task.finish("users dumped");
//! ```

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::render::{bytes, duration, grouped};
use crate::secret::scrub;

/// How often a task says something in a log.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How often a bar moves.
const TICK: Duration = Duration::from_millis(100);

/// Where progress goes. Clones share the screen.
#[derive(Debug, Clone, Default)]
pub struct Progress(Mode);

#[derive(Debug, Clone, Default)]
enum Mode {
    #[default]
    Hidden,
    Bars(MultiProgress),
    Lines,
}

impl Progress {
    /// Progress that nobody sees.
    #[must_use]
    pub fn hidden() -> Self {
        Self(Mode::Hidden)
    }

    /// What suits stderr: bars at a terminal, log lines elsewhere when `verbose`, and nothing when not `wanted`.
    #[must_use]
    pub fn on_stderr(wanted: bool, verbose: bool) -> Self {
        Self::choose(wanted, verbose, std::io::stderr().is_terminal())
    }

    fn choose(wanted: bool, verbose: bool, terminal: bool) -> Self {
        Self(match (wanted, terminal, verbose) {
            (false, _, _) | (true, false, false) => Mode::Hidden,
            (true, true, _) => Mode::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr())),
            (true, false, true) => Mode::Lines,
        })
    }

    /// A task of unknown length.
    #[must_use]
    pub fn spinner(&self, message: impl Into<String>) -> Task {
        self.task(&message.into(), None, Unit::None)
    }

    /// A task that moves bytes, `total` of them when that is known.
    #[must_use]
    pub fn bytes(&self, message: impl Into<String>, total: Option<u64>) -> Task {
        self.task(&message.into(), total, Unit::Bytes)
    }

    /// A task that works through things, `total` of them when that is known.
    #[must_use]
    pub fn items(&self, message: impl Into<String>, total: Option<u64>) -> Task {
        self.task(&message.into(), total, Unit::Items)
    }

    /// Runs `write`, which writes to stderr, with the bars out of its way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.0 {
            Mode::Bars(bars) => bars.suspend(write),
            Mode::Hidden | Mode::Lines => write(),
        }
    }

    fn task(&self, message: &str, total: Option<u64>, unit: Unit) -> Task {
        let message = scrub(message);
        let view = match &self.0 {
            Mode::Hidden => View::Hidden,
            Mode::Bars(bars) => {
                let bar =
                    bars.add(ProgressBar::new_spinner().with_style(style(template(unit, total.is_some()))));
                if let Some(total) = total {
                    bar.set_length(total);
                }
                bar.set_message(message);
                bar.enable_steady_tick(TICK);
                View::Bar(bar)
            }
            Mode::Lines => {
                tracing::info!("{message}");
                View::Lines(Mutex::new((message, Instant::now())))
            }
        };
        Task(Arc::new(Inner {
            view,
            unit,
            total,
            done: AtomicU64::new(0),
            began: Instant::now(),
        }))
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    None,
    Bytes,
    Items,
}

const fn template(unit: Unit, known: bool) -> &'static str {
    match (unit, known) {
        (Unit::None, _) => "{spinner} {msg} {elapsed}",
        (Unit::Bytes, true) => {
            "{spinner} {msg} {bar:24} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} eta {eta}"
        }
        (Unit::Bytes, false) => "{spinner} {msg} {binary_bytes} {binary_bytes_per_sec} {elapsed}",
        (Unit::Items, true) => "{spinner} {msg} {bar:24} {human_pos}/{human_len} eta {eta}",
        (Unit::Items, false) => "{spinner} {msg} {human_pos} {elapsed}",
    }
}

const FINISHED: &str = "  {msg}";

fn style(template: &str) -> ProgressStyle {
    // The templates are fixed, and a test reads each of them.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// One running task. Clones are the same task, for workers that share it; when the last one goes, it disappears from
/// the screen.
#[derive(Debug, Clone)]
pub struct Task(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    view: View,
    unit: Unit,
    total: Option<u64>,
    done: AtomicU64,
    began: Instant,
}

#[derive(Debug)]
enum View {
    Hidden,
    Bar(ProgressBar),
    /// The message, and when the log last heard of it.
    Lines(Mutex<(String, Instant)>),
}

impl Task {
    /// Counts `amount` more bytes or things as done.
    pub fn inc(&self, amount: u64) {
        let done = self.0.done.fetch_add(amount, Ordering::Relaxed) + amount;
        match &self.0.view {
            View::Hidden => {}
            View::Bar(bar) => bar.inc(amount),
            View::Lines(state) => {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                if state.1.elapsed() >= LINE_EVERY {
                    state.1 = Instant::now();
                    tracing::info!("{}: {}", state.0, self.0.amount(done));
                }
            }
        }
    }

    /// How much is done.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// Says what the task is doing now.
    pub fn set_message(&self, message: impl Into<String>) {
        let message = scrub(&message.into());
        match &self.0.view {
            View::Hidden => {}
            View::Bar(bar) => bar.set_message(message),
            View::Lines(state) => state.lock().unwrap_or_else(PoisonError::into_inner).0 = message,
        }
    }

    /// Ends the task; the message stays on the screen, or goes to the log, with what was done and how long it took.
    pub fn finish(&self, message: impl Into<String>) {
        let message = scrub(&message.into());
        let took = duration(self.0.began.elapsed());
        let line = match self.0.unit {
            Unit::None => format!("{message} in {took}"),
            Unit::Bytes | Unit::Items => format!("{message}: {} in {took}", self.0.amount(self.done())),
        };
        match &self.0.view {
            View::Hidden => {}
            View::Bar(bar) => {
                bar.set_style(style(FINISHED));
                bar.finish_with_message(line);
            }
            View::Lines(_) => tracing::info!("{line}"),
        }
    }
}

impl Inner {
    fn amount(&self, done: u64) -> String {
        let write = if self.unit == Unit::Bytes { bytes } else { grouped };
        match self.total.filter(|total| *total != done) {
            Some(total) => format!("{} of {}", write(done), write(total)),
            None => write(done),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let View::Bar(bar) = &self.view
            && !bar.is_finished()
        {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_gets_bars_and_only_a_talkative_log_gets_lines() {
        for (wanted, verbose, terminal, name) in [
            (true, false, true, "Bars"),
            (true, true, true, "Bars"),
            (true, true, false, "Lines"),
            (true, false, false, "Hidden"),
            (false, true, true, "Hidden"),
            (false, true, false, "Hidden"),
        ] {
            let mode = format!("{:?}", Progress::choose(wanted, verbose, terminal).0);
            assert!(mode.starts_with(name), "{wanted} {verbose} {terminal}: {mode}");
        }
    }

    #[test]
    fn every_template_is_valid() {
        let units = [Unit::None, Unit::Bytes, Unit::Items];
        let templates = units
            .iter()
            .flat_map(|unit| [template(*unit, true), template(*unit, false)]);
        for template in templates.chain([FINISHED]) {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn a_task_counts_whoever_looks() {
        for progress in [Progress::hidden(), Progress(Mode::Lines)] {
            let task = progress.bytes("x", Some(100));
            let worker = task.clone();
            std::thread::spawn(move || worker.inc(60)).join().unwrap();
            task.inc(10);
            task.set_message("y");
            assert_eq!(task.done(), 70);
            assert_eq!(task.0.amount(70), "70 B of 100 B");
        }
    }

    #[test]
    fn a_dropped_bar_is_cleared() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let progress = Progress(Mode::Bars(bars));
        let task = progress.items("rows", None);
        task.inc(3);
        let View::Bar(bar) = &task.0.view else {
            panic!("a bar")
        };
        let bar = bar.clone();
        drop(task);
        assert!(bar.is_finished());
        assert_eq!(progress.suspend(|| 7), 7);
        let done = progress.spinner("connecting");
        done.finish("connected");
        let View::Bar(bar) = &done.0.view else {
            panic!("a bar")
        };
        assert!(bar.message().starts_with("connected in "));
    }
}
