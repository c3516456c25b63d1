//! Opening models and data folders, for all commands.

use crate::{
    args::{Cli, FolderArgs},
    failure::{Failure, chain},
    settings::Settings,
};
use queqiao_domain::Date;
use queqiao_engine::{
    Engine, EngineOptions, Weights,
    embed::{Embedder, ModelStore, open_model},
    store::{Options, Store},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The variable of the setting that commands share with the service.
const HISTORY_DAYS: &str = "QUEQIAO_HISTORY_DAYS";

/// The folders that may hold models, best first.
pub(crate) fn model_folders(cli: &Cli) -> Vec<PathBuf> {
    match &cli.models {
        Some(dir) => vec![dir.clone()],
        None => ModelStore::search_dirs(),
    }
}

/// The model of a name, or the default one. A path to a model folder is a name too.
pub(crate) fn model(cli: &Cli, name: Option<&str>) -> Result<Arc<dyn Embedder>, Failure> {
    model_in(&model_folders(cli), name)
}

/// [`model`], of one of these folders.
pub(crate) fn model_in(
    folders: &[PathBuf],
    name: Option<&str>,
) -> Result<Arc<dyn Embedder>, Failure> {
    if let Some(name) = name
        && (name.contains('/') || name.contains(std::path::MAIN_SEPARATOR))
    {
        return Ok(open_model(name.as_ref())?);
    }
    Ok(ModelStore::find(folders)?.load(name)?)
}

/// The engine over an existing data folder.
pub(crate) fn engine(
    cli: &Cli,
    folder: &FolderArgs,
    model_name: Option<&str>,
) -> Result<Engine, Failure> {
    if !folder.path.exists() {
        let path = folder.path.display();
        return Err(Failure::input(
            format!(
                "there is no data folder {path}: import records first (queqiao import FILE --data {path}), or name another with --data"
            ),
            format!(
                "数据目录 {path} 不存在：请先导入（queqiao import 文件 --data {path}），或用 --data 指定"
            ),
        ));
    }
    engine_or_new(cli, folder, model_name)
}

/// The engine over a data folder that is made when it is missing.
pub(crate) fn engine_or_new(
    cli: &Cli,
    folder: &FolderArgs,
    model_name: Option<&str>,
) -> Result<Engine, Failure> {
    let model = model(cli, model_name)?;
    let options = EngineOptions {
        master_key: master_key(),
        history_days: history_days()?,
        ..EngineOptions::default()
    };
    Ok(Engine::open(&folder.path, model, options)?)
}

/// The file of the master key, where the environment says that it is kept outside the data folder.
pub(crate) fn master_key() -> Option<PathBuf> {
    std::env::var_os("QUEQIAO_MASTER_KEY")
        .filter(|p| !p.is_empty())
        .map(PathBuf::from)
}

/// Days of history, where the environment says so; else the folder goes on as the service left it.
fn history_days() -> Result<Option<u32>, Failure> {
    if std::env::var_os(HISTORY_DAYS).is_none() {
        return Ok(None);
    }
    let only = |v: &str| std::env::var(v).ok().filter(|_| v == HISTORY_DAYS);
    Ok(Some(
        Settings::read(&Vec::new(), only, None)?.history_days(),
    ))
}

/// The store of an existing data folder, without its indexes.
pub(crate) fn store(folder: &FolderArgs) -> Result<Store, Failure> {
    existing(folder)?;
    let days = history_days()?;
    let options = Options {
        master_key: master_key(),
        history_days: days.unwrap_or(Options::default().history_days),
        begin_history: days.is_some(),
        ..Options::default()
    };
    Ok(Store::open_with(&folder.path, &options)?)
}

/// Refuses what is no data folder.
pub(crate) fn existing(folder: &FolderArgs) -> Result<(), Failure> {
    if folder.path.join("store.redb").exists() {
        return Ok(());
    }
    let shown = folder.path.display();
    Err(Failure::input(
        format!("{shown} is no data folder: name one with --data"),
        format!("{shown} 不是数据目录：请用 --data 指定"),
    ))
}

/// Today in China (UTC+8), where the records' days are.
pub(crate) fn today() -> Date {
    let offset = jiff::tz::Offset::constant(8);
    offset.to_datetime(jiff::Timestamp::now()).date()
}

/// The scorer's weights: those of the file, or those that ship.
pub(crate) fn weights(file: Option<&Path>) -> Result<Weights, Failure> {
    let Some(path) = file else {
        return Ok(Weights::default());
    };
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| {
        Failure::input(
            format!("{shown} cannot be read: {e}"),
            format!("无法读取 {shown}：{e}"),
        )
    })?;
    Weights::parse(&text).map_err(|e| {
        Failure::input(
            format!("{shown}: {}", chain(&e)),
            format!("{shown}：{}", chain(&e)),
        )
    })
}
