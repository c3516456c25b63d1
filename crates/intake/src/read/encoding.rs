//! Which encoding a text file is in.

use crate::{Cause, Error, error::bi};
use encoding_rs::{DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use std::io::Read;

/// Finds the encoding of a file's bytes: by its byte order mark; else UTF-8 when every byte is
/// valid UTF-8; else GB18030 (which holds GBK and GB2312) when every byte is valid GB18030. A file
/// that is UTF-8 but for a few bytes is told so, and not read as GB18030: most of it would pass as
/// such, as nonsense.
///
/// Reads the whole of `bytes`, in constant memory.
pub(super) fn detect(
    file: &str,
    mut bytes: impl FnMut() -> Result<Box<dyn Read>, Error>,
) -> Result<&'static Encoding, Error> {
    let io = |e| Error::io(file, ("cannot be read", "无法读取"), e);
    let mut scan = Scan::default();
    let mut gb = Gb::default();
    let mut reader = bytes()?;
    let mut buf = vec![0; 1 << 16];
    let mut first = true;
    loop {
        let n = read_some(&mut reader, &mut buf).map_err(io)?;
        let chunk = &buf[..n];
        if first {
            if let Some((e, _)) = Encoding::for_bom(chunk) {
                return Ok(e);
            }
            if chunk.is_empty() {
                return Ok(UTF_8);
            }
            let head = &chunk[..chunk.len().min(4096)];
            if head.iter().filter(|b| **b == 0).count() * 5 > head.len() {
                return Err(Error::new(
                    file,
                    Cause::Encoding,
                    bi(
                        "this looks like UTF-16 without a byte order mark, or like no text at all",
                        "似为无字节序标记的 UTF-16，或不是文本文件",
                    ),
                    advice(),
                ));
            }
            first = false;
        }
        if n == 0 {
            break;
        }
        scan.feed(chunk);
        if !gb.failed {
            gb.feed(chunk, false);
        }
    }
    scan.end();
    if scan.invalid == 0 {
        return Ok(UTF_8);
    }
    if !gb.failed {
        gb.feed(&[], true);
    }
    // Text in GB18030 forms valid UTF-8 by chance only: fewer sequences than it breaks.
    let is_utf8 = scan.valid > 4 * scan.invalid;
    if !gb.failed && !is_utf8 {
        return Ok(GB18030);
    }
    let (name, line) = if is_utf8 || scan.line > gb.line {
        ("UTF-8", scan.line)
    } else {
        ("GB18030", gb.line)
    };
    Err(undecodable(file, name, line))
}

/// The error of a byte that is no text in the file's encoding.
pub(super) fn undecodable(file: &str, encoding: &str, line: u64) -> Error {
    Error::new(
        file,
        Cause::Encoding,
        bi(
            format!(
                "line {line} holds bytes that are not valid {encoding}, and the file is in no other encoding that is read here"
            ),
            format!("第 {line} 行含有无效的 {encoding} 字节，且文件不属于其他可读编码"),
        ),
        advice(),
    )
}

fn advice() -> queqiao_domain::Bilingual {
    bi(
        "mend that line, or save the file as UTF-8 (in Excel or WPS: “CSV UTF-8”), GB18030, or UTF-16 with a byte order mark",
        "请修正该行，或另存为 UTF-8（Excel/WPS 中选“CSV UTF-8”）、GB18030 或带字节序标记的 UTF-16",
    )
}

/// Reads until the buffer is full or the file ends.
pub(super) fn read_some(r: &mut impl Read, buf: &mut [u8]) -> std::io::Result<usize> {
    let mut n = 0;
    while n < buf.len() {
        match r.read(&mut buf[n..]) {
            Ok(0) => break,
            Ok(k) => n += k,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}

/// Counts what is and what is not UTF-8.
#[derive(Default)]
struct Scan {
    /// Valid sequences of two bytes and more.
    valid: u64,
    /// Invalid sequences.
    invalid: u64,
    /// The line of the first invalid sequence, from 1.
    line: u64,
    lines: u64,
    /// The beginning of a sequence at the end of the last chunk.
    rest: Vec<u8>,
}

impl Scan {
    fn feed(&mut self, chunk: &[u8]) {
        let joined;
        let mut bytes = if self.rest.is_empty() {
            chunk
        } else {
            joined = [std::mem::take(&mut self.rest).as_slice(), chunk].concat();
            &joined
        };
        loop {
            let (good, bad) = match std::str::from_utf8(bytes) {
                Ok(s) => (s.as_bytes(), None),
                Err(e) => (&bytes[..e.valid_up_to()], Some(e)),
            };
            self.valid += good.iter().filter(|b| **b >= 0xc0).count() as u64;
            self.lines += good.iter().filter(|b| **b == b'\n').count() as u64;
            let Some(e) = bad else { return };
            match e.error_len() {
                Some(n) => {
                    self.fail();
                    bytes = &bytes[e.valid_up_to() + n..];
                }
                None => {
                    self.rest = bytes[e.valid_up_to()..].to_vec();
                    return;
                }
            }
        }
    }

    fn fail(&mut self) {
        if self.invalid == 0 {
            self.line = self.lines + 1;
        }
        self.invalid += 1;
    }

    fn end(&mut self) {
        if !self.rest.is_empty() {
            self.fail();
        }
    }
}

/// Tries GB18030, strictly.
struct Gb {
    decoder: encoding_rs::Decoder,
    out: Vec<u8>,
    failed: bool,
    /// The line reached, from 1.
    line: u64,
}

impl Default for Gb {
    fn default() -> Self {
        Gb {
            decoder: GB18030.new_decoder_without_bom_handling(),
            out: vec![0; 1 << 16],
            failed: false,
            line: 1,
        }
    }
}

impl Gb {
    fn feed(&mut self, mut chunk: &[u8], last: bool) {
        loop {
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(chunk, &mut self.out, last);
            self.line += self.out[..written].iter().filter(|b| **b == b'\n').count() as u64;
            chunk = &chunk[read..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    self.failed = true;
                    return;
                }
            }
        }
    }
}

/// The name of an encoding in reports.
pub(super) fn name(e: &'static Encoding) -> &'static str {
    if e == UTF_8 {
        "UTF-8"
    } else if e == GB18030 {
        "GB18030"
    } else if e == UTF_16LE {
        "UTF-16LE"
    } else if e == UTF_16BE {
        "UTF-16BE"
    } else {
        e.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(bytes: &[u8]) -> Result<&'static str, String> {
        let bytes = bytes.to_vec();
        detect("f", || Ok(Box::new(std::io::Cursor::new(bytes.clone()))))
            .map(name)
            .map_err(|e| e.problem.en)
    }

    #[test]
    fn encodings_are_told_apart() {
        let text = "需求名称,技术难题\n高韧性立方氮化硼单晶,粒度适中\n联通";
        assert_eq!(of(text.as_bytes()), Ok("UTF-8"));
        assert_eq!(of(&GB18030.encode(text).0), Ok("GB18030"));
        assert_eq!(of(b"plain"), Ok("UTF-8"));
        assert_eq!(of(b""), Ok("UTF-8"));
        let utf16: Vec<u8> = [0xfeff_u16]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(of(&utf16), Ok("UTF-16LE"));
        assert!(of(&utf16[2..]).is_err());
        assert!(of(b"a\0b\0c\0d\0").unwrap_err().contains("UTF-16"));
    }

    #[test]
    fn damage_is_named_by_line() {
        let mut bytes = "名称,内容\n甲,乙\n丙,丁\n".repeat(50).into_bytes();
        bytes[14 + 4] = 0xff;
        let e = of(&bytes).unwrap_err();
        assert!(
            e.starts_with("line 2 holds bytes that are not valid UTF-8"),
            "{e}"
        );
        let mut gb = GB18030.encode("名称\n膜分离\n催化").0.into_owned();
        gb.push(0xff);
        let e = of(&gb).unwrap_err();
        assert!(
            e.starts_with("line 3 holds bytes that are not valid GB18030"),
            "{e}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = of(&bytes);
        }
    }
}
