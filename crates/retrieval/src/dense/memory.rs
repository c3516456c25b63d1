//! Bytes that searches read: on the heap in huge pages, or mapped from a file.

use memmap2::{Mmap, MmapMut};
use std::{io, sync::Arc};

/// From here on a buffer asks for huge pages.
const HUGE: usize = 4 << 20;

/// Zeroed memory at a page's start, in huge pages where the system has them: a walk through a
/// graph touches memory all over, and huge pages spare it the look-ups of addresses.
#[derive(Debug)]
pub(crate) struct Buffer(MmapMut);

impl Buffer {
    /// So many zero bytes.
    pub(crate) fn zeroed(bytes: usize) -> io::Result<Self> {
        let map = MmapMut::map_anon(bytes.max(1))?;
        #[cfg(target_os = "linux")]
        if bytes >= HUGE {
            // Only a wish: without huge pages everything works, more slowly.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Ok(Self(map))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// The whole 32-bit words; a page's start is aligned for them.
    pub(crate) fn words(&self) -> &[u32] {
        let whole = self.0.len() & !3;
        bytemuck::cast_slice(&self.0[..whole])
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u32] {
        let whole = self.0.len() & !3;
        bytemuck::cast_slice_mut(&mut self.0[..whole])
    }

    /// The whole 64-bit words.
    pub(crate) fn longs(&self) -> &[u64] {
        let whole = self.0.len() & !7;
        bytemuck::cast_slice(&self.0[..whole])
    }

    /// The whole 32-bit floats.
    pub(crate) fn floats(&self) -> &[f32] {
        bytemuck::cast_slice(self.words())
    }

    pub(crate) fn floats_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(self.words_mut())
    }

    pub(crate) fn longs_mut(&mut self) -> &mut [u64] {
        let whole = self.0.len() & !7;
        bytemuck::cast_slice_mut(&mut self.0[..whole])
    }
}

/// Vectors row by row, in memory or in a file.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// In memory.
    Owned {
        /// Values from its start.
        buffer: Arc<Buffer>,
        /// Number of values.
        values: usize,
    },
    /// In a mapped file, from a byte at a page's start.
    Mapped {
        /// The whole file.
        map: Arc<Mmap>,
        /// First byte.
        from: usize,
        /// Number of values.
        values: usize,
    },
}

impl Rows {
    /// So many values, one after the other, in memory.
    pub(crate) fn owned(count: usize, values: impl Iterator<Item = f32>) -> io::Result<Self> {
        let mut buffer = Buffer::zeroed(count * 4)?;
        let each = buffer.floats_mut()[..count].iter_mut().zip(values);
        each.for_each(|(to, x)| *to = x);
        Ok(Self::Owned {
            buffer: Arc::new(buffer),
            values: count,
        })
    }

    /// All values.
    pub(crate) fn values(&self) -> &[f32] {
        match self {
            Rows::Owned { buffer, values } => &buffer.floats()[..*values],
            Rows::Mapped { map, from, values } => map
                .get(*from..*from + *values * 4)
                .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
                .unwrap_or(&[]),
        }
    }

    /// Bytes on the heap.
    pub(crate) fn resident(&self) -> usize {
        match self {
            Rows::Owned { values, .. } => values * 4,
            Rows::Mapped { .. } => 0,
        }
    }
}
