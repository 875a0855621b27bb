//! Reading an archive's head and table of contents from a stream, and stopping before the data.

use std::io::Read;

use thiserror::Error;

use super::wire::Reader;
use super::{Archive, CUSTOM, DIRECTORY, Entry, Section};

/// Why a stream is not an archive we can take definitions from.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The stream ended or failed in the middle.
    #[error("the archive ends in the middle of its table of contents")]
    Io(#[from] std::io::Error),
    /// The first bytes are not those of an archive.
    #[error("this is not a pg_dump archive (it does not begin with PGDMP)")]
    NotAnArchive,
    /// An archive version whose layout is not known here.
    #[error("archive version {0}.{1} is not known to this program (it reads 1.14 to 1.16)")]
    Version(u8, u8),
    /// A field has a value it cannot have.
    #[error("the archive is malformed: {0}")]
    Malformed(String),
}

impl Archive {
    /// Reads head and table of contents, and not a byte further.
    ///
    /// # Errors
    /// [`ArchiveError`], when the stream is something else, of an unknown version, damaged or cut short.
    pub fn read(stream: impl Read) -> Result<Self, ArchiveError> {
        let mut reader = Reader {
            inner: stream,
            int_size: 4,
        };
        let mut archive = read_head(&mut reader)?;
        let count = reader.int()?;
        if !(0..=50_000_000).contains(&count) {
            return Err(ArchiveError::Malformed(format!("{count} entries")));
        }
        for _ in 0..count {
            let entry = read_entry(&mut reader, &archive)?;
            archive.entries.push(entry);
        }
        Ok(archive)
    }
}

fn read_head<R: Read>(reader: &mut Reader<R>) -> Result<Archive, ArchiveError> {
    let mut magic = [0; 5];
    reader.inner.read_exact(&mut magic)?;
    if &magic != b"PGDMP" {
        return Err(ArchiveError::NotAnArchive);
    }
    let version = (reader.byte()?, reader.byte()?, reader.byte()?);
    if version.0 != 1 || !(14..=16).contains(&version.1) {
        return Err(ArchiveError::Version(version.0, version.1));
    }
    let int_size = reader.byte()?;
    let offset_size = reader.byte()?;
    if !(4..=8).contains(&int_size) || !(4..=8).contains(&offset_size) {
        return Err(ArchiveError::Malformed(format!(
            "integers of {int_size} and offsets of {offset_size} bytes"
        )));
    }
    reader.int_size = int_size;
    let format = reader.byte()?;
    if format != CUSTOM && format != DIRECTORY {
        return Err(ArchiveError::Malformed(format!("format {format}")));
    }
    let compression = if version.1 >= 15 {
        i64::from(reader.byte()?)
    } else {
        reader.int()?
    };
    let mut created = [0; 7];
    for field in &mut created {
        *field = reader.int()?;
    }
    Ok(Archive {
        version,
        int_size,
        offset_size,
        format,
        compression,
        created,
        database: reader.text()?,
        server_version: reader.text()?,
        dump_version: reader.text()?,
        entries: Vec::new(),
    })
}

fn read_entry<R: Read>(reader: &mut Reader<R>, archive: &Archive) -> Result<Entry, ArchiveError> {
    let entry = Entry {
        dump_id: reader.int()?,
        has_data: reader.int()? != 0,
        catalog_oid: reader.text()?,
        oid: reader.text()?,
        tag: reader.text()?,
        kind: reader
            .text()?
            .ok_or_else(|| ArchiveError::Malformed("an entry without a kind".into()))?,
        section: section(reader.int()?)?,
        definition: reader.text()?,
        drop: reader.text()?,
        copy: reader.text()?,
        namespace: reader.text()?,
        tablespace: reader.text()?,
        access_method: reader.text()?,
        relation_kind: if archive.version.1 >= 16 { reader.int()? } else { 0 },
        owner: reader.text()?,
        with_oids: reader.text()?,
        dependencies: dependencies(reader)?,
    };
    skip_extra(reader, archive)?;
    Ok(entry)
}

fn section(number: i64) -> Result<Section, ArchiveError> {
    Ok(match number {
        1 => Section::None,
        2 => Section::PreData,
        3 => Section::Data,
        4 => Section::PostData,
        other => return Err(ArchiveError::Malformed(format!("section {other}"))),
    })
}

fn dependencies<R: Read>(reader: &mut Reader<R>) -> Result<Vec<String>, ArchiveError> {
    let mut found = Vec::new();
    while let Some(id) = reader.text()? {
        found.push(id);
    }
    Ok(found)
}

/// What each format keeps to find an entry's data: a position in the file (custom), or a file name (directory). Ours
/// lies elsewhere, so it is passed over.
fn skip_extra<R: Read>(reader: &mut Reader<R>, archive: &Archive) -> Result<(), ArchiveError> {
    if archive.format == DIRECTORY {
        reader.text()?;
    } else {
        for _ in 0..=archive.offset_size {
            reader.byte()?;
        }
    }
    Ok(())
}
