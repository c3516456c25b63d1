//! What a workbook may unpack to. Checked before any parser sees it.

use crate::{Cause, Error, Limits, error::bi};
use std::io::{Read, Seek};
use zip::{ZipArchive, result::ZipError};

/// What kind of document a zip file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Package {
    /// xlsx, xlsm.
    Workbook,
    /// Another document, by name.
    Other(&'static str),
}

/// Refuses a package that unpacks to more than allowed, by its directory and by actually unpacking
/// every entry into nothing (the directory may lie); says what document it is. Also refuses damaged
/// entries, since every checksum is compared on the way.
pub(super) fn check(
    file: &str,
    bytes: impl Read + Seek,
    packed: u64,
    limits: &Limits,
) -> Result<Package, Error> {
    let mut zip = ZipArchive::new(bytes).map_err(|e| damaged(file, &e))?;
    if zip.len() > limits.entries {
        return Err(bomb(
            file,
            format!(
                "it holds {} entries, more than {}",
                zip.len(),
                limits.entries
            ),
            format!("含有 {} 个条目，超过 {}", zip.len(), limits.entries),
        ));
    }
    // A small file may unpack to ten megabytes whatever the ratio.
    let most = limits
        .unpacked
        .min(packed.saturating_mul(limits.ratio).max(10_000_000));
    if zip
        .decompressed_size()
        .is_some_and(|told| told > u128::from(most))
    {
        return Err(too_much(file, packed, most));
    }
    let mut left = most;
    let mut sink = vec![0; 1 << 16];
    for i in 0..zip.len() {
        let mut entry = zip.by_index(i).map_err(|e| damaged(file, &e))?;
        let is_table = entry
            .name()
            .is_ok_and(|n| n.to_ascii_lowercase().ends_with("sharedstrings.xml"));
        let mut table = is_table.then(StringTable::default);
        loop {
            match entry.read(&mut sink) {
                Ok(0) => break,
                Ok(n) if n as u64 > left => return Err(too_much(file, packed, most)),
                Ok(n) => {
                    left -= n as u64;
                    if let Some(t) = &mut table {
                        t.feed(&sink[..n]).map_err(|why| damaged(file, &why))?;
                    }
                }
                Err(e) => return Err(damaged(file, &ZipError::Io(e))),
            }
        }
    }
    let names: Vec<String> = zip
        .file_names()
        .flatten()
        .map(|n| n.to_ascii_lowercase())
        .collect();
    let has = |name: &str| names.iter().any(|n| n == name);
    let holds = |part: &str| names.iter().any(|n| n.ends_with(part));
    Ok(
        if has("xl/workbook.xml") || holds("/workbook.xml") || has("workbook.xml") {
            Package::Workbook
        } else if holds("workbook.bin") {
            Package::Other("xlsb")
        } else if holds("word/document.xml") {
            Package::Other("Word")
        } else if holds("ppt/presentation.xml") {
            Package::Other("PowerPoint")
        } else if has("content.xml") {
            Package::Other("OpenDocument")
        } else {
            Package::Other("zip")
        },
    )
}

/// Texts in a workbook's table of shared strings.
const STRINGS: u64 = 20_000_000;

/// Looks through the table of shared strings, for which calamine 0.38 allocates as much as the
/// `uniqueCount` attribute asks, whatever follows: four billion would abort the process.
#[derive(Default)]
struct StringTable {
    /// The end of the bytes seen, so that a word across two chunks is found.
    tail: Vec<u8>,
    begun: bool,
    tags: u64,
}

impl StringTable {
    fn feed(&mut self, chunk: &[u8]) -> Result<(), &'static str> {
        const WORD: &[u8] = b"uniqueCount";
        const WINDOW: usize = 128;
        if !self.begun {
            self.begun = true;
            // Nobody writes UTF-16 there, and the words below could not be found in it.
            if chunk.starts_with(&[0xfe, 0xff])
                || chunk.starts_with(&[0xff, 0xfe])
                || chunk.iter().take(64).any(|b| *b == 0)
            {
                return Err("its table of texts is not in UTF-8");
            }
        }
        // Every text has two tags at least.
        self.tags += chunk.iter().filter(|b| **b == b'<').count() as u64;
        if self.tags > STRINGS * 4 {
            return Err("its table of texts is too long");
        }
        self.tail.extend_from_slice(chunk);
        let mut from = 0;
        while let Some(i) = self.tail[from..]
            .windows(WORD.len())
            .position(|w| w == WORD)
        {
            let start = from + i + WORD.len();
            let value = &self.tail[start..self.tail.len().min(start + WINDOW)];
            let digits = value
                .iter()
                .skip_while(|b| !b.is_ascii_digit())
                .take_while(|b| b.is_ascii_digit())
                .count();
            let number = value
                .iter()
                .skip_while(|b| !b.is_ascii_digit())
                .take(digits)
                .fold(0_u64, |n, b| {
                    n.saturating_mul(10).saturating_add(u64::from(b - b'0'))
                });
            // The attribute at the very end of the chunk is looked at again with the next one.
            if number > STRINGS || (digits == 0 && value.len() == WINDOW) {
                return Err("its table of texts claims to be too long");
            }
            from = start;
        }
        let keep = self.tail.len().saturating_sub(WORD.len() + WINDOW);
        self.tail.drain(..keep);
        Ok(())
    }
}

fn too_much(file: &str, packed: u64, most: u64) -> Error {
    bomb(
        file,
        format!("it packs {packed} bytes and unpacks to more than {most}"),
        format!("文件 {packed} 字节，解压后超过 {most} 字节"),
    )
}

fn bomb(file: &str, en: String, zh: String) -> Error {
    Error::new(
        file,
        Cause::TooLarge,
        bi(
            format!("the workbook is refused as a possible zip bomb: {en}"),
            format!("工作簿疑似压缩炸弹，已拒绝：{zh}"),
        ),
        bi(
            "split the workbook, or save its sheet as CSV UTF-8",
            "请拆分工作簿，或将工作表另存为“CSV UTF-8”",
        ),
    )
}

pub(super) fn damaged(file: &str, e: &dyn std::fmt::Display) -> Error {
    let why: String = e.to_string().chars().take(200).collect();
    Error::new(
        file,
        Cause::Damaged,
        bi(
            format!("the workbook is damaged: {why}"),
            format!("工作簿已损坏：{why}"),
        ),
        bi(
            "open it in Excel or WPS and save it again as xlsx",
            "请用 Excel 或 WPS 打开并重新另存为 xlsx",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::{ZipWriter, write::SimpleFileOptions};

    fn package(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut w = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            w.start_file(*name, SimpleFileOptions::default()).unwrap();
            w.write_all(bytes).unwrap();
        }
        w.finish().unwrap().into_inner()
    }

    fn of(bytes: &[u8], limits: &Limits) -> Result<Package, (Cause, String)> {
        check("f", Cursor::new(bytes), bytes.len() as u64, limits)
            .map_err(|e| (e.cause, e.problem.en))
    }

    #[test]
    fn documents_are_told_apart() {
        let limits = Limits::default();
        assert_eq!(
            of(&package(&[("xl/workbook.xml", vec![])]), &limits),
            Ok(Package::Workbook)
        );
        assert_eq!(
            of(&package(&[("word/document.xml", vec![])]), &limits),
            Ok(Package::Other("Word"))
        );
        assert_eq!(
            of(b"PK\x03\x04 nothing", &limits).unwrap_err().0,
            Cause::Damaged
        );
    }

    #[test]
    fn bombs_are_refused() {
        let bytes = package(&[("xl/workbook.xml", vec![0; 50_000_000])]);
        let (cause, why) = of(&bytes, &Limits::default()).unwrap_err();
        assert_eq!(cause, Cause::TooLarge);
        assert!(
            why.contains("zip bomb") && why.contains("unpacks to more than 10"),
            "{why}"
        );
        let many: Vec<(String, Vec<u8>)> = (0..20).map(|i| (format!("f{i}"), vec![])).collect();
        let many: Vec<(&str, Vec<u8>)> =
            many.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
        let limits = Limits {
            entries: 10,
            ..Limits::default()
        };
        assert!(
            of(&package(&many), &limits)
                .unwrap_err()
                .1
                .contains("20 entries")
        );
    }

    #[test]
    fn a_table_of_texts_may_not_claim_to_be_endless() {
        let with = |text: Vec<u8>| {
            of(
                &package(&[("xl/workbook.xml", vec![]), ("xl/sharedStrings.xml", text)]),
                &Limits::default(),
            )
        };
        assert!(with(b"<sst uniqueCount=\"7\"/>".to_vec()).is_ok());
        for bad in [
            b"<sst uniqueCount=\"4000000000\"/>".to_vec(),
            b"<sst uniqueCount = '99999999999999999999999'/>".to_vec(),
            format!("<sst uniqueCount={}'4000000000'/>", " ".repeat(300)).into_bytes(),
            "<sst uniqueCount='4000000000'/>"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        ] {
            assert_eq!(with(bad).map_err(|e| e.0), Err(Cause::Damaged));
        }
        // Across the border of two chunks.
        for pad in 65_500..65_540 {
            let text = format!("{}<sst uniqueCount='4000000000'/>", " ".repeat(pad));
            assert!(with(text.into_bytes()).is_err(), "{pad}");
        }
    }

    #[test]
    fn a_lying_directory_is_found_out() {
        let mut bytes = package(&[("xl/workbook.xml", vec![0; 50_000_000])]);
        // The sizes stand in the local header and in the directory; both are made to say 1000.
        let size = 50_000_000_u32.to_le_bytes();
        let mut changed = 0;
        for i in 0..bytes.len() - 4 {
            if bytes[i..i + 4] == size {
                bytes[i..i + 4].copy_from_slice(&1000_u32.to_le_bytes());
                changed += 1;
            }
        }
        assert!(changed >= 1);
        assert!(of(&bytes, &Limits::default()).is_err());
    }
}
