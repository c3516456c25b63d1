//! The file of keys: `DATA/access/keys.json`.
//!
//! It holds hashes, never keys: whoever reads it can ask nothing with what it says. A key is 256 random
//! bits, so one pass of BLAKE3 is enough; a slow hash only helps secrets that people think up.

use super::{AccessError, Roles, Tenants};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use queqiao_domain::Bilingual;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// How every key begins, so that scanners for leaked secrets know it.
const PREFIX: &str = "qq";
const FORMAT: u32 = 1;
/// A key has 67 characters; a longer text is none.
const MAX_KEY: usize = 128;
const MAX_NAME: usize = 100;

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInfo {
    /// Names the key in lists, logs and the audit trail; no secret.
    pub id: String,
    /// Whose key it is, in the operator's words.
    pub name: String,
    hash: String,
    /// What it allows.
    pub roles: Roles,
    /// Where.
    pub tenants: Tenants,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends to be valid, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// Requests a second, where it is not the server's usual quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
}

impl KeyInfo {
    /// Whether it may be used at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|e| now < e)
    }
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose key it is.
    pub name: String,
    /// What it allows.
    pub roles: Roles,
    /// Where.
    pub tenants: Tenants,
    /// When it ends to be valid, if it does.
    pub expires: Option<Timestamp>,
    /// Requests a second, where it is not the server's usual quota.
    pub requests_per_second: Option<u32>,
}

/// All keys of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFile {
    format: u32,
    /// In the order in which they were made.
    pub keys: Vec<KeyInfo>,
}

impl KeyFile {
    /// Where the keys of a data folder are.
    pub fn path_in(data: &Path) -> PathBuf {
        data.join("access").join("keys.json")
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`AccessError::Io`], also when it is not there; [`AccessError::Damaged`].
    pub fn read(path: &Path) -> Result<Self, AccessError> {
        let text = fs::read_to_string(path).map_err(io_error("reading", path))?;
        let damaged = |problem: String| AccessError::Damaged {
            path: path.to_owned(),
            problem,
        };
        let file: Self = serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
        if file.format != FORMAT {
            return Err(damaged(format!("its format is {}", file.format)));
        }
        Ok(file)
    }

    /// The keys of a file, none when it is not there.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_or_new(path: &Path) -> Result<Self, AccessError> {
        match Self::read(path) {
            Err(AccessError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(KeyFile {
                    format: FORMAT,
                    keys: Vec::new(),
                })
            }
            read => read,
        }
    }

    /// Makes a key and keeps its hash. The text is given here and never again.
    ///
    /// # Errors
    /// A key without a role or tenant, a name that is empty or too long; the file cannot be written.
    pub fn create(path: &Path, new: NewKey) -> Result<(KeyInfo, String), AccessError> {
        check(&new)?;
        change(path, |file| {
            let mut id = hex(&random::<4>(path)?);
            while file.keys.iter().any(|k| k.id == id) {
                id = hex(&random::<4>(path)?);
            }
            let secret = URL_SAFE_NO_PAD.encode(random::<32>(path)?);
            let text = format!("{PREFIX}_{id}_{secret}");
            let info = KeyInfo {
                id,
                name: new.name,
                hash: blake3::hash(text.as_bytes()).to_hex().to_string(),
                roles: new.roles,
                tenants: new.tenants,
                created: Timestamp::now(),
                expires: new.expires,
                revoked: None,
                requests_per_second: new.requests_per_second,
            };
            file.keys.push(info.clone());
            Ok((info, text))
        })
    }

    /// Ends a key for good; revoking it twice changes nothing.
    ///
    /// # Errors
    /// No such key; the file cannot be written.
    pub fn revoke(path: &Path, id: &str) -> Result<KeyInfo, AccessError> {
        change(path, |file| {
            let key = file.keys.iter_mut().find(|k| k.id == id);
            let key = key.ok_or_else(|| AccessError::Unknown {
                id: id.to_owned(),
                path: path.to_owned(),
            })?;
            key.revoked.get_or_insert_with(Timestamp::now);
            Ok(key.clone())
        })
    }

    /// The key that a text is, valid or not. Takes the same time for every text of an id.
    pub(crate) fn find(&self, text: &str) -> Option<&KeyInfo> {
        if text.len() > MAX_KEY {
            return None;
        }
        let id = text
            .strip_prefix(PREFIX)?
            .strip_prefix('_')?
            .split('_')
            .next()?;
        let key = self.keys.iter().find(|k| k.id == id)?;
        let kept = blake3::Hash::from_hex(&key.hash).ok()?;
        // `Hash` compares in constant time.
        (kept == blake3::hash(text.as_bytes())).then_some(key)
    }
}

fn check(new: &NewKey) -> Result<(), AccessError> {
    let argument = |en: String, zh: String| {
        Err(AccessError::Argument {
            problem: Bilingual::new(en, zh),
        })
    };
    let length = new.name.chars().count();
    if !(1..=MAX_NAME).contains(&length) || new.name.chars().any(char::is_control) {
        return argument(
            format!("a key's name has 1 to {MAX_NAME} characters on one line: say whose key it is"),
            format!("密钥名应为 1 至 {MAX_NAME} 个字符且不换行：请说明归谁使用"),
        );
    }
    if new.roles.is_empty() {
        return argument(
            "a key needs a role: name one with --role".to_owned(),
            "密钥至少要有一个角色：请用 --role 指定".to_owned(),
        );
    }
    if matches!(&new.tenants, Tenants::Only(t) if t.is_empty()) {
        return argument(
            "a key needs a tenant: name one with --tenant, or --all-tenants".to_owned(),
            "密钥至少要有一个租户：请用 --tenant 指定，或用 --all-tenants".to_owned(),
        );
    }
    if new.expires.is_some_and(|e| e <= Timestamp::now()) {
        return argument(
            "the key would have expired already: give a later day".to_owned(),
            "密钥一创建即已过期：请给出更晚的日期".to_owned(),
        );
    }
    Ok(())
}

fn io_error<'a>(doing: &'static str, path: &'a Path) -> impl Fn(io::Error) -> AccessError + 'a {
    move |source| AccessError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

fn random<const N: usize>(path: &Path) -> Result<[u8; N], AccessError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| io_error("drawing a key for", path)(io::Error::other(e.to_string())))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads, changes and replaces the file; one process at a time. It appears whole or not at all.
fn change<T>(
    path: &Path,
    work: impl FnOnce(&mut KeyFile) -> Result<T, AccessError>,
) -> Result<T, AccessError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(io_error("making", dir))?;
    let lock = path.with_extension("lock");
    let held = private(&lock).map_err(io_error("opening", &lock))?;
    held.lock().map_err(io_error("locking", &lock))?;
    let mut file = KeyFile::read_or_new(path)?;
    let made = work(&mut file)?;
    let text = serde_json::to_string_pretty(&file).map_err(|e| AccessError::Damaged {
        path: path.to_owned(),
        problem: e.to_string(),
    })?;
    let partial = path.with_extension("partial");
    let write = || {
        let mut out = private(&partial)?;
        out.set_len(0)?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        fs::rename(&partial, path)?;
        // The name is durable with its folder.
        if cfg!(unix) {
            File::open(dir)?.sync_all()
        } else {
            Ok(())
        }
    };
    write().map_err(io_error("writing", path))?;
    let _ = held.unlock();
    Ok(made)
}

/// A file that only its owner reads.
fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    fn new(name: &str) -> NewKey {
        NewKey {
            name: name.to_owned(),
            roles: [Role::Reader].into_iter().collect(),
            tenants: Tenants::All,
            expires: None,
            requests_per_second: None,
        }
    }

    #[test]
    fn a_key_is_shown_once_found_by_its_text_and_ended_for_good() {
        let dir = tempfile::tempdir().unwrap();
        let path = KeyFile::path_in(dir.path());
        let (info, text) = KeyFile::create(&path, new("平台后台")).unwrap();
        let (other, _) = KeyFile::create(&path, new("b")).unwrap();
        let kept = fs::read_to_string(&path).unwrap();
        let secret = text.splitn(3, '_').nth(2).unwrap();
        assert!(!kept.contains(secret), "only the hash is kept");
        let file = KeyFile::read(&path).unwrap();
        assert_eq!(file.keys, [info.clone(), other]);
        assert_eq!(file.find(&text), Some(&info));
        let mut wrong = text.clone();
        let last = if wrong.pop() == Some('A') { 'B' } else { 'A' };
        wrong.push(last);
        for no in [
            "",
            "qq",
            "qq__",
            &wrong,
            &text[1..],
            &format!("{text}x"),
            &"q".repeat(10_000),
        ] {
            assert_eq!(file.find(no), None, "{no}");
        }
        let revoked = KeyFile::revoke(&path, &info.id).unwrap();
        assert!(!revoked.is_valid(Timestamp::now()));
        assert_eq!(KeyFile::revoke(&path, &info.id).unwrap(), revoked);
        let e = KeyFile::revoke(&path, "zzz").unwrap_err().message();
        assert!(e.en.contains("zzz") && e.zh.contains("zzz"), "{e:?}");
    }

    #[test]
    fn a_key_that_could_do_nothing_is_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let bad = [
            NewKey {
                roles: Roles::default(),
                ..new("a")
            },
            NewKey {
                tenants: Tenants::Only(Default::default()),
                ..new("a")
            },
            NewKey {
                expires: Some(Timestamp::UNIX_EPOCH),
                ..new("a")
            },
            new(""),
            new("a\nb"),
            new(&"名".repeat(101)),
        ];
        for b in bad {
            assert!(KeyFile::create(&path, b).is_err());
        }
        assert!(!path.exists());
    }

    #[test]
    fn a_damaged_file_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        for text in ["", "{}", r#"{"format":9,"keys":[]}"#, "\u{0}"] {
            fs::write(&path, text).unwrap();
            let e = KeyFile::create(&path, new("a")).unwrap_err();
            assert!(matches!(e, AccessError::Damaged { .. }), "{e}");
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "\u{0}",
            "nothing is overwritten"
        );
    }

    #[test]
    fn many_at_once_lose_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = KeyFile::path_in(dir.path());
        std::thread::scope(|s| {
            for n in 0..8 {
                let path = &path;
                s.spawn(move || KeyFile::create(path, new(&n.to_string())).unwrap());
            }
        });
        assert_eq!(KeyFile::read(&path).unwrap().keys.len(), 8);
    }
}
