use super::*;
use std::sync::Arc;

fn event(n: u64) -> Event {
    Event {
        subject: format!("key:{n}"),
        action: "RecordService/UpsertRecord".to_owned(),
        objects: vec![format!("tenants/t/experts/专家{n}")],
        result: "OK".to_owned(),
        ..Event::default()
    }
}

fn small(dir: &Path) -> AuditConfig {
    AuditConfig {
        max_bytes: 2_000,
        ..AuditConfig::new(dir.to_owned())
    }
}

/// A trail of `n` lines in several files.
fn trail(dir: &Path, n: u64) -> AuditReport {
    let trail = Trail::open(small(dir)).unwrap();
    for i in 0..n {
        trail.add(event(i), i % 3 == 0).unwrap();
    }
    trail.sync().unwrap();
    verify(dir, None).unwrap()
}

fn lines(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    for n in folder::numbers(dir).unwrap() {
        let path = folder::file(dir, n);
        let text = fs::read_to_string(&path).unwrap();
        out.extend(text.lines().map(|l| (path.clone(), l.to_owned())));
    }
    out
}

/// Writes lines back, each to its file.
fn put(dir: &Path, lines: &[(PathBuf, String)]) {
    for n in folder::numbers(dir).unwrap() {
        let path = folder::file(dir, n);
        let of: String = lines
            .iter()
            .filter(|(p, _)| *p == path)
            .map(|(_, l)| format!("{l}\n"))
            .collect();
        fs::write(&path, of).unwrap();
    }
}

#[test]
fn a_whole_trail_is_whole_over_files_and_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let report = trail(dir.path(), 30);
    assert!(report.files > 3, "{report:?}");
    assert_eq!(report.lines, 30);
    let again = trail(dir.path(), 5);
    assert_eq!(again.lines, 35);
    assert_eq!(again.repairs, [""; 0]);
    // What was printed before is still in the trail.
    verify(dir.path(), report.head.as_deref()).unwrap();
}

#[test]
fn every_line_that_is_removed_changed_doubled_or_swapped_is_found() {
    let dir = tempfile::tempdir().unwrap();
    trail(dir.path(), 20);
    let whole = lines(dir.path());
    for i in 0..whole.len() {
        let mut removed = whole.clone();
        removed.remove(i);
        let mut doubled = whole.clone();
        doubled.insert(i, whole[i].clone());
        let mut changed = whole.clone();
        changed[i].1 = changed[i].1.replace("\"OK\"", "\"NO\"");
        for (what, lines) in [
            ("removed", removed),
            ("doubled", doubled),
            ("changed", changed),
        ] {
            put(dir.path(), &lines);
            let e = verify(dir.path(), None).expect_err(what);
            assert!(matches!(e, AuditError::Broken { .. }), "{what} {i}: {e}");
            assert!(!e.message().zh.is_ascii());
        }
        if i > 0 {
            let mut swapped = whole.clone();
            let line = swapped[i].1.clone();
            swapped[i].1 = swapped[i - 1].1.clone();
            swapped[i - 1].1 = line;
            put(dir.path(), &swapped);
            assert!(verify(dir.path(), None).is_err(), "swapped {i}");
        }
    }
    put(dir.path(), &whole);
    verify(dir.path(), None).unwrap();
}

#[test]
fn a_trail_written_anew_is_found_by_what_was_kept_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let kept = trail(dir.path(), 4).head.unwrap();
    fs::remove_dir_all(dir.path()).unwrap();
    trail(dir.path(), 4);
    verify(dir.path(), None).unwrap();
    let e = verify(dir.path(), Some(&kept)).unwrap_err();
    assert!(e.to_string().contains("written anew"), "{e}");
    assert!(verify(dir.path(), Some("nonsense")).is_err());
}

#[test]
fn half_a_line_after_a_crash_is_cut_and_told() {
    let dir = tempfile::tempdir().unwrap();
    trail(dir.path(), 3);
    let path = folder::file(dir.path(), 1);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    assert!(verify(dir.path(), None).is_err());
    let report = trail(dir.path(), 1);
    // The torn line is gone and the head knew of it: both are told.
    assert_eq!(report.repairs.len(), 1, "{report:?}");
    assert!(report.repairs[0].contains("never finished"));
    assert!(report.repairs[0].contains("lines 3 to 3"));
    assert_eq!(report.lines, 4);
}

#[test]
fn several_writers_make_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|s| {
        for w in 0..4 {
            let dir = dir.path();
            // Each as another process would: with a trail of its own.
            s.spawn(move || {
                let trail = Arc::new(Trail::open(small(dir)).unwrap());
                for i in 0..25 {
                    trail.add(event(w * 100 + i), false).unwrap();
                }
            });
        }
    });
    assert_eq!(verify(dir.path(), None).unwrap().lines, 100);
}

#[test]
fn old_files_go_and_the_trail_says_so() {
    let dir = tempfile::tempdir().unwrap();
    trail(dir.path(), 30);
    let first = folder::file(dir.path(), 1);
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(300 * 86_400);
    File::options()
        .write(true)
        .open(&first)
        .unwrap()
        .set_modified(old)
        .unwrap();
    let report = trail(dir.path(), 1);
    assert!(!first.exists());
    assert_eq!(report.repairs, [""; 0]);
    // A file that goes without a word is missed.
    fs::remove_file(folder::file(dir.path(), 2)).unwrap();
    let e = verify(dir.path(), None).unwrap_err();
    assert!(e.to_string().contains("removed for their age"), "{e}");
}
