//! How a row of a value table is written.
//!
//! ```text
//! byte 0       codec: 0 body is JSON, 1 body is a u32 length (little endian) and JSON in zstd
//! bytes 1–8    the first 8 bytes of blake3(row number, codec, head length, head, body)
//! bytes 9–10   head length, u16 little endian
//! then         head, JSON; then body
//! ```
//!
//! The head is apart from the body so that deleting a record or comparing its etag touches no
//! text, and so that the body can be made before the writer's lock is taken. Unknown fields of
//! both are ignored and missing ones take their defaults, so fields may be added.

use crate::{Etag, RecordKey, StoreError, StoredRecord, error::Inner};
use jiff::Timestamp;
use queqiao_domain::{Kind, Record, RecordId, TenantId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
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
    #[serde(with = "as_text")]
    pub(crate) etag: Etag,
    /// Times are milliseconds since 1970.
    pub(crate) created: i64,
    pub(crate) updated: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purge: Option<i64>,
}

mod as_text {
    use crate::Etag;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(e: &Etag, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(e)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Etag, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
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

    /// The body's JSON.
    pub(crate) fn json(&self) -> Result<Vec<u8>, String> {
        match self.codec {
            PLAIN => Ok(self.body.to_vec()),
            ZSTD => {
                let (len, squeezed) = self
                    .body
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

    /// The body's value.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, String> {
        parse("body", &self.json()?)
    }

    /// The body as it is stored, to be stored again under another head.
    pub(crate) fn packed(&self) -> Body {
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

/// The head and the body, as stored, of a record's row.
pub(crate) fn parts(key: u64, bytes: &[u8]) -> Inner<(Head, Body)> {
    let row = Row::read(key, bytes).map_err(|why| damaged(key, why))?;
    let head = row.head().map_err(|why| damaged(key, why))?;
    Ok((head, row.packed()))
}

/// The record in a row; `None` when it is deleted and deleted records are not wanted.
pub(crate) fn record(
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
        let record: Record = row.body()?;
        Ok(Some(StoredRecord {
            key: RecordKey(key),
            seq: head.seq,
            etag: head.etag,
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
            assert_eq!(row.json().unwrap(), json.as_bytes());
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
        let why = Row::read(1, &bytes).unwrap().json().unwrap_err();
        assert!(why.contains("claims"), "{why}");
    }

    #[test]
    fn messages_do_not_repeat_the_text() {
        let body = Body::pack(b"{\"id\": \"e\", \"kind\": \"13800000000\"}".to_vec());
        let head = Head {
            seq: 1,
            tenant: TenantId::default(),
            id: RecordId::new("e").unwrap(),
            kind: Kind::Expert,
            etag: Etag([0; 12]),
            created: 0,
            updated: 0,
            deleted: None,
            purge: None,
        };
        let bytes = write(3, &head, &body).unwrap();
        let e = record(3, &bytes, false).unwrap_err().to_string();
        assert!(e.contains("record 3") && !e.contains("138"), "{e}");
    }
}
