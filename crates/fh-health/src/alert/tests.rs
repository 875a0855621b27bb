use super::*;
use crate::memory::Seen;
use fh_core::Status;

const POLICY: Policy = Policy {
    on: NotifyOn::Change,
    remind_after: Duration::from_secs(3600),
    warnings: false,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A round in which these checks had these statuses; gives why what is worth a message.
fn round(memory: &mut Memory, checks: &[(&str, Status)], second: i64, policy: Policy) -> Vec<(String, Why)> {
    let checks: Vec<Check> = checks
        .iter()
        .map(|(id, status)| Check::new(*id, *status, "s"))
        .collect();
    for check in &checks {
        if let Some(level) = Level::of(check.status) {
            let seen = Seen {
                level,
                since: at(second),
                last: at(second),
                recent: vec![level],
            };
            memory.checks.insert(check.id.clone(), seen);
        }
    }
    note(memory, &checks, policy, at(second));
    let events = events(memory, &checks, policy, at(second));
    events.into_iter().map(|event| (event.id, event.why)).collect()
}

/// As [`round`], with everything delivered.
fn delivered(memory: &mut Memory, checks: &[(&str, Status)], second: i64) -> Vec<(String, Why)> {
    let said = round(memory, checks, second, POLICY);
    let list: Vec<Event> = said
        .iter()
        .map(|(id, why)| Event {
            id: id.clone(),
            why: *why,
            alert: memory.alerts[id].clone(),
        })
        .collect();
    told(memory, &list, at(second));
    said
}

fn is(id: &str, why: Why) -> Vec<(String, Why)> {
    vec![(id.to_owned(), why)]
}

#[test]
fn each_problem_is_told_once_then_reminded_of_and_resolved() {
    let mut memory = Memory::default();
    let (bad, good) = ([("a", Status::Fail)], [("a", Status::Pass)]);
    assert_eq!(delivered(&mut memory, &good, 0), []);
    assert_eq!(delivered(&mut memory, &bad, 60), is("a", Why::New));
    assert_eq!(delivered(&mut memory, &bad, 120), []);
    assert_eq!(delivered(&mut memory, &bad, 3659), []);
    assert_eq!(delivered(&mut memory, &bad, 3660), is("a", Why::Reminder));
    assert_eq!(delivered(&mut memory, &bad, 3720), []);
    assert_eq!(delivered(&mut memory, &good, 3780), is("a", Why::Resolved));
    assert_eq!(delivered(&mut memory, &good, 3840), []);
    assert!(memory.alerts.is_empty());
}

#[test]
fn what_gets_worse_is_told_and_warnings_only_when_wanted() {
    let mut memory = Memory::default();
    assert_eq!(delivered(&mut memory, &[("a", Status::Warn)], 0), []);
    assert_eq!(
        delivered(&mut memory, &[("a", Status::Unknown)], 1),
        is("a", Why::New)
    );
    assert_eq!(
        delivered(&mut memory, &[("a", Status::Fail)], 2),
        is("a", Why::Worse)
    );
    assert_eq!(delivered(&mut memory, &[("a", Status::Unknown)], 3), []);
    let wanted = Policy {
        warnings: true,
        ..POLICY
    };
    let said = round(&mut Memory::default(), &[("a", Status::Warn)], 0, wanted);
    assert_eq!(said, is("a", Why::New));
}

#[test]
fn what_could_not_be_delivered_is_told_by_the_next_run() {
    let mut memory = Memory::default();
    for second in 0..3 {
        assert_eq!(
            round(&mut memory, &[("a", Status::Fail)], second, POLICY),
            is("a", Why::New)
        );
    }
    // Also when it is over by then: somebody wants to know.
    assert_eq!(
        round(&mut memory, &[("a", Status::Pass)], 4, POLICY),
        is("a", Why::Resolved)
    );
    assert_eq!(
        delivered(&mut memory, &[("a", Status::Pass)], 5),
        is("a", Why::Resolved)
    );
    assert_eq!(delivered(&mut memory, &[("a", Status::Pass)], 6), []);
}

#[test]
fn what_was_not_judged_is_neither_over_nor_repeated() {
    let mut memory = Memory::default();
    delivered(&mut memory, &[("db", Status::Pass), ("app", Status::Fail)], 0);
    let said = delivered(&mut memory, &[("db", Status::Fail), ("app", Status::Skip)], 9000);
    assert_eq!(said, is("db", Why::New), "the app stands on the database now");
    assert!(memory.alerts.contains_key("app"));
    // A run that looks at something else says nothing of it.
    assert_eq!(delivered(&mut memory, &[("other", Status::Pass)], 9060), []);
    let said = delivered(&mut memory, &[("db", Status::Pass), ("app", Status::Pass)], 9120);
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|(_, why)| *why == Why::Resolved));
}

#[test]
fn a_problem_that_comes_back_before_anybody_heard_of_its_end_goes_on() {
    let mut memory = Memory::default();
    delivered(&mut memory, &[("a", Status::Fail)], 0);
    round(&mut memory, &[("a", Status::Pass)], 1, POLICY);
    assert_eq!(round(&mut memory, &[("a", Status::Fail)], 2, POLICY), []);
}
