//! Pages: sizes and opaque tokens (AIP-158).

use super::Violations;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use queqiao_domain::Violation;

/// Greatest page; a larger one asked for is coerced.
const MAX_PAGE: usize = 1_000;
/// The page when none is asked for.
const DEFAULT_PAGE: usize = 50;

/// The size of a page.
pub(crate) fn read_page_size(size: i32) -> Result<usize, Violations> {
    match usize::try_from(size) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(n) => Ok(n.min(MAX_PAGE)),
        Err(_) => Err(vec![Violation::new(
            "page_size",
            (format!("{size} is negative"), format!("{size} 为负数")),
            (
                format!("expected 0 (for {DEFAULT_PAGE}) to {MAX_PAGE}"),
                format!("应为 0（即 {DEFAULT_PAGE}）至 {MAX_PAGE}"),
            ),
        )]),
    }
}

/// Where a list goes on, bound to the arguments it was made for.
///
/// A token is a keyed hash over the arguments and the position, and the position hidden by it: positions count
/// what all tenants store, which is not for one of them to know. The key is the store's: tokens hold across
/// restarts and on every server over the same data.
pub(crate) struct PageToken {
    key: [u8; 32],
}

const MAC: usize = 32;

impl PageToken {
    /// Binds to a method and its arguments, each told apart from the next by its length.
    pub(crate) fn bound_to(key: &[u8; 32], method: &'static str, arguments: &[&str]) -> Self {
        let mut h = blake3::Hasher::new_keyed(key);
        for part in std::iter::once(&method).chain(arguments) {
            h.update(&(part.len() as u64).to_le_bytes());
            h.update(part.as_bytes());
        }
        PageToken {
            key: *h.finalize().as_bytes(),
        }
    }

    /// Hashes are compared in a time that does not depend on them.
    fn mac(&self, position: u64) -> blake3::Hash {
        blake3::keyed_hash(&self.key, &position.to_le_bytes())
    }

    /// Hides a position, or shows it again. A hash is of one position, so that no two are hidden alike.
    fn hide(&self, mac: &[u8; MAC], position: [u8; 8]) -> [u8; 8] {
        let pad = blake3::keyed_hash(&self.key, &[mac, &b"position"[..]].concat());
        std::array::from_fn(|i| position[i] ^ pad.as_bytes()[i])
    }

    /// The token for a position.
    pub(crate) fn write(&self, position: u64) -> String {
        let mac = *self.mac(position).as_bytes();
        let mut bytes = self.hide(&mac, position.to_le_bytes()).to_vec();
        bytes.extend(mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position in a token; `None` for the empty one.
    pub(crate) fn read(&self, token: &str) -> Result<Option<u64>, Violations> {
        if token.is_empty() {
            return Ok(None);
        }
        URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| {
                let (position, mac) = bytes.split_first_chunk::<8>()?;
                let mac = <&[u8; MAC]>::try_from(mac).ok()?;
                let position = u64::from_le_bytes(self.hide(mac, *position));
                (blake3::Hash::from(*mac) == self.mac(position)).then_some(Some(position))
            })
            .ok_or_else(|| {
                vec![Violation::new(
                    "page_token",
                    (
                        "the token is not of this request",
                        "该翻页令牌不属于此请求",
                    ),
                    (
                        "expected the next_page_token of a page asked for with the same arguments (page_size may differ), or nothing for the first page",
                        "应为同一请求上一页的 next_page_token（page_size 可不同），首页留空",
                    ),
                )]
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_bound_to_their_arguments() {
        let key = [1; 32];
        let a = PageToken::bound_to(&key, "ListRecords", &["default", "need", "x"]);
        let token = a.write(7);
        assert_eq!(a.read(&token).unwrap(), Some(7));
        assert_eq!(a.read("").unwrap(), None);
        // The boundary between two arguments counts.
        let b = PageToken::bound_to(&key, "ListRecords", &["default", "needx", ""]);
        for bad in [token.as_str(), "AAAA", "!", "长"] {
            assert_eq!(b.read(bad).unwrap_err()[0].field, "page_token", "{bad}");
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        bytes[0] ^= 1;
        assert!(a.read(&URL_SAFE_NO_PAD.encode(bytes)).is_err());
    }

    #[test]
    fn a_token_does_not_tell_its_position() {
        let a = PageToken::bound_to(&[1; 32], "ListRecords", &["default"]);
        let bytes = URL_SAFE_NO_PAD.decode(a.write(7)).unwrap();
        let next = URL_SAFE_NO_PAD.decode(a.write(8)).unwrap();
        let first = |b: &[u8]| u64::from_le_bytes(b[..8].try_into().unwrap());
        assert!(first(&bytes) > 1 << 40 && first(&bytes).abs_diff(first(&next)) > 1 << 40);
        // Who knows the program and not the store's key reads nothing either.
        let other = PageToken::bound_to(&[2; 32], "ListRecords", &["default"]);
        assert!(other.read(&a.write(7)).is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!(read_page_size(0).unwrap(), 50);
        assert_eq!(read_page_size(1_000_000).unwrap(), 1_000);
        assert_eq!(read_page_size(-1).unwrap_err()[0].field, "page_size");
    }
}
