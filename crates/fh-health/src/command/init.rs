//! `fh-health init`: a first configuration.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use fh_core::app::Session;
use fh_core::config::{Config, ConfigSource, FILE_NAME};
use fh_core::report::Report;
use fh_core::{Check, Context as _, Error, Exit, Hint as _, Result};

use super::TOOL;
use crate::cli::Init;

/// Writes a commented configuration of what can be seen from here. It is read back before it is called good.
///
/// # Errors
/// Exit code 4 when the file exists, 3 when it cannot be written.
pub fn run(session: &Session, init: &Init) -> Result<Report> {
    let path = init.to.clone().unwrap_or_else(|| FILE_NAME.into());
    let seen = Seen::look(session, init);
    let text = seen.text();
    write(&path, &text)?;
    let folder = std::env::current_dir().or_unable(|| "cannot find out the current folder")?;
    let source = ConfigSource {
        file: Some(path.clone()),
        ..ConfigSource::default()
    };
    Config::load(&source, &|_| None, &folder)?;
    let mut report = Report::verdict_run(TOOL, "init", "First configuration");
    report.push(Check::pass(
        "file",
        format!("{} written, and read back", path.display()),
    ));
    for line in seen.lines() {
        report.push(line);
    }
    Ok(report)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match opened {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::new(Exit::Refused, format!("{} exists", path.display()))
                .hint("choose another place with --to, and copy what you need from there"));
        }
        other => other
            .or_unable(|| format!("cannot write {}", path.display()))
            .hint(|| "choose another place with --to")?,
    };
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .or_unable(|| format!("cannot write {}", path.display()))
}

/// What can be seen from here.
struct Seen {
    database: bool,
    redis: bool,
    region: Option<String>,
    repository: bool,
    urls: Vec<String>,
    disks: Vec<String>,
}

impl Seen {
    fn look(session: &Session, init: &Init) -> Self {
        let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
        Self {
            database: set("DATABASE_URL"),
            redis: set("REDIS_URL"),
            region: session.config().aws.region.clone(),
            repository: set("FH_BACKUP_REPOSITORY") || set("BACKUP_DIR") || set("S3_BUCKET"),
            urls: init.url.iter().map(ToString::to_string).collect(),
            disks: disks(&std::fs::read_to_string("/proc/mounts").unwrap_or_default()),
        }
    }

    fn lines(&self) -> Vec<Check> {
        let seen = |id: &str, there: bool, yes: &str, no: &str| {
            if there {
                Check::pass(id, yes)
            } else {
                Check::skip(id, no)
            }
        };
        vec![
            seen(
                "http",
                !self.urls.is_empty(),
                "with the given addresses",
                "no --url was given",
            ),
            seen(
                "postgres",
                self.database,
                "from DATABASE_URL",
                "DATABASE_URL is not set",
            ),
            seen("redis", self.redis, "from REDIS_URL", "REDIS_URL is not set"),
            Check::pass("host", format!("file systems at {}", self.disks.join(", "))),
        ]
    }

    fn text(&self) -> String {
        let mut out = String::from(
            "# What fh-health looks at. `fh-health list` shows every check and its thresholds, `fh-health explain ID` what one\n\
             # needs. Secrets stay out of this file: name a variable or a file instead.\n\n\
             [health]\ndeadline = \"30s\"\n\n",
        );
        self.web(&mut out);
        out.push_str(if self.database {
            "# DATABASE_URL is set here, and is checked as postgres.main.\n"
        } else {
            "# PostgreSQL: set DATABASE_URL, or name a variable or file.\n"
        });
        out.push_str("# [[health.postgres]]\n# name = \"main\"\n# url = { env = \"DATABASE_URL\" }\n\n");
        out.push_str(if self.redis {
            "# REDIS_URL is set here, and is checked as redis.main.\n"
        } else {
            "# Redis or Valkey: set REDIS_URL, or name a variable or file.\n"
        });
        out.push_str("# [[health.redis]]\n# name = \"main\"\n# url = { env = \"REDIS_URL\" }\n\n");
        let disks: Vec<String> = self.disks.iter().map(|path| quoted(path)).collect();
        let _ = write!(
            out,
            "# This host or container.\n[health.host]\ndisks = [{}]\n\n",
            disks.join(", ")
        );
        if let Some(region) = &self.region {
            let _ = write!(out, "[aws]\nregion = {}\n\n", quoted(region));
        }
        out.push_str(if self.repository {
            "# A backup repository is named in the environment: how old may its newest set be?\n[health.backup]\nmax_age = \"26h\"\n\n"
        } else {
            "# Backups by fh-backup: how old may the newest set be?\n# [health.backup]\n# max_age = \"26h\"\n\n"
        });
        out.push_str(
            "# Thresholds, dependencies, hints and patience of any check, by its id.\n\
             # [health.checks.\"http.*.total\"]\n# warn = \"500ms\"\n# crit = \"2s\"\n\
             # for = 2                     # believed after two bad runs in a row\n\
             # depends_on = [\"postgres.main\"]\n",
        );
        out
    }

    fn web(&self, out: &mut String) {
        if self.urls.is_empty() {
            out.push_str(
                "# A web address: every address of its name is asked.\n\
                 # [[health.http]]\n# name = \"app\"\n# url = \"https://app.example.com/api/health/\"\n\
                 # json = ['$.database == \"connected\"']\n\n",
            );
        }
        for (number, url) in (1..).zip(&self.urls) {
            let name = match number {
                1 => "app".to_owned(),
                more => format!("app-{more}"),
            };
            let _ = write!(
                out,
                "[[health.http]]\nname = \"{name}\"\nurl = {}\n# json = ['$.status == \"ok\"']\n\n",
                quoted(url)
            );
        }
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Where file systems on devices are mounted. Those of packages and images are always full and never grow.
fn disks(mounts: &str) -> Vec<String> {
    const KINDS: [&str; 6] = ["ext4", "ext3", "xfs", "btrfs", "zfs", "f2fs"];
    let mut found: Vec<String> = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            let (place, kind) = (words.next()?, words.next()?);
            let plain =
                !place.contains('\\') && !["/etc/", "/snap/"].iter().any(|start| place.starts_with(start));
            (KINDS.contains(&kind) && plain && Path::new(place).is_dir()).then(|| place.to_owned())
        })
        .collect();
    found.push("/".to_owned());
    found.sort();
    found.dedup();
    found
}
