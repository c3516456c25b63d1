//! A backup over the wire: one moment, whole, while writes go on, for one role.

use crate::{
    access::{guarded_with, with},
    support::{Running, check, config, expert, soon, start},
};
use queqiao_engine::store::{Store, verify_backup};
use queqiao_proto::v1;
use tonic::Code;

/// Receives a backup: its bytes, and the last message.
async fn fetch(s: &Running) -> (Vec<u8>, v1::BackupChunk) {
    let answer = s.admin().backup(v1::BackupRequest {}).await.unwrap();
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
    let ((bytes, last), ()) = tokio::join!(fetch(&s), writes);
    assert_eq!(last.size, i64::try_from(bytes.len()).unwrap());
    assert_eq!(last.blake3, blake3::hash(&bytes).to_hex().as_str());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.redb");
    std::fs::write(&file, &bytes).unwrap();
    assert!(verify_backup(&file).unwrap().is_sound());
    let copy = Store::open(dir.path()).unwrap();
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
    let middle = bytes.len() / 2;
    let mut bad = bytes;
    for b in &mut bad[middle..middle + 4_096] {
        *b ^= 0x55;
    }
    let file = dir.path().join("bad.redb");
    std::fs::write(&file, &bad).unwrap();
    assert!(!verify_backup(&file).is_ok_and(|r| r.is_sound()));
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
    let one = s.admin().backup(v1::BackupRequest {}).await.unwrap();
    // While one is open there is no second, and everything else goes on.
    let second = s.admin().backup(v1::BackupRequest {}).await;
    if let Err(e) = second {
        assert_eq!(e.code(), Code::Unavailable);
    }
    assert!(s.ask("膜").await.is_ok());
    drop(one);
    let again = async {
        loop {
            match s.admin().backup(v1::BackupRequest {}).await {
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
    let e = c.backup(with(v1::BackupRequest {}, Some(&some))).await;
    check(
        e.map(|_| ()),
        Code::PermissionDenied,
        "ALL_TENANTS_NEEDED",
        &[],
    );
    assert!(
        c.backup(with(v1::BackupRequest {}, Some(&all)))
            .await
            .is_ok()
    );
}
