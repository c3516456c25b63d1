//! How a training tells where it is.

/// What a training is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Reading the corpus for the first time; counts documents.
    Counting,
    /// Choosing words.
    Vocabulary,
    /// Reading the corpus for the second time; counts documents.
    Tokenising,
    /// Learning; counts steps.
    Training,
}

/// Told about every step; may ask to stop.
pub trait Progress {
    /// A stage begins; `total` is its length, 0 when unknown.
    fn stage(&mut self, _stage: Stage, _total: u64) {}

    /// `done` of the stage is done; the loss of the step when training.
    fn advance(&mut self, _done: u64, _loss: Option<f32>) {}

    /// Whether to stop. Asked after every step; a checkpoint is written first.
    fn stop(&self) -> bool {
        false
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
