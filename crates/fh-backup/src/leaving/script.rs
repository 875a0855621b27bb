//! The shell script that lays a database out as a directory archive.

use std::fmt::Write as _;

use fh_repository::SegmentRef;

use crate::archive::rows_file;
use crate::body::{Data, Database};
use crate::files::Tree;

/// Each program writes a file before the next one reads it: a pipe would hide that it failed, and `sh` has no pipefail.
const HEAD: &str = r#"#!/bin/sh
# Lays one part of a backup out as a folder. RESTORE.md beside the set says how to use it.
# Run it in the folder that holds fh-backup.json: sh SCRIPT FOLDER
set -eu
umask 077
folder=${1:?give the name of the folder to make}
if [ -e "$folder" ]; then
  echo "$folder exists already: give another name" >&2
  exit 4
fi
work=$folder.unfinished
mkdir "$work"

# put OBJECT FILE: the plain bytes of a segment, behind what the file holds already.
put() {
  object=segments/$(printf %.2s "$1")/$1
"#;

const ENCRYPTED: &str = r#"  age --decrypt --identity "${IDENTITY:?set it to the file with the private key}" --output "$work/segment" "$object"
  zstd --decompress --quiet --stdout < "$work/segment" >> "$work/$2"
  rm "$work/segment"
}
"#;

const CLEAR: &str = r#"  zstd --decompress --quiet --stdout < "$object" >> "$work/$2"
}
"#;

const COUNTING: &str = r#"
# rows FILE COUNT: each row is a line; a table that lost one must not be restored.
rows() {
  found=$(wc -l < "$work/$1")
  if [ "$found" -ne "$2" ]; then
    echo "$1 has $found rows instead of $2" >&2
    exit 1
  fi
}

# end FILE COUNT: the end mark that pg_dump writes after the rows.
end() {
  rows "$1" "$2"
  printf '\\.\n\n\n' >> "$work/$1"
}

"#;

const LARGE_OBJECTS: &str = r#"cat > "$work/large-objects.sql" <<'SQL'
\set ON_ERROR_STOP on
\o /dev/null
BEGIN;
CREATE TEMPORARY TABLE fh_large_object (id oid, start int8, part bytea);
COPY pg_temp.fh_large_object FROM stdin;
SQL
cat "$work/large-objects" >> "$work/large-objects.sql"
cat >> "$work/large-objects.sql" <<'SQL'
\.
SELECT pg_catalog.lo_put(id, start, part) FROM pg_temp.fh_large_object;
COMMIT;
SQL
rm "$work/large-objects"
"#;

const TAIL: &str = r#"
mv "$work" "$folder"
echo "$folder is complete"
"#;

pub(super) fn text(database: &Database, toc: &SegmentRef, encrypted: bool) -> String {
    let mut text = HEAD.to_owned();
    text.push_str(if encrypted { ENCRYPTED } else { CLEAR });
    text.push_str(COUNTING);
    let _ = writeln!(text, "put {} toc.dat", toc.object);
    for table in &database.tables {
        let file = rows_file(table.dump_id);
        segments(&mut text, &file, &table.data);
        let _ = writeln!(text, "end {file} {}", table.data.proof.rows);
    }
    if let Some(data) = &database.large_objects {
        segments(&mut text, "large-objects", data);
        let _ = writeln!(text, "rows large-objects {}", data.proof.rows);
        text.push_str(LARGE_OBJECTS);
    }
    text.push_str(TAIL);
    text
}

/// The script of a file tree: its tar stream, put together, measured and unpacked.
pub(super) fn tree(tree: &Tree, encrypted: bool) -> String {
    let mut text = HEAD.to_owned();
    text.push_str(if encrypted { ENCRYPTED } else { CLEAR });
    text.push_str("\n: > \"$work/tree.tar\"\n");
    for segment in &tree.segments {
        let _ = writeln!(text, "put {} tree.tar", segment.object);
    }
    let _ = write!(
        text,
        r#"found=$(wc -c < "$work/tree.tar")
if [ "$found" -ne {bytes} ]; then
  echo "the files are $found bytes of tar instead of {bytes}" >&2
  exit 1
fi
mkdir "$work/files"
tar -xpf "$work/tree.tar" -C "$work/files"
rm "$work/tree.tar"
"#,
        bytes = tree.bytes
    );
    text.push_str(TAIL);
    text
}

fn segments(text: &mut String, file: &str, data: &Data) {
    let _ = writeln!(text, ": > \"$work/{file}\"");
    for segment in &data.segments {
        let _ = writeln!(text, "put {} {file}", segment.object);
    }
}
