//! Documents beside the sets: what is sealed is believed, everything else is told apart.

mod small;

use small::{Small, open};

const KEY: &str = "evidence/2026-11-23T020000Z-7f3a91/2026-11-24T030000Z.json";

#[tokio::test]
async fn only_what_was_sealed_under_its_own_name_is_believed() {
    for encrypted in [false, true] {
        let small = Small::new(encrypted).await;
        let repository = open(&small).await;
        repository.put_document(KEY, &vec![1, 2]).await.unwrap();
        let read = async || repository.documents::<Vec<u32>>("evidence/").await.unwrap();
        assert_eq!(read().await[0].document, Ok(vec![1, 2]));
        assert!(read().await[0].modified.is_some());
        // The same document again is no failure, another under its name is.
        repository.put_document(KEY, &vec![1, 2]).await.unwrap();
        repository.put_document(KEY, &vec![3]).await.unwrap_err();

        let path = small.folder.path().join(KEY);
        let written = std::fs::read(&path).unwrap();
        let copy = path.with_file_name("2026-11-25T030000Z.json");
        std::fs::copy(&path, &copy).unwrap();
        assert!(read().await[1].document.is_err(), "renamed");
        std::fs::remove_file(&copy).unwrap();
        for at in 0..written.len() - 1 {
            let mut changed = written.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            let found = read().await;
            assert!(found[0].document.is_err(), "byte {at}: {found:?}");
        }
        std::fs::write(&path, &written[..written.len() / 2]).unwrap();
        assert!(read().await[0].document.is_err(), "cut");
    }
}
