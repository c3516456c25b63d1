//! From when until when a certificate is valid: rustls leaves that to the other side.
//!
//! RFC 5280, section 4.1: `Certificate` begins with `TBSCertificate`, in which `validity` follows an
//! optional version, the serial number, the signature's algorithm and the issuer.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Validity {
    /// Of a certificate in DER; `None` when it is none.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (mut tbs, _) = inside(SEQUENCE, inside(SEQUENCE, certificate)?.0)?;
        if tbs.first() == Some(&VERSION) {
            tbs = element(tbs)?.2;
        }
        // Serial number, algorithm, issuer.
        for _ in 0..3 {
            tbs = element(tbs)?.2;
        }
        let (validity, _) = inside(SEQUENCE, tbs)?;
        let (from, rest) = time(validity)?;
        let (until, _) = time(rest)?;
        Some(Validity { from, until })
    }
}

/// Tag, content and what follows of the first element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let length = if first < 0x80 {
        usize::from(first)
    } else {
        // Four bytes of length are more than any certificate has.
        let n = usize::from(first & 0x7f);
        if !(1..=4).contains(&n) {
            return None;
        }
        let (bytes, after) = rest.split_at_checked(n)?;
        rest = after;
        bytes.iter().fold(0, |l, b| l << 8 | usize::from(*b))
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn inside(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (tag, content, rest) = element(der)?;
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let full = match tag {
        // Two digits of the year: 50 to 99 are of the last century.
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? >= 50 {
                "19"
            } else {
                "20"
            };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", &full).ok()?;
    Some((time.to_zoned(TimeZone::UTC).ok()?.timestamp(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn certificate(from: (i32, u8, u8), until: (i32, u8, u8)) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let v = Validity::of(&certificate((1999, 12, 31), (2049, 1, 2))).unwrap();
        assert_eq!(v.from.to_string(), "1999-12-31T00:00:00Z");
        assert_eq!(v.until.to_string(), "2049-01-02T00:00:00Z");
        let v = Validity::of(&certificate((2020, 1, 1), (2150, 6, 7))).unwrap();
        assert_eq!(v.until.to_string(), "2150-06-07T00:00:00Z");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Validity::of(&bytes);
        }

        #[test]
        fn no_damage_panics(at in 0usize..300, to in any::<u8>(), cut in 0usize..400) {
            let mut c = certificate((2020, 1, 1), (2150, 6, 7));
            let n = c.len();
            c[at % n] = to;
            c.truncate(cut.min(n));
            let _ = Validity::of(&c);
        }
    }
}
