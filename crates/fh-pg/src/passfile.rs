//! The password file, `~/.pgpass` (PostgreSQL manual, 34.16).

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fh_core::Secret;

use crate::target::{ConnectionString, Place, Server};

/// The password for `server`: the first line that fits. A file that is not there, is not private or cannot be read
/// gives none, with a warning unless it just is not there, as in libpq.
pub(crate) fn look_up(target: &ConnectionString, server: &Server) -> Option<Secret> {
    let path = target.passfile.as_deref()?;
    let text = read(path)?;
    let host = match &server.place {
        Place::Tcp { host, .. } => host.clone(),
        Place::Socket(folder) if crate::parse::is_default_socket_folder(folder) => "localhost".to_owned(),
        Place::Socket(folder) => folder.to_str()?.to_owned(),
    };
    let wanted = [
        host.as_str(),
        &server.port.to_string(),
        &target.database,
        &target.user,
    ];
    first_password(&text, wanted).map(Secret::new)
}

fn read(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() {
        tracing::warn!(
            "the password file {} is not a file and is ignored",
            path.display()
        );
        return None;
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(
            "the password file {0} is ignored because others may read it: chmod 600 {0}",
            path.display()
        );
        return None;
    }
    match fs_err::read(path) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            tracing::warn!("the password file cannot be read and is ignored: {error}");
            None
        }
    }
}

/// The password in the first line that fits; an empty one is none.
fn first_password(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines()
        .find_map(|line| password_of(line, wanted))
        .filter(|password| !password.is_empty())
}

/// The password in `line` when its first four fields fit.
fn password_of(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line.strip_suffix('\r').unwrap_or(line);
    for wanted in wanted {
        let (raw, field, after) = split(rest)?;
        if raw != "*" && field != wanted {
            return None;
        }
        rest = after;
    }
    let (mut password, mut letters) = (String::new(), rest.chars());
    while let Some(letter) = letters.next() {
        match letter {
            ':' => break,
            // The last character of the line stands for itself.
            '\\' => password.push(letters.next().unwrap_or('\\')),
            _ => password.push(letter),
        }
    }
    Some(password)
}

/// The first field, as written and with its backslashes undone, and what follows its colon.
fn split(line: &str) -> Option<(&str, String, &str)> {
    let (mut field, mut letters) = (String::new(), line.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            ':' => return Some((&line[..at], field, &line[at + 1..])),
            '\\' => field.extend(letters.next().map(|(_, letter)| letter)),
            _ => field.push(letter),
        }
    }
    None
}

/// One line for [`look_up`] and libpq.
pub(crate) fn line(host: &str, port: u16, database: &str, user: &str, password: &str) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace(':', "\\:");
    format!(
        "{}:{port}:{}:{}:{}\n",
        escape(host),
        escape(database),
        escape(user),
        escape(password)
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::environment::Environment;

    const WANTED: [&str; 4] = ["db.example.com", "5432", "shop", "app"];

    #[test]
    fn the_first_line_that_fits_counts() {
        let find = |text: &str| first_password(text, WANTED);
        assert_eq!(
            find("# db.example.com:5432:shop:app:no\nother:*:*:*:no\n*:*:*:app:yes\n*:*:*:*:late"),
            Some("yes".into())
        );
        assert_eq!(find("db.example.com:5433:shop:app:no"), None);
        assert_eq!(find("db.example.com:5432:shop:app"), None);
        assert_eq!(
            find("*:*:*:*:with\\:colon\\\\and:tail"),
            Some("with:colon\\and".into())
        );
        assert_eq!(
            find("*:*:*:*:\n*:*:*:*:a line with an empty password fits too"),
            None
        );
        assert_eq!(find("*:*:*:*:ends with \\"), Some("ends with \\".into()));
        assert_eq!(find("\\*:*:*:*:no"), None);
    }

    /// The password that is found in a file of this mode.
    fn found(text: &str, mode: u32, connection: &str) -> Option<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        fs_err::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let environment = Environment::empty()
            .with_user("me")
            .with("PGPASSFILE", file.path().to_str().unwrap());
        let target = ConnectionString::parse(&Secret::new(connection), &environment).unwrap();
        look_up(&target, &target.servers()[0]).map(|password| password.expose().to_owned())
    }

    #[test]
    fn a_file_that_others_may_read_is_ignored() {
        for (mode, counts) in [
            (0o600, true),
            (0o400, true),
            (0o640, false),
            (0o604, false),
            (0o610, false),
        ] {
            assert_eq!(
                found("h:5432:d:u:yes", mode, "postgres://u@h/d").is_some(),
                counts,
                "{mode:o}"
            );
        }
        assert_eq!(found("", 0o600, "postgres://u@h/d"), None);
    }

    #[test]
    fn a_folder_or_nothing_in_its_place_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("missing")] {
            assert_eq!(read(&path), None);
        }
    }

    #[test]
    fn a_socket_in_the_usual_folder_is_localhost() {
        let lines = "/var/run/postgresql:*:*:*:no\nlocalhost:*:*:*:usual\n/elsewhere:1:*:me:other";
        assert_eq!(
            found(lines, 0o600, "host=/var/run/postgresql"),
            Some("usual".into())
        );
        assert_eq!(
            found(lines, 0o600, "host=/elsewhere port=1"),
            Some("other".into())
        );
        assert_eq!(found(lines, 0o600, "host=/elsewhere port=2"), None);
        assert_eq!(
            found("10.0.0.1:*:*:*:by address", 0o600, "hostaddr=10.0.0.1"),
            Some("by address".into())
        );
    }

    proptest! {
        #[test]
        fn a_written_line_is_found_again(database in "[^\n\r#]{1,12}", user in "[^\n\r]{1,12}", password in "[^\n\r]{1,20}") {
            let written = line("h", 5432, &database, &user, &password);
            prop_assert_eq!(password_of(written.trim_end_matches('\n'), ["h", "5432", &database, &user]), Some(password));
        }
    }
}
