//! How long the parts of an exchange took.

use std::time::Duration;

use fh_core::Check;
use fh_core::render::duration;
use fh_core::report::Measure;
use fh_http::Phases;

use super::answer::Answer;
use crate::probe::Context;

/// A part of an exchange.
pub(super) struct Phase {
    /// The end of its check's id, and the measure's name.
    pub(super) name: &'static str,
    /// In words.
    pub(super) word: &'static str,
    pub(super) about: &'static str,
    pub(super) of: fn(&Phases) -> Option<Duration>,
}

pub(super) const PHASES: [Phase; 5] = [
    Phase {
        name: "dns",
        word: "name lookup",
        about: "time from the name to its addresses",
        of: |phases| phases.dns,
    },
    Phase {
        name: "connect",
        word: "connect",
        about: "time until the TCP connection stands",
        of: |phases| phases.connect,
    },
    Phase {
        name: "tls",
        word: "TLS",
        about: "time of the TLS handshake",
        of: |phases| phases.tls,
    },
    Phase {
        name: "first_byte",
        word: "first byte",
        about: "time from the sent request to the head of the answer",
        of: |phases| phases.first_byte,
    },
    Phase {
        name: "total",
        word: "in all",
        about: "time of the whole exchange",
        of: |phases| Some(phases.total),
    },
];

/// The slowest address decides. The look-up is the same for all.
pub(super) fn slowest(
    answers: &[Answer],
    dns: Option<Duration>,
) -> impl Iterator<Item = (&'static Phase, Duration)> {
    PHASES.iter().filter_map(move |phase| {
        let answered = answers.iter().filter(|answer| answer.answered());
        let found = answered.filter_map(|answer| (phase.of)(answer.phases())).max();
        let value = match phase.name {
            "dns" => dns.or(found),
            "total" => found.map(|total| total + dns.unwrap_or_default()),
            _ => found,
        }?;
        Some((phase, value))
    })
}

/// One check for each phase that has a threshold. Without an answer there is nothing to compare.
pub(super) fn checks(id: &str, answers: &[Answer], dns: Option<Duration>, context: &Context) -> Vec<Check> {
    let found: Vec<(&Phase, Duration)> = slowest(answers, dns).collect();
    PHASES
        .iter()
        .filter_map(|phase| {
            let own = format!("{id}.{}", phase.name);
            context.limits(&own).filter(|limits| !limits.is_open())?;
            let value = found.iter().find(|(other, _)| other.name == phase.name);
            Some(match value {
                Some((_, value)) => {
                    let summary = format!("{} took {}", phase.word, duration(*value));
                    context
                        .judge(&own, Measure::duration(phase.name, *value), summary)
                        .depends_on(id)
                }
                // An address needs no look-up, and http no TLS.
                None if answers.iter().any(Answer::answered) => {
                    Check::skip(&own, format!("no {} was needed", phase.word))
                }
                None => Check::unknown(&own, "there was no answer").depends_on(id),
            })
        })
        .collect()
}
