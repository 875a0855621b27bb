//! Metrics of CloudWatch, all of them in one call.

use std::time::Duration;

use async_trait::async_trait;
use fh_aws::service::cloudwatch::{CloudWatch, Metric, Series};
use fh_core::config::{HealthMetric, NoData};
use fh_core::render::duration;
use fh_core::report::{Check, Measure, Unit};
use fh_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};

use super::Look;
use super::account::{Account, age};
use crate::limits::{Limits, Worse};
use crate::probe::{Planned, Setup};

/// Every metric of the configuration.
pub(super) struct Metrics(Vec<HealthMetric>);

impl Metrics {
    pub(super) fn new(setup: &Setup<'_>, entries: &[HealthMetric]) -> Result<Self> {
        for (at, entry) in entries.iter().enumerate() {
            setup.id("aws.metrics", &entry.name)?;
            let wrong = |why: &str, hint: &str| Err(setup.wrong("aws.metrics", &entry.name, why).hint(hint));
            let period = entry.period.get();
            if period.is_zero() || !period.as_secs().is_multiple_of(60) || period.subsec_nanos() != 0 {
                return wrong("the period must be whole minutes", "such as period = \"5m\"");
            }
            if entry.max_age.get() > Duration::from_secs(14 * 86_400) {
                return wrong(
                    "max_age is longer than 14 days",
                    "CloudWatch keeps short periods that long",
                );
            }
            if entries[..at].iter().any(|other| other.name == entry.name) {
                return wrong(
                    "there are two metrics of this name",
                    "give each a name of its own",
                );
            }
        }
        Ok(Self(entries.to_vec()))
    }
}

#[async_trait]
impl Look for Metrics {
    fn plans(&self, id: &str) -> Vec<(Planned, &'static [&'static str])> {
        let entries = self.0.iter();
        entries
            .map(|entry| -> (Planned, &'static [&'static str]) {
                let about = format!("{} of {} {}", entry.statistic, entry.namespace, entry.metric);
                let worse = if entry.below { Worse::Below } else { Worse::Above };
                let limits = Limits {
                    warn: entry.warn,
                    crit: entry.crit,
                    ..Limits::open(Unit::Count, worse)
                };
                let plan = Planned::new(format!("{id}.{}", entry.name), about).limits(limits);
                (plan, &["cloudwatch:GetMetricData"])
            })
            .collect()
    }

    async fn look(&self, account: &Account<'_>) -> Vec<Check> {
        let series = self.ask(account).await;
        let entries = self.0.iter().enumerate();
        entries
            .map(|(at, entry)| match &series {
                Ok(series) => judge(account, entry, series.get(at)),
                Err(error) => account.failed(account.id(&entry.name), error, "cloudwatch:GetMetricData"),
            })
            .collect()
    }
}

impl Metrics {
    async fn ask(&self, account: &Account<'_>) -> Result<Vec<Series>> {
        let watch = CloudWatch::new(&account.config, account.deadline())?;
        let longest = self
            .0
            .iter()
            .map(|entry| entry.max_age.get() + 2 * entry.period.get())
            .max();
        let back = SignedDuration::try_from(longest.unwrap_or_default())
            .map_err(|error| Error::unable("max_age is too long").because(error))?;
        let metrics: Vec<Metric> = self
            .0
            .iter()
            .map(|entry| Metric {
                namespace: entry.namespace.clone(),
                name: entry.metric.clone(),
                dimensions: entry.dimensions.clone(),
                statistic: entry.statistic.clone(),
                period: entry.period.get(),
            })
            .collect();
        // CloudWatch answers faster, and with whole periods, when the beginning is that of an hour (API Reference,
        // "GetMetricData").
        let start = (account.now() - back).as_second();
        let start = Timestamp::from_second(start - start.rem_euclid(3600))
            .map_err(|error| Error::unable("the clock is wrong").because(error))?;
        watch.data(&metrics, start, account.now()).await
    }
}

fn judge(account: &Account<'_>, entry: &HealthMetric, series: Option<&Series>) -> Check {
    let id = account.id(&entry.name);
    let now = account.now();
    if account.limits(&id).is_none_or(|limits| limits.is_open()) {
        return Check::skip(id, format!("there is no threshold for {}", entry.metric))
            .hint("give warn or crit, or [health.checks.\"ID\"] with them");
    }
    let newest = series.and_then(|series| newest(series, entry.period.get(), now));
    let fresh = newest.filter(|(end, _)| age(now, *end) <= entry.max_age.get());
    let (end, value) = match (fresh, entry.no_data) {
        (Some(found), _) => found,
        (None, NoData::Zero) => (now, 0.0),
        (None, NoData::Unknown) => {
            let why = match newest {
                Some((end, _)) => format!("the newest value is {} old", duration(age(now, end))),
                None => "there is no value".to_owned(),
            };
            let summary = format!(
                "{} of {}: {why}; {} is allowed",
                entry.metric, entry.namespace, entry.max_age
            );
            return Check::unknown(id, summary)
                .hint("check metric, dimensions and region; no_data = \"zero\" is for metrics that are only written when something happens");
        }
    };
    let summary = format!(
        "{} {} is {value} ({} ago, over {})",
        entry.statistic,
        entry.metric,
        duration(age(now, end)),
        entry.period
    );
    account.judged(id, Measure::new("value", value, Unit::Count), summary)
}

/// End and value of the newest period that is over: one that is not would be judged by a part of its data.
fn newest(series: &Series, period: Duration, now: Timestamp) -> Option<(Timestamp, f64)> {
    let period = SignedDuration::try_from(period).ok()?;
    let ended = series
        .points
        .iter()
        .map(|(start, value)| (*start + period, *value));
    ended.filter(|(end, _)| *end <= now).max_by_key(|(end, _)| *end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_that_is_not_over_does_not_count() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let series = Series {
            points: vec![(at(10), 50.0), (at(5), 9.0), (at(0), 1.0)],
        };
        let five = Duration::from_mins(5);
        assert_eq!(newest(&series, five, at(14)), Some((at(10), 9.0)));
        assert_eq!(newest(&series, five, at(15)), Some((at(15), 50.0)));
        assert_eq!(newest(&series, five, at(4)), None);
        assert_eq!(newest(&Series::default(), five, at(4)), None);
    }
}
