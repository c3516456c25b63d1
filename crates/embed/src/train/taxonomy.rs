//! Trees of names (disciplines, industries, a platform's own fields): a name belongs with what is
//! above, below and beside it, and with its translation.

use super::{
    clean,
    document::Document,
    readers::{jsonl, lines, string},
};
use crate::EmbedError;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// Names beside and below that a node takes in at most.
const NEIGHBOURS: usize = 12;

/// A node of a tree of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    code: String,
    name: String,
    name_en: String,
    /// Code of the node above; empty for a root.
    parent: String,
}

/// Reads a tree of names as documents to train on: the name is the title, the names above and
/// below it are the abstract, those beside it the keywords, in both languages where there are two.
///
/// `.tsv` has code, name and perhaps the parent's code, in this order or as its first line says
/// (`code`, `name` or `title`, `name_en`, `parent`). Where no parent is given it is the main group
/// of a subgroup (`A01B1/00` of `A01B1/02`), else the longest beginning of the code that is a code.
/// `.jsonl` and `.jl` have `_id` or `code`, `name`, `name_en` and `parents` or `parent`. Lines that
/// start with `#` are left out, and so is what a name says of other places in the tree
/// (`（…入A01G3/06）`).
///
/// # Errors
/// When the file cannot be read, with the line.
pub fn read_taxonomy(path: &Path) -> Result<Vec<Document>, EmbedError> {
    let mut nodes = Vec::new();
    let name = path.to_string_lossy();
    let name = name.strip_suffix(".zst").unwrap_or(&name);
    if name.ends_with(".tsv") {
        let mut at = Columns::default();
        lines(path, &mut |line, _| {
            let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
            if fields.len() < 2 || fields[0].starts_with('#') {
                return Ok(());
            }
            if fields.contains(&"code") {
                at = Columns::of(&fields);
                return Ok(());
            }
            let field =
                |i: Option<usize>| i.and_then(|i| fields.get(i)).copied().unwrap_or_default();
            nodes.push(Node {
                code: field(Some(at.code)).to_owned(),
                name: without_references(field(Some(at.name))),
                name_en: field(at.name_en).to_owned(),
                parent: field(at.parent).to_owned(),
            });
            Ok(())
        })?;
    } else {
        jsonl(path, &mut |object, _| {
            let parent = match object.get("parents") {
                Some(Value::Array(parents)) => parents.first().and_then(Value::as_str),
                _ => object.get("parent").and_then(Value::as_str),
            };
            nodes.push(Node {
                code: string(&object, &["_id", "code", "id"]),
                name: without_references(&string(&object, &["name", "title"])),
                name_en: string(&object, &["name_en", "title_en"]),
                parent: parent.unwrap_or_default().to_owned(),
            });
            Ok(())
        })?;
    }
    Ok(documents(nodes))
}

/// Which column of a `.tsv` is what.
struct Columns {
    code: usize,
    name: usize,
    name_en: Option<usize>,
    parent: Option<usize>,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            code: 0,
            name: 1,
            name_en: None,
            parent: Some(2),
        }
    }
}

impl Columns {
    /// As a first line names them; what it does not name stands where it stands by default.
    fn of(header: &[&str]) -> Self {
        let find = |names: &[&str]| header.iter().position(|h| names.contains(h));
        Columns {
            code: find(&["code"]).unwrap_or(0),
            name: find(&["name", "title"]).unwrap_or(1),
            name_en: find(&["name_en", "title_en"]),
            parent: find(&["parent"]),
        }
    }
}

/// A name without the remarks in brackets that point elsewhere (a code follows 入, or comes before
/// 优先) or tell an edition (〔8〕).
fn without_references(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(open) = rest.find(['（', '(', '〔', '[']) {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        let end = from
            .find(['）', ')', '〕', ']'])
            .map(|e| e + from[e..].chars().next().map_or(1, char::len_utf8));
        let (remark, after) = from.split_at(end.unwrap_or(from.len()));
        let elsewhere = remark.contains("优先")
            || remark
                .split('入')
                .skip(1)
                .any(|t| t.trim_start().starts_with(|c: char| c.is_ascii_uppercase()));
        let edition = from.starts_with(['〔', '['])
            && remark
                .chars()
                .all(|c| !c.is_alphabetic() && !c.is_whitespace());
        if !edition && !elsewhere {
            out.push_str(remark);
        }
        rest = after;
    }
    out.push_str(rest);
    out.trim().to_owned()
}

fn documents(mut nodes: Vec<Node>) -> Vec<Document> {
    let by_code: HashMap<String, usize> = nodes
        .iter()
        .enumerate()
        .map(|(i, n)| (n.code.clone(), i))
        .collect();
    for node in &mut nodes {
        if node.parent.is_empty() {
            let group = (node.code.split_once('/'))
                .map(|(main, _)| format!("{main}/00"))
                .filter(|g| *g != node.code && by_code.contains_key(g));
            let above = (1..node.code.len())
                .rev()
                .filter_map(|end| node.code.get(..end))
                .find(|c| by_code.contains_key(*c));
            node.parent = group.unwrap_or_else(|| above.unwrap_or_default().to_owned());
        }
    }
    let mut below: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        if !node.parent.is_empty() {
            below.entry(&node.parent).or_default().push(i);
        }
    }
    let children = |code: &str| below.get(code).map_or(&[][..], Vec::as_slice);
    let text = |indices: &[usize], name: fn(&Node) -> &String| -> Vec<String> {
        indices
            .iter()
            .map(|&i| name(&nodes[i]).clone())
            .filter(|n| !n.is_empty())
            .collect()
    };
    nodes
        .iter()
        .enumerate()
        .map(|(i, node)| {
            let mut around: Vec<usize> = Vec::new();
            let mut above = node.parent.as_str();
            // A loop in a damaged tree ends too.
            while let Some(&p) = by_code.get(above)
                && around.len() < 8
            {
                around.push(p);
                above = &nodes[p].parent;
            }
            around.extend(clean::thin(children(&node.code).to_vec(), NEIGHBOURS));
            let beside: Vec<usize> = children(&node.parent)
                .iter()
                .copied()
                .filter(|&b| b != i)
                .collect();
            let beside = clean::thin(beside, NEIGHBOURS);
            Document {
                id: node.code.clone(),
                title: node.name.clone(),
                title_en: node.name_en.clone(),
                abstract_text: text(&around, |n| &n.name).join("；"),
                abstract_en: text(&around, |n| &n.name_en).join("; "),
                keywords: text(&beside, |n| &n.name),
                keywords_en: text(&beside, |n| &n.name_en),
                class: node.parent.clone(),
                ..Document::default()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn above_below_and_beside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.tsv");
        std::fs::write(
            &path,
            "# head\nA\t农业\nA01\t种植业\nA011\t谷物\nA012\t豆类\nB\t矿业\n",
        )
        .unwrap();
        let d = read_taxonomy(&path).unwrap();
        assert_eq!(d.len(), 5);
        assert_eq!(
            (d[1].title.as_str(), d[1].abstract_text.as_str()),
            ("种植业", "农业；谷物；豆类")
        );
        assert_eq!(
            (d[2].abstract_text.as_str(), d[2].keywords.as_slice()),
            ("种植业；农业", &["豆类".to_owned()][..])
        );
        assert_eq!(d[4].keywords.len(), 0);

        let path = dir.path().join("ipc.tsv");
        std::fs::write(
            &path,
            "code\tlevel\ttitle\nA01B\tsubclass\t整地（工程目的的整地入E01，E02）〔8〕\nA01B1/00\tmaingroup\t手动工具（如锹）\nA01B1/02\tsubgroup\t锄；（A01B1/08优先）手动中耕机\n",
        )
        .unwrap();
        let d = read_taxonomy(&path).unwrap();
        let told: Vec<(&str, &str)> = d
            .iter()
            .map(|d| (d.title.as_str(), d.abstract_text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("整地", "手动工具（如锹）"),
                ("手动工具（如锹）", "整地；锄；手动中耕机"),
                ("锄；手动中耕机", "手动工具（如锹）；整地")
            ]
        );

        let path = dir.path().join("t.jl");
        std::fs::write(
            &path,
            "{\"_id\":\"x\",\"name\":\"数学\",\"name_en\":\"mathematics\",\"parents\":[\"y\"]}\n{\"_id\":\"y\",\"name\":\"科学\",\"name_en\":\"science\",\"parents\":[\"x\"]}\n",
        )
        .unwrap();
        let d = read_taxonomy(&path).unwrap();
        assert_eq!(d[0].title_en, "mathematics");
        assert!(d[0].abstract_en.starts_with("science"));
    }
}
