//! A backup over the wire: one moment, whole, while writes go on, for one role.

use crate::{
    access::{guarded_with, with},
    support::{Running, check, config, expert, soon, start},
};
use queqiao_engine::store::{KeyFiles, RestoreOptions, Store, restore};
use queqiao_proto::v1;
use tonic::Code;

fn part(part: v1::BackupPart) -> v1::BackupRequest {
    v1::BackupRequest { part: part.into() }
}

/// Receives a part of a backup: its bytes, and the last message.
async fn fetch(s: &Running, of: v1::BackupPart) -> (Vec<u8>, v1::BackupChunk) {
    let answer = s.admin().backup(part(of)).await.unwrap();
    let mut stream = answer.into_inner();
    let (mut bytes, mut last) = (Vec::new(), v1::BackupChunk::default());
    while let Some(chunk) = stream.message().await.unwrap() {
        bytes.extend(&chunk.data);
        last = chunk;
    }
    (bytes, last)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_is_copied_whole() {
    let s = start().await;
    for i in 0..50 {
        s.put(expert(&format!("e{i}"), "张三", "膜分离")).await;
    }
    let writes = async {
        for i in 50..80 {
            s.put(expert(&format!("e{i}"), "李四", "膜分离")).await;
        }
    };
    let ((bytes, last), ()) = tokio::join!(fetch(&s, v1::BackupPart::Records), writes);
    assert_eq!(last.size, i64::try_from(bytes.len()).unwrap());
    assert_eq!(last.blake3, blake3::hash(&bytes).to_hex().as_str());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.redb");
    std::fs::write(&file, &bytes).unwrap();
    let (vault, _) = fetch(&s, v1::BackupPart::Keys).await;
    let keys = KeyFiles {
        vault: dir.path().join("b.keys"),
        // The master key is not sent.
        master: KeyFiles::of(s.engine.store().folder(), None).master,
    };
    std::fs::write(&keys.vault, &vault).unwrap();
    let to = dir.path().join("copy");
    let plain = RestoreOptions::default();
    let restored = restore(&file, &keys, &to, &plain).unwrap();
    assert!(restored.report.is_sound());
    let copy = Store::open(&to).unwrap();
    let n = copy.scan(None).unwrap().count();
    assert!((50..=80).contains(&n), "{n}");
    // What was needed for it is gone.
    let left: Vec<_> = std::fs::read_dir(s.engine.store().folder())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.starts_with("backup-"))
        .collect();
    assert_eq!(left, [""; 0]);
    // A damaged one is told.
    let mut bad = bytes;
    // A byte of every page but the first: some are free, and nobody reads them.
    for page in bad.chunks_mut(4_096).skip(1) {
        page[40] ^= 0x55;
    }
    let file = dir.path().join("bad.redb");
    std::fs::write(&file, &bad).unwrap();
    assert!(restore(&file, &keys, &dir.path().join("other"), &plain).is_err());
    // A part that nobody knows is no request.
    let unknown = v1::BackupRequest { part: 9 };
    let e = s.admin().backup(unknown).await.map(|_| ());
    check(e, Code::InvalidArgument, "INVALID_FIELD", &["part"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_leaves_or_dawdles_holds_nothing_up() {
    let s = start().await;
    for i in 0..200 {
        s.put(expert(
            &format!("e{i}"),
            &"长".repeat(60),
            &"膜".repeat(1_500),
        ))
        .await;
    }
    let one = s
        .admin()
        .backup(part(v1::BackupPart::Records))
        .await
        .unwrap();
    // While one is open there is no second, and everything else goes on.
    let second = s.admin().backup(part(v1::BackupPart::Records)).await;
    if let Err(e) = second {
        assert_eq!(e.code(), Code::Unavailable);
    }
    assert!(s.ask("膜").await.is_ok());
    drop(one);
    let again = async {
        loop {
            match s.admin().backup(part(v1::BackupPart::Records)).await {
                Ok(_) => return,
                Err(e) => assert_eq!(e.code(), Code::Unavailable, "{e}"),
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    soon(again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_of_all_tenants_makes_backups() {
    let g = guarded_with(config()).await;
    let some = g.key("admin", "t").await;
    let all = g.key("admin", "*").await;
    let mut c = g.s.admin();
    let e = c
        .backup(with(part(v1::BackupPart::Records), Some(&some)))
        .await;
    check(
        e.map(|_| ()),
        Code::PermissionDenied,
        "ALL_TENANTS_NEEDED",
        &[],
    );
    assert!(
        c.backup(with(part(v1::BackupPart::Records), Some(&all)))
            .await
            .is_ok()
    );
}
