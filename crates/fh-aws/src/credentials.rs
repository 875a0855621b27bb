//! Credentials of every usual kind, and what to say when there are none.

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_types::SdkConfig;
use fh_core::{Error, Result, Secret};

/// Where credentials are looked for, in one sentence for an operator.
pub const CREDENTIALS_HINT: &str = "give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or run where a role \
                                    is attached (ECS task, EC2 instance, web identity); SSO profiles are not \
                                    supported, export their keys with `aws configure export-credentials --format env`";

/// The credentials that are in force now. They are asked for anew each time, so that those of a role never go stale.
///
/// # Errors
/// Exit code 3 when none of the usual sources has any, with what they said.
pub(crate) async fn resolve(config: &SdkConfig) -> Result<Credentials> {
    let none = || Error::unable("no AWS credentials were found").hint(CREDENTIALS_HINT);
    let provider = config.credentials_provider().ok_or_else(none)?;
    let credentials = provider
        .provide_credentials()
        .await
        .map_err(|error| none().because(error))?;
    let _register = Secret::new(credentials.secret_access_key());
    if let Some(token) = credentials.session_token() {
        let _register = Secret::new(token);
    }
    Ok(credentials)
}
