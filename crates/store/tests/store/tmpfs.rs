//! A disk that is really full: a small tmpfs, where the test may mount one.
#![cfg(target_os = "linux")]

use crate::fixtures::*;
use queqiao_store::{Batch, Store, StoreError};
use std::{fs, path::PathBuf, process::Command};

struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

/// A disk of so many MiB; none where this process may not mount, which is told.
fn disk(mib: u32) -> Option<Mounted> {
    let dir = tempfile::tempdir().unwrap().keep();
    let size = format!("size={mib}m");
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
        .arg(&dir)
        .output();
    let done = mount.as_ref().is_ok_and(|o| o.status.success());
    if !done {
        let _ = fs::remove_dir(&dir);
        #[allow(clippy::print_stderr)]
        {
            eprintln!("SKIPPED: no tmpfs can be mounted here ({mount:?}); run it as root");
        }
        return None;
    }
    Some(Mounted(dir))
}

#[test]
fn a_full_disk_refuses_writes_reads_on_and_takes_deletes_when_there_is_room() {
    let Some(disk) = disk(24) else {
        return;
    };
    let ballast = disk.0.join("ballast");
    fs::write(&ballast, vec![1; 4 << 20]).unwrap();
    let data = disk.0.join("data");
    let store = Store::open(&data).unwrap();
    // Every text its own, so that nothing is compressed away.
    let text = |n: u64| {
        let noise: String = (0..400)
            .map(|i| {
                blake3::hash(&(n * 1_000 + i).to_le_bytes())
                    .to_hex()
                    .to_string()
            })
            .collect();
        record(
            &format!("n{n}"),
            queqiao_domain::Kind::Need,
            &noise[..1_900],
        )
    };
    let mut kept = 0;
    let e = loop {
        let writes = (kept..kept + 20)
            .map(text)
            .map(queqiao_store::Write::upsert);
        match store.apply(&t0(), &Batch::of(writes), at(0)) {
            Ok(_) => kept += 20,
            Err(e) => break e,
        }
        assert!(kept < 100_000, "the disk is never full");
    };
    assert!(matches!(e, StoreError::DiskFull { .. }), "{e}");
    assert!(kept > 100, "{kept}");
    assert_eq!(store.count(&t0(), None).unwrap(), kept);
    assert_eq!(
        store.scan(None).unwrap().filter(Result::is_ok).count() as u64,
        kept
    );
    assert_eq!(problems(&store), [""; 0]);
    // Nothing is lost when it is opened again, full as it is.
    drop(store);
    let store = Store::open(&data).unwrap();
    assert_eq!(store.count(&t0(), None).unwrap(), kept);
    // Room is made; the same process goes on, deletes first.
    fs::remove_file(&ballast).unwrap();
    apply(&store, [erase("n0")]).unwrap();
    apply(&store, [delete("n1")]).unwrap();
    apply(&store, [upsert("more", "x")]).unwrap();
    assert_eq!(store.count(&t0(), None).unwrap(), kept - 1);
    assert_eq!(problems(&store), [""; 0]);
}
