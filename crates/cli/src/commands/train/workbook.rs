//! Workbooks as training texts.

use super::Failure;
use queqiao_engine::embed::train::{Columns, Document, Documents, SourceFacts, excluded};
use queqiao_intake::read_tables;
use std::{collections::HashSet, path::Path};

/// Whether a file is a workbook by its name.
pub(super) fn is_one(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("xlsx"))
}

/// The documents of a workbook: of every sheet whose first row has a column of titles or texts, a
/// document a row. Sheets without one are explanations and the like.
pub(super) fn read(
    path: &Path,
    facts: SourceFacts,
    weight: f32,
    exclude: &HashSet<String>,
) -> Result<Documents, Failure> {
    let (mut documents, mut reasons): (Vec<Document>, Vec<String>) = Default::default();
    let mut usable = false;
    for table in read_tables(path)? {
        let Some(((_, header), rows)) = table.rows.split_first() else {
            continue;
        };
        let sheet = table.sheet.as_deref().unwrap_or_default();
        let columns = match Columns::new(header.iter().map(|c| c.text())) {
            Ok(columns) => columns,
            Err(reason) => {
                reasons.push(format!("{sheet} {reason}"));
                continue;
            }
        };
        usable = true;
        let of_row = rows.iter().map(|(number, cells)| {
            let mut d = columns.document(cells.iter().map(|c| c.text()), *number as usize);
            if d.id.starts_with("line-") {
                d.id = format!("{sheet}-{number}");
            }
            d
        });
        documents.extend(
            of_row
                .filter(|d| !excluded(exclude, &d.id))
                .map(Document::sort_languages),
        );
    }
    if !usable {
        let (shown, why) = (path.display(), reasons.join("; "));
        return Err(Failure::input(
            format!("{shown}: no sheet has a column `title`, `abstract` or `text`: {why}"),
            format!("{shown}：没有一个工作表含 title（名称）、abstract（摘要）或 text 列：{why}"),
        ));
    }
    Ok(Documents {
        facts,
        weight,
        gated: true,
        documents,
    })
}
