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
        sort(&mut keys, of);
        // The room that a vocabulary of words takes; more is made where it does not do.
        let mut builder = Builder::new(keys.len() * 5 / 2 + symbols + 1, symbols);
        // The root is its own parent, so that no child of another node lands on it.
        builder.take(Self::ROOT, Self::ROOT);
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
            let base = builder.place(&children);
            builder.units[node as usize].base = base;
            for &(symbol, lo, hi) in &children {
                let child = base + u32::from(symbol);
                builder.take(child, node);
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

/// Sorts keys by their symbols, equal ones by their place in the list. The first four symbols are
/// compared as one number: most pairs differ there.
fn sort<'a>(keys: &mut [Key], of: impl Fn(&Key) -> &'a [u16]) {
    let mut order: Vec<(u64, u32)> = (0u32..)
        .zip(keys.iter())
        .map(|(i, k)| {
            let mut head = [0u16; 4];
            head.iter_mut().zip(of(k)).for_each(|(h, s)| *h = *s);
            let head = head.iter().fold(0, |all, s| all << 16 | u64::from(*s));
            (head, i)
        })
        .collect();
    let tail = |i: u32| {
        let symbols = of(&keys[i as usize]);
        &symbols[symbols.len().min(4)..]
    };
    order.sort_unstable_by(|a, b| {
        (a.0.cmp(&b.0))
            .then_with(|| tail(a.1).cmp(tail(b.1)))
            .then(a.1.cmp(&b.1))
    });
    let sorted: Vec<Key> = order.iter().map(|&(_, i)| keys[i as usize]).collect();
    keys.copy_from_slice(&sorted);
}

struct Builder {
    units: Vec<Unit>,
    /// A bit a unit, set while it is free: a search reads these, not the units.
    free: Vec<u64>,
    /// Where the search for room begins. It moves on when the search gets long: a few units before
    /// it stay free, and building stays linear.
    hint: usize,
    symbols: usize,
}

/// Units looked at before the hint moves on.
const PATIENCE: usize = 64;

impl Builder {
    fn new(units: usize, symbols: usize) -> Self {
        let words = units.div_ceil(64);
        Builder {
            units: vec![FREE; words * 64],
            free: vec![u64::MAX; words],
            hint: 1,
            symbols,
        }
    }

    fn take(&mut self, unit: u32, parent: u32) {
        self.units[unit as usize].check = parent;
        self.free[unit as usize / 64] &= !(1 << (unit % 64));
    }

    /// A base at which every child falls on a free unit; marks nothing.
    fn place(&mut self, children: &[(u16, usize, usize)]) -> u32 {
        // Children come in the order of their symbols.
        let first = usize::from(children[0].0);
        let mut slot = self.hint.max(first);
        let mut tried = 0;
        loop {
            slot = self.next_free(slot);
            let base = slot - first;
            self.make_room(base + self.symbols + 1);
            let fits = |s: usize| self.free[(base + s) / 64] >> ((base + s) % 64) & 1 == 1;
            if children[1..].iter().all(|c| fits(usize::from(c.0))) {
                if tried > PATIENCE {
                    self.hint = self.hint.max(slot - PATIENCE / 2);
                }
                return base as u32;
            }
            slot += 1;
            tried += 1;
        }
    }

    /// The first free unit from a place on.
    fn next_free(&mut self, from: usize) -> usize {
        self.make_room(from + 1);
        let mut word = from / 64;
        let mut bits = self.free[word] & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            self.make_room(word * 64 + 1);
            bits = self.free[word];
        }
        word * 64 + bits.trailing_zeros() as usize
    }

    fn make_room(&mut self, units: usize) {
        if self.units.len() < units {
            let words = (units + units / 8).div_ceil(64);
            self.units.resize(words * 64, FREE);
            self.free.resize(words, u64::MAX);
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
