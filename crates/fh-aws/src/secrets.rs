//! Secrets Manager and the Parameter Store, as sources of configuration values.

use aws_types::SdkConfig;
use fh_core::config::SecretResolver;
use fh_core::{Context as _, Deadline, Error, Result, Secret};
use serde::Deserialize;

use crate::config::{AwsOptions, sdk_config};
use crate::json::JsonClient;

/// Reads secrets.
#[derive(Debug, Clone)]
pub struct AwsSecrets {
    secretsmanager: JsonClient,
    ssm: JsonClient,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterAnswer {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: String,
}

impl AwsSecrets {
    /// A reader with the given configuration.
    ///
    /// # Errors
    /// Exit code 2 without a region.
    pub fn new(config: &SdkConfig) -> Result<Self> {
        Ok(Self {
            secretsmanager: JsonClient::new(config, "secretsmanager", "secretsmanager")?,
            ssm: JsonClient::new(config, "ssm", "AmazonSSM")?,
        })
    }

    /// The same reader, whose calls never outlast the run.
    #[must_use]
    pub fn until(self, deadline: Deadline) -> Self {
        Self {
            secretsmanager: self.secretsmanager.until(deadline),
            ssm: self.ssm.until(deadline),
        }
    }

    /// The current version of a secret (`GetSecretValue`). `name#key` gives one field of a secret that is a JSON
    /// object, as the console makes them.
    ///
    /// # Errors
    /// Exit code 3 when it cannot be read, is binary, or has no such field.
    pub async fn secretsmanager(&self, id: &str) -> Result<Secret> {
        let (id, field) = id
            .split_once('#')
            .map_or((id, None), |(id, field)| (id, Some(field)));
        let answer: SecretValue = self
            .secretsmanager
            .call("GetSecretValue", &serde_json::json!({ "SecretId": id }))
            .await?;
        let text = answer
            .secret_string
            .ok_or_else(|| Error::unable(format!("secret {id} is binary")).hint("store it as text"))?;
        let text = Secret::new(text);
        let Some(field) = field else { return Ok(text) };
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text.expose())
            .map_err(|_| {
                Error::unable(format!(
                    "secret {id} is not a JSON object, so it has no field {field:?}"
                ))
            })?;
        match object.get(field) {
            Some(serde_json::Value::String(value)) => Ok(Secret::new(value.clone())),
            _ => Err(Error::unable(format!("secret {id} has no text field {field:?}"))),
        }
    }

    /// A parameter, decrypted (`GetParameter`).
    ///
    /// # Errors
    /// Exit code 3 when it cannot be read.
    pub async fn ssm(&self, name: &str) -> Result<Secret> {
        let input = serde_json::json!({ "Name": name, "WithDecryption": true });
        let answer: ParameterAnswer = self.ssm.call("GetParameter", &input).await?;
        Ok(Secret::new(answer.parameter.value))
    }
}

/// The same for code that is not asynchronous: the AWS configuration is only read when a value needs it.
#[derive(Debug, Clone)]
pub struct BlockingSecrets {
    options: AwsOptions,
    deadline: Deadline,
}

impl BlockingSecrets {
    /// A reader that will use these options.
    #[must_use]
    pub fn new(options: AwsOptions) -> Self {
        Self {
            options,
            deadline: Deadline::never(),
        }
    }

    /// The same reader, whose calls never outlast the run.
    #[must_use]
    pub fn until(mut self, deadline: Deadline) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs `work` on a thread of its own, since the caller's may belong to an async runtime already.
    fn run<F: Future<Output = Result<Secret>>>(
        &self,
        work: impl FnOnce(AwsSecrets) -> F + Send,
    ) -> Result<Secret> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .or_unable(|| "cannot start the AWS client")?;
                runtime.block_on(async {
                    let config = sdk_config(&self.options).await?;
                    work(AwsSecrets::new(&config)?.until(self.deadline)).await
                })
            });
            thread
                .join()
                .map_err(|_| Error::unable("the AWS client ended early"))?
        })
    }
}

impl SecretResolver for BlockingSecrets {
    fn secretsmanager(&self, id: &str) -> Result<Secret> {
        self.run(|secrets| async move { secrets.secretsmanager(id).await })
    }

    fn ssm(&self, name: &str) -> Result<Secret> {
        self.run(|secrets| async move { secrets.ssm(name).await })
    }
}
