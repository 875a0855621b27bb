//! Everything but rows: stock `pg_restore`, fed with the table of contents that `pg_dump` wrote.

use std::process::Stdio;

use fh_core::{Context as _, Error, Result};
use fh_pg::{ConnectionString, Tool, child_environment};

use crate::archive::{Archive, Entry, Section};

/// How `pg_restore` should treat owners and privileges.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ownership {
    /// Everything belongs to the role that restores.
    pub no_owner: bool,
    /// No GRANT and REVOKE.
    pub no_privileges: bool,
}

/// A folder with a `toc.dat` and no data files: enough for `pg_restore` to make every definition.
#[derive(Debug)]
pub struct Definitions<'a> {
    archive: &'a Archive,
    folder: tempfile::TempDir,
    pg_restore: &'a Tool,
    target: &'a ConnectionString,
    ownership: Ownership,
    default_tablespace: bool,
}

impl<'a> Definitions<'a> {
    /// Writes the table of contents into a temporary folder. With `default_tablespace` everything goes to the default
    /// one.
    ///
    /// # Errors
    /// Exit code 3 when the temporary folder cannot be written.
    pub fn prepare(
        archive: &'a Archive,
        pg_restore: &'a Tool,
        target: &'a ConnectionString,
        ownership: Ownership,
        default_tablespace: bool,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("fh-restore-")
            .tempdir()
            .or_unable(|| "cannot make a temporary folder")?;
        fs_err::write(folder.path().join("toc.dat"), archive.to_directory_toc(|_| None))
            .or_unable(|| "cannot write the table of contents for pg_restore")?;
        Ok(Self {
            archive,
            folder,
            pg_restore,
            target,
            ownership,
            default_tablespace,
        })
    }

    /// Schemas, types, functions, tables, views: all that rows need.
    ///
    /// # Errors
    /// Exit code 3 with what `pg_restore` said.
    pub async fn before_rows(&self) -> Result<()> {
        self.run("definitions", &["--section=pre-data".into()]).await
    }

    /// Sequence values and the identities of large objects.
    ///
    /// # Errors
    /// Exit code 3 with what `pg_restore` said.
    pub async fn values(&self) -> Result<()> {
        let wanted = |entry: &Entry| entry.kind != "TABLE DATA" && entry.kind != "BLOBS";
        self.run_listed("sequence values", Section::Data, wanted).await
    }

    /// What is left when the rows are there: triggers, rules, policies, materialized views, and the indexes and
    /// constraints that are not in `made` already. One after the other in the order of the archive: several at a time
    /// can deadlock (attaching the index of a partition against making another one), and a materialized view that reads
    /// another through a function has no recorded dependency on it.
    ///
    /// # Errors
    /// Exit code 3 with what `pg_restore` said.
    pub async fn after_rows(&self, made: &[i64]) -> Result<()> {
        let wanted = |entry: &Entry| !made.contains(&entry.dump_id);
        self.run_listed("indexes and constraints", Section::PostData, wanted)
            .await
    }

    async fn run_listed(&self, what: &str, section: Section, wanted: impl Fn(&Entry) -> bool) -> Result<()> {
        let lines: String = entries_of(self.archive, section)
            .filter(|entry| wanted(entry))
            .map(|entry| format!("{};\n", entry.dump_id))
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        let list = self.folder.path().join("use.list");
        fs_err::write(&list, lines).or_unable(|| "cannot write the list for pg_restore")?;
        // The list says it all: with --section, a comment would be judged by where it stands among what is not listed.
        self.run(what, &[format!("--use-list={}", list.display())]).await
    }

    async fn run(&self, what: &str, arguments: &[String]) -> Result<()> {
        let environment = child_environment(self.target)?;
        let mut command = tokio::process::Command::new(&self.pg_restore.path);
        command
            .args(["--format=directory", "--exit-on-error", "--no-password"])
            .arg(format!("--dbname={}", connection_name(self.target.database())))
            .args(arguments)
            .args(self.ownership.no_owner.then_some("--no-owner"))
            .args(self.ownership.no_privileges.then_some("--no-privileges"))
            .args(self.default_tablespace.then_some("--no-tablespaces"))
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        environment.apply_tokio(&mut command);
        let program = self.pg_restore.path.display();
        let output = command
            .output()
            .await
            .or_unable(|| format!("cannot run {program}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::unable(format!(
            "pg_restore could not restore the {what} ({})",
            output.status
        ))
        .because(std::io::Error::other(said)))
    }
}

/// The entries of one pass. An entry of no section (a comment, an ACL) goes with the one before it, as in `pg_restore`.
fn entries_of(archive: &Archive, section: Section) -> impl Iterator<Item = &Entry> {
    let mut current = Section::PreData;
    archive.entries.iter().filter(move |entry| {
        if entry.section != Section::None {
            current = entry.section;
        }
        current == section
    })
}

/// `dbname='…'`: libpq takes a bare name that contains `=` for a connection string (PostgreSQL manual, 34.1.1).
pub(crate) fn connection_name(database: &str) -> String {
    format!("dbname='{}'", database.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_database_names_stay_names() {
        assert_eq!(connection_name("app"), "dbname='app'");
        assert_eq!(connection_name("it's=\\x"), "dbname='it\\'s=\\\\x'");
    }
}
