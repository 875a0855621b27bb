//! Tokens for IAM authentication to a database on RDS (Amazon RDS User Guide, "Connecting to your DB instance using IAM
//! authentication").

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignatureLocation, SigningSettings};
use aws_types::SdkConfig;
use fh_core::encodings::percent;
use fh_core::{Result, Secret};

use crate::config::no_region;
use crate::credentials;
use crate::sign::{Scope, signature};

/// How long a token is good for beginning a session: the longest that RDS accepts. A session may last longer.
const LIFETIME: Duration = Duration::from_mins(15);

/// A token that PostgreSQL on RDS takes as the password of `user`, for 15 minutes. Nothing is sent: a token for a user
/// that may not connect is made all the same, and refused by the server.
///
/// # Errors
/// Exit code 3 when signing fails.
pub fn rds_auth_token(
    credentials: &Credentials,
    region: &str,
    host: &str,
    port: u16,
    user: &str,
) -> Result<Secret> {
    token_at(credentials, region, host, port, user, SystemTime::now())
}

fn token_at(
    credentials: &Credentials,
    region: &str,
    host: &str,
    port: u16,
    user: &str,
    time: SystemTime,
) -> Result<Secret> {
    let scope = Scope {
        credentials,
        region,
        service: "rds-db",
        time,
    };
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(LIFETIME);
    let mut url = format!("https://{host}:{port}/?Action=connect&DBUser={}", percent(user));
    let signed = signature(&scope, settings, "GET", &url, &[], b"")?;
    for (name, value) in signed.params() {
        let _ = write!(url, "&{name}={}", percent(value));
    }
    Ok(Secret::new(url.trim_start_matches("https://")))
}

/// Makes tokens with the credentials that are in force when each is asked for.
#[derive(Debug, Clone)]
pub struct RdsTokens {
    config: SdkConfig,
    region: String,
}

impl RdsTokens {
    /// A maker of tokens for databases in the configuration's region.
    ///
    /// # Errors
    /// Exit code 2 without a region.
    pub fn new(config: &SdkConfig) -> Result<Self> {
        let region = config.region().ok_or_else(no_region)?.to_string();
        Ok(Self {
            config: config.clone(),
            region,
        })
    }

    /// A token for `user` at the database's endpoint; see [`rds_auth_token`]. The host must be the endpoint's own name,
    /// not an alias, because it is part of what is signed.
    ///
    /// # Errors
    /// Exit code 3 when there are no credentials.
    pub async fn token(&self, host: &str, port: u16, user: &str) -> Result<Secret> {
        let credentials = credentials::resolve(&self.config).await?;
        rds_auth_token(&credentials, &self.region, host, port, user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "db.abc.eu-central-1.rds.amazonaws.com";

    fn token(session: Option<&str>, user: &str) -> String {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            session.map(ToOwned::to_owned),
            None,
            "test",
        );
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_399_200);
        token_at(&credentials, "eu-central-1", HOST, 5432, user, time)
            .unwrap()
            .expose()
            .to_owned()
    }

    /// The query parameters; their order is part of the text but not of the meaning.
    fn parts(token: &str) -> Vec<String> {
        let (place, query) = token.split_once("/?").unwrap();
        assert_eq!(place, format!("{HOST}:5432"));
        let mut parts: Vec<String> = query.split('&').map(ToOwned::to_owned).collect();
        parts.sort();
        parts
    }

    /// The expected values were made by botocore (`SigV4QueryAuth`, as in its `generate_db_auth_token`) for the same
    /// moment, 2026-11-23T02:00:00Z.
    #[test]
    fn tokens_are_those_of_botocore() {
        let common = [
            "Action=connect",
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Feu-central-1%2Frds-db%2Faws4_request",
            "X-Amz-Date=20261123T020000Z",
            "X-Amz-Expires=900",
            "X-Amz-SignedHeaders=host",
        ];
        let expected = |more: &[&str]| {
            let mut parts: Vec<String> = common.iter().chain(more).map(ToString::to_string).collect();
            parts.sort();
            parts
        };
        assert_eq!(
            parts(&token(None, "backup user/1")),
            expected(&[
                "DBUser=backup%20user%2F1",
                "X-Amz-Signature=fe35032b649f603e607c4022bb626c0e1f7de49754a000ee739378dc0510cfe5",
            ])
        );
        assert_eq!(
            parts(&token(Some("tok/en+=="), "backup")),
            expected(&[
                "DBUser=backup",
                "X-Amz-Security-Token=tok%2Fen%2B%3D%3D",
                "X-Amz-Signature=3e5d57853f50f5f7f7a3296f156b47a1ed473bbb3352aaa7b84fd1f4ecee4f0d",
            ])
        );
    }

    #[test]
    fn a_token_never_shows() {
        let credentials = Credentials::new("AKIDEXAMPLE", "another-secret-key", None, None, "test");
        let token = rds_auth_token(&credentials, "eu-central-1", HOST, 5432, "backup").unwrap();
        assert!(!format!("{token:?}").contains("Signature"));
        assert_eq!(fh_core::scrub(token.expose()), "***");
    }
}
