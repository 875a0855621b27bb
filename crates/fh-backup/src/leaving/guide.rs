//! The page for people. It is in clear, and says no more than the header of the set does.

use std::fmt::Write as _;

use fh_repository::{Encryption, Repository, SegmentRef};

use crate::body::{Body, Database};
use crate::restore::definitions::connection_name;

/// Text of `sets/<id>.RESTORE.md`; `{set}` stands for the set's id. Every block of commands is run as it stands by a
/// test.
#[must_use]
pub fn text(repository: &Repository, body: &Body) -> String {
    let databases = &body.databases;
    let encrypted = *repository.encryption() != Encryption::None;
    let mut text = String::from("# How to restore the set {set} without fh-backup\n\n");
    needs(&mut text, repository, encrypted, databases);
    fetch(&mut text, &repository.describe());
    for (number, database) in (1..).zip(databases) {
        restore(&mut text, number, database, encrypted);
    }
    let trees = body.files.iter().filter_map(|tree| tree.leaving.as_ref());
    for (number, script) in (1..).zip(trees) {
        unpack(&mut text, number, databases.len() + number + 1, script, encrypted);
    }
    text
}

fn needs(text: &mut String, repository: &Repository, encrypted: bool, databases: &[Database]) {
    // pg_dump writes its definitions for servers of its own version and newer ones.
    let newest = databases
        .iter()
        .map(|database| super::dump_major(database).unwrap_or(database.server_version / 10_000))
        .max();
    let _ = writeln!(
        text,
        "You need `sh`, `zstd`, {}and `psql` and `pg_restore` of PostgreSQL {} or newer, with the environment variables\n\
         of libpq (`PGHOST`, `PGUSER`, …) set for a server of such a version where you may create databases.\n\n\
         With `fh-backup` at hand, use that instead: it checks every row's hash. `fh-backup verify {{set}}` also says whether\n\
         this page is as it was written; whoever can write to the store could have changed it, so read before you run.\n",
        if encrypted { "`age`, " } else { "" },
        newest.unwrap_or_default(),
    );
    if encrypted {
        let _ = writeln!(
            text,
            "Everything is encrypted. Set `IDENTITY` to the file with the private key (`AGE-SECRET-KEY-1…`) of one of:\n"
        );
        for recipient in repository.recipients() {
            let _ = writeln!(text, "- `{recipient}`");
        }
        text.push('\n');
    }
}

fn fetch(text: &mut String, place: &str) {
    text.push_str("## 1. Have the files here\n\n");
    if place.starts_with("s3://") {
        let _ = writeln!(
            text,
            "In an empty folder with room for the whole repository:\n\n\
             ```console\n$ aws s3 sync {place}/ .\n```\n\n\
             Or only what this set needs:\n\n\
             ```console\n\
             $ aws s3 cp {place}/sets/{{set}}.set sets/{{set}}.set\n\
             $ head -n 1 sets/{{set}}.set | tr ',{{' '\\n\\n' | sed -n 's/^\"object\":\"\\(.*\\)\"$/\\1/p' | while read -r name; do \
             key=segments/$(printf %.2s \"$name\")/$name; aws s3 cp --only-show-errors \"{place}/$key\" \"$key\" || exit 1; done\n\
             ```\n"
        );
    } else {
        let _ = writeln!(text, "Change to the folder {place}, or to a copy of it.\n");
    }
}

fn restore(text: &mut String, number: usize, database: &Database, encrypted: bool) {
    let Some(leaving) = &database.leaving else {
        return;
    };
    let name = &database.name;
    let target = shell(&format!("--dbname={}", connection_name(name)));
    let script = format!("restore-{number}.sh");
    let folder = format!("restored-{number}");
    let _ = writeln!(text, "## {}. The database {name}\n", number + 1);
    let _ = writeln!(
        text,
        "The first commands get a script out of the set and let it lay the database out in the folder `{folder}`, in clear.\n\
         Read the script before you run it.\n\n```sh"
    );
    lay_out(text, &leaving.script, &script, &folder, encrypted);
    let _ = writeln!(
        text,
        "Then `pg_restore` makes the database anew under its own name and loads it; a database of that name must not exist.\n\
         Indexes and constraints come last and one after the other, because making several at a time can deadlock. Roles that\n\
         own something must exist, or add `--no-owner --no-privileges` to each.\n\n```sh"
    );
    let _ = writeln!(
        text,
        "pg_restore --exit-on-error --create --dbname=postgres --section=pre-data {folder}\n\
         pg_restore --exit-on-error --jobs=4 {target} --section=data {folder}"
    );
    if database.large_objects.is_some() {
        let _ = writeln!(
            text,
            "psql --no-psqlrc {target} --file={folder}/large-objects.sql"
        );
    }
    let _ = writeln!(
        text,
        "pg_restore --exit-on-error {target} --section=post-data {folder}\n```\n\n\
         When every command ended without an error, the database is whole. Remove `{folder}`, `{script}` and `{script}.zst`.\n"
    );
}

/// The commands that get a script out of the set and run it.
fn lay_out(text: &mut String, segment: &SegmentRef, script: &str, folder: &str, encrypted: bool) {
    let object = &segment.object;
    let key = format!("segments/{}/{object}", object.get(..2).unwrap_or_default());
    if encrypted {
        let _ = writeln!(
            text,
            "age --decrypt --identity \"$IDENTITY\" --output {script}.zst {key}"
        );
    } else {
        let _ = writeln!(text, "cp {key} {script}.zst");
    }
    let _ = writeln!(
        text,
        "zstd --decompress --quiet {script}.zst\nsh {script} {folder}\n```\n"
    );
}

/// A file tree. Its name is not in the header of the set, so it is not here either.
fn unpack(text: &mut String, number: usize, step: usize, segment: &SegmentRef, encrypted: bool) {
    let (script, folder) = (format!("files-{number}.sh"), format!("files-{number}"));
    let _ = writeln!(text, "## {step}. File tree {number}\n");
    let _ = writeln!(
        text,
        "This needs `tar`. The files come to `{folder}/files`; as root they get their owners.\n\n```sh"
    );
    lay_out(text, segment, &script, &folder, encrypted);
}

/// One word of a shell command.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shell of the page for buckets, with an `aws` that only says what it was called with.
    #[test]
    fn the_commands_for_a_bucket_fetch_what_a_set_names() {
        let mut text = String::new();
        fetch(&mut text, "s3://backups/shop");
        let text = text.replace("{set}", "now");
        let commands: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
        let [sync, of_set, segments] = commands[..] else {
            panic!("{text}");
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sets")).unwrap();
        let header = r#"{"mac":"00","header":{"version":1,"id":"now","databases":["a,b"],"segments":[{"object":"ab12.zst","size":1,"hash":"3"},{"object":"cd34-0a.zst.age","size":2,"hash":"4"}]}}"#;
        let set = format!("{header}\nbody {{\"object\":\"no\"}}");
        std::fs::write(folder.path().join("sets/now.set"), set).unwrap();
        let script = format!("set -eu\naws() {{ echo \"$*\"; }}\n{sync}\n{of_set}\n{segments}\n");
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let expected = "s3 sync s3://backups/shop/ .\n\
                        s3 cp s3://backups/shop/sets/now.set sets/now.set\n\
                        s3 cp --only-show-errors s3://backups/shop/segments/ab/ab12.zst segments/ab/ab12.zst\n\
                        s3 cp --only-show-errors s3://backups/shop/segments/cd/cd34-0a.zst.age segments/cd/cd34-0a.zst.age\n";
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        assert!(output.status.success());
    }

    #[test]
    fn odd_names_stay_one_word() {
        assert_eq!(shell("--dbname=shop"), "--dbname=shop");
        assert_eq!(
            shell("--dbname=dbname='it is'"),
            r"'--dbname=dbname='\''it is'\'''"
        );
    }
}
