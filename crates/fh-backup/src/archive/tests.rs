use super::*;

fn sample(minor: u8) -> Archive {
    let entry = Entry {
        dump_id: 42,
        has_data: true,
        catalog_oid: Some("0".into()),
        oid: Some("16385".into()),
        tag: Some("odd \"name\"\nßx".into()),
        kind: "TABLE DATA".into(),
        section: Section::Data,
        definition: Some(String::new()),
        drop: Some(String::new()),
        copy: Some("COPY public.t (a, b) FROM stdin;\n".into()),
        namespace: Some("public".into()),
        tablespace: None,
        access_method: Some("heap".into()),
        relation_kind: if minor >= 16 { i64::from(b'r') } else { 0 },
        owner: Some("app".into()),
        with_oids: Some("false".into()),
        dependencies: vec!["7".into(), "9".into()],
    };
    Archive {
        version: (1, minor, 0),
        int_size: 4,
        offset_size: 8,
        format: DIRECTORY,
        compression: 0,
        created: [1, 2, 3, 4, 5, 126, -1],
        database: Some("app".into()),
        server_version: Some("15.18".into()),
        dump_version: Some("15.18".into()),
        entries: vec![entry],
    }
}

#[test]
fn every_known_version_reads_back_what_was_written() {
    for minor in [14, 15, 16] {
        let archive = sample(minor);
        let bytes = archive.to_directory_toc(|entry| Some(format!("{}.dat", entry.dump_id)));
        assert_eq!(
            Archive::read(&bytes[..]).unwrap(),
            archive,
            "archive version 1.{minor}"
        );
    }
}

#[test]
fn every_cut_is_noticed() {
    let bytes = sample(14).to_directory_toc(|_| None);
    for length in 0..bytes.len() {
        assert!(
            Archive::read(&bytes[..length]).is_err(),
            "cut at {length} of {}",
            bytes.len()
        );
    }
}

#[test]
fn nothing_after_the_table_of_contents_is_read() {
    let mut bytes = sample(14).to_directory_toc(|_| None);
    bytes.extend_from_slice(b"rows");
    let mut stream = &bytes[..];
    Archive::read(&mut stream).unwrap();
    assert_eq!(stream, b"rows");
}

#[test]
fn other_files_and_unknown_versions_are_refused() {
    let error = |bytes: &[u8]| Archive::read(bytes).unwrap_err().to_string();
    assert_eq!(
        error(b"-- SQL dump"),
        "this is not a pg_dump archive (it does not begin with PGDMP)"
    );
    let mut newer = sample(16).to_directory_toc(|_| None);
    newer[6] = 17;
    assert_eq!(
        error(&newer),
        "archive version 1.17 is not known to this program (it reads 1.14 to 1.16)"
    );
}
