//! A folder of models with a manifest: list, verify, load.

use crate::{
    EmbedError, Embedder, StaticModel,
    model::ModelFiles,
    open::{STATIC, kind_of, open_model},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The manifest's file name.
const MANIFEST: &str = "manifest.json";
/// The environment variable that names the folder.
const VARIABLE: &str = "QUEQIAO_MODELS";

/// A model the store knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// The model's name: its folder's name.
    pub name: String,
    /// Columns of its vectors.
    pub dim: usize,
    /// SPDX licence expression of the model's files.
    pub licence: String,
    /// One line for people.
    #[serde(default)]
    pub summary: String,
    /// Hash of its fingerprint; empty in manifests older than this field.
    #[serde(default)]
    pub hash: String,
    /// Its files with their sums.
    pub files: BTreeMap<String, FileEntry>,
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    default: String,
    models: Vec<ModelEntry>,
}

/// A folder with `manifest.json` and one folder a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStore {
    dir: PathBuf,
    manifest: Manifest,
}

impl ModelStore {
    /// Where models are looked for, in order: the folder named by `QUEQIAO_MODELS`, `models` beside
    /// the executable and in each folder above it, `models` in the working directory.
    pub fn search_dirs() -> Vec<PathBuf> {
        let mut dirs: Vec<PathBuf> = Vec::new();
        if let Some(dir) = std::env::var_os(VARIABLE).filter(|d| !d.is_empty()) {
            dirs.push(dir.into());
        }
        if let Ok(exe) = std::env::current_exe() {
            dirs.extend(exe.ancestors().skip(1).map(|d| d.join("models")));
        }
        dirs.push(PathBuf::from("models"));
        dirs
    }

    /// Opens the first of the folders that has a manifest.
    ///
    /// # Errors
    /// [`EmbedError::NoModels`] when none has one; otherwise as [`open`](Self::open).
    pub fn find(dirs: &[PathBuf]) -> Result<ModelStore, EmbedError> {
        match dirs.iter().find(|d| d.join(MANIFEST).is_file()) {
            Some(dir) => Self::open(dir),
            None => Err(EmbedError::NoModels {
                searched: dirs.to_vec(),
            }),
        }
    }

    /// Opens a folder with a manifest.
    ///
    /// # Errors
    /// When the manifest cannot be read, or is of another format.
    pub fn open(dir: &Path) -> Result<ModelStore, EmbedError> {
        let path = dir.join(MANIFEST);
        let bytes = std::fs::read(&path).map_err(EmbedError::io("read", &path))?;
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|e| EmbedError::bad_file(&path, e))?;
        if manifest.format != 1 {
            return Err(EmbedError::bad_file(
                &path,
                format!("format {} where this version reads 1", manifest.format),
            ));
        }
        let strange = |m: &ModelEntry| {
            !is_plain_name(&m.name) || !m.files.keys().all(|f| f.split('/').all(is_plain_name))
        };
        if let Some(m) = manifest.models.iter().find(|m| strange(m)) {
            return Err(EmbedError::bad_file(
                &path,
                format!(
                    "model `{}` has a name, or files, that do not lie in this folder",
                    m.name
                ),
            ));
        }
        Ok(ModelStore {
            dir: dir.to_owned(),
            manifest,
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The models, in the manifest's order.
    pub fn list(&self) -> &[ModelEntry] {
        &self.manifest.models
    }

    /// The model that is used when none is named.
    pub fn default_name(&self) -> &str {
        &self.manifest.default
    }

    /// The entry of a model.
    ///
    /// # Errors
    /// [`EmbedError::UnknownModel`], with the names there are.
    pub fn entry(&self, name: &str) -> Result<&ModelEntry, EmbedError> {
        self.list()
            .iter()
            .find(|m| m.name == name)
            .ok_or_else(|| EmbedError::UnknownModel {
                name: name.to_owned(),
                dir: self.dir.clone(),
                available: self.list().iter().map(|m| m.name.clone()).collect(),
            })
    }

    /// Compares every file of a model with its sum in the manifest.
    ///
    /// # Errors
    /// The first file that is missing or differs.
    pub fn verify(&self, name: &str) -> Result<(), EmbedError> {
        let entry = self.entry(name)?;
        let dir = self.dir.join(name);
        for (file, expected) in &entry.files {
            check_file(&dir.join(file), &expected.sha256)?;
        }
        Ok(())
    }

    /// Loads a model of any kind, the default one when none is named, after comparing its files
    /// with the manifest.
    ///
    /// # Errors
    /// As [`verify`](Self::verify) and [`open_model`](crate::open_model).
    pub fn load(&self, name: Option<&str>) -> Result<Arc<dyn Embedder>, EmbedError> {
        let name = name.unwrap_or(&self.manifest.default);
        self.entry(name)?;
        let dir = self.dir.join(name);
        // A static model loads in milliseconds, and what is compared is what is used.
        if kind_of(&dir)? == STATIC {
            return Ok(Arc::new(self.load_static(name)?));
        }
        self.verify(name)?;
        open_model(&dir)
    }

    /// Loads a static model after comparing its files with the manifest.
    ///
    /// # Errors
    /// As [`verify`](Self::verify) and [`StaticModel::load`].
    pub fn load_static(&self, name: &str) -> Result<StaticModel, EmbedError> {
        let entry = self.entry(name)?;
        let files = ModelFiles::read(&self.dir.join(name))?;
        for (file, bytes) in files.parts() {
            let path = files.path(file);
            match entry.files.get(file) {
                Some(expected) => check_sum(&path, bytes, &expected.sha256)?,
                None => {
                    return Err(EmbedError::bad_file(
                        &self.dir.join(MANIFEST),
                        format!("it lists no {file} for model `{name}`"),
                    ));
                }
            }
        }
        StaticModel::from_files(files, name.to_owned())
    }

    /// Enters a model folder of `dir`, of any kind, (or enters it anew) into the manifest, making the
    /// manifest if there is none; the first model becomes the default. The manifest is replaced at
    /// once: a reader sees the old one or the new one.
    ///
    /// # Errors
    /// When the folder holds no loadable model, or the manifest cannot be written.
    pub fn register(
        dir: &Path,
        name: &str,
        licence: &str,
        summary: &str,
        make_default: bool,
    ) -> Result<ModelStore, EmbedError> {
        let folder = dir.join(name);
        let model = open_model(&folder)?;
        let mut files = BTreeMap::new();
        enter(&folder, "", &mut files)?;
        let entry = ModelEntry {
            name: name.to_owned(),
            dim: model.dim(),
            licence: licence.to_owned(),
            summary: summary.to_owned(),
            hash: model.fingerprint().hash().to_owned(),
            files,
        };
        let mut store = if dir.join(MANIFEST).exists() {
            Self::open(dir)?
        } else {
            ModelStore {
                dir: dir.to_owned(),
                manifest: Manifest {
                    format: 1,
                    default: name.to_owned(),
                    models: Vec::new(),
                },
            }
        };
        match store.manifest.models.iter_mut().find(|m| m.name == name) {
            Some(old) => *old = entry,
            None => store.manifest.models.push(entry),
        }
        if make_default {
            store.manifest.default = name.to_owned();
        }
        let path = dir.join(MANIFEST);
        let mut json = serde_json::to_string_pretty(&store.manifest)
            .map_err(|e| EmbedError::bad_file(&path, e))?;
        json.push('\n');
        write_atomically(&path, json.as_bytes())?;
        Ok(store)
    }
}

/// The files of a model's folder and of the folders in it, hidden ones left out, with their sums.
fn enter(
    folder: &Path,
    within: &str,
    files: &mut BTreeMap<String, FileEntry>,
) -> Result<(), EmbedError> {
    let entries = std::fs::read_dir(folder).map_err(EmbedError::io("read", folder))?;
    for entry in entries {
        let entry = entry.map_err(EmbedError::io("read", folder))?;
        let (path, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str().filter(|n| !n.starts_with('.')) else {
            continue;
        };
        let name = format!("{within}{name}");
        if path.is_dir() {
            enter(&path, &format!("{name}/"), files)?;
            continue;
        }
        let bytes = std::fs::read(&path).map_err(EmbedError::io("read", &path))?;
        files.insert(
            name,
            FileEntry {
                sha256: sha256(&bytes),
                bytes: bytes.len() as u64,
            },
        );
    }
    Ok(())
}

/// Writes beside the file and renames over it, so that a reader sees the old or the new whole.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), EmbedError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&beside)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|e| {
        // The half-written file is of no use; the error that matters is the first.
        let _ = std::fs::remove_file(&beside);
        EmbedError::io("write", path)(e)
    })
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != "." && name != ".."
}

fn check_file(path: &Path, expected: &str) -> Result<(), EmbedError> {
    let bytes = std::fs::read(path).map_err(EmbedError::io("read", path))?;
    check_sum(path, &bytes, expected)
}

fn check_sum(path: &Path, bytes: &[u8], expected: &str) -> Result<(), EmbedError> {
    let actual = sha256(bytes);
    if actual.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(EmbedError::Digest {
        path: path.to_owned(),
        expected: expected.to_owned(),
        actual,
    })
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}
