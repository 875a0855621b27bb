use super::*;
use fh_core::report::{Measure, Unit};

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_360).unwrap()
}

fn titles(checks: &[Check]) -> Vec<String> {
    findings(checks, "runbooks/INCIDENT.md", now())
        .into_iter()
        .map(|finding| finding.title)
        .collect()
}

#[test]
fn connections_and_a_young_deployment_are_joined() {
    let checks = [
        Check::fail("http.api", "answers 500, expected 2xx"),
        Check::fail("postgres.main.connections", "98 % of the connections are used"),
        Check::pass("aws.ecs.web", "1 of 1 running").measure(Measure::new(
            "deployed_timestamp",
            1_700_000_000.0,
            Unit::Seconds,
        )),
    ];
    let found = findings(&checks, "runbooks/INCIDENT.md", now());
    assert_eq!(found[0].title, "the database has no connections left");
    assert_eq!(
        found[0].link,
        "runbooks/INCIDENT.md#the-database-has-no-connections-left"
    );
    assert!(
        found[0]
            .evidence
            .iter()
            .any(|text| text.contains("deployed 6 minutes ago")),
        "{found:?}"
    );
    assert_eq!(found[1].title, "the last deployment broke it");
}

#[test]
fn one_symptom_alone_is_no_cause() {
    for alone in [
        Check::fail("http.api", "answers 500, expected 2xx"),
        Check::fail("postgres.main.locks", "3 sessions wait"),
        Check::fail("host.disk.root", "99 % used"),
        Check::fail("redis.main.memory", "100 %"),
        Check::fail("http.api", "cannot look up app.example: no such name"),
    ] {
        assert!(titles(std::slice::from_ref(&alone)).is_empty(), "{alone:?}");
    }
    assert!(titles(&[Check::pass("http.api", "answers 200")]).is_empty());
}

#[test]
fn what_was_silenced_by_its_cause_still_counts_as_seen() {
    let mut report = fh_core::Report::verdict_run("fh-health", "check", "x");
    report.push(Check::fail(
        "postgres.main",
        "FATAL: sorry, too many clients already",
    ));
    report.push(Check::fail("http.api", "answers 503, expected 2xx").depends_on("postgres.main"));
    report.settle();
    let found = findings(&report.checks, "r.md", now());
    assert_eq!(found[0].title, "the database has no connections left");
    assert!(
        found[0]
            .evidence
            .iter()
            .any(|text| text.starts_with("http.api: fail: answers 503")),
        "{found:?}"
    );
}

#[test]
fn each_rule_has_its_case() {
    let cases: [(&[(&str, &str)], &str); 7] = [
        (
            &[
                ("postgres.main.locks", "3 sessions wait"),
                ("http.api", "no answer"),
            ],
            "queries wait for a lock",
        ),
        (
            &[
                ("host.disk.root", "99 % used"),
                ("postgres.main.archiver", "fails"),
            ],
            "a disk is full",
        ),
        (
            &[
                ("postgres.main.slots", "inactive, 40 GiB"),
                ("host.disk.root", "97 %"),
            ],
            "a replication slot that nobody reads keeps the write-ahead log",
        ),
        (
            &[("redis.main.memory", "100 %"), ("redis.main.misses", "90 %")],
            "Redis is out of memory",
        ),
        (
            &[
                ("http.api", "the certificate of x does not verify: it expired"),
                ("http.api.certificate", "expired"),
            ],
            "a certificate ended, or is not the right one",
        ),
        (
            &[
                ("http.a", "cannot look up a: x"),
                ("tcp.b", "cannot look up b: x"),
            ],
            "names cannot be resolved",
        ),
        (
            &[("host.memory", "98 %"), ("http.api", "no answer within 10 s")],
            "this machine is short of memory or CPU",
        ),
    ];
    for (seen, title) in cases {
        let checks: Vec<Check> = seen.iter().map(|(id, text)| Check::fail(*id, *text)).collect();
        let found = titles(&checks);
        assert!(found.iter().any(|other| other == title), "{title}: {found:?}");
    }
    let partly = [
        Check::fail("http.api", "1 of 3 addresses: connection refused")
            .measure(Measure::count("addresses_bad", 1)),
        Check::fail("aws.targets.web", "1 of 3 unhealthy"),
    ];
    assert!(titles(&partly).contains(&"servers behind the load balancer are down".to_owned()));
}

/// A link to a chapter that is not there helps nobody at 3 a.m.
#[test]
fn every_chapter_is_in_the_runbook() {
    let runbook = include_str!("../../../../runbooks/INCIDENT.md");
    let anchors: Vec<String> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|heading| {
            let kept = heading.to_lowercase();
            let kept: String = kept
                .chars()
                .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
                .collect();
            kept.replace(' ', "-")
        })
        .collect();
    for rule in &rules::RULES {
        assert!(
            anchors.iter().any(|anchor| anchor == rule.chapter),
            "{}: {anchors:?}",
            rule.chapter
        );
    }
}
