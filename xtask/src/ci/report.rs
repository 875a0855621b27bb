//! What came of the gates: the line of each, the closing table, the same as Markdown, and whether it is all good.

use crate::gates::{Counts, Outcome};
use crate::ui::Colour;

/// What became of one gate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum State {
    Ran(Outcome),
    Skipped(String),
}

impl State {
    fn word(&self) -> &'static str {
        match self {
            Self::Ran(outcome) => outcome.word(),
            Self::Skipped(_) => "skipped",
        }
    }

    fn detail(&self) -> &str {
        match self {
            Self::Ran(outcome) => outcome.detail(),
            Self::Skipped(why) => why,
        }
    }

    fn colour(&self) -> Colour {
        match self {
            Self::Ran(Outcome::Pass(_)) => Colour::Green,
            Self::Ran(Outcome::Fail(_)) => Colour::Red,
            Self::Ran(Outcome::Unavailable(_) | Outcome::Unreachable(_)) => Colour::Yellow,
            Self::Skipped(_) => Colour::Dim,
        }
    }
}

/// All gates of a run.
#[derive(Debug)]
pub(super) struct Report {
    strict: bool,
    rows: Vec<(&'static str, State, f64)>,
    /// How many tests ran, if they did.
    pub(super) counts: Option<Counts>,
}

impl Report {
    pub(super) fn new(strict: bool) -> Self {
        Self {
            strict,
            rows: Vec::new(),
            counts: None,
        }
    }

    pub(super) fn add(&mut self, gate: &'static str, state: State, seconds: f64) {
        self.rows.push((gate, state, seconds));
    }

    /// Whether this alone makes the run bad.
    pub(super) fn is_bad(&self, state: &State) -> bool {
        match state {
            State::Ran(Outcome::Fail(_)) => true,
            State::Ran(Outcome::Unavailable(_)) => self.strict,
            State::Ran(Outcome::Pass(_) | Outcome::Unreachable(_)) | State::Skipped(_) => false,
        }
    }

    /// Good is: at least one gate ran and passed, and none is bad.
    pub(super) fn is_good(&self) -> bool {
        self.number("pass") > 0 && !self.rows.iter().any(|(_, state, _)| self.is_bad(state))
    }

    fn number(&self, word: &str) -> usize {
        self.rows
            .iter()
            .filter(|(_, state, _)| state.word() == word)
            .count()
    }

    /// The closing sentence: never "good" without what did not run.
    fn verdict(&self) -> String {
        let bad: Vec<&str> = self
            .rows
            .iter()
            .filter(|(_, state, _)| self.is_bad(state))
            .map(|(gate, ..)| *gate)
            .collect();
        let mut parts = Vec::new();
        for (word, meaning) in [
            ("pass", "passed"),
            ("fail", "failed"),
            ("unavailable", "could not run"),
            ("skipped", "skipped"),
        ] {
            match self.number(word) {
                0 => {}
                number => parts.push(format!("{number} {meaning}")),
            }
        }
        let of = format!("{} of {} gates", parts.join(", "), self.rows.len());
        match (bad.is_empty(), self.is_good()) {
            (false, _) => format!("FAILED: {of}. Again: cargo xtask ci --only {}", bad.join(",")),
            (true, false) => format!("FAILED: nothing was checked ({of})"),
            (true, true) if self.number("pass") == self.rows.len() => format!("good: {of}"),
            (true, true) => format!("good as far as it ran: {of}"),
        }
    }

    /// The closing table, the verdict, and the tests' own closing line.
    pub(super) fn table(&self, colour: bool) -> String {
        let mut table = format!("{:<12} {:<12} {:>8}\n", "gate", "result", "seconds");
        for (gate, state, seconds) in &self.rows {
            table.push_str(row(gate, state, *seconds, colour).trim_end());
            table.push('\n');
        }
        table.push('\n');
        table.push_str(&self.verdict());
        if let Some(Counts { passed, failed }) = self.counts {
            // In this form on a line of its own, so that other programs can read it as well.
            table.push_str(&format!("\ntests: {passed} passed, {failed} failed"));
        }
        table
    }

    /// For `GITHUB_STEP_SUMMARY`.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::from("| gate | result | seconds | |\n| --- | --- | ---: | --- |\n");
        for (gate, state, seconds) in &self.rows {
            let detail = state.detail().replace('|', "\\|").replace('\n', " ");
            let mark = if self.is_bad(state) { "**" } else { "" };
            text.push_str(&format!(
                "| {gate} | {mark}{}{mark} | {seconds:.1} | {detail} |\n",
                state.word()
            ));
        }
        text.push_str(&format!("\n{}\n", self.verdict()));
        text
    }
}

/// What is said as soon as a gate has ended.
pub(super) fn line(gate: &str, state: &State, seconds: f64, colour: bool) -> String {
    let word = state.colour().paint(state.word(), colour);
    let separator = if state.detail().is_empty() { "" } else { ": " };
    format!(
        "<== {gate} {word} ({seconds:.1} s){separator}{}\n",
        state.detail()
    )
}

fn row(gate: &str, state: &State, seconds: f64, colour: bool) -> String {
    // The padding is inside the colour, because codes have no width.
    let word = state.colour().paint(&format!("{:<12}", state.word()), colour);
    let seconds = match state {
        State::Ran(_) => format!("{seconds:>8.1}"),
        State::Skipped(_) => " ".repeat(8),
    };
    format!(
        "{gate:<12} {word} {seconds}  {}",
        state.detail().replace('\n', " ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(strict: bool, outcomes: &[Outcome]) -> Report {
        let mut report = Report::new(strict);
        for outcome in outcomes {
            report.add("gate", State::Ran(outcome.clone()), 1.25);
        }
        report
    }

    fn pass() -> Outcome {
        Outcome::Pass(String::new())
    }

    #[test]
    fn nothing_run_is_not_good() {
        assert!(!report(false, &[]).is_good());
        let mut skipped = Report::new(false);
        skipped.add("fmt", State::Skipped("by --skip".into()), 0.0);
        assert!(!skipped.is_good());
        assert!(
            skipped
                .table(false)
                .contains("FAILED: nothing was checked (1 skipped of 1 gates)")
        );
        assert!(!report(false, &[Outcome::Unavailable("no tool".into())]).is_good());
        assert!(!report(true, &[Outcome::Unreachable("no network".into())]).is_good());
    }

    #[test]
    fn strict_fails_what_could_not_run_except_for_want_of_a_network() {
        let missing = [pass(), Outcome::Unavailable("no tool".into())];
        assert!(report(false, &missing).is_good());
        assert!(!report(true, &missing).is_good());
        let offline = [pass(), Outcome::Unreachable("no network".into())];
        assert!(report(true, &offline).is_good());
        assert!(
            report(true, &offline)
                .verdict()
                .starts_with("good as far as it ran: 1 passed, 1 could not run")
        );
        assert!(!report(false, &[pass(), Outcome::Fail("x".into())]).is_good());
    }

    #[test]
    fn the_table_names_gate_result_and_seconds() {
        let mut report = Report::new(true);
        report.add("fmt", State::Ran(pass()), 0.44);
        report.add("deny", State::Ran(Outcome::Fail("banned".into())), 2.0);
        report.add("test", State::Skipped("by --skip".into()), 0.0);
        report.counts = Some(Counts { passed: 3, failed: 1 });
        assert_eq!(
            report.table(false),
            "gate         result        seconds\n\
             fmt          pass              0.4\n\
             deny         fail              2.0  banned\n\
             test         skipped                by --skip\n\
             \n\
             FAILED: 1 passed, 1 failed, 1 skipped of 3 gates. Again: cargo xtask ci --only deny\n\
             tests: 3 passed, 1 failed"
        );
    }

    #[test]
    fn markdown_cells_stay_cells() {
        let text = report(false, &[Outcome::Fail("a | b\nc".into())]).markdown();
        assert!(text.contains("| gate | **fail** | 1.2 | a \\| b c |"), "{text}");
    }
}
