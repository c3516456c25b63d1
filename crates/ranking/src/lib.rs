//! Features, scorer and explanation of a match.
