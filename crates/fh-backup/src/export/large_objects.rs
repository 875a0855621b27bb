//! Large objects: from rows of (oid, offset, bytes) to a file each.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use fh_core::{Context as _, Error, Result};

use super::Source;
use crate::archive::large_object_file;

/// Writes every large object and the lists of them into `folder`.
///
/// # Errors
/// Exit code 1 when the stored rows are not what the set says, 3 when a file cannot be written.
pub(super) async fn write(source: &Source<'_>, folder: &Path) -> Result<()> {
    let Some(data) = &source.database.large_objects else {
        return Ok(());
    };
    let mut oids = BTreeSet::new();
    source
        .rows("the large objects", data, async |text| {
            let folder = folder.to_owned();
            let written = super::directory::blocking(move || write_rows(&folder, &text)).await?;
            oids.extend(written);
            Ok(())
        })
        .await?;
    let lists = source.archive.large_object_lists(&oids).map_err(|why| {
        Error::bad("the definitions of the set do not fit its large objects")
            .because(std::io::Error::other(why))
    })?;
    for (name, text) in lists {
        fs_err::write(folder.join(name), text).or_unable(|| "cannot write the list of large objects")?;
    }
    Ok(())
}

fn write_rows(folder: &Path, text: &Bytes) -> Result<Vec<u32>> {
    let mut oids = Vec::new();
    let mut open: Option<(u32, fs_err::File)> = None;
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let (oid, start, part) =
            parse(line).ok_or_else(|| Error::bad("a row of the large objects cannot be read"))?;
        let file = match open.take() {
            Some((last, file)) if last == oid => file,
            _ => {
                oids.push(oid);
                file(folder.join(large_object_file(oid)))?
            }
        };
        file.file()
            .write_all_at(&part, start)
            .or_unable(|| format!("cannot write {}", file.path().display()))?;
        open = Some((oid, file));
    }
    Ok(oids)
}

fn file(path: PathBuf) -> Result<fs_err::File> {
    // The rows of one object may be spread over several segments.
    fs_err::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .or_unable(|| "cannot make the file of a large object")
}

/// A row of COPY text: the backslash of `\x…` is doubled there (PostgreSQL manual, COPY, "Text Format").
fn parse(line: &[u8]) -> Option<(u32, u64, Vec<u8>)> {
    let mut fields = line.split(|byte| *byte == b'\t');
    let number = |field: Option<&[u8]>| std::str::from_utf8(field?).ok()?.parse::<u64>().ok();
    let oid = u32::try_from(number(fields.next())?).ok()?;
    let start = number(fields.next())?;
    let digits = fields.next()?.strip_prefix(b"\\\\x")?;
    if fields.next().is_some() || digits.len() % 2 != 0 {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes: Option<Vec<u8>> = digits
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect();
    Some((oid, start, bytes?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_apart_and_nonsense_is_none() {
        assert_eq!(parse(b"7\t262144\t\\\\x00fF"), Some((7, 262_144, vec![0, 255])));
        assert_eq!(parse(b"7\t0\t\\\\x"), Some((7, 0, vec![])));
        for nonsense in [
            &b"7\t0"[..],
            b"7\t0\t\\\\x0",
            b"7\t0\t\\\\xgg",
            b"7\t0\t00",
            b"x\t0\t\\\\x",
            b"7\t0\t\\\\x\t",
        ] {
            assert_eq!(parse(nonsense), None);
        }
    }

    #[test]
    fn an_object_may_come_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let text = Bytes::from_static(b"7\t0\t\\\\x6162\n8\t0\t\\\\x\n7\t2\t\\\\x63\n");
        write_rows(folder.path(), &text).unwrap();
        assert_eq!(std::fs::read(folder.path().join("blob_7.dat")).unwrap(), b"abc");
        assert_eq!(std::fs::read(folder.path().join("blob_8.dat")).unwrap(), b"");
    }
}
