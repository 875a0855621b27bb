//! Pressure stall information (Linux, `Documentation/accounting/psi.rst`): the share of time in which work waited.

use fh_core::Check;
use fh_core::report::{Measure, Unit};

use super::Places;
use super::cgroup::Cgroup;
use super::disk::advise;
use crate::probe::Context;

/// The average of the last minute of `what` (`cpu`, `memory`), of the line `line` (`some`, `full`): our group's, else the
/// host's.
pub(super) fn check(
    id: &str,
    what: &str,
    line: &str,
    places: &Places,
    cgroup: &Cgroup,
    context: &Context,
) -> Check {
    let own = cgroup.read(&format!("{what}.pressure"));
    let text = own.or_else(|| std::fs::read_to_string(places.proc.join("pressure").join(what)).ok());
    let Some(share) = text.as_deref().and_then(|text| average(text, line)) else {
        return Check::skip(
            id,
            "this kernel gives no figures of pressure (it is built without PSI)",
        );
    };
    let who = if line == "full" { "all work" } else { "some work" };
    let summary = format!("{who} waited for {what} {share:.1} % of the last minute");
    let check = context.judge(id, Measure::new("waited", share, Unit::Percent), summary);
    let hint = match what {
        "cpu" => "find what uses the CPU (top), and give more CPU or run fewer workers",
        _ => "the machine is short of memory: give more, or run fewer workers",
    };
    advise(check, hint)
}

/// `some avg10=0.00 avg60=1.25 avg300=0.40 total=1234`.
fn average(text: &str, line: &str) -> Option<f64> {
    let words = text.lines().find_map(|words| words.strip_prefix(line))?;
    let minute = words
        .split_whitespace()
        .find_map(|word| word.strip_prefix("avg60="))?;
    minute.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minute_of_the_right_line_counts() {
        let text = "some avg10=1.00 avg60=2.50 avg300=0.10 total=7\nfull avg10=0.00 avg60=0.75 avg300=0.00 total=3\n";
        assert_eq!(average(text, "some"), Some(2.5));
        assert_eq!(average(text, "full"), Some(0.75));
        assert_eq!(average("", "some"), None);
    }
}
