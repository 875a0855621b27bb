//! Passwords that are made for each connection.

use async_trait::async_trait;
use fh_core::{Result, Secret};

/// Where a fresh password comes from, such as a token of AWS IAM, which is good for 15 minutes and only for beginning
/// a session.
///
/// Given to a target with [`ConnectionString::with_password_source`](crate::ConnectionString::with_password_source), it
/// outranks every other password and is asked once for each session. Its passwords travel in clear inside the session,
/// so such a target never connects over TCP without TLS.
#[async_trait]
pub trait PasswordSource: Send + Sync + std::fmt::Debug {
    /// A password for this role on this server.
    ///
    /// # Errors
    /// Whatever keeps the source from making one; the connection then fails with the same error.
    async fn password(&self, host: &str, port: u16, user: &str) -> Result<Secret>;
}
