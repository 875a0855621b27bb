//! Alarms of CloudWatch: one in alarm is bad, one without data is not known, one that is missing watches nothing.

use async_trait::async_trait;
use fh_aws::service::cloudwatch::{self, Alarm, CloudWatch};
use fh_core::Result;
use fh_core::config::HealthAlarms;
use fh_core::render::duration;
use fh_core::report::{Check, Measure};

use super::Look;
use super::account::{Account, age};
use crate::probe::Planned;

/// Alarms that are named.
const SHOWN: usize = 8;

/// Some alarms.
pub(super) struct Alarms(pub(super) HealthAlarms);

#[async_trait]
impl Look for Alarms {
    fn plans(&self, id: &str) -> Vec<(Planned, &'static [&'static str])> {
        let plan = Planned::new(id, "no alarm of CloudWatch is in alarm");
        vec![(plan, &["cloudwatch:DescribeAlarms"])]
    }

    async fn look(&self, account: &Account<'_>) -> Vec<Check> {
        let id = account.id.to_owned();
        vec![match self.ask(account).await {
            Ok(alarms) => self.judge(account, id, &alarms),
            Err(error) => account.failed(id, &error, "cloudwatch:DescribeAlarms"),
        }]
    }
}

impl Alarms {
    async fn ask(&self, account: &Account<'_>) -> Result<Vec<Alarm>> {
        let watch = CloudWatch::new(&account.config, account.deadline())?;
        let mut alarms = Vec::new();
        if !self.0.names.is_empty() {
            alarms.extend(watch.alarms(cloudwatch::Alarms::Named(&self.0.names)).await?);
        }
        if let Some(prefix) = &self.0.prefix {
            let found = watch.alarms(cloudwatch::Alarms::Prefixed(prefix)).await?;
            alarms.extend(
                found
                    .into_iter()
                    .filter(|alarm| !self.0.names.contains(&alarm.name)),
            );
        }
        Ok(alarms)
    }

    fn judge(&self, account: &Account<'_>, id: String, alarms: &[Alarm]) -> Check {
        let there = |name: &&String| !alarms.iter().any(|alarm| alarm.name == **name);
        let missing: Vec<&String> = self.0.names.iter().filter(there).collect();
        let of =
            |state: &str| -> Vec<&Alarm> { alarms.iter().filter(|alarm| alarm.state == state).collect() };
        let (ringing, blind) = (of("ALARM"), of("INSUFFICIENT_DATA"));
        let names = |alarms: &[&Alarm]| {
            let names: Vec<&str> = alarms.iter().take(3).map(|alarm| alarm.name.as_str()).collect();
            names.join(", ")
        };
        let check = if !ringing.is_empty() {
            Check::fail(
                id,
                format!(
                    "{} of {} alarm(s) ring: {}",
                    ringing.len(),
                    alarms.len(),
                    names(&ringing)
                ),
            )
            .hint("see the reasons of the alarms")
        } else if let Some(first) = missing.first() {
            Check::unknown(
                id,
                format!("{} alarm(s) do not exist, such as {first}", missing.len()),
            )
            .hint("check names, region and account; an alarm that is gone watches nothing")
        } else if alarms.is_empty() {
            let prefix = self.0.prefix.as_deref().unwrap_or_default();
            Check::unknown(id, format!("no alarm's name begins with {prefix:?}"))
                .hint("check prefix, region and account")
        } else if !blind.is_empty() {
            Check::unknown(
                id,
                format!(
                    "{} of {} alarm(s) have no data: {}",
                    blind.len(),
                    alarms.len(),
                    names(&blind)
                ),
            )
            .hint("the metric is not written; TreatMissingData decides what that means")
        } else {
            Check::pass(id, format!("{} alarm(s) are quiet", alarms.len()))
        };
        let loud = ringing.iter().chain(&blind).take(SHOWN);
        let check = loud.fold(check, |check, alarm| {
            let since = alarm.since.map_or_else(String::new, |at| {
                format!(" for {}", duration(age(account.now(), at)))
            });
            check.evidence(format!(
                "{} is {}{since}: {}",
                alarm.name, alarm.state, alarm.reason
            ))
        });
        let mute = alarms.iter().filter(|alarm| !alarm.actions_enabled).count();
        let check = if mute > 0 {
            check.evidence(format!(
                "{mute} alarm(s) may not act: their actions are switched off"
            ))
        } else {
            check
        };
        check
            .measure(Measure::count("ringing", ringing.len() as u64))
            .measure(Measure::count("alarms", alarms.len() as u64))
    }
}
