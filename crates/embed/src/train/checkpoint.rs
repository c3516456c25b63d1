//! A training that was stopped goes on where it was.

use super::{options::TrainOptions, rows::Rows};
use crate::{EmbedError, store::write_atomically};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"QQTRAIN2";
const FILE: &str = "checkpoint.bin";

/// Where checkpoints go, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    /// A folder of this training's own.
    pub dir: PathBuf,
    /// Steps between two checkpoints, at least 1.
    pub every: usize,
}

/// Where a training is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Steps done.
    pub(crate) step: usize,
    /// Pairs and tokens seen.
    pub(crate) pairs: u64,
    pub(crate) tokens: u64,
    /// The curve so far: step, and the bits of the mean loss.
    curve: Vec<(usize, u32)>,
    /// Bits of the sum of the losses since, and how many they are.
    sum: u64,
    count: usize,
}

impl Place {
    /// Takes in the loss of the step just done; a point of the curve is made every `every` steps
    /// and at the `last` one.
    pub(crate) fn add_loss(&mut self, loss: f32, every: usize, last: bool) {
        let sum = f64::from_bits(self.sum) + f64::from(loss);
        self.count += 1;
        if last || self.step.is_multiple_of(every) {
            let mean = (sum / self.count as f64) as f32;
            self.curve.push((self.step, mean.to_bits()));
            (self.sum, self.count) = (0, 0);
        } else {
            self.sum = sum.to_bits();
        }
    }

    /// Step and mean loss at intervals.
    pub(crate) fn curve(&self) -> Vec<(usize, f32)> {
        self.curve
            .iter()
            .map(|&(s, b)| (s, f32::from_bits(b)))
            .collect()
    }
}

/// What a checkpoint belongs to: options and vocabulary. (The corpus stands behind the latter.)
pub(crate) fn identity(options: &TrainOptions, tokenizer: &[u8]) -> Result<[u8; 32], EmbedError> {
    let options = serde_json::to_vec(options).map_err(|e| EmbedError::Option {
        option: "checkpoint",
        reason: e.to_string(),
    })?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&options).update(tokenizer);
    Ok(hasher.finalize().into())
}

impl Checkpoints {
    fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    /// Writes the state at a place, at once.
    pub(crate) fn save(
        &self,
        identity: &[u8; 32],
        place: &Place,
        rows: &Rows,
    ) -> Result<(), EmbedError> {
        std::fs::create_dir_all(&self.dir).map_err(EmbedError::io("create", &self.dir))?;
        let mut bytes = Vec::with_capacity(rows.value.len() * 8 + 128);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(identity);
        let place = serde_json::to_vec(place).map_err(|e| EmbedError::bad_file(&self.path(), e))?;
        let sizes = [
            u64::from(rows.updates),
            rows.dim as u64,
            rows.value.len() as u64,
            rows.second.len() as u64,
        ];
        for n in [place.len() as u64].into_iter().chain(sizes) {
            bytes.extend_from_slice(&n.to_le_bytes());
        }
        bytes.extend_from_slice(&place);
        for part in [&rows.value, &rows.first, &rows.second] {
            bytes.extend(part.iter().flat_map(|x| x.to_le_bytes()));
        }
        let sum = blake3::hash(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        write_atomically(&self.path(), &bytes)
    }

    /// Reads the state if there is one of this very training; `None` if there is none.
    pub(crate) fn load(&self, identity: &[u8; 32]) -> Result<Option<(Place, Rows)>, EmbedError> {
        let path = self.path();
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(EmbedError::io("read", &path))?;
        let damaged = || {
            EmbedError::bad_file(
                &path,
                "the checkpoint is cut short or changed (delete it to start the training anew)",
            )
        };
        let (body, sum) = bytes.split_last_chunk::<32>().ok_or_else(damaged)?;
        if blake3::hash(body).as_bytes() != sum {
            return Err(damaged());
        }
        let rest = body.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let (own, rest) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
        if own != identity {
            return Err(other_training(&path));
        }
        let (head, rest) = rest.split_at_checked(40).ok_or_else(damaged)?;
        let numbers: Vec<usize> = head
            .as_chunks()
            .0
            .iter()
            .map(|&b| u64::from_le_bytes(b) as usize)
            .collect();
        let &[place, updates, dim, len, seconds] = numbers.as_slice() else {
            return Err(damaged());
        };
        let (place, cells) = rest.split_at_checked(place).ok_or_else(damaged)?;
        let place = serde_json::from_slice(place).map_err(|_| damaged())?;
        let cells: Vec<f32> = cells
            .as_chunks()
            .0
            .iter()
            .map(|&b| f32::from_le_bytes(b))
            .collect();
        if dim == 0 || len % dim != 0 || cells.len() != 2 * len + seconds {
            return Err(damaged());
        }
        Ok(Some((
            place,
            Rows {
                dim,
                value: cells[..len].to_vec(),
                first: cells[len..2 * len].to_vec(),
                second: cells[2 * len..].to_vec(),
                updates: updates as u32,
            },
        )))
    }

    /// Removes the state: the training is done.
    pub(crate) fn clear(&self) -> Result<(), EmbedError> {
        let path = self.path();
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(EmbedError::io("remove", &path)(e))
            }
            _ => Ok(()),
        }
    }
}

fn other_training(path: &Path) -> EmbedError {
    EmbedError::bad_file(
        path,
        "the checkpoint is of a training with other options or another corpus (use another folder, or delete it)",
    )
}
