//! Candidates: dense, lexical, filters, fusion, behind the Index seam.
