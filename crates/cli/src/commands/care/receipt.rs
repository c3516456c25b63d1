//! `queqiao doctor --receipt`: whether who was erased is gone.

use crate::{args::Format, failure::Failure, output::Console};
use queqiao_engine::{Engine, store::Receipt};
use serde::Serialize;
use std::{io::Read, path::Path};

/// What was found, named as `CheckErasure` names it.
#[derive(Serialize)]
struct Found {
    holds: bool,
    genuine: bool,
    row_gone: bool,
    key_destroyed: bool,
    index_rewritten: bool,
    id_used_again: bool,
}

/// Checks a receipt against the store, its keys and the files of the index, and fails where it does not hold.
pub(super) fn check(
    engine: &Engine,
    file: &Path,
    format: Format,
    console: &Console,
) -> Result<(), Failure> {
    let receipt = read(engine, file)?;
    let found = engine.check_erasure(&receipt)?;
    let found = Found {
        holds: found.holds(),
        genuine: found.store.genuine,
        row_gone: found.store.row_gone,
        key_destroyed: found.store.key_destroyed,
        index_rewritten: found.index_rewritten,
        id_used_again: found.store.id_used_again,
    };
    match format {
        Format::Json => console.json(&found)?,
        Format::Table => {
            let mark = |yes: bool| if yes { "✓" } else { "✗" };
            for (yes, en, zh) in [
                (
                    found.genuine,
                    "the receipt is from a server with these keys, and unchanged",
                    "回执出自持有本密钥的服务器，且未被改动",
                ),
                (
                    found.row_gone,
                    "the record is not in the store",
                    "存储中没有该记录",
                ),
                (
                    found.key_destroyed,
                    "its key is destroyed: no backup can be read for it",
                    "其密钥已销毁：任何备份中都无法读出",
                ),
                (
                    found.index_rewritten,
                    "the files of the index were written after it",
                    "索引文件在其后重写过",
                ),
            ] {
                console.line(format!("{} {}", mark(yes), console.say(en, zh)));
            }
            if found.id_used_again {
                console.line(console.say(
                    "! a record was put in later under the same id",
                    "! 其后又以同一编号存入了记录",
                ));
            }
        }
    }
    let (en, zh) = match &found {
        Found { holds: true, .. } => return Ok(()),
        Found { genuine: false, .. } => (
            "the receipt is of another server, or was changed: give the text that EraseRecord gave, whole",
            "回执出自其他服务器，或已被改动：请提供 EraseRecord 返回的完整文本",
        ),
        Found {
            row_gone: true,
            key_destroyed: true,
            ..
        } => (
            "words of the record may still stand in files of the index: run `queqiao doctor --rebuild`, or leave it to the running service",
            "索引文件中可能仍有该记录的词语：请运行 `queqiao doctor --rebuild`，或由运行中的服务自动重写",
        ),
        _ => (
            "the record is not gone: keep a copy of the folder, and erase it again",
            "该记录仍未清除：请保留目录副本，并再次清除",
        ),
    };
    Err(Failure::failed(en, zh))
}

fn read(engine: &Engine, file: &Path) -> Result<Receipt, Failure> {
    let shown = file.display();
    let mut text = String::new();
    let taken = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    taken.map_err(|e| {
        Failure::input(
            format!("{shown} cannot be read: {e}"),
            format!("无法读取 {shown}：{e}"),
        )
    })?;
    engine.store().read_receipt(&text).ok_or_else(|| {
        Failure::input(
            format!("{shown} holds no receipt: give the text that EraseRecord gave, whole"),
            format!("{shown} 中没有回执：请提供 EraseRecord 返回的完整文本"),
        )
    })
}
