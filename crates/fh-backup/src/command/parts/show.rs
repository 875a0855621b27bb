//! The other parts, when a set is shown.

use fh_core::render::{bytes, grouped};
use fh_core::report::{Section, Table};

use crate::body::Body;
use crate::redis_keys::{Keys, RedisPart};

/// One section for each part that there is.
#[must_use]
pub fn sections(body: &Body) -> Vec<Section> {
    let mut sections = Vec::new();
    if let Some(globals) = &body.globals {
        let roles: Vec<&str> = globals.roles.iter().map(|role| role.name.as_str()).collect();
        sections.push(Section::Facts {
            title: "Server".into(),
            pairs: vec![
                ("roles".into(), roles.join(", ")),
                ("memberships".into(), globals.memberships.len().to_string()),
                ("settings of roles".into(), globals.settings.len().to_string()),
                ("tablespaces".into(), globals.tablespaces.join(", ")),
            ],
        });
    }
    if !body.files.is_empty() {
        let mut shown = Table::new("File trees")
            .left("name")
            .left("path")
            .right("files")
            .right("bytes")
            .right("folders")
            .right("links")
            .right("warnings");
        for tree in &body.files {
            shown.push([
                tree.name.clone(),
                tree.path.clone(),
                grouped(tree.counts.files),
                bytes(tree.counts.file_bytes),
                grouped(tree.counts.folders),
                grouped(tree.counts.links),
                tree.warnings.len().to_string(),
            ]);
        }
        sections.push(shown.into());
    }
    if !body.config_files.is_empty() {
        let mut shown = Table::new("Configuration files").left("path").right("bytes");
        for file in &body.config_files {
            let size = file.segments.iter().map(|segment| segment.size).sum();
            shown.push([file.path.clone(), bytes(size)]);
        }
        sections.push(shown.into());
    }
    sections.extend(body.redis.as_ref().map(|part| Section::Facts {
        title: "Redis".into(),
        pairs: match part {
            RedisPart::Keys(keys) => of_keys(keys),
            RedisPart::ElastiCache(snapshot) => vec![
                ("ElastiCache snapshot".into(), snapshot.name.clone()),
                ("of".into(), snapshot.replication_group.clone()),
                ("region".into(), snapshot.region.clone()),
                ("engine".into(), snapshot.engine.clone()),
            ],
        },
    }));
    sections
}

fn of_keys(keys: &Keys) -> Vec<(String, String)> {
    let types: Vec<String> = keys
        .types
        .iter()
        .map(|(kind, count)| format!("{} {kind}", grouped(*count)))
        .collect();
    let databases: Vec<String> = keys
        .databases
        .iter()
        .map(|(index, count)| format!("{} in {index}", grouped(*count)))
        .collect();
    vec![
        ("server".into(), keys.server.clone()),
        (
            "read".into(),
            format!("{} to {}, not at one moment", keys.read_from, keys.read_to),
        ),
        ("keys".into(), databases.join(", ")),
        ("types".into(), types.join(", ")),
        ("expiring".into(), grouped(keys.expiring)),
        ("vanished meanwhile".into(), grouped(keys.vanished)),
        (
            "RDB version".into(),
            keys.rdb_version
                .map_or_else(|| "-".to_owned(), |version| version.to_string()),
        ),
    ]
}

/// The same for machines.
#[must_use]
pub fn facts(body: &Body) -> serde_json::Value {
    serde_json::json!({
        "globals": body.globals,
        "files": body.files,
        "config_files": body.config_files,
        "redis": body.redis,
    })
}
