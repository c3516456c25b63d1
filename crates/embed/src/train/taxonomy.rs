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
/// `.tsv` has code, name and perhaps the parent's code (else the parent is the longest beginning
/// of the code that is a code); `.jsonl` and `.jl` have `_id` or `code`, `name`, `name_en` and
/// `parents` or `parent`. Lines that start with `#` are left out.
///
/// # Errors
/// When the file cannot be read, with the line.
pub fn read_taxonomy(path: &Path) -> Result<Vec<Document>, EmbedError> {
    let mut nodes = Vec::new();
    let name = path.to_string_lossy();
    let name = name.strip_suffix(".zst").unwrap_or(&name);
    if name.ends_with(".tsv") {
        lines(path, &mut |line, _| {
            let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
            if let [code, name, rest @ ..] = fields.as_slice()
                && !code.starts_with('#')
                && *code != "code"
            {
                nodes.push(Node {
                    code: (*code).to_owned(),
                    name: (*name).to_owned(),
                    parent: rest.first().map_or_else(String::new, |p| (*p).to_owned()),
                    ..Node::default()
                });
            }
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
                name: string(&object, &["name", "title"]),
                name_en: string(&object, &["name_en", "title_en"]),
                parent: parent.unwrap_or_default().to_owned(),
            });
            Ok(())
        })?;
    }
    Ok(documents(nodes))
}

fn documents(mut nodes: Vec<Node>) -> Vec<Document> {
    let by_code: HashMap<String, usize> = nodes
        .iter()
        .enumerate()
        .map(|(i, n)| (n.code.clone(), i))
        .collect();
    for node in &mut nodes {
        if node.parent.is_empty() {
            let above = (1..node.code.len())
                .rev()
                .filter_map(|end| node.code.get(..end))
                .find(|c| by_code.contains_key(*c));
            node.parent = above.unwrap_or_default().to_owned();
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
