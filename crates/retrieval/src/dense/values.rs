//! Values of vectors that wait, block by block: those of full blocks stand in files without a name, which the
//! system keeps in memory as long as there is room, so that however many wait, few are on the heap.

use memmap2::Mmap;
use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, Once},
};

/// Values of a block, unless one record has more: 4 MiB, which the system takes in some milliseconds as long as it has
/// memory for them.
const BLOCK: usize = 1 << 20;

/// That vectors stay in memory is told once.
static TOLD: Once = Once::new();

/// A block that takes no more.
#[derive(Debug, Clone)]
enum Block {
    Mapped(Arc<Mmap>),
    /// There is no folder, or it could not be written.
    Heap(Arc<[f32]>),
}

impl Block {
    fn values(&self) -> &[f32] {
        match self {
            // A page's start is aligned for them, and only whole values were written.
            Block::Mapped(map) => bytemuck::try_cast_slice(map).unwrap_or(&[]),
            Block::Heap(values) => values,
        }
    }
}

/// Values one after the other; what was pushed together is read together.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    /// Full blocks, each with the number of its first value.
    full: Vec<(usize, Block)>,
    /// The block that is filled.
    open: Vec<f32>,
    /// Where files may stand.
    folder: Option<Arc<Path>>,
    block: usize,
}

impl Values {
    pub(crate) fn new(folder: Option<Arc<Path>>) -> Self {
        Self {
            full: Vec::new(),
            open: Vec::new(),
            folder,
            block: BLOCK,
        }
    }

    /// The number of the first value of the open block.
    fn before(&self) -> usize {
        let last = self.full.last();
        last.map_or(0, |(first, block)| first + block.values().len())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.before() + self.open.len()
    }

    /// Takes `count` values, which stay together.
    pub(crate) fn push<'a>(&mut self, values: impl Iterator<Item = &'a f32>, count: usize) {
        if !self.open.is_empty() && self.open.len() + count > self.block {
            let first = self.before();
            let block = self.close();
            self.full.push((first, block));
        }
        self.open.extend(values);
    }

    /// The values from a number to another, which were pushed together.
    pub(crate) fn get(&self, from: usize, to: usize) -> &[f32] {
        let before = self.before();
        if from >= before {
            return &self.open[from - before..to - before];
        }
        let at = self.full.partition_point(|(first, _)| *first <= from) - 1;
        let (first, block) = &self.full[at];
        &block.values()[from - first..to - first]
    }

    /// Makes a block of what is open.
    fn close(&mut self) -> Block {
        let written = self.folder.as_deref().map(|f| write(f, &self.open));
        let block = match written {
            Some(Ok(map)) => Block::Mapped(Arc::new(map)),
            // What a full disk does not take stays where it is.
            Some(Err(e)) => {
                TOLD.call_once(|| {
                    tracing::warn!(
                        "vectors that wait stay in memory: a file cannot be written ({e})"
                    );
                });
                Block::Heap(self.open.as_slice().into())
            }
            None => Block::Heap(self.open.as_slice().into()),
        };
        self.open.clear();
        block
    }

    /// Bytes on the heap.
    pub(crate) fn resident(&self) -> usize {
        let full = self.full.iter().map(|(_, block)| match block {
            Block::Mapped(_) => 0,
            Block::Heap(values) => values.len(),
        });
        (self.open.capacity() + full.sum::<usize>()) * 4
    }
}

/// Writes values to a file that has no name, and maps it: when nobody reads it any more, or after a crash, it is
/// gone. It is written before it is mapped, so that a full disk is an error and no fault.
fn write(folder: &Path, values: &[f32]) -> io::Result<Mmap> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(bytemuck::cast_slice(values))?;
    // SAFETY: nobody else can open the file, and this closes it: it does not change any more.
    unsafe { Mmap::map(&file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes of 0 to 9 values and some of more than a block: all of them, and where each begins.
    fn filled(folder: Option<&Path>) -> (Values, Vec<Vec<f32>>) {
        let mut values = Values {
            block: 16,
            ..Values::new(folder.map(Into::into))
        };
        let mut all = Vec::new();
        for i in 0..500usize {
            let count = if i % 50 == 49 { 40 } else { i * 7 % 10 };
            let new: Vec<f32> = (0..count).map(|j| (i * 100 + j) as f32).collect();
            values.push(new.iter(), count);
            all.push(new);
        }
        (values, all)
    }

    fn holds(values: &Values, all: &[Vec<f32>]) {
        let mut at = 0;
        for one in all {
            assert_eq!(values.get(at, at + one.len()), one);
            at += one.len();
        }
        assert_eq!(values.len(), at);
    }

    #[test]
    fn are_read_as_they_were_wherever_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        let (on_disk, all) = filled(Some(dir.path()));
        holds(&on_disk, &all);
        assert!(on_disk.resident() <= 64 * 4, "{}", on_disk.resident());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        // A copy reads the same files.
        let copy = on_disk.clone();
        drop(on_disk);
        holds(&copy, &all);

        let (in_memory, all) = filled(None);
        holds(&in_memory, &all);
        assert!(in_memory.resident() >= in_memory.len() * 4);
        // A folder that takes no file.
        let (instead, all) = filled(Some(&dir.path().join("is/not")));
        holds(&instead, &all);
        assert_eq!(instead.resident(), in_memory.resident());
    }
}
