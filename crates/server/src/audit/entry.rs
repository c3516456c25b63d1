//! One line of the audit trail, and how it hangs on the one before.

use jiff::{Timestamp, tz::Offset};
use serde::{Deserialize, Serialize};

/// What the first line of a trail hangs on.
pub(super) const BEGINNING: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";
const BEFORE_HASH: &str = ",\"hash\":\"";

/// What happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Who: `key:ID`, `local`, `anyone`, `operator`.
    pub subject: String,
    /// From where, if over the network.
    pub peer: Option<String>,
    /// In which tenant, if in one.
    pub tenant: Option<String>,
    /// What was done or asked for.
    pub action: String,
    /// On what: names, no contents.
    pub objects: Vec<String>,
    /// How it ended: a gRPC code, or `OK`.
    pub result: String,
    /// The request's id, as the log and the answer have it.
    pub request_id: Option<String>,
    /// What for, where the caller has to say so.
    pub purpose: Option<String>,
}

/// A line, without its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) seq: u64,
    /// Date and time in Asia/Shanghai.
    pub(super) time: String,
    pub(super) subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) peer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
    pub(super) action: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) objects: Vec<String>,
    pub(super) result: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) purpose: Option<String>,
    /// The hash of the line before.
    pub(super) prev: String,
}

/// Where a chain ends: the number and the hash of its last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) seq: u64,
    pub(super) hash: String,
}

impl Tip {
    pub(super) fn beginning() -> Self {
        Tip {
            seq: 0,
            hash: BEGINNING.to_owned(),
        }
    }
}

/// The next line of a chain, with its end of line, and the new tip.
pub(super) fn write(event: Event, at: Timestamp, tip: &Tip) -> serde_json::Result<(String, Tip)> {
    let line = Line {
        seq: tip.seq + 1,
        time: Offset::constant(8)
            .to_datetime(at)
            .strftime("%Y-%m-%dT%H:%M:%S.%3f+08:00")
            .to_string(),
        subject: event.subject,
        peer: event.peer,
        tenant: event.tenant,
        action: event.action,
        objects: event.objects,
        result: event.result,
        request_id: event.request_id,
        purpose: event.purpose,
        prev: tip.hash.clone(),
    };
    let mut text = serde_json::to_string(&line)?;
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    text.pop();
    text.push_str(&format!("{BEFORE_HASH}{hash}\"}}\n"));
    let tip = Tip {
        seq: line.seq,
        hash,
    };
    Ok((text, tip))
}

/// Reads a line without its end; `None` when a byte of it is not as it was written.
pub(super) fn read(text: &str) -> Option<(Line, Tip)> {
    let (body, rest) = text.rsplit_once(BEFORE_HASH)?;
    let hash = rest.strip_suffix("\"}")?;
    let body = format!("{body}}}");
    if blake3::hash(body.as_bytes()).to_hex().as_str() != hash {
        return None;
    }
    let line: Line = serde_json::from_str(&body).ok()?;
    let tip = Tip {
        seq: line.seq,
        hash: hash.to_owned(),
    };
    Some((line, tip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_and_any_changed_byte_shows() {
        let event = Event {
            subject: "key:ab".into(),
            action: "RecordService/EraseRecord".into(),
            objects: vec!["tenants/t/experts/e\",\"hash\":\"x".into()],
            result: "OK".into(),
            ..Event::default()
        };
        let (text, tip) = write(event, Timestamp::UNIX_EPOCH, &Tip::beginning()).unwrap();
        let text = text.trim_end();
        let (line, again) = read(text).unwrap();
        assert_eq!(again, tip);
        assert_eq!(
            (line.seq, line.time.as_str()),
            (1, "1970-01-01T08:00:00.000+08:00")
        );
        assert_eq!(line.prev, BEGINNING);
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= 1;
            let changed = String::from_utf8_lossy(&bytes);
            assert_eq!(read(&changed), None, "byte {at}: {changed}");
        }
    }
}
