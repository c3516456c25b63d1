//! Chinese and English text: normalise, segment, split into clauses.
