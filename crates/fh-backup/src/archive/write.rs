//! Writing a table of contents as the `toc.dat` of a directory archive, for stock `pg_restore`.

use super::wire::Writer;
use super::{Archive, DIRECTORY, Entry, Section};

impl Archive {
    /// The bytes of `toc.dat`. `file_name` says in which file of the folder an entry's data lies; entries for which it
    /// gives `None` have none.
    #[must_use]
    pub fn to_directory_toc(&self, file_name: impl Fn(&Entry) -> Option<String>) -> Vec<u8> {
        let mut writer = Writer {
            out: Vec::new(),
            int_size: self.int_size,
        };
        writer.out.extend_from_slice(b"PGDMP");
        writer
            .out
            .extend([self.version.0, self.version.1, self.version.2]);
        writer.out.extend([self.int_size, self.offset_size, DIRECTORY]);
        if self.version.1 >= 15 {
            writer.out.push(0);
        } else {
            writer.int(0);
        }
        for field in self.created {
            writer.int(field);
        }
        for text in [&self.database, &self.server_version, &self.dump_version] {
            writer.text(text.as_deref());
        }
        writer.int(i64::try_from(self.entries.len()).unwrap_or(i64::MAX));
        for entry in &self.entries {
            write_entry(&mut writer, self, entry);
            writer.text(Some(file_name(entry).as_deref().unwrap_or("")));
        }
        writer.out
    }
}

fn write_entry(writer: &mut Writer, archive: &Archive, entry: &Entry) {
    writer.int(entry.dump_id);
    writer.int(i64::from(entry.has_data));
    for text in [&entry.catalog_oid, &entry.oid, &entry.tag] {
        writer.text(text.as_deref());
    }
    writer.text(Some(&entry.kind));
    writer.int(match entry.section {
        Section::None => 1,
        Section::PreData => 2,
        Section::Data => 3,
        Section::PostData => 4,
    });
    let texts = [
        &entry.definition,
        &entry.drop,
        &entry.copy,
        &entry.namespace,
        &entry.tablespace,
        &entry.access_method,
    ];
    for text in texts {
        writer.text(text.as_deref());
    }
    if archive.version.1 >= 16 {
        writer.int(entry.relation_kind);
    }
    writer.text(entry.owner.as_deref());
    writer.text(entry.with_oids.as_deref());
    for id in &entry.dependencies {
        writer.text(Some(id));
    }
    writer.text(None);
}
