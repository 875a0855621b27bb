//! What a server says about itself.

use std::collections::BTreeMap;

/// The answer of `INFO`: lines of `name:value` (Redis documentation, "INFO").
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Facts(BTreeMap<String, String>);

/// A replica as its primary sees it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Replica {
    /// Address and port.
    pub(super) place: String,
    /// `online`, `wait_bgsave` or `send_bulk`.
    pub(super) state: String,
    /// Seconds since it was last heard of; `None` before the first time.
    pub(super) lag: Option<f64>,
}

impl Facts {
    pub(super) fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.trim().split_once(':'));
        Self(
            lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok()
    }

    /// `Redis 7.0.15`
    pub(super) fn version(&self) -> String {
        match self.text("valkey_version") {
            Some(version) => format!("Valkey {version}"),
            None => format!(
                "Redis {}",
                self.text("redis_version").unwrap_or("of unknown version")
            ),
        }
    }

    /// Lines such as `slave0:ip=10.0.0.2,port=6379,state=online,offset=14,lag=1`.
    pub(super) fn replicas(&self) -> Vec<Replica> {
        let lines = self.0.iter().filter(|(name, _)| {
            name.strip_prefix("slave")
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
        });
        lines
            .map(|(_, value)| {
                let field = |wanted: &str| {
                    let fields = value.split(',').filter_map(|field| field.split_once('='));
                    fields
                        .filter(|(name, _)| *name == wanted)
                        .map(|(_, value)| value)
                        .next()
                };
                Replica {
                    place: format!("{}:{}", field("ip").unwrap_or("?"), field("port").unwrap_or("?")),
                    state: field("state").unwrap_or("of unknown state").to_owned(),
                    lag: field("lag")
                        .and_then(|lag| lag.parse().ok())
                        .filter(|lag| *lag >= 0.0),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_replicas_are_read() {
        let facts = Facts::parse(
            "# Server\r\nredis_version:7.0.15\r\nvalkey_version:8.1.0\r\nslave_read_only:1\r\n\
             slave0:ip=10.0.0.2,port=6379,state=online,offset=14,lag=1\r\nslave1:ip=x,port=1,state=wait_bgsave,lag=-1\r\n",
        );
        assert_eq!(facts.version(), "Valkey 8.1.0");
        let replicas = facts.replicas();
        assert_eq!(replicas.len(), 2);
        assert_eq!(
            (replicas[0].place.as_str(), replicas[0].lag),
            ("10.0.0.2:6379", Some(1.0))
        );
        assert_eq!(
            (replicas[1].state.as_str(), replicas[1].lag),
            ("wait_bgsave", None)
        );
        assert_eq!(facts.number("redis_version"), None);
    }
}
