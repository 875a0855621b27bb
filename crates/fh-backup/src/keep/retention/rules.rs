//! The rules, and what they choose of a list of sets.

use std::collections::BTreeMap;

use fh_core::config::BackupRetention;
use fh_core::{Error, Result};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use super::Candidate;

/// How many sets to keep of what.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The newest ones.
    pub last: u32,
    /// The newest of each hour, of so many hours that have one; and so on.
    pub hourly: u32,
    /// Days.
    pub daily: u32,
    /// ISO 8601 weeks.
    pub weekly: u32,
    /// Months.
    pub monthly: u32,
    /// Years.
    pub yearly: u32,
    /// Everything that is at most so much older than the newest proven set.
    pub within: Option<SignedDuration>,
    /// The newest ones, whatever the rest says; at least one.
    pub min: u32,
    /// Where hours, days and so on begin.
    pub zone: TimeZone,
}

impl Rules {
    /// The rules of the configuration.
    ///
    /// # Errors
    /// Exit code 2 when there is none, or the time zone is not known.
    pub fn of(config: &BackupRetention) -> Result<Self> {
        let zone = TimeZone::get(&config.time_zone).map_err(|error| {
            Error::usage(format!("{:?} is not a time zone that this machine knows", config.time_zone))
                .because(error)
                .hint("give a name of the IANA time zone database, such as Europe/Berlin, in backup.retention.time_zone")
        })?;
        let rules = Self {
            last: config.keep_last,
            hourly: config.keep_hourly,
            daily: config.keep_daily,
            weekly: config.keep_weekly,
            monthly: config.keep_monthly,
            yearly: config.keep_yearly,
            within: config
                .keep_within
                .map(|period| SignedDuration::try_from(period.get()).unwrap_or(SignedDuration::MAX)),
            min: config.min.max(1),
            zone,
        };
        let counts = rules.counted().iter().any(|(_, count, _)| *count > 0);
        if counts || rules.within.is_some() {
            Ok(rules)
        } else {
            Err(Error::usage("there is no rule that says which sets to keep").hint(
                "give --keep-daily 7 or its like, or set them under [backup.retention]; nothing was removed",
            ))
        }
    }

    fn counted(&self) -> [(&'static str, u32, Bucket); 6] {
        [
            ("last", self.last, |set, _| Key::Set(set.id.clone())),
            // The offset tells the two hours apart that a clock shows when summer time ends.
            ("hourly", self.hourly, |_, at| {
                Key::Hour(at.date(), at.hour(), at.offset().seconds())
            }),
            ("daily", self.daily, |_, at| Key::Day(at.date())),
            ("weekly", self.weekly, |_, at| {
                let week = at.date().iso_week_date();
                Key::Week(week.year(), week.week())
            }),
            ("monthly", self.monthly, |_, at| Key::Month(at.year(), at.month())),
            ("yearly", self.yearly, |_, at| Key::Year(at.year())),
        ]
    }

    /// Whether a set is young enough to be kept for that alone.
    pub(super) fn is_within(&self, newest: Timestamp, time: Timestamp) -> bool {
        self.within
            .is_some_and(|within| newest.duration_since(time) <= within)
    }

    /// What the rules and the floor choose of `sets`, newest first, with the reasons.
    pub(super) fn choose<'c>(&self, sets: &[&'c Candidate]) -> BTreeMap<&'c str, Vec<String>> {
        let mut chosen: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, count, bucket) in self.counted() {
            let mut filled = 0;
            let mut current = None;
            for set in sets {
                let key = bucket(set, &set.time.to_zoned_datetime(self.zone.clone()));
                if filled == count || current.as_ref() == Some(&key) {
                    if filled == count {
                        break;
                    }
                    continue;
                }
                current = Some(key);
                filled += 1;
                chosen
                    .entry(&set.id)
                    .or_default()
                    .push(format!("{name} {filled}/{count}"));
            }
        }
        for (index, set) in sets
            .iter()
            .enumerate()
            .take(usize::try_from(self.min).unwrap_or(usize::MAX))
        {
            chosen
                .entry(&set.id)
                .or_insert_with(|| vec![format!("floor {}/{}", index + 1, self.min)]);
        }
        chosen
    }
}

/// From a set and its time on the clock of the place to the bucket it is in.
type Bucket = fn(&Candidate, &ZonedDateTime) -> Key;

#[derive(PartialEq, Eq)]
enum Key {
    Set(String),
    Hour(jiff::civil::Date, i8, i32),
    Day(jiff::civil::Date),
    Week(i16, i8),
    Month(i16, i8),
    Year(i16),
}
