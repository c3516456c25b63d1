//! Request ids: the caller's where it is sane, else our own.

use http::HeaderMap;

/// Carries the id in both directions.
pub(crate) const HEADER: &str = "x-request-id";

/// The greatest length of a caller's id.
const MAX: usize = 128;

/// The caller's id when it is a token that is safe in a log line, else a new UUIDv7.
pub(crate) fn of(headers: &HeaderMap) -> String {
    headers
        .get(HEADER)
        .and_then(|v| v.to_str().ok())
        .filter(|v| (1..=MAX).contains(&v.len()))
        .filter(|v| {
            v.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&b))
        })
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_sane_tokens_are_taken() {
        let of_text = |bytes: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_bytes(bytes).unwrap());
            of(&headers)
        };
        assert_eq!(of_text(b"job-7:retry_2"), "job-7:retry_2");
        for bad in [&b"a b"[..], b"", b"\xe4\xb8\xad", b"a\"b", &[b'x'; 129]] {
            let id = of_text(bad);
            assert!(uuid::Uuid::try_parse(&id).is_ok(), "{id}");
        }
    }
}
