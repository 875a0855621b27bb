//! Object Lock: what is written cannot be removed for some days, not even with the keys of the host that wrote it.

use std::sync::Arc;

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{
    ObjectLockEnabled, ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention,
    ObjectLockRetentionMode,
};
use fh_core::config::{self, ObjectLock};
use fh_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use super::s3::S3Store;
use super::s3_error::{code, explain, explain_right, is_forbidden, is_refused};
use super::{Lock, s3_limits};

/// What extending a lock needs.
const EXTENDING: &str = "s3:PutObjectRetention and s3:GetObjectRetention on the bucket's objects; a lock in compliance \
                         mode stays in that mode, so backup.s3.object_lock.mode must not be governance then";

/// The lock of what is written, and whether the bucket can give it.
#[derive(Debug, Clone)]
pub(super) struct Locking {
    pub(super) lock: Lock,
    pub(super) mode: ObjectLockMode,
    /// Asked once; clones share the answer.
    able: Arc<OnceCell<()>>,
}

impl Locking {
    /// All of a run is locked to the same moment. The locks are a quarter longer than needed, and a day at least: then
    /// a run may last some hours, and the next ones find locks that are long enough still.
    pub(super) fn new(wanted: ObjectLock) -> Self {
        let days = i64::from(wanted.days.get());
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        let after = |hours| {
            now.saturating_add(SignedDuration::from_hours(hours))
                .unwrap_or(Timestamp::MAX)
        };
        Self {
            lock: Lock {
                until: after(days * 24 + (days * 6).max(24)),
                at_least: after(days * 24),
            },
            mode: match wanted.mode {
                config::ObjectLockMode::Governance => ObjectLockMode::Governance,
                config::ObjectLockMode::Compliance => ObjectLockMode::Compliance,
            },
            able: Arc::default(),
        }
    }

    /// The end of the lock as S3 wants it.
    pub(super) fn date(&self) -> DateTime {
        DateTime::from_secs(self.lock.until.as_second())
    }
}

impl S3Store {
    /// Asks the bucket, before the first write, whether it can lock. A store that does not know Object Lock may pass over
    /// the headers in silence, and then nothing would be locked.
    pub(super) async fn ready_to_lock(&self) -> Result<()> {
        match &self.locking {
            None => Ok(()),
            Some(locking) => locking
                .able
                .get_or_try_init(|| self.ask_for_lock())
                .await
                .copied(),
        }
    }

    async fn ask_for_lock(&self) -> Result<()> {
        let what = format!(
            "cannot find out whether the bucket {} has Object Lock",
            self.bucket
        );
        let limits = s3_limits::of_call(self.deadline, 0, &what)?;
        let request = self.client.get_object_lock_configuration().bucket(&self.bucket);
        let enabled = match request.customize().config_override(limits).send().await {
            Ok(answer) => answer
                .object_lock_configuration()
                .and_then(|found| found.object_lock_enabled())
                .is_some_and(|enabled| *enabled == ObjectLockEnabled::Enabled),
            Err(error) if code(&error) == Some("ObjectLockConfigurationNotFoundError") => false,
            Err(error) if code(&error) == Some("NotImplemented") => {
                return Err(Error::usage(format!(
                    "the store of the bucket {} has no Object Lock, and backup.s3.object_lock asks for it",
                    self.bucket
                ))
                .hint("use a store that has it, or remove backup.s3.object_lock from the configuration"));
            }
            Err(error) => {
                let right = format!("s3:GetBucketObjectLockConfiguration on {}", self.bucket);
                return Err(explain_right(what, &self.bucket, &right, &error));
            }
        };
        if enabled {
            return Ok(());
        }
        Err(Error::usage(format!(
            "the bucket {} has no Object Lock, and backup.s3.object_lock asks for it",
            self.bucket
        ))
        .hint("switch on versioning and Object Lock on that bucket, or remove backup.s3.object_lock"))
    }

    /// Whether an object cannot be removed now. Where the credentials do not allow to see locks, it looks as if there
    /// were none; the store still keeps the version.
    pub(super) async fn is_locked(&self, key: &str) -> Result<bool> {
        let what = format!("cannot look at the lock of {}", self.name(key));
        let limits = s3_limits::of_call(self.deadline, 0, &what)?;
        let head = self.client.head_object().bucket(&self.bucket).key(self.key(key));
        match head.customize().config_override(limits).send().await {
            Ok(found) => Ok(
                found.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On)
                    || timestamp(found.object_lock_retain_until_date()) > Some(Timestamp::now()),
            ),
            Err(error) if is_refused(&error) => Ok(false),
            Err(error) => Err(explain(what, &self.bucket, &error)),
        }
    }

    /// Extends a lock. S3 refuses to shorten one (Amazon S3 User Guide, "Object Lock considerations"), so that a refusal
    /// may mean that it is longer already.
    pub(super) async fn extend_lock(&self, key: &str, until: Timestamp) -> Result<()> {
        let what = format!("cannot extend the lock of {}", self.name(key));
        let mode = match self.locking.as_ref().map(|locking| &locking.mode) {
            Some(ObjectLockMode::Compliance) => ObjectLockRetentionMode::Compliance,
            _ => ObjectLockRetentionMode::Governance,
        };
        let retention = ObjectLockRetention::builder()
            .mode(mode)
            .retain_until_date(DateTime::from_secs(until.as_second()))
            .build();
        let limits = s3_limits::of_call(self.deadline, 0, &what)?;
        let request = self
            .client
            .put_object_retention()
            .bucket(&self.bucket)
            .key(self.key(key))
            .retention(retention);
        let refused = match request.customize().config_override(limits).send().await {
            Ok(_) => return Ok(()),
            Err(error) if is_forbidden(&error) => explain_right(what, &self.bucket, EXTENDING, &error),
            Err(error) => return Err(explain(what, &self.bucket, &error)),
        };
        if self.locked_until(key).await >= Some(until) {
            return Ok(());
        }
        Err(refused)
    }

    /// Until when an object is locked, as far as that can be seen.
    async fn locked_until(&self, key: &str) -> Option<Timestamp> {
        let limits = s3_limits::of_call(self.deadline, 0, "looking at a lock").ok()?;
        let request = self
            .client
            .get_object_retention()
            .bucket(&self.bucket)
            .key(self.key(key));
        let found = request.customize().config_override(limits).send().await.ok()?;
        timestamp(found.retention()?.retain_until_date())
    }
}

fn timestamp(date: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_second(date?.secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_a_quarter_longer_than_needed_and_a_day_at_least() {
        for (days, hours) in [(1, 24), (4, 24), (90, 540)] {
            let locking = Locking::new(ObjectLock {
                mode: config::ObjectLockMode::Governance,
                days: std::num::NonZeroU16::new(days).unwrap(),
            });
            let Lock { until, at_least } = locking.lock;
            assert_eq!(until.duration_since(at_least), SignedDuration::from_hours(hours));
        }
    }
}
