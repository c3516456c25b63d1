//! A double-array trie over symbols (Aoe 1989, "An efficient digital search algorithm by using a
//! double-array structure").

/// No token, no node.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Unit {
    /// A child by symbol `s` sits at `base + s` …
    base: u32,
    /// … if its `check` is the parent.
    check: u32,
    /// The token that ends here, or [`NONE`].
    id: u32,
}

const FREE: Unit = Unit {
    base: 0,
    check: NONE,
    id: NONE,
};

/// Maps strings of symbols to token ids.
#[derive(Debug)]
pub(super) struct Trie {
    units: Vec<Unit>,
}

/// A key: where its symbols lie in a common buffer, and its token. Tens of thousands of small
/// vectors would take more memory than the trie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) id: u32,
}

impl Trie {
    /// A trie of the keys; of two equal keys the later one wins. `symbols` is above every symbol
    /// and no key is empty.
    pub(super) fn new(buffer: &[u16], mut keys: Vec<Key>, symbols: usize) -> Self {
        let of = |k: &Key| &buffer[k.start as usize..(k.start + k.len) as usize];
        keys.sort_by(|a, b| of(a).cmp(of(b)));
        let mut builder = Builder {
            units: vec![FREE; symbols + 1],
            hint: 1,
            symbols,
        };
        // The root is its own parent, so that no child of another node lands on it.
        builder.units[0].check = 0;
        let mut stack = vec![(0u32, 0usize, keys.len(), 0usize)];
        let mut children = Vec::new();
        while let Some((node, lo, hi, depth)) = stack.pop() {
            let mut at = lo;
            while at < hi && keys[at].len as usize == depth {
                builder.units[node as usize].id = keys[at].id;
                at += 1;
            }
            children.clear();
            while at < hi {
                let symbol = of(&keys[at])[depth];
                let end = at + keys[at..hi].partition_point(|k| of(k)[depth] == symbol);
                children.push((symbol, at, end));
                at = end;
            }
            if children.is_empty() {
                continue;
            }
            let base = builder.place(children.iter().map(|c| c.0));
            builder.units[node as usize].base = base;
            for &(symbol, lo, hi) in &children {
                let child = base + u32::from(symbol);
                builder.units[child as usize].check = node;
                stack.push((child, lo, hi, depth + 1));
            }
        }
        // Every child of every node lies within, or beyond the end where there is nothing.
        let used = builder.units.iter().rposition(|u| u.check != NONE);
        builder.units.truncate(used.map_or(1, |u| u + 1));
        builder.units.shrink_to_fit();
        Trie {
            units: builder.units,
        }
    }

    /// The root.
    pub(super) const ROOT: u32 = 0;

    /// The child of a node by a symbol, and the token that ends there.
    #[inline(always)]
    pub(super) fn step(&self, node: u32, symbol: u16) -> Option<(u32, u32)> {
        let child = self.units[node as usize].base as usize + usize::from(symbol);
        match self.units.get(child) {
            Some(unit) if unit.check == node && child != 0 => Some((child as u32, unit.id)),
            _ => None,
        }
    }
}

struct Builder {
    units: Vec<Unit>,
    /// Where the search for room begins. It moves on when the search gets long: a few units before
    /// it stay free, and building stays linear.
    hint: usize,
    symbols: usize,
}

/// Units looked at before the hint moves on.
const PATIENCE: usize = 64;

impl Builder {
    /// A base at which every child falls on a free unit; marks nothing.
    fn place(&mut self, children: impl Iterator<Item = u16> + Clone) -> u32 {
        let first = usize::from(children.clone().min().unwrap_or(0));
        let mut slot = self.hint.max(first);
        let mut tried = 0;
        loop {
            let base = slot - first;
            let need = base + self.symbols;
            if self.units.len() <= need {
                self.units.resize(need + 1 + need / 8, FREE);
            }
            if children
                .clone()
                .all(|s| self.units[base + usize::from(s)].check == NONE)
            {
                if tried > PATIENCE {
                    self.hint = self.hint.max(slot - PATIENCE / 2);
                }
                return base as u32;
            }
            slot += 1;
            tried += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_key_and_nothing_else() {
        let mut keys: Vec<(Vec<u16>, u32)> = Vec::new();
        for a in 2..60u16 {
            keys.push((vec![a], u32::from(a)));
            for b in (2..60).step_by(usize::from(a % 7) + 1) {
                keys.push((vec![a, b], u32::from(a) * 100 + u32::from(b)));
                keys.push((vec![a, b, 59, a], u32::from(a) * 10_000 + u32::from(b)));
            }
        }
        let buffer: Vec<u16> = keys.iter().flat_map(|k| k.0.clone()).collect();
        let mut start = 0;
        let flat = keys
            .iter()
            .map(|(symbols, id)| {
                let len = symbols.len() as u32;
                start += len;
                Key {
                    start: start - len,
                    len,
                    id: *id,
                }
            })
            .collect();
        let trie = Trie::new(&buffer, flat, 60);
        let find = |key: &[u16]| {
            let mut at = (Trie::ROOT, NONE);
            for &s in key {
                at = trie.step(at.0, s)?;
            }
            (at.1 != NONE).then_some(at.1)
        };
        for (key, id) in &keys {
            assert_eq!(find(key), Some(*id), "{key:?}");
        }
        for key in [&[0][..], &[1], &[60], &[2, 1], &[3, 3, 59], &[2, 2, 59, 3]] {
            assert_eq!(find(key), None, "{key:?}");
        }
    }
}
