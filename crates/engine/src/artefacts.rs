//! What a data folder learned: the weights that are live, those before them, and what scores mean.
//!
//! ```text
//! data/ranking/weights-000002.json    versions, each with what it was made from
//! data/ranking/CURRENT                the number of the live one; 0 is what ships
//! data/ranking/calibration.json       what scores of one version have meant
//! ```

use crate::Error;
use queqiao_domain::Bilingual;
use queqiao_ranking::{Calibration, Weights};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The ranking folder of a data folder. Files are written whole or not at all.
#[derive(Debug, Clone)]
pub struct Artefacts {
    folder: PathBuf,
}

impl Artefacts {
    /// Those of the data folder `data`; nothing is read or made yet.
    pub fn of(data: &Path) -> Self {
        Self {
            folder: data.join("ranking"),
        }
    }

    /// The number of the live weights; 0 is what ships.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Artefact`]: `CURRENT` cannot be read, or holds no number.
    pub fn current(&self) -> Result<u32, Error> {
        let path = self.folder.join("CURRENT");
        if !path.exists() {
            return Ok(0);
        }
        let text = fs::read_to_string(&path).map_err(io(&path, "read"))?;
        text.trim().parse().map_err(|_| Error::Artefact {
            path: path.display().to_string(),
            problem: Bilingual::new(
                "it holds no number; `queqiao weights use` writes it",
                "其中没有编号；该文件由 `queqiao weights use` 写出",
            ),
        })
    }

    /// The live weights: those adopted last, or what ships.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Artefact`].
    pub fn weights(&self) -> Result<Weights, Error> {
        match self.current()? {
            0 => Ok(Weights::default()),
            n => {
                let path = self.version(n);
                let text = fs::read_to_string(&path).map_err(io(&path, "read"))?;
                parse(&path, &text)
            }
        }
    }

    /// Makes weights live, given as the JSON that `queqiao weights fit` writes: the next start has
    /// them. Their number.
    ///
    /// # Errors
    /// [`Error::Artefact`]: they do not read. [`Error::Io`].
    pub fn adopt(&self, json: &str) -> Result<u32, Error> {
        parse(Path::new("the weights"), json)?;
        fs::create_dir_all(&self.folder).map_err(io(&self.folder, "made"))?;
        // A version that was gone back from is kept, and never written over.
        let next = (self.current()? + 1..=u32::MAX)
            .find(|n| !self.version(*n).exists())
            .unwrap_or(u32::MAX);
        self.write(&self.version(next), json)?;
        self.write(&self.folder.join("CURRENT"), &format!("{next}\n"))?;
        Ok(next)
    }

    /// Makes the version before the live one live again; 0 is what ships. `None` when what ships is
    /// live already.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Artefact`].
    pub fn back(&self) -> Result<Option<u32>, Error> {
        let now = self.current()?;
        if now == 0 {
            return Ok(None);
        }
        let before = (1..now)
            .rev()
            .find(|n| self.version(*n).exists())
            .unwrap_or(0);
        self.write(&self.folder.join("CURRENT"), &format!("{before}\n"))?;
        Ok(Some(before))
    }

    /// What the scores of `weights` mean, if that is known.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Artefact`].
    pub fn calibration(&self, weights: &Weights) -> Result<Option<Calibration>, Error> {
        let path = self.folder.join("calibration.json");
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(io(&path, "read"))?;
        let c: Calibration = serde_json::from_str(&text).map_err(|e| Error::Artefact {
            path: path.display().to_string(),
            problem: Bilingual::new(
                format!("it does not read: {e}; `queqiao outcomes calibrate` writes it"),
                format!("无法读取：{e}；该文件由 `queqiao outcomes calibrate` 写出"),
            ),
        })?;
        Ok(Some(c).filter(|c| c.weights == weights.version))
    }

    /// Keeps what scores mean, for the next start.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keep_calibration(&self, c: &Calibration) -> Result<(), Error> {
        fs::create_dir_all(&self.folder).map_err(io(&self.folder, "made"))?;
        let text = serde_json::to_string_pretty(c).unwrap_or_default();
        self.write(&self.folder.join("calibration.json"), &format!("{text}\n"))
    }

    fn version(&self, n: u32) -> PathBuf {
        self.folder.join(format!("weights-{n:06}.json"))
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), Error> {
        let part = path.with_extension("part");
        let done = fs::write(&part, text)
            .and_then(|()| fs::File::open(&part)?.sync_all())
            .and_then(|()| fs::rename(&part, path))
            .and_then(|()| fs::File::open(&self.folder)?.sync_all());
        done.map_err(io(path, "written"))
    }
}

fn parse(path: &Path, text: &str) -> Result<Weights, Error> {
    Weights::parse(text).map_err(|e| {
        let cause = std::error::Error::source(&e).map_or(String::new(), |s| format!(": {s}"));
        let told = e.message();
        Error::Artefact {
            path: path.display().to_string(),
            problem: Bilingual::new(format!("{}{cause}", told.en), format!("{}{cause}", told.zh)),
        }
    })
}

fn io<'a>(path: &'a Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |source| Error::Io {
        path: path.display().to_string(),
        doing,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(version: &str) -> String {
        format!(
            r#"{{"version":"{version}","trained":{{"queries":40}},"weights":{{"dense_best":1.0}}}}"#
        )
    }

    #[test]
    fn forth_and_back() {
        let dir = tempfile::tempdir().unwrap();
        let a = Artefacts::of(dir.path());
        assert_eq!(a.weights().unwrap(), Weights::default());
        assert_eq!(a.back().unwrap(), None);
        assert_eq!(a.adopt(&weights("one")).unwrap(), 1);
        assert_eq!(a.adopt(&weights("two")).unwrap(), 2);
        assert_eq!(a.weights().unwrap().version, "two");
        assert_eq!(a.back().unwrap(), Some(1));
        assert_eq!(a.weights().unwrap().version, "one");
        // What was gone back from stays; the next version is a new one.
        assert_eq!(a.adopt(&weights("three")).unwrap(), 3);
        assert_eq!(a.back().unwrap(), Some(2));
        a.back().unwrap();
        assert_eq!(a.back().unwrap(), Some(0));
        assert_eq!(a.weights().unwrap(), Weights::default());
        for bad in ["", "{}", r#"{"version":"x","weights":{"words":-1}}"#] {
            assert!(matches!(a.adopt(bad), Err(Error::Artefact { .. })), "{bad}");
        }
        assert_eq!(a.current().unwrap(), 0, "what does not read is not live");
    }

    #[test]
    fn damage_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let a = Artefacts::of(dir.path());
        a.adopt(&weights("one")).unwrap();
        std::fs::write(dir.path().join("ranking/weights-000001.json"), "{").unwrap();
        assert!(
            a.weights()
                .unwrap_err()
                .to_string()
                .contains("weights-000001.json")
        );
        std::fs::write(dir.path().join("ranking/CURRENT"), "x").unwrap();
        assert!(a.weights().unwrap_err().to_string().contains("CURRENT"));
    }

    #[test]
    fn a_calibration_is_of_one_version() {
        let dir = tempfile::tempdir().unwrap();
        let a = Artefacts::of(dir.path());
        let w = Weights::default();
        assert_eq!(a.calibration(&w).unwrap(), None);
        let c = Calibration {
            weights: w.version.clone(),
            target: "met".into(),
            curve: queqiao_ranking::Curve::Platt {
                slope: 1.5,
                start: -2.0,
            },
            labels: 40,
            came_true: 12,
        };
        a.keep_calibration(&c).unwrap();
        assert_eq!(a.calibration(&w).unwrap(), Some(c));
        a.adopt(&weights("one")).unwrap();
        assert_eq!(a.calibration(&a.weights().unwrap()).unwrap(), None);
    }
}
