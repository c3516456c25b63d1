//! A file as plain bytes, whatever it is packed with.

use crate::{
    error::{Cause, Error},
    lang::Text,
};
use std::{
    fs::File,
    io::{self, Chain, Cursor, Read},
    path::Path,
};

/// Bytes of a file, unpacked, without a byte-order mark.
pub(crate) struct Source {
    /// The name by which messages call the file.
    pub(crate) name: String,
    /// What follows the mark.
    pub(crate) bytes: Box<dyn Read + Send>,
    /// True where the file can be read a second time: a regular file, no pipe.
    pub(crate) again: bool,
}

/// Opens a file. gzip (also of several members) and Zstandard are known by their first bytes, not by
/// the file's name.
///
/// # Errors
/// [`Cause::Io`], [`Cause::Damaged`], [`Cause::Encoding`] for UTF-16.
pub(crate) fn open(path: &Path) -> Result<Source, Error> {
    let name = path.display().to_string();
    let io = |e| Error::io(&name, e);
    let file = File::open(path).map_err(io)?;
    let about = file.metadata().map_err(io)?;
    if about.is_dir() {
        return Err(io(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    let again = about.is_file();
    let (head, bytes) = peek(file, 4).map_err(io)?;
    let unpacked: Box<dyn Read + Send> = match head.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(bytes).map_err(io)?),
        _ => Box::new(bytes),
    };
    let (head, rest) = peek(unpacked, 3).map_err(io)?;
    let bytes: Box<dyn Read + Send> = match head.as_slice() {
        [0xef, 0xbb, 0xbf] => Box::new(rest.into_inner().1),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(Error::new(
                Cause::Encoding,
                Text::new("the file is UTF-16", "该文件是 UTF-16 编码"),
                Text::new("save it as UTF-8", "请另存为 UTF-8"),
            )
            .in_file(&name));
        }
        _ => Box::new(rest),
    };
    Ok(Source { name, bytes, again })
}

/// A reader with its first bytes put back.
type Peeked<R> = Chain<Cursor<Vec<u8>>, R>;

/// The first `n` bytes, or fewer at the end, and a reader that still has them.
fn peek<R: Read>(mut from: R, n: usize) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut head = Vec::with_capacity(n);
    (&mut from).take(n as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(from)))
}
