//! The account that is looked into, and what its refusals mean.

use fh_aws::{AwsOptions, SdkConfig, sdk_config};
use fh_core::report::{Check, Measure};
use fh_core::{Deadline, Error, Result};
use jiff::Timestamp;

use crate::limits::Limits;
use crate::probe::Context;

/// Region, credentials, and the round's limits.
pub(super) struct Account<'a> {
    /// What the ids of the checks begin with.
    pub(super) id: &'a str,
    pub(super) config: SdkConfig,
    context: &'a Context,
}

impl<'a> Account<'a> {
    pub(super) async fn open(id: &'a str, context: &'a Context) -> Result<Self> {
        let aws = &context.config.aws;
        let config = sdk_config(&AwsOptions::from(aws)).await?;
        Ok(Self { id, config, context })
    }

    /// `aws.ecs.web.tasks`
    pub(super) fn id(&self, name: &str) -> String {
        format!("{}.{name}", self.id)
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.context.deadline
    }

    pub(super) fn now(&self) -> Timestamp {
        self.context.now
    }

    pub(super) fn limits(&self, id: &str) -> Option<Limits> {
        self.context.limits(id)
    }

    /// A check whose status comes from a value and its limits.
    pub(super) fn judged(&self, id: String, measure: Measure, summary: String) -> Check {
        self.context.judge(id, measure, summary)
    }

    /// What an error means: a missing right is a skip with the action to allow.
    pub(super) fn failed(&self, id: String, error: &Error, action: &str) -> Check {
        if !fh_aws::denied(error) {
            return Check::from_error(id, error);
        }
        let check = Check::skip(id, format!("the role may not call {action}"));
        let check = error.causes().into_iter().fold(check, Check::evidence);
        check.hint(format!("allow {action} in the role's policy"))
    }
}

/// How long ago; zero for what is still to come.
pub(super) fn age(now: Timestamp, then: Timestamp) -> std::time::Duration {
    std::time::Duration::try_from(now.duration_since(then)).unwrap_or_default()
}
