//! `queqiao models`: what there is, and whether it is whole.

use super::open;
use crate::{
    args::{Cli, Format, ModelsArgs},
    failure::Failure,
    output::Console,
};
use queqiao_domain::Bilingual;
use queqiao_engine::embed::ModelStore;
use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct Row {
    name: String,
    dim: usize,
    licence: String,
    summary: String,
    default: bool,
    folder: String,
    verified: Option<bool>,
    #[serde(serialize_with = "english")]
    problem: Option<Bilingual>,
}

/// A program reads one language.
fn english<S: Serializer>(text: &Option<Bilingual>, s: S) -> Result<S::Ok, S::Error> {
    text.as_ref().map(|t| &t.en).serialize(s)
}

pub(crate) fn run(cli: &Cli, args: &ModelsArgs, console: &Console) -> Result<(), Failure> {
    let mut store = ModelStore::find(&open::model_folders(cli))?;
    if let Some(name) = &args.add {
        if name.contains(['/', std::path::MAIN_SEPARATOR]) || name.starts_with('.') {
            let dir = store.dir().display();
            return Err(Failure::input(
                format!("--add {name}: expected the name of a folder in {dir}"),
                format!("--add {name}：应为 {dir} 中的目录名"),
            ));
        }
        let dir = store.dir().to_owned();
        store = ModelStore::register(&dir, name, &args.licence, &args.summary, args.default)?;
    }
    let rows: Vec<Row> = store
        .list()
        .iter()
        .map(|m| {
            let check = args.verify.then(|| store.verify(&m.name));
            Row {
                name: m.name.clone(),
                dim: m.dim,
                licence: m.licence.clone(),
                summary: m.summary.clone(),
                default: m.name == store.default_name(),
                folder: store.dir().join(&m.name).display().to_string(),
                verified: check.as_ref().map(Result::is_ok),
                problem: check.and_then(|c| Some(c.err()?.message())),
            }
        })
        .collect();
    match args.format {
        Format::Json => console.json(&rows)?,
        Format::Table => {
            let mut table = console.table(match console.lang {
                queqiao_domain::Lang::En => ["model", "dim", "licence", "what it is", "state"],
                queqiao_domain::Lang::Zh => ["模型", "维数", "许可", "说明", "状态"],
            });
            for r in &rows {
                let state = match (r.verified, r.default) {
                    (Some(false), _) => console.say("damaged", "已损坏"),
                    (Some(true), _) => console.say("verified", "已校验"),
                    (None, true) => console.say("default", "默认"),
                    (None, false) => "",
                };
                table.add_row([
                    r.name.as_str(),
                    &r.dim.to_string(),
                    &r.licence,
                    &r.summary,
                    state,
                ]);
            }
            console.line(table.to_string());
        }
    }
    match rows.iter().find_map(|r| r.problem.as_ref()) {
        Some(problem) => Err(Failure::failed(&problem.en, &problem.zh)),
        None => Ok(()),
    }
}
