//! The Embedder seam, the static model, and its training.
