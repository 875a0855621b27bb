//! A table that fits the terminal, the worst first; one block for each round where there is no terminal.

use std::io::IsTerminal as _;
use std::time::Duration;

use fh_core::output::Color;
use fh_core::render::duration;
use fh_core::report::{Report, Status};
use fh_core::{Check, scrub};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::incident::Finding;
use crate::memory::{Level, Memory};

/// Columns of a terminal that does not say how wide it is.
const WIDTH: usize = 80;
/// Rows of a terminal that does not say how high it is.
const HEIGHT: usize = 24;

/// What there is to show.
pub(super) struct View<'a> {
    pub(super) report: &'a Report,
    pub(super) incidents: &'a [Finding],
    pub(super) memory: &'a Memory,
    pub(super) now: Timestamp,
    pub(super) took: Duration,
    pub(super) interval: Duration,
    pub(super) environment: Option<&'a str>,
}

/// Where it is shown.
pub(super) struct Screen {
    terminal: bool,
    color: bool,
}

impl Screen {
    pub(super) fn open(color: Color) -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self {
            terminal,
            color: color.wanted(terminal, |name| std::env::var(name).ok()),
        }
    }

    /// The text that shows a round: at a terminal over the one before it.
    pub(super) fn draw(&self, view: &View<'_>) -> String {
        if !self.terminal {
            return lines(view, None, false).join("\n") + "\n\n";
        }
        let (width, height) = size();
        let mut lines = lines(view, Some(width), self.color);
        if lines.len() >= height {
            let hidden = lines.len() - height + 2;
            lines.truncate(height.saturating_sub(2));
            lines.push(format!(
                "… {hidden} more lines: make the window higher, or use --only"
            ));
        }
        // Home, each line cleared to its end, and what is below it; the cursor hidden.
        let body = lines.join("\x1b[K\r\n");
        format!("\x1b[?25l\x1b[H{body}\x1b[K\r\n\x1b[J")
    }

    /// Gives the cursor back.
    pub(super) fn close(&self) -> &'static str {
        if self.terminal { "\x1b[?25h\r\n" } else { "" }
    }
}

fn size() -> (usize, usize) {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or((WIDTH, HEIGHT), |size| {
        let or = |value: u16, usual| if value == 0 { usual } else { usize::from(value) };
        (or(size.ws_col, WIDTH), or(size.ws_row, HEIGHT))
    })
}

fn lines(view: &View<'_>, width: Option<usize>, color: bool) -> Vec<String> {
    let clock = view
        .now
        .to_zoned_datetime(TimeZone::system())
        .strftime("%H:%M:%S")
        .to_string();
    let place = view.environment.map_or(String::new(), |name| format!(" {name}"));
    let heading = format!(
        "fh-health{place}  {clock}  {}  ({}, every {})",
        view.report.headline(),
        duration(view.took),
        duration(view.interval)
    );
    let mut out = vec![cut(&heading, width), String::new()];
    let mut checks: Vec<&Check> = view.report.checks.iter().collect();
    checks.sort_by_key(|check| check.status.rank());
    let widest = checks
        .iter()
        .map(|check| check.id.chars().count())
        .max()
        .unwrap_or_default();
    // The ids leave at least half of the line to what was found.
    let ids = width.map_or(widest, |width| widest.min(width / 2 - 8));
    for check in checks {
        out.push(row(check, view, ids, width, color));
    }
    if !view.incidents.is_empty() {
        out.push(String::new());
        let likely = view.incidents.iter().take(3);
        out.extend(
            likely.map(|finding| cut(&format!("likely: {} → {}", finding.title, finding.link), width)),
        );
    }
    out
}

fn row(check: &Check, view: &View<'_>, ids: usize, width: Option<usize>, color: bool) -> String {
    let since = view.memory.level(check).filter(|level| *level > Level::Pass);
    let since = since.and_then(|_| view.memory.checks.get(&check.id));
    let since = since.map_or(String::new(), |seen| {
        let lasted = Duration::try_from(view.now.duration_since(seen.since)).unwrap_or_default();
        if lasted < Duration::from_secs(1) {
            "new: ".to_owned()
        } else {
            format!("{}: ", duration(lasted))
        }
    });
    let word = format!("{:<7}", check.status.word().to_uppercase());
    let id = pad(&cut(&check.id, Some(ids)), ids);
    let summary = scrub(&check.summary);
    let summary = summary.split_whitespace().collect::<Vec<_>>().join(" ");
    let rest = format!("{since}{summary}");
    let left = width.map(|width| width.saturating_sub(ids + 10));
    format!(
        "{} {id}  {}",
        painted(&word, check.status, color),
        cut(&rest, left)
    )
}

fn painted(word: &str, status: Status, color: bool) -> String {
    let code = match status {
        Status::Pass => "32",
        Status::Warn => "33",
        Status::Fail => "1;31",
        Status::Unknown => "35",
        Status::Skip => "2",
    };
    if color {
        format!("\x1b[{code}m{word}\x1b[0m")
    } else {
        word.to_owned()
    }
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

/// At most `width` letters, without control characters.
fn cut(text: &str, width: Option<usize>) -> String {
    let clean: String = text.chars().filter(|letter| !letter.is_control()).collect();
    match width {
        Some(width) if clean.chars().count() > width => {
            let kept: String = clean.chars().take(width.saturating_sub(1)).collect();
            format!("{kept}…")
        }
        _ => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_fits_into_eighty_columns_the_worst_first() {
        let mut report = Report::verdict_run("fh-health", "watch", "Health");
        report.push(Check::pass("http.api", "answers 200"));
        report.push(Check::fail(
            "postgres.main.idle_in_transaction_and_more.of_a_very_long_name",
            "x\u{1b}[2J ".repeat(60),
        ));
        let view = View {
            report: &report,
            incidents: &[],
            memory: &Memory::default(),
            now: Timestamp::UNIX_EPOCH,
            took: Duration::from_millis(40),
            interval: Duration::from_secs(5),
            environment: Some("production"),
        };
        let shown = lines(&view, Some(80), false);
        assert!(shown.iter().all(|line| line.chars().count() <= 80), "{shown:#?}");
        assert!(
            shown[2].starts_with("FAIL    postgres.main.idle_in_transacti…  "),
            "{shown:#?}"
        );
        assert!(shown[3].starts_with("PASS    http.api "), "{shown:#?}");
        assert!(!shown.concat().contains('\u{1b}'));
        assert!(shown[0].contains("1 failed, 1 passed"), "{}", shown[0]);
    }
}
