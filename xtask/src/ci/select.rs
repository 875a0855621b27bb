//! Which gates run.

use crate::gates::{GATES, Gate};

/// What happens to a gate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Choice {
    Run,
    /// Listed with the reason, so that nobody takes it for passed.
    Skip(String),
}

/// The gates that concern this run, in order. Coverage is measured by the test run, so choosing it chooses the tests,
/// and leaving out the tests leaves out coverage.
pub(super) fn select(only: &[String], skip: &[String]) -> Vec<(&'static Gate, Choice)> {
    let named = |list: &[String], name: &str| list.iter().any(|entry| entry == name);
    let wanted =
        |name: &str| only.is_empty() || named(only, name) || (name == "test" && named(only, "coverage"));
    GATES
        .iter()
        .filter(|gate| wanted(gate.name))
        .map(|gate| {
            let choice = if named(skip, gate.name) {
                Choice::Skip("by --skip".to_owned())
            } else if gate.name == "coverage" && named(skip, "test") {
                Choice::Skip("needs the test gate".to_owned())
            } else {
                Choice::Run
            };
            (gate, choice)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(only: &[&str], skip: &[&str]) -> Vec<(&'static str, bool)> {
        let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let selection = select(&owned(only), &owned(skip));
        selection
            .into_iter()
            .map(|(gate, choice)| (gate.name, choice == Choice::Run))
            .collect()
    }

    #[test]
    fn all_run_in_the_order_of_the_table() {
        let all = chosen(&[], &[]);
        assert_eq!(all.len(), GATES.len());
        assert!(all.iter().all(|(_, runs)| *runs));
        assert_eq!(all[0].0, "fmt");
        assert_eq!(all.last().map(|(name, _)| *name), Some("coverage"));
    }

    #[test]
    fn only_and_skip() {
        assert_eq!(chosen(&["tidy", "fmt"], &[]), [("fmt", true), ("tidy", true)]);
        assert_eq!(
            chosen(&["tidy", "fmt"], &["fmt"]),
            [("fmt", false), ("tidy", true)]
        );
        let without = chosen(&[], &["deny"]);
        assert_eq!(without.len(), GATES.len());
        assert!(without.contains(&("deny", false)));
    }

    #[test]
    fn coverage_and_tests_go_together() {
        assert_eq!(chosen(&["coverage"], &[]), [("test", true), ("coverage", true)]);
        assert_eq!(
            chosen(&["coverage"], &["test"]),
            [("test", false), ("coverage", false)]
        );
        assert_eq!(chosen(&["test"], &[]), [("test", true)]);
    }
}
