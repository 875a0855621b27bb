//! The connection, and what it means when there is none.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use fh_aws::{AwsOptions, RdsTokens, sdk_config};
use fh_core::report::{Check, Measure, Status};
use fh_core::{Error, Exit, Result, Secret};
use fh_pg::{ConnectOptions, Connection, ConnectionString, Environment, PasswordSource};

use super::ask::Answer;
use super::{CONNECT, Database};
use crate::probe::Context;

/// Passwords that are tokens of IAM.
#[derive(Debug)]
struct Iam(RdsTokens);

#[async_trait]
impl PasswordSource for Iam {
    async fn password(&self, host: &str, port: u16, user: &str) -> Result<Secret> {
        self.0.token(host, port, user).await
    }
}

/// Connects, and says how long that took.
pub(super) async fn connect(database: &Database, context: &Context) -> Result<(Connection, Check)> {
    let target = target(database, context).await?;
    let options = ConnectOptions {
        connect_timeout: context.timeout(None, "connecting to PostgreSQL")?,
        deadline: context.deadline,
        application_name: "fh-health".into(),
        merge_rows: false,
    };
    let began = Instant::now();
    let connection = fh_pg::connect(&target, &options).await?;
    let took = began.elapsed();
    let summary = format!(
        "PostgreSQL {} answers within {}",
        connection.server,
        fh_core::render::duration(took)
    );
    let check = context.judge(database.id(CONNECT), Measure::duration("connect", took), summary);
    Ok((connection, check))
}

async fn target(database: &Database, context: &Context) -> Result<ConnectionString> {
    let source = database
        .entry
        .url
        .as_ref()
        .or(context.config.database.url.as_ref());
    let source = source.ok_or_else(|| {
        Error::usage("no database is configured").hint("set DATABASE_URL, or url of the entry")
    })?;
    let url = context.secret(source, "the database URL")?;
    let target = ConnectionString::parse(&url, &Environment::from_process())?
        .with_root_cert(context.config.database.ssl_root_cert.clone());
    if !database.entry.iam {
        return Ok(target);
    }
    let aws = &context.config.aws;
    let config = sdk_config(&AwsOptions::from(aws)).await?;
    Ok(target.with_password_source(Arc::new(Iam(RdsTokens::new(&config)?))))
}

/// No connection: a failure, unless the fault is in what we were given. A rejected log-in says nothing about the server.
pub(super) fn refused(id: String, error: &Error) -> Check {
    let mut check = Check::from_error(id, error);
    let ours = check.evidence.iter().any(|cause| cause.contains("SQLSTATE 28"));
    if error.exit() == Exit::Unable && !ours {
        check.status = Status::Fail;
    }
    check
}

/// A connection over which the first question was not answered.
pub(super) fn silent(id: String, answer: Option<Answer>) -> Check {
    let check = Check::unknown(id, "PostgreSQL accepts a connection and does not answer");
    match answer {
        Some(Answer::Refused(why) | Answer::NotAsked(why)) => check.evidence(why),
        _ => check,
    }
}
