//! CloudWatch: alarms and metrics (Amazon CloudWatch API Reference, version 2010-08-01).

use std::collections::BTreeMap;
use std::time::Duration;

use aws_types::SdkConfig;
use fh_core::{Deadline, Result};
use jiff::Timestamp;

use super::moment;
use crate::query::QueryClient;
use crate::xml::Xml;

/// Metrics that one `GetMetricData` may ask for.
const AT_ONCE: usize = 500;
/// Names that one `DescribeAlarms` may give.
const ALARMS_AT_ONCE: usize = 100;

/// An alarm on a metric, or a composite one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// Why, in words.
    pub reason: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Whether it may act at all.
    pub actions_enabled: bool,
}

/// Which alarms are asked for.
#[derive(Debug, Clone, Copy)]
pub enum Alarms<'a> {
    /// These.
    Named(&'a [String]),
    /// Those whose names begin so.
    Prefixed(&'a str),
}

/// A metric and how it is summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Such as `AWS/RDS`.
    pub namespace: String,
    /// Such as `FreeStorageSpace`.
    pub name: String,
    /// What it is of.
    pub dimensions: BTreeMap<String, String>,
    /// `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99`.
    pub statistic: String,
    /// Length of one data point; a multiple of a minute.
    pub period: Duration,
}

/// One metric's data, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Beginning of each period, and the value.
    pub points: Vec<(Timestamp, f64)>,
}

/// A client of CloudWatch.
#[derive(Debug, Clone)]
pub struct CloudWatch(QueryClient);

impl CloudWatch {
    /// A client.
    ///
    /// # Errors
    /// Exit code 2 without a region.
    pub fn new(config: &SdkConfig, deadline: Deadline) -> Result<Self> {
        let client = QueryClient::new(config, "monitoring", "2010-08-01")?;
        Ok(Self(client.until(deadline)))
    }

    /// Alarms of both kinds (`DescribeAlarms`).
    ///
    /// # Errors
    /// Exit code 3 when they cannot be asked for.
    pub async fn alarms(&self, wanted: Alarms<'_>) -> Result<Vec<Alarm>> {
        let mut alarms = Vec::new();
        let of: Vec<Vec<(String, &str)>> = match wanted {
            Alarms::Named(names) => names
                .chunks(ALARMS_AT_ONCE)
                .map(|some| {
                    let numbered = some.iter().enumerate();
                    numbered
                        .map(|(at, name)| (format!("AlarmNames.member.{}", at + 1), name.as_str()))
                        .collect()
                })
                .collect(),
            Alarms::Prefixed(prefix) => vec![vec![("AlarmNamePrefix".to_owned(), prefix)]],
        };
        for asked in of {
            let mut parameters: Vec<(&str, &str)> = asked
                .iter()
                .map(|(name, value)| (name.as_str(), *value))
                .collect();
            // Composite ones are left out unless they are asked for.
            parameters.push(("AlarmTypes.member.1", "MetricAlarm"));
            parameters.push(("AlarmTypes.member.2", "CompositeAlarm"));
            let pages = self
                .0
                .pages("DescribeAlarms", &parameters, "NextToken", "NextToken")
                .await?;
            for kind in ["MetricAlarms", "CompositeAlarms"] {
                let found = pages.iter().flat_map(|page| page.all(&[kind, "member"]));
                alarms.extend(found.map(alarm));
            }
        }
        Ok(alarms)
    }

    /// The data of each metric from `start` to `end`, in the order they are asked for (`GetMetricData`). One without
    /// data has an empty series.
    ///
    /// # Errors
    /// Exit code 3 when they cannot be asked for.
    pub async fn data(&self, metrics: &[Metric], start: Timestamp, end: Timestamp) -> Result<Vec<Series>> {
        let mut all = Vec::with_capacity(metrics.len());
        for some in metrics.chunks(AT_ONCE) {
            all.extend(self.some_data(some, start, end).await?);
        }
        Ok(all)
    }

    async fn some_data(&self, metrics: &[Metric], start: Timestamp, end: Timestamp) -> Result<Vec<Series>> {
        let mut parameters = vec![
            ("StartTime".to_owned(), moment::written(start)),
            ("EndTime".to_owned(), moment::written(end)),
            ("ScanBy".to_owned(), "TimestampDescending".to_owned()),
        ];
        for (at, metric) in metrics.iter().enumerate() {
            query(&mut parameters, at, metric);
        }
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let pages = self
            .0
            .pages("GetMetricData", &parameters, "NextToken", "NextToken")
            .await?;
        let mut all = vec![Series::default(); metrics.len()];
        for result in pages
            .iter()
            .flat_map(|page| page.all(&["MetricDataResults", "member"]))
        {
            let id = result.word(&["Id"]);
            let at: Option<usize> = id.strip_prefix('m').and_then(|number| number.parse().ok());
            if let Some(series) = at.and_then(|at| all.get_mut(at)) {
                series.points.extend(points(result));
            }
        }
        for series in &mut all {
            series.points.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        }
        Ok(all)
    }
}

fn query(parameters: &mut Vec<(String, String)>, at: usize, metric: &Metric) {
    let prefix = format!("MetricDataQueries.member.{}", at + 1);
    let mut add = |name: &str, value: String| parameters.push((format!("{prefix}.{name}"), value));
    add("Id", format!("m{at}"));
    add("ReturnData", "true".to_owned());
    add("MetricStat.Metric.Namespace", metric.namespace.clone());
    add("MetricStat.Metric.MetricName", metric.name.clone());
    add("MetricStat.Stat", metric.statistic.clone());
    add("MetricStat.Period", metric.period.as_secs().to_string());
    for (number, (name, value)) in metric.dimensions.iter().enumerate() {
        let dimension = format!("MetricStat.Metric.Dimensions.member.{}", number + 1);
        add(&format!("{dimension}.Name"), name.clone());
        add(&format!("{dimension}.Value"), value.clone());
    }
}

fn points(result: &Xml) -> Vec<(Timestamp, f64)> {
    let times = result.all(&["Timestamps", "member"]);
    let values = result.all(&["Values", "member"]);
    times
        .into_iter()
        .zip(values)
        .filter_map(|(at, value)| Some((at.word(&[]).parse().ok()?, value.word(&[]).parse().ok()?)))
        .collect()
}

fn alarm(element: &Xml) -> Alarm {
    Alarm {
        name: element.word(&["AlarmName"]),
        state: element.word(&["StateValue"]),
        reason: element.word(&["StateReason"]),
        since: moment::of_xml(element, "StateTransitionedTimestamp")
            .or_else(|| moment::of_xml(element, "StateUpdatedTimestamp")),
        actions_enabled: element.word(&["ActionsEnabled"]) != "false",
    }
}
