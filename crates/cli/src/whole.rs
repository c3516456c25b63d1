//! Files that appear whole or not at all.

use crate::failure::Failure;
use std::{
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// A file under way, beside the one that it becomes. Dropped before [`Whole::finish`] it leaves nothing, and what stood
/// at the path stays.
pub(crate) struct Whole {
    path: PathBuf,
    out: BufWriter<NamedTempFile>,
}

impl Whole {
    /// Begins a file in the folder of `path`.
    ///
    /// # Errors
    /// The folder is not there, or cannot be written to.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".queqiao-").suffix(".part");
        // To be read by whoever may read files of this user.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Ok(Self {
            path: path.to_owned(),
            out: BufWriter::new(builder.tempfile_in(folder)?),
        })
    }

    /// Puts the file where it belongs.
    ///
    /// # Errors
    /// The disk is full, or a folder stands at the path.
    pub(crate) fn finish(self) -> io::Result<()> {
        let file = self.out.into_inner().map_err(io::Error::from)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Seek for Whole {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.out.seek(to)
    }
}

/// Writes a text.
///
/// # Errors
/// As of [`Whole`].
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = Whole::create(path).and_then(|mut f| {
        f.write_all(text.as_bytes())?;
        f.finish()
    });
    written.map_err(|e| unwritten(path, &e))
}

/// What is told of a file that cannot be written.
pub(crate) fn unwritten(path: &Path, e: &io::Error) -> Failure {
    let shown = path.display();
    Failure::failed(
        format!("{shown} cannot be written: {e}"),
        format!("无法写入 {shown}：{e}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finished_leaves_what_stood_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write(&path, "before").unwrap();
        let mut f = Whole::create(&path).unwrap();
        f.write_all(b"half").unwrap();
        drop(f);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
        write(&path, "after").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(write(&dir.path().join("none/a"), "").is_err());
    }
}
