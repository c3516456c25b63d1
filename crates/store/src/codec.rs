//! How a row of a value table is written.
//!
//! ```text
//! byte 0       codec: 0 body is JSON, 1 body is a u32 length (little endian) and JSON in zstd,
//!              2 body is sealed: nonce, then codec 0 or 1, etag (12) and body, sealed, then tag
//! bytes 1–8    the first 8 bytes of blake3(row number, codec, head length, head, body)
//! bytes 9–10   head length, u16 little endian
//! then         head, JSON; then body
//! ```
//!
//! The head is apart from the body so that deleting a record or comparing its etag touches no
//! text, and so that the body can be made before the writer's lock is taken. Unknown fields of
//! both are ignored and missing ones take their defaults, so fields may be added.

use crate::{
    Etag, RecordKey, StoreError, StoredRecord,
    error::Inner,
    vault::{Key, Vault, open},
};
use jiff::Timestamp;
use queqiao_domain::{Kind, Record, RecordId, TenantId};
use ring::aead::LessSafeKey;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error as _};
use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
const SEALED: u8 = 2;
const FIXED: usize = 11;
/// Below this a body is not worth compressing.
const COMPRESS_FROM: usize = 256;
const LEVEL: i32 = 1;
/// More than any record may have: a length that was tampered with reserves no more memory.
const MAX_BODY: usize = 64 << 20;

/// What is known of a record without reading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) seq: u64,
    pub(crate) tenant: TenantId,
    pub(crate) id: RecordId,
    pub(crate) kind: Kind,
    /// In the row it stands with the text, sealed; in the head only of rows of format 1.
    #[serde(deserialize_with = "etag", default, skip_serializing)]
    pub(crate) etag: Etag,
    /// Times are milliseconds since 1970.
    pub(crate) created: i64,
    pub(crate) updated: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purge: Option<i64>,
}

fn etag<'de, D: Deserializer<'de>>(d: D) -> Result<Etag, D::Error> {
    String::deserialize(d)?.parse().map_err(D::Error::custom)
}

/// A body ready to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    codec: u8,
    bytes: Vec<u8>,
}

impl Body {
    /// Compresses JSON where that makes it shorter.
    pub(crate) fn pack(json: Vec<u8>) -> Self {
        if json.len() >= COMPRESS_FROM
            && let Ok(len) = u32::try_from(json.len())
            && let Some(squeezed) = squeeze(&json)
            && squeezed.len() + 4 < json.len()
        {
            let mut bytes = Vec::with_capacity(squeezed.len() + 4);
            bytes.extend_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(&squeezed);
            return Body { codec: ZSTD, bytes };
        }
        Body {
            codec: PLAIN,
            bytes: json,
        }
    }

    /// The JSON.
    pub(crate) fn json(&self) -> Result<Vec<u8>, String> {
        json(self.codec, &self.bytes)
    }

    /// The value.
    pub(crate) fn value<T: DeserializeOwned>(&self) -> Result<T, String> {
        parse("body", &self.json()?)
    }

    /// Sealed as the row of a record.
    pub(crate) fn seal(&self, vault: &Vault, number: u64, etag: &Etag) -> Result<Body, String> {
        match vault.key(number)? {
            Key::Held(key) => self.seal_with(vault, &key, number, etag),
            Key::Destroyed => Err("its key was destroyed".to_owned()),
            Key::Unknown => Err("it has no key".to_owned()),
        }
    }

    /// Sealed as a row that is of no record.
    pub(crate) fn seal_common(&self, vault: &Vault, number: u64) -> Result<Body, String> {
        self.seal_with(vault, vault.common(), number, &Etag::default())
    }

    fn seal_with(
        &self,
        vault: &Vault,
        key: &LessSafeKey,
        number: u64,
        etag: &Etag,
    ) -> Result<Body, String> {
        let mut plain = Vec::with_capacity(1 + etag.0.len() + self.bytes.len());
        plain.push(self.codec);
        plain.extend(etag.0);
        plain.extend(&self.bytes);
        Ok(Body {
            codec: SEALED,
            bytes: vault.seal(key, &number.to_be_bytes(), &plain)?,
        })
    }
}

/// The JSON in a body that is not sealed.
fn json(codec: u8, body: &[u8]) -> Result<Vec<u8>, String> {
    match codec {
        PLAIN => Ok(body.to_vec()),
        ZSTD => {
            let (len, squeezed) = body
                .split_at_checked(4)
                .ok_or("its compressed body ends early")?;
            let len = u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize;
            if len > MAX_BODY {
                return Err(format!("its body claims {len} bytes"));
            }
            expand(squeezed, len)
                .filter(|json| json.len() == len)
                .ok_or_else(|| "its body does not decompress".to_owned())
        }
        other => Err(format!("its codec {other} is not known")),
    }
}

thread_local! {
    // Making a context costs more than a record's worth of work with it.
    static SQUEEZER: RefCell<Option<Compressor<'static>>> = RefCell::new(Compressor::new(LEVEL).ok());
    static EXPANDER: RefCell<Option<Decompressor<'static>>> = RefCell::new(Decompressor::new().ok());
}

fn squeeze(json: &[u8]) -> Option<Vec<u8>> {
    SQUEEZER.with_borrow_mut(|z| z.as_mut()?.compress(json).ok())
}

fn expand(squeezed: &[u8], len: usize) -> Option<Vec<u8>> {
    EXPANDER.with_borrow_mut(|z| z.as_mut()?.decompress(squeezed, len).ok())
}

/// A row taken apart, its checksum found right.
pub(crate) struct Row<'a> {
    head: &'a [u8],
    codec: u8,
    body: &'a [u8],
}

fn checksum(number: u64, codec: u8, head: &[u8], body: &[u8]) -> [u8; 8] {
    let mut h = blake3::Hasher::new();
    h.update(&number.to_le_bytes());
    h.update(&[codec]);
    h.update(&(head.len() as u64).to_le_bytes());
    h.update(head);
    h.update(body);
    let mut out = [0; 8];
    out.copy_from_slice(&h.finalize().as_bytes()[..8]);
    out
}

/// Writes a row. `None` when the head is longer than 64 KiB, which no head of ours is.
pub(crate) fn write(number: u64, head: &impl Serialize, body: &Body) -> Option<Vec<u8>> {
    let head = serde_json::to_vec(head).ok()?;
    let len = u16::try_from(head.len()).ok()?;
    let mut out = Vec::with_capacity(FIXED + head.len() + body.bytes.len());
    out.push(body.codec);
    out.extend_from_slice(&checksum(number, body.codec, &head, &body.bytes));
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(&body.bytes);
    Some(out)
}

impl<'a> Row<'a> {
    /// Takes a row apart, or says what is wrong with it.
    pub(crate) fn read(number: u64, bytes: &'a [u8]) -> Result<Self, String> {
        let short = || format!("its row of {} bytes ends early", bytes.len());
        let (fixed, rest) = bytes.split_at_checked(FIXED).ok_or_else(short)?;
        let len = usize::from(u16::from_le_bytes([fixed[9], fixed[10]]));
        let (head, body) = rest.split_at_checked(len).ok_or_else(short)?;
        let codec = fixed[0];
        if checksum(number, codec, head, body) != fixed[1..9] {
            return Err("its checksum does not hold".to_owned());
        }
        Ok(Row { head, codec, body })
    }

    /// The head.
    pub(crate) fn head<T: DeserializeOwned>(&self) -> Result<T, String> {
        parse("head", self.head)
    }

    /// The etag and the body, opened with the key of the record.
    pub(crate) fn open(&self, vault: &Vault, number: u64) -> Result<(Etag, Body), String> {
        match vault.key(number)? {
            Key::Held(key) => self.open_with(&key, number),
            Key::Destroyed => Err("it was erased: its key is destroyed".to_owned()),
            Key::Unknown => {
                Err("its key is not there: the copy of the keys is older than it".to_owned())
            }
        }
    }

    /// The body of a row that is of no record.
    pub(crate) fn open_common(&self, vault: &Vault, number: u64) -> Result<Body, String> {
        Ok(self.open_with(vault.common(), number)?.1)
    }

    fn open_with(&self, key: &LessSafeKey, number: u64) -> Result<(Etag, Body), String> {
        if self.codec != SEALED {
            return Err("it is not sealed".to_owned());
        }
        let plain = open(key, &number.to_be_bytes(), self.body)
            .ok_or("its key does not open it: one of the two is damaged")?;
        let (codec, rest) = plain.split_first().ok_or("its body ends early")?;
        let (tag, bytes) = rest.split_first_chunk().ok_or("its body ends early")?;
        let body = Body {
            codec: *codec,
            bytes: bytes.to_vec(),
        };
        Ok((Etag(*tag), body))
    }

    /// The body of a row of format 1, which is not sealed.
    pub(crate) fn plain(&self) -> Body {
        Body {
            codec: self.codec,
            bytes: self.body.to_vec(),
        }
    }
}

/// Reads JSON. The message tells where, never what: the text may be someone's data.
fn parse<T: DeserializeOwned>(what: &str, json: &[u8]) -> Result<T, String> {
    serde_json::from_slice(json)
        .map_err(|e| format!("its {what} cannot be read at column {}", e.column()))
}

pub(crate) fn damaged(key: u64, why: String) -> StoreError {
    StoreError::DamagedRecord {
        key: RecordKey(key),
        why,
    }
}

/// The head and the opened body of a record's row.
pub(crate) fn parts(vault: &Vault, key: u64, bytes: &[u8]) -> Inner<(Head, Body)> {
    let read = || -> Result<(Head, Body), String> {
        let row = Row::read(key, bytes)?;
        let mut head: Head = row.head()?;
        let (etag, body) = row.open(vault, key)?;
        head.etag = etag;
        Ok((head, body))
    };
    Ok(read().map_err(|why| damaged(key, why))?)
}

/// The record in a row; `None` when it is deleted and deleted records are not wanted.
pub(crate) fn record(
    vault: &Vault,
    key: u64,
    bytes: &[u8],
    show_deleted: bool,
) -> Result<Option<StoredRecord>, StoreError> {
    let read = || -> Result<Option<StoredRecord>, String> {
        let row = Row::read(key, bytes)?;
        let head: Head = row.head()?;
        if head.deleted.is_some() && !show_deleted {
            return Ok(None);
        }
        let (etag, body) = match vault.key(key)? {
            Key::Held(k) => row.open_with(&k, key)?,
            // Erased since this view was taken: it is gone for every reader.
            Key::Destroyed => return Ok(None),
            Key::Unknown => row.open(vault, key)?,
        };
        let record: Record = body.value()?;
        Ok(Some(StoredRecord {
            key: RecordKey(key),
            seq: head.seq,
            etag,
            create_time: time(head.created)?,
            update_time: time(head.updated)?,
            delete_time: head.deleted.map(time).transpose()?,
            purge_time: head.purge.map(time).transpose()?,
            tenant: head.tenant,
            record,
        }))
    };
    read().map_err(|why| damaged(key, why))
}

fn time(ms: i64) -> Result<Timestamp, String> {
    Timestamp::from_millisecond(ms).map_err(|_| format!("its time {ms} is out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyFiles;

    fn row(json: &str) -> Vec<u8> {
        let body = Body::pack(json.as_bytes().to_vec());
        write(7, &serde_json::json!({"a": 1}), &body).unwrap()
    }

    #[test]
    fn short_bodies_stay_plain_and_long_ones_shrink() {
        let long = format!("\"{}\"", "技术需求".repeat(200));
        for json in ["{}", &long] {
            let bytes = row(json);
            let row = Row::read(7, &bytes).unwrap();
            assert_eq!(row.plain().json().unwrap(), json.as_bytes());
        }
        assert_eq!(row("{}")[0], PLAIN);
        assert_eq!(row(&long)[0], ZSTD);
        assert!(row(&long).len() < long.len() / 4);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = row("{\"title\":\"需求\"}");
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Row::read(7, &bad).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(Row::read(7, &bytes[..len]).is_err(), "cut at {len}");
        }
        assert!(Row::read(8, &bytes).is_err(), "the row of another key");
        assert!(Row::read(7, &bytes).is_ok());
    }

    #[test]
    fn a_tampered_length_reserves_no_memory() {
        let mut body = u32::MAX.to_le_bytes().to_vec();
        body.extend([0; 8]);
        let bad = Body {
            codec: ZSTD,
            bytes: body,
        };
        let bytes = write(1, &(), &bad).unwrap();
        let why = Row::read(1, &bytes).unwrap().plain().json().unwrap_err();
        assert!(why.contains("claims"), "{why}");
    }

    fn vault() -> (tempfile::TempDir, Vault) {
        let dir = tempfile::tempdir().unwrap();
        let vault = KeyFiles::of(dir.path(), None).open_or_make().unwrap();
        vault.ensure(9).unwrap();
        (dir, vault)
    }

    fn head() -> Head {
        Head {
            seq: 1,
            tenant: TenantId::default(),
            id: RecordId::new("e").unwrap(),
            kind: Kind::Expert,
            etag: Etag([7; 12]),
            created: 0,
            updated: 0,
            deleted: None,
            purge: None,
        }
    }

    #[test]
    fn messages_do_not_repeat_the_text() {
        let (_dir, vault) = vault();
        let body = Body::pack(b"{\"id\": \"e\", \"kind\": \"13800000000\"}".to_vec());
        let body = body.seal(&vault, 3, &head().etag).unwrap();
        let bytes = write(3, &head(), &body).unwrap();
        let e = record(&vault, 3, &bytes, false).unwrap_err().to_string();
        assert!(e.contains("record 3") && !e.contains("138"), "{e}");
    }

    #[test]
    fn a_sealed_row_opens_with_its_own_key_alone() {
        let (_dir, vault) = vault();
        let body = Body::pack(b"\"SECRET\"".to_vec());
        let sealed = body.seal(&vault, 3, &head().etag).unwrap();
        let bytes = write(3, &head(), &sealed).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"SECRET"));
        assert!(!bytes.windows(4).any(|w| w == [7; 4]), "the etag is sealed");
        let (opened, plain) = parts(&vault, 3, &bytes).unwrap();
        assert_eq!(
            (opened.etag, plain.json().unwrap()),
            (Etag([7; 12]), b"\"SECRET\"".to_vec())
        );
        // As the row of another record, it does not.
        let moved = write(4, &head(), &sealed).unwrap();
        assert!(parts(&vault, 4, &moved).is_err());
        // Nor once its key is destroyed.
        vault.destroy(&[3]).unwrap();
        assert_eq!(record(&vault, 3, &bytes, false).unwrap(), None);
        assert!(parts(&vault, 3, &bytes).is_err());
        assert!(
            body.seal(&vault, 3, &head().etag).is_err(),
            "nor does it seal"
        );
    }
}
