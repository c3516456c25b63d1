//! `queqiao embed`: texts in, vectors out.

use super::open;
use crate::{
    args::{Cli, EmbedArgs, RoleArg},
    failure::Failure,
    output::Console,
    whole::Whole,
};
use queqiao_engine::{Error, embed::Role};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Texts embedded at a time.
const CHUNK: usize = 4_096;
/// A longer line is no text.
const MAX_LINE: u64 = 16 << 20;
/// Bytes of an NPY header (format 1.0, padded), so that the count can be filled in at the end.
const NPY_HEADER: usize = 128;

pub(crate) fn run(cli: &Cli, args: &EmbedArgs, console: &Console) -> Result<(), Failure> {
    let npy = match args.out.extension().and_then(|e| e.to_str()) {
        Some("npy") => true,
        Some("jsonl") => false,
        _ => {
            let shown = args.out.display();
            return Err(Failure::input(
                format!("--out {shown}: expected a name that ends in .npy or .jsonl"),
                format!("--out {shown}：文件名应以 .npy 或 .jsonl 结尾"),
            ));
        }
    };
    let model = open::model(cli, args.model.as_deref())?;
    let role = match args.role {
        RoleArg::Query => Role::Query,
        RoleArg::Passage => Role::Passage,
    };
    let io = |source| Error::Io {
        path: args.out.display().to_string(),
        doing: "written",
        source,
    };
    let bar = console.progress(0, "embedding", "嵌入");
    let run = || -> Result<usize, Failure> {
        let mut out = Whole::create(&args.out).map_err(io)?;
        if npy {
            out.write_all(&npy_header(0, model.dim())).map_err(io)?;
        }
        let mut done = 0;
        let mut chunk: Vec<(Value, String)> = Vec::with_capacity(CHUNK);
        let mut flush = |chunk: &mut Vec<(Value, String)>| -> Result<(), Failure> {
            let texts: Vec<&str> = chunk.iter().map(|t| t.1.as_str()).collect();
            let vectors = model.embed(&texts, role)?;
            for (row, (id, _)) in vectors.rows().into_iter().zip(chunk.iter()) {
                if npy {
                    for x in row {
                        out.write_all(&x.to_le_bytes()).map_err(io)?;
                    }
                } else {
                    let line = json!({"id": id, "vector": row.to_vec()});
                    writeln!(out, "{line}").map_err(io)?;
                }
            }
            done += chunk.len();
            bar.set_position(done as u64);
            chunk.clear();
            Ok(())
        };
        each_text(&args.files, &mut |id, text| {
            chunk.push((id, text));
            if chunk.len() == CHUNK {
                flush(&mut chunk)?;
            }
            Ok(())
        })?;
        flush(&mut chunk)?;
        if npy {
            out.seek(SeekFrom::Start(0)).map_err(io)?;
            out.write_all(&npy_header(done, model.dim())).map_err(io)?;
        }
        out.finish().map_err(io)?;
        Ok(done)
    };
    let done = run();
    bar.finish_and_clear();
    console.note(format!(
        "{}: {} × {} ({})",
        args.out.display(),
        done?,
        model.dim(),
        model.fingerprint()
    ));
    Ok(())
}

/// Calls `each` with every text and its id: a `.jsonl` file has objects with `text`, `title` or
/// both and perhaps `_id` or `id`; any other file, and `-` for standard input, has a text a line,
/// and the line's number is the id.
fn each_text(
    files: &[PathBuf],
    each: &mut dyn FnMut(Value, String) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for path in files {
        let reader: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            let shown = path.display();
            Box::new(File::open(path).map_err(|e| {
                Failure::input(
                    format!("{shown} cannot be read: {e}"),
                    format!("无法读取 {shown}：{e}"),
                )
            })?)
        };
        let json = path.extension().is_some_and(|e| e == "jsonl");
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = (&mut reader)
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)
                .map_err(|e| bad(path, number, &e.to_string(), &e.to_string()))?;
            if read == 0 {
                break;
            }
            if read as u64 == MAX_LINE {
                return Err(bad(
                    path,
                    number,
                    "the line has 16 MiB or more",
                    "该行超过 16 MiB",
                ));
            }
            let text = std::str::from_utf8(&line)
                .map_err(|_| bad(path, number, "it is not UTF-8", "不是 UTF-8 编码"))?
                .trim_end_matches(['\n', '\r']);
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            if !json {
                each(json!(number), text.to_owned())?;
            } else if !text.trim().is_empty() {
                let (id, text) = object(text).map_err(|(en, zh)| bad(path, number, &en, &zh))?;
                each(id.unwrap_or(json!(number)), text)?;
            }
        }
    }
    Ok(())
}

fn object(line: &str) -> Result<(Option<Value>, String), (String, String)> {
    let object: Value = serde_json::from_str(line).map_err(|e| (e.to_string(), e.to_string()))?;
    let get = |key| object.get(key).and_then(Value::as_str);
    let text = match (get("title"), get("text")) {
        (Some(title), Some(text)) => format!("{title}\n{text}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => {
            return Err((
                "expected an object with text, title or both".to_owned(),
                "应为含 text、title 之一或二者的对象".to_owned(),
            ));
        }
    };
    let id = object.get("_id").or_else(|| object.get("id")).cloned();
    Ok((id, text))
}

fn bad(path: &Path, line: usize, en: &str, zh: &str) -> Failure {
    let shown = path.display();
    Failure::input(
        format!("{shown}:{line}: {en}"),
        format!("{shown} 第 {line} 行：{zh}"),
    )
}

/// The header of an NPY file, format 1.0, with little-endian 32-bit numbers `[rows, columns]`.
fn npy_header(rows: usize, columns: usize) -> Vec<u8> {
    let mut dict =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    while dict.len() < NPY_HEADER - 11 {
        dict.push(' ');
    }
    dict.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend_from_slice(&(dict.len() as u16).to_le_bytes());
    out.extend_from_slice(dict.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_keeps_its_size() {
        for rows in [0, 7, usize::MAX] {
            let h = npy_header(rows, 256);
            assert_eq!(h.len(), NPY_HEADER);
            assert_eq!(h[8..10], 118u16.to_le_bytes());
            assert!(h.ends_with(b"\n"));
        }
    }
}
