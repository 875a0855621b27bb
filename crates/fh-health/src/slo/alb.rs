//! Requests to an Application Load Balancer (Elastic Load Balancing user guide, "CloudWatch metrics for your Application Load
//! Balancer").

use std::collections::BTreeMap;
use std::time::Duration;

use fh_aws::service::cloudwatch::{CloudWatch, Metric, Series};
use fh_aws::{AwsOptions, sdk_config};
use fh_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};

use super::Event;
use crate::probe::{Context, block_on};

/// What is asked for, once each.
pub(super) const ACTION: &str = "cloudwatch:GetMetricData";

const NAMESPACE: &str = "AWS/ApplicationELB";
const REQUESTS: &str = "RequestCount";
/// Answers of the targets, and those that the balancer gave because it had no target: nobody else counts these.
const BAD: [&str; 2] = ["HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"];

/// The burn rates look back three days, in steps of the shortest window.
const FINE: Duration = Duration::from_secs(300);
const FINE_BACK: i64 = 3 * 86_400;
/// Before that an hour is fine enough, and a month is 720 of them.
const COARSE: Duration = Duration::from_secs(3600);

/// The requests of a load balancer in the window up to now, as the end of each period with its counts. A period that is not
/// over is left out: it would be judged by a part of its data.
///
/// # Errors
/// Exit code 3 when CloudWatch cannot be asked.
pub(super) fn events(load_balancer: &str, window: Duration, context: &Context) -> Result<Vec<Event>> {
    let now = context.now;
    let back = |seconds: i64| {
        let start = now.as_second() - seconds;
        Timestamp::from_second(start - start.rem_euclid(3600))
            .map_err(|error| Error::unable("the clock is wrong").because(error))
    };
    let whole = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
    let (start, middle) = (back(whole)?, back(FINE_BACK.min(whole))?);
    let aws = &context.config.aws;
    let options = AwsOptions::from(aws);
    block_on(async {
        let watch = CloudWatch::new(&sdk_config(&options).await?, context.deadline)?;
        let mut events = Vec::new();
        if start < middle {
            let coarse = watch.data(&metrics(load_balancer, COARSE), start, middle).await?;
            events.extend(joined(&coarse, COARSE, now));
        }
        let fine = watch.data(&metrics(load_balancer, FINE), middle, now).await?;
        events.extend(joined(&fine, FINE, now));
        Ok(events)
    })
}

fn metrics(load_balancer: &str, period: Duration) -> Vec<Metric> {
    let of = |name: &str| Metric {
        namespace: NAMESPACE.to_owned(),
        name: name.to_owned(),
        dimensions: BTreeMap::from([("LoadBalancer".to_owned(), load_balancer.to_owned())]),
        statistic: "Sum".to_owned(),
        period,
    };
    [REQUESTS].into_iter().chain(BAD).map(of).collect()
}

/// A period without a sum of bad answers had none: these metrics are only written when something happens. One without
/// requests had no event, whatever else it says.
fn joined(series: &[Series], period: Duration, now: Timestamp) -> Vec<Event> {
    let Some((requests, bad)) = series.split_first() else {
        return Vec::new();
    };
    let period = SignedDuration::try_from(period).unwrap_or(SignedDuration::ZERO);
    let bad_at = |at: Timestamp| -> u64 {
        let points = bad.iter().flat_map(|series| &series.points);
        points
            .filter(|(other, _)| *other == at)
            .map(|(_, sum)| count(*sum))
            .sum()
    };
    requests
        .points
        .iter()
        .filter(|(at, sum)| *at + period <= now && count(*sum) > 0)
        .map(|(at, sum)| {
            let events = count(*sum);
            Event {
                at: *at + period,
                events,
                bad: bad_at(*at).min(events),
                seconds: None,
            }
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sums of requests are whole, and far below 2^53"
)]
fn count(sum: f64) -> u64 {
    sum.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_joined_and_the_one_that_is_not_over_is_left_out() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let series = |points: &[(i64, f64)]| Series {
            points: points.iter().map(|(minute, sum)| (at(*minute), *sum)).collect(),
        };
        let all = [
            series(&[(10, 7.0), (5, 100.0), (0, 50.0), (-5, 0.0)]),
            series(&[(5, 3.0), (-5, 9.0)]),
            series(&[(5, 2.0), (0, 60.0)]),
        ];
        let found = joined(&all, FINE, at(14));
        let short: Vec<_> = found
            .iter()
            .map(|event| (event.at, event.events, event.bad))
            .collect();
        assert_eq!(short, [(at(10), 100, 5), (at(5), 50, 50)]);
        assert!(joined(&[], FINE, at(14)).is_empty());
    }
}
