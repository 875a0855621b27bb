//! Which environment variable sets what.

use std::collections::BTreeMap;

use super::origin::Origin;
use super::tree::{Node, Value};

/// One line of [`VARIABLES`].
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// The variable's name.
    pub name: &'static str,
    /// The dotted path of the setting.
    pub path: &'static str,
    /// Whether the variable holds the path of a file with the secret, and not the secret.
    pub names_file: bool,
}

const fn value(name: &'static str, path: &'static str) -> Variable {
    Variable {
        name,
        path,
        names_file: false,
    }
}

const fn file(name: &'static str, path: &'static str) -> Variable {
    Variable {
        name,
        path,
        names_file: true,
    }
}

/// Every environment variable that sets something in the configuration. They lie over the file and under the flags.
/// Of two for one setting the first counts. An empty variable counts as not set. (`FH_CONFIG` chooses the file and
/// `FH_ENV` the environment.)
pub const VARIABLES: [Variable; 15] = [
    value("FH_STATE_DIR", "project.state_dir"),
    value("DATABASE_URL", "database.url"),
    value("FH_PG_BINDIR", "database.bin_dir"),
    value("REDIS_URL", "redis.url"),
    value("AWS_REGION", "aws.region"),
    value("AWS_DEFAULT_REGION", "aws.region"),
    value("AWS_PROFILE", "aws.profile"),
    value("AWS_ENDPOINT_URL", "aws.endpoint_url"),
    value("FH_BACKUP_REPOSITORY", "backup.repository"),
    value("BACKUP_DIR", "backup.directory"),
    file("FH_BACKUP_KEY_FILE", "backup.key"),
    file("FH_BACKUP_IDENTITY_FILE", "backup.identity"),
    value("S3_BUCKET", "backup.s3.bucket"),
    value("SLACK_WEBHOOK", "notify.slack_webhook"),
    value("PING_URL", "notify.ping_url"),
];

/// What the environment sets, each as a tree of its own, weakest first.
pub(super) fn layers(var: &dyn Fn(&str) -> Option<String>) -> Vec<Node> {
    VARIABLES
        .iter()
        .rev()
        .filter_map(|variable| {
            let text = var(variable.name)?;
            let origin = Origin::Env(variable.name);
            let value = if variable.names_file {
                let path = Node {
                    value: Value::Typed(text),
                    origin: origin.clone(),
                };
                Value::Table(BTreeMap::from([("file".to_owned(), path)]))
            } else {
                Value::Typed(text)
            };
            Some(Node::at(variable.path, value, &origin))
        })
        .collect()
}
