//! What a file is: by its first bytes, and by its extension where those leave a choice.

use super::{
    Format, Opened,
    delimited::Delimited,
    encoding,
    json::{ARRAY_LIMIT, Array, Jsonl},
    lines::Lines,
    sheets::Sheets,
    unpack::{self, Package},
};
use crate::{
    Cause, Error, ImportOptions,
    error::{bi, shown_path},
};
use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::Path,
};

const CANNOT_READ: (&str, &str) = ("cannot be read", "无法读取");

/// Opens a file, finds out what it is, and begins to read it.
pub(crate) fn open(path: &Path, options: &ImportOptions) -> Result<Opened, Error> {
    let file = shown_path(path);
    let io = |e| Error::io(&file, CANNOT_READ, e);
    let meta = std::fs::metadata(path).map_err(io)?;
    if !meta.is_file() {
        return Err(Error::new(
            &file,
            Cause::Format,
            bi("this is not a file", "不是文件"),
            bi(
                "give a file (xlsx, csv, tsv, jsonl)",
                "请给出文件（xlsx、csv、tsv、jsonl）",
            ),
        ));
    }
    let mut bytes = File::open(path).map_err(io)?;
    let mut head = vec![0; 4096];
    let n = encoding::read_some(&mut bytes, &mut head).map_err(io)?;
    head.truncate(n);
    bytes.seek(SeekFrom::Start(0)).map_err(io)?;
    let size = meta.len();
    if n == 0 {
        return Err(empty(&file));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return workbook(&file, path, bytes, size, options);
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        // An encrypted xlsx wears the same coat as an old xls.
        let encrypted = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";
        let mut all = Vec::new();
        bytes.take(1 << 20).read_to_end(&mut all).map_err(io)?;
        let is = all.windows(encrypted.len()).any(|w| w == encrypted);
        return Err(if is {
            protected(&file)
        } else {
            old_format(&file, "xls / et")
        });
    }
    if head.starts_with(b"%PDF") {
        return Err(old_format(&file, "PDF"));
    }
    text(&file, path, size, &head, options)
}

fn workbook(
    file: &str,
    path: &Path,
    mut bytes: File,
    size: u64,
    options: &ImportOptions,
) -> Result<Opened, Error> {
    match unpack::check(file, BufReader::new(&mut bytes), size, &options.limits)? {
        Package::Workbook => {}
        Package::Other(what) => return Err(old_format(file, what)),
    }
    bytes
        .seek(SeekFrom::Start(0))
        .map_err(|e| Error::io(file, CANNOT_READ, e))?;
    let reader = Sheets::new(
        file,
        path,
        bytes,
        options.sheet.clone(),
        options.limits.cell,
    )?;
    Ok(Opened {
        format: Format::Xlsx,
        encoding: None,
        bytes: size,
        reader: Box::new(reader),
    })
}

fn text(
    file: &str,
    path: &Path,
    size: u64,
    head: &[u8],
    options: &ImportOptions,
) -> Result<Opened, Error> {
    let io = |e| Error::io(file, CANNOT_READ, e);
    let open = || File::open(path).map_err(io);
    let encoding = encoding::detect(file, || Ok(Box::new(open()?)))?;
    let (shown, _, _) = encoding.decode(head);
    let start = shown.trim_start();
    if start.is_empty() && size <= head.len() as u64 {
        return Err(empty(file));
    }
    let lower: String = start.chars().take(15).collect::<String>().to_lowercase();
    if ["<html", "<!doctype", "<table", "<?xml", "{\\rtf"]
        .iter()
        .any(|m| lower.starts_with(m))
    {
        return Err(old_format(file, "HTML / XML / RTF"));
    }
    let extension = path
        .extension()
        .map_or_else(String::new, |e| e.to_string_lossy().to_lowercase());
    let lines = || -> Result<Lines, Error> {
        Ok(Lines::new(
            file,
            Box::new(open()?),
            encoding,
            options.limits.cell,
        ))
    };
    let opened = |format, reader| Opened {
        format,
        encoding: Some(encoding::name(encoding)),
        bytes: size,
        reader,
    };
    let says_json = matches!(extension.as_str(), "jsonl" | "ndjson" | "json");
    let is_object = start.starts_with('{') && (says_json || first_line_is_object(start));
    let is_array =
        start.starts_with('[') && (says_json || start[1..].trim_start().starts_with(['{', ']']));
    if (is_array || (is_object && extension == "json")) && size <= ARRAY_LIMIT {
        let mut raw = Vec::new();
        open()?.read_to_end(&mut raw).map_err(io)?;
        let (whole, _, _) = encoding.decode(&raw);
        if let Some(array) = Array::new(file, &whole) {
            return Ok(opened(Format::Json, Box::new(array?)));
        }
    } else if is_array {
        return Err(Error::new(
            file,
            Cause::TooLarge,
            bi("a JSON array is read up to 64 MB", "JSON 数组至多 64 MB"),
            bi(
                "give one JSON object a line (.jsonl)",
                "请改为每行一个 JSON 对象（.jsonl）",
            ),
        ));
    }
    if is_object || is_array {
        return Ok(opened(Format::Jsonl, Box::new(Jsonl::new(lines()?))));
    }
    let table = Delimited::new(
        file,
        lines()?,
        options.limits.cell,
        matches!(extension.as_str(), "tsv" | "tab"),
    )?;
    // A jsonl file whose first line is broken is still one; its rows say so.
    if says_json
        && !shown
            .lines()
            .next()
            .is_some_and(|l| l.contains(table.delimiter()))
    {
        return Ok(opened(Format::Jsonl, Box::new(Jsonl::new(lines()?))));
    }
    let format = if table.delimiter() == '\t' {
        Format::Tsv
    } else {
        Format::Csv
    };
    Ok(opened(format, Box::new(table)))
}

/// True when the first line is an object, or the sample ends inside of one.
fn first_line_is_object(start: &str) -> bool {
    match start.lines().next().filter(|l| l.len() < start.len()) {
        Some(line) => {
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok()
        }
        None => start[1..].trim_start().starts_with('"'),
    }
}

fn empty(file: &str) -> Error {
    Error::new(
        file,
        Cause::Empty,
        bi("the file is empty", "文件为空"),
        bi(
            "give a file with a header row and at least one row, or one JSON object a line",
            "请给出含表头和数据行的文件，或每行一个 JSON 对象",
        ),
    )
}

/// The error of a workbook behind a password.
pub(super) fn protected(file: &str) -> Error {
    Error::new(
        file,
        Cause::Protected,
        bi(
            "the workbook is protected by a password",
            "工作簿有密码保护",
        ),
        bi("save a copy without the password", "请另存为无密码的副本"),
    )
}

fn old_format(file: &str, what: &str) -> Error {
    Error::new(
        file,
        Cause::Format,
        bi(
            format!("files of this kind are not read: {what}"),
            format!("不支持此类文件：{what}"),
        ),
        bi(
            "open it in Excel or WPS and save it as xlsx, or as “CSV UTF-8”",
            "请用 Excel 或 WPS 打开，另存为 xlsx 或“CSV UTF-8”",
        ),
    )
}
