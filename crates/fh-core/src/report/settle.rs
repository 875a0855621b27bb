//! Dependencies between checks: one cause, one alarm.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Check, Report, Status};

impl Report {
    /// Turns every check whose ground is gone into a skip that names the reason, and gives repeated ids a number.
    ///
    /// - A dependency that failed, directly or through others, makes a check a skip: "the database is down" is one
    ///   alarm, not thirty.
    /// - A dependency that is unknown does so too, except to a failed check: bad news is never hidden behind a shrug.
    /// - A dependency that was skipped for its own reasons, or is not in the report, changes nothing.
    ///
    /// The exit code and every renderer go by the settled checks, whether or not this was called.
    pub fn settle(&mut self) {
        self.checks = self.settled().into_iter().map(Cow::into_owned).collect();
    }

    /// The checks as [`Self::settle`] leaves them.
    pub(crate) fn settled(&self) -> Vec<Cow<'_, Check>> {
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        for (index, check) in self.checks.iter().enumerate() {
            by_id.entry(&check.id).or_insert(index);
        }
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut settled = Vec::with_capacity(self.checks.len());
        for (index, check) in self.checks.iter().enumerate() {
            let mut check = match self.blocker(index, &by_id) {
                Some((id, status)) => Cow::Owned(blocked(check, id, status)),
                None => Cow::Borrowed(check),
            };
            let nth = seen
                .entry(&self.checks[index].id)
                .and_modify(|nth| *nth += 1)
                .or_insert(1);
            if *nth > 1 {
                check.to_mut().id.push_str(&format!("#{nth}"));
            }
            settled.push(check);
        }
        settled
    }

    /// The root cause in front of check `start`, if one takes its meaning away. In a cycle nobody is the root, and the
    /// checks stand as they are: two failures must not hide each other.
    fn blocker(&self, start: usize, by_id: &HashMap<&str, usize>) -> Option<(&str, Status)> {
        let own = self.checks[start].status;
        if own == Status::Skip || self.checks[start].depends_on.is_empty() {
            return None;
        }
        let roots: Vec<&Check> = self
            .grounds(start, by_id)
            .into_iter()
            .filter(|&ground| matches!(self.checks[ground].status, Status::Fail | Status::Unknown))
            .filter(|&ground| !self.grounds(ground, by_id).contains(&start))
            .map(|ground| &self.checks[ground])
            .collect();
        let of = |status| {
            roots
                .iter()
                .find(|root| root.status == status)
                .map(|root| (root.id.as_str(), status))
        };
        of(Status::Fail).or_else(|| of(Status::Unknown).filter(|_| own != Status::Fail))
    }

    /// Every check that `start` stands on, directly or not.
    fn grounds(&self, start: usize, by_id: &HashMap<&str, usize>) -> Vec<usize> {
        let mut found = Vec::new();
        let mut queue = vec![start];
        while let Some(index) = queue.pop() {
            for dependency in self.checks[index]
                .depends_on
                .iter()
                .filter_map(|id| by_id.get(id.as_str()))
            {
                if !found.contains(dependency) {
                    found.push(*dependency);
                    queue.push(*dependency);
                }
            }
        }
        found
    }
}

fn blocked(check: &Check, id: &str, status: Status) -> Check {
    let why = if status == Status::Fail {
        "failed"
    } else {
        "is unknown"
    };
    let mut check = check.clone();
    // What was seen stays as evidence; only the judgement is withdrawn.
    check
        .evidence
        .insert(0, format!("without that: {}: {}", check.status, check.summary));
    check.summary = format!("not judged, because {id} {why}");
    check.status = Status::Skip;
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::report::FailOn;

    fn statuses(checks: Vec<Check>) -> Vec<(String, Status)> {
        let mut report = Report::verdict_run("fh-x", "run", "x");
        report.checks = checks;
        report.settle();
        report
            .checks
            .into_iter()
            .map(|check| (check.id, check.status))
            .collect()
    }

    #[test]
    fn what_stands_on_a_failure_is_skipped_at_any_depth() {
        let mut report = Report::verdict_run("fh-x", "run", "x");
        report.push(Check::pass("rows", "0 rows").depends_on("query"));
        report.push(Check::fail("connect", "refused"));
        report.push(Check::unknown("query", "no connection").depends_on("connect"));
        report.settle();
        assert_eq!(report.checks[0].status, Status::Skip);
        assert_eq!(report.checks[0].summary, "not judged, because connect failed");
        assert_eq!(report.checks[0].evidence, ["without that: pass: 0 rows"]);
        assert_eq!(report.checks[2].status, Status::Skip);
        assert_eq!(report.exit(FailOn::Error), Exit::Bad);
    }

    #[test]
    fn an_unknown_ground_hides_no_failure() {
        let found = statuses(vec![
            Check::unknown("ground", "?"),
            Check::pass("a", "").depends_on("ground"),
            Check::fail("b", "").depends_on("ground"),
        ]);
        assert_eq!(
            found.iter().map(|(_, status)| *status).collect::<Vec<_>>(),
            [Status::Unknown, Status::Skip, Status::Fail]
        );
    }

    #[test]
    fn cycles_strangers_and_skips_change_nothing() {
        let found = statuses(vec![
            Check::pass("a", "").depends_on("b"),
            Check::pass("b", "").depends_on("a").depends_on("nobody"),
            Check::skip("s", "not asked for"),
            Check::pass("c", "").depends_on("s"),
            Check::fail("self", "").depends_on("self"),
            Check::fail("d", "").depends_on("e"),
            Check::fail("e", "").depends_on("d"),
        ]);
        assert_eq!(
            found.iter().map(|(_, status)| *status).collect::<Vec<_>>(),
            [
                Status::Pass,
                Status::Pass,
                Status::Skip,
                Status::Pass,
                Status::Fail,
                Status::Fail,
                Status::Fail
            ]
        );
    }

    #[test]
    fn repeated_ids_get_a_number_and_all_count() {
        let found = statuses(vec![
            Check::pass("t", ""),
            Check::fail("t", ""),
            Check::pass("t", ""),
        ]);
        assert_eq!(
            found,
            [
                ("t".to_owned(), Status::Pass),
                ("t#2".to_owned(), Status::Fail),
                ("t#3".to_owned(), Status::Pass)
            ]
        );
    }
}
