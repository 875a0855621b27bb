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

#[test]
fn the_creation_time_is_the_only_thing_that_unstamping_changes() {
    for minor in [14, 15, 16] {
        let mut archive = sample(minor);
        let mut bytes = archive.to_directory_toc(|_| None);
        unstamp(&mut archive, &mut bytes);
        assert_eq!(archive.created, [0, 0, 0, 1, 0, 100, 0]);
        assert_eq!(
            Archive::read(&bytes[..]).unwrap(),
            archive,
            "archive version 1.{minor}"
        );
        let rest = Archive {
            created: sample(minor).created,
            ..archive
        };
        assert_eq!(rest, sample(minor));
    }
}

#[test]
fn a_moment_is_written_as_c_does() {
    assert_eq!(
        stamp("2026-11-23T02:03:04Z".parse().unwrap()),
        [4, 3, 2, 23, 10, 126, 0]
    );
}

#[test]
fn large_objects_are_listed_in_the_way_of_each_version() {
    let with = |minor: u8| {
        let mut archive = sample(minor);
        let mut group = archive.entries[0].clone();
        group.dump_id = 50;
        group.kind = "BLOB METADATA".into();
        group.definition = Some("7\n9\n".into());
        let mut list = archive.entries[0].clone();
        list.dump_id = 51;
        list.kind = "BLOBS".into();
        list.dependencies = vec!["50".into()];
        archive.entries.extend([group, list]);
        archive
    };
    let lists = |minor: u8, oids: &[u32]| with(minor).large_object_lists(&oids.iter().copied().collect());
    let text = "7 blob_7.dat\n9 blob_9.dat\n".to_owned();
    assert_eq!(
        lists(14, &[9, 7]),
        Ok([("blobs.toc".to_owned(), text.clone())].into())
    );
    assert_eq!(lists(16, &[9, 7]), Ok([("blobs_51.toc".to_owned(), text)].into()));
    assert_eq!(lists(16, &[9]), Err("large object 7 is not there".into()));
    assert_eq!(lists(16, &[7, 8, 9]), Err("large object 8 is in no list".into()));
    let archive = with(16);
    let files: Vec<_> = archive
        .entries
        .iter()
        .map(|entry| archive.data_file(entry))
        .collect();
    assert_eq!(
        files,
        [Some("42.dat".to_owned()), None, Some("blobs_51.toc".to_owned())]
    );
}

#[test]
fn large_objects_compare_across_versions() {
    let entry = |kind: &str, tag: &str, definition: &str, id: i64, dependencies: &[&str]| Entry {
        dump_id: id,
        kind: kind.into(),
        tag: Some(tag.into()),
        definition: Some(definition.into()),
        dependencies: dependencies.iter().map(ToString::to_string).collect(),
        ..sample(14).entries.remove(0)
    };
    let grant = |oid: u32| format!("GRANT SELECT ON LARGE OBJECT {oid} TO clerk;\n");
    let with = |minor: u8, entries: Vec<Entry>| Archive {
        entries,
        ..sample(minor)
    };
    let old = with(
        14,
        vec![
            entry("BLOB", "7", "SELECT pg_catalog.lo_create('7');\n", 1, &[]),
            entry("BLOB", "77", "SELECT pg_catalog.lo_create('77');\n", 2, &[]),
            entry("ACL", "LARGE OBJECT 7", &grant(7), 3, &["1"]),
            entry("ACL", "LARGE OBJECT 77", &grant(77), 4, &["2"]),
        ],
    );
    let new = with(
        16,
        vec![
            entry("BLOB METADATA", "7..77", "7\n77\n", 1, &[]),
            entry("ACL", "LARGE OBJECTS 7..77", &grant(7), 2, &["1"]),
        ],
    );
    let same = |archive: &Archive| -> Vec<_> {
        let entries = archive.ungrouped().entries.into_iter();
        entries
            .map(|entry| (entry.kind, entry.tag, entry.definition))
            .collect()
    };
    assert_eq!(same(&old), same(&new));
    assert_eq!(same(&old).len(), 4);
}
