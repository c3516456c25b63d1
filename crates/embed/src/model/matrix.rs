//! The tensors of `model.safetensors`, checked once, kept in the type of the file.

use super::pool;
use crate::EmbedError;
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{ops::Range, path::Path};

/// The names under which tools write the matrix (as model2vec-rs reads them).
const NAMES: [&str; 3] = ["embeddings", "0", "embedding.weight"];
/// More columns than any model has: a guard against hostile headers.
const MAX_DIM: usize = 65_536;

/// The type of the matrix in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    F32,
    F16,
    Bf16,
    I8,
}

/// The tensors without the bytes they lie in.
#[derive(Debug)]
pub(super) struct Layout {
    cell: Cell,
    dim: usize,
    rows: usize,
    /// Where the matrix lies in the file.
    data: Range<usize>,
    weights: Option<Vec<f32>>,
    mapping: Option<Vec<u32>>,
}

/// `[V, d]` rows with a weight each.
#[derive(Debug)]
pub(super) struct Matrix {
    bytes: Vec<u8>,
    layout: Layout,
}

impl Matrix {
    /// Reads the header and checks every value.
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Layout, EmbedError> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| EmbedError::bad_file(path, e))?;
        let bad = |tensor, reason: String| EmbedError::BadTensor {
            path: path.to_owned(),
            tensor,
            reason,
        };
        let Some(tensor) = NAMES.iter().find_map(|n| file.tensor(n).ok()) else {
            return Err(bad("embeddings", "is missing".to_owned()));
        };
        let cell = match tensor.dtype() {
            Dtype::F32 => Cell::F32,
            Dtype::F16 => Cell::F16,
            Dtype::BF16 => Cell::Bf16,
            Dtype::I8 => Cell::I8,
            other => {
                return Err(bad(
                    "embeddings",
                    format!("has type {other:?}, not F32, F16, BF16 or I8"),
                ));
            }
        };
        let &[rows, dim] = tensor.shape() else {
            return Err(bad(
                "embeddings",
                format!("has shape {:?}, not [tokens, dimension]", tensor.shape()),
            ));
        };
        if rows == 0 || dim == 0 || dim > MAX_DIM || u32::try_from(rows).is_err() {
            return Err(bad(
                "embeddings",
                format!(
                    "has shape [{rows}, {dim}], not at least one row of 1 to {MAX_DIM} columns"
                ),
            ));
        }
        if let Some(row) = first_bad_row(tensor.data(), cell, dim) {
            return Err(bad(
                "embeddings",
                format!("has NaN or infinity in row {row}"),
            ));
        }
        let mapping = match file.tensor("mapping") {
            Ok(t) => Some(read_mapping(&t, rows).map_err(|r| bad("mapping", r))?),
            Err(_) => None,
        };
        let tokens = mapping.as_ref().map_or(rows, Vec::len);
        let weights = match file.tensor("weights") {
            Ok(t) => Some(read_weights(&t, tokens).map_err(|r| bad("weights", r))?),
            Err(_) => None,
        };
        let start = tensor.data().as_ptr() as usize - bytes.as_ptr() as usize;
        Ok(Layout {
            cell,
            dim,
            rows,
            data: start..start + tensor.data().len(),
            weights,
            mapping,
        })
    }

    pub(super) fn dim(&self) -> usize {
        self.layout.dim
    }

    /// Adds the weighted rows of `ids` to `row` (`dim` columns). Every id is below the number of
    /// tokens.
    pub(super) fn pool(&self, ids: &[u32], row: &mut [f32]) {
        let data = &self.bytes[self.layout.data.clone()];
        let token = |id: u32| {
            let index = self.layout.mapping.as_ref().map_or(id, |m| m[id as usize]);
            let weight = self.layout.weights.as_ref().map_or(1.0, |w| w[id as usize]);
            (index as usize, weight)
        };
        match self.layout.cell {
            Cell::I8 => pool::add_rows_i8(data, ids, token, row),
            Cell::F32 => pool::add_rows(data, ids, token, row, |b: [u8; 4]| f32::from_le_bytes(b)),
            Cell::F16 => {
                pool::add_rows(data, ids, token, row, |b: [u8; 2]| {
                    f16::from_le_bytes(b).to_f32()
                });
            }
            Cell::Bf16 => {
                pool::add_rows(data, ids, token, row, |b: [u8; 2]| {
                    bf16::from_le_bytes(b).to_f32()
                });
            }
        }
    }
}

impl Layout {
    /// How many tokens the tensors are for.
    pub(super) fn tokens(&self) -> usize {
        self.mapping.as_ref().map_or(self.rows, Vec::len)
    }

    /// Joins the layout with the bytes it was parsed from.
    pub(super) fn into_matrix(self, bytes: Vec<u8>) -> Matrix {
        Matrix {
            bytes,
            layout: self,
        }
    }
}

fn first_bad_row(data: &[u8], cell: Cell, dim: usize) -> Option<usize> {
    let bad = match cell {
        Cell::I8 => None,
        Cell::F32 => data
            .as_chunks()
            .0
            .iter()
            .position(|&b| !f32::from_le_bytes(b).is_finite()),
        Cell::F16 => data
            .as_chunks()
            .0
            .iter()
            .position(|&b| !f16::from_le_bytes(b).is_finite()),
        Cell::Bf16 => data
            .as_chunks()
            .0
            .iter()
            .position(|&b| !bf16::from_le_bytes(b).is_finite()),
    };
    bad.map(|cell| cell / dim)
}

fn read_weights(tensor: &TensorView<'_>, tokens: usize) -> Result<Vec<f32>, String> {
    let data = tensor.data();
    let weights: Vec<f32> = match tensor.dtype() {
        Dtype::F64 => data
            .as_chunks()
            .0
            .iter()
            .map(|&b| f64::from_le_bytes(b) as f32)
            .collect(),
        Dtype::F32 => data
            .as_chunks()
            .0
            .iter()
            .map(|&b| f32::from_le_bytes(b))
            .collect(),
        Dtype::F16 => data
            .as_chunks()
            .0
            .iter()
            .map(|&b| f16::from_le_bytes(b).to_f32())
            .collect(),
        other => return Err(format!("has type {other:?}, not F32, F64 or F16")),
    };
    if tensor.shape() != [tokens] {
        return Err(format!("has shape {:?}, not [{tokens}]", tensor.shape()));
    }
    match weights.iter().position(|w| !w.is_finite()) {
        Some(i) => Err(format!("has NaN or infinity at {i}")),
        None => Ok(weights),
    }
}

fn read_mapping(tensor: &TensorView<'_>, rows: usize) -> Result<Vec<u32>, String> {
    let data = tensor.data();
    let mapping: Vec<i64> = match tensor.dtype() {
        Dtype::I64 => data
            .as_chunks()
            .0
            .iter()
            .map(|&b| i64::from_le_bytes(b))
            .collect(),
        Dtype::I32 => data
            .as_chunks()
            .0
            .iter()
            .map(|&b| i64::from(i32::from_le_bytes(b)))
            .collect(),
        other => return Err(format!("has type {other:?}, not I64 or I32")),
    };
    if tensor.shape().len() != 1 {
        return Err(format!("has shape {:?}, not [tokens]", tensor.shape()));
    }
    mapping
        .iter()
        .enumerate()
        .map(|(i, &row)| match usize::try_from(row) {
            Ok(r) if r < rows => Ok(r as u32),
            _ => Err(format!("points at row {row} of {rows} at {i}")),
        })
        .collect()
}
