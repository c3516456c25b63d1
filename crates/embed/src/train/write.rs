//! The model folder: int8 rows with a weight each, and a card that says where they come from.

use super::{gate::GateReport, trainer::Trained};
use crate::{
    EmbedError,
    model::{CONFIG, ModelFiles, StaticModel, TOKENIZER, WEIGHTS},
};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// What only the caller knows for the card.
#[derive(Debug, Clone, Default)]
pub struct CardText {
    /// The command that repeats the training.
    pub command: String,
    /// SPDX licence of the model.
    pub licence: String,
    /// What the sources ask to be said (citations, attributions), as Markdown.
    pub attribution: String,
    /// Figures beyond the gate's, as Markdown.
    pub figures: String,
    /// Known limits beyond the general ones, as Markdown.
    pub limits: String,
}

impl Trained {
    /// The model as trained, in f32, in memory: before it is written, or without writing it.
    ///
    /// # Errors
    /// When the rows are not finite: the training diverged.
    pub fn model(&self, name: &str) -> Result<StaticModel, EmbedError> {
        let cells: Vec<u8> = self.rows.iter().flat_map(|x| x.to_le_bytes()).collect();
        let v = self.rows.len() / self.dim;
        let weights = serialise(&[("embeddings", Dtype::F32, vec![v, self.dim], &cells)])?;
        self.assemble(weights, Path::new(name), name)
    }

    /// The model as it will be read back from [`write`](Self::write): int8 rows.
    ///
    /// # Errors
    /// As [`model`](Self::model).
    pub fn quantised(&self, name: &str) -> Result<StaticModel, EmbedError> {
        self.assemble(self.quantised_weights()?, Path::new(name), name)
    }

    fn assemble(
        &self,
        weights: Vec<u8>,
        dir: &Path,
        name: &str,
    ) -> Result<StaticModel, EmbedError> {
        let files = ModelFiles {
            dir: dir.to_owned(),
            weights,
            tokenizer: self.tokenizer.clone(),
            config: self.config(),
        };
        StaticModel::from_files(files, name.to_owned())
    }

    fn config(&self) -> Vec<u8> {
        let mut text = format!(
            "{:#}",
            json!({
                "model_type": "model2vec",
                "architectures": ["StaticModel"],
                "hidden_dim": self.dim,
                "seq_length": 1_000_000,
                "max_length": null,
                "normalize": true,
                "embedding_dtype": "int8",
                "queqiao": {"text_normalise": true},
            })
        );
        text.push('\n');
        text.into_bytes()
    }

    fn quantised_weights(&self) -> Result<Vec<u8>, EmbedError> {
        let v = self.rows.len() / self.dim;
        let (cells, scales) = quantise(&self.rows, self.dim);
        let cells: Vec<u8> = cells.iter().map(|&c| c as u8).collect();
        let scales: Vec<u8> = scales.iter().flat_map(|s| s.to_le_bytes()).collect();
        serialise(&[
            ("embeddings", Dtype::I8, vec![v, self.dim], &cells),
            ("weights", Dtype::F32, vec![v], &scales),
        ])
    }

    /// Writes the model folder: `model.safetensors` (int8 rows, `weights` with a scale each),
    /// `tokenizer.json`, `config.json`, `README.md`. The folder is made beside and renamed into
    /// place: a reader sees the old model or the new one, whole.
    ///
    /// # Errors
    /// When the folder cannot be written, or the model does not load.
    pub fn write(
        &self,
        dir: &Path,
        gate: &GateReport,
        card: &CardText,
    ) -> Result<StaticModel, EmbedError> {
        let name = dir
            .file_name()
            .map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned());
        let weights = self.quantised_weights()?;
        let files = [
            (WEIGHTS, weights),
            (TOKENIZER, self.tokenizer.clone()),
            (CONFIG, self.config()),
            ("README.md", self.card(&name, gate, card).into_bytes()),
        ];
        let beside = sibling(dir, &format!("{name}.{}.new", std::process::id()));
        let old = sibling(dir, &format!("{name}.{}.old", std::process::id()));
        let write = || -> Result<StaticModel, EmbedError> {
            std::fs::create_dir_all(&beside).map_err(EmbedError::io("create", &beside))?;
            for (file, bytes) in &files {
                let path = beside.join(file);
                std::fs::write(&path, bytes).map_err(EmbedError::io("write", &path))?;
            }
            StaticModel::load(&beside)?;
            if dir.exists() {
                std::fs::rename(dir, &old).map_err(EmbedError::io("replace", dir))?;
            }
            std::fs::rename(&beside, dir).map_err(EmbedError::io("write", dir))?;
            StaticModel::load(dir)
        };
        let model = write();
        // What is left over is of no use to anyone; failing to remove it fails nothing.
        let _ = std::fs::remove_dir_all(&beside);
        if model.is_ok() {
            let _ = std::fs::remove_dir_all(&old);
        }
        model
    }

    fn card(&self, name: &str, gate: &GateReport, card: &CardText) -> String {
        let report = self.report();
        let o = &report.options;
        let mut text = String::new();
        let mut line = |s: String| {
            text.push_str(&s);
            text.push('\n');
        };
        line(format!(
            "---\nlibrary_name: model2vec\nlicense: {}\nlanguage: [zh, en]\ntags: [static-embeddings, sentence-similarity]\n---\n",
            card.licence.to_lowercase()
        ));
        line(format!("# {name}\n"));
        line(format!(
            "A static embedding model in the Model2Vec layout: {} tokens, {} columns, int8 rows with a weight each. A text is the weighted sum of its tokens' rows, scaled to unit length. Text goes through Queqiao's `normalise` first (full-width to half-width, lower case, traditional to simplified); tools that only read `tokenizer.json` do the same but for traditional characters.\n",
            report.vocabulary, self.dim
        ));
        line("## Sources\n\n| source | licence | documents | held out | tokens |\n|---|---|---|---|---|".to_owned());
        for s in &report.sources {
            line(format!(
                "| {} | {} | {} | {} | {} |",
                s.facts.name, s.facts.licence, s.documents, s.held_out, s.tokens
            ));
        }
        line(String::new());
        if !card.attribution.is_empty() {
            line(format!("{}\n", card.attribution.trim()));
        }
        line("## Training\n".to_owned());
        if !card.command.is_empty() {
            line(format!("```\n{}\n```\n", card.command.trim()));
        }
        line(format!(
            "Seed {}, {} steps of {} pairs (InfoNCE, symmetric, temperature {}), Adam at {} falling to a twentieth, token drop-out {}, shared words masked in {} of the pairs, wording without a subject in {} of the texts, {} paragraphs a document, parts of words {}. {} pairs and {} tokens seen; loss {}.\n",
            o.seed,
            o.steps,
            o.batch,
            told(&o.temperatures),
            o.learning_rate,
            o.token_dropout,
            o.mask_share,
            o.noise_share,
            o.paragraphs,
            match o.composition {
                Some(c) => format!(
                    "on (characters {}, words {}, affixes {})",
                    c.characters, c.words, c.affixes
                ),
                None => "off".to_owned(),
            },
            report.pairs,
            report.tokens,
            report
                .losses
                .last()
                .map_or_else(|| "–".to_owned(), |l| format!("{:.3}", l.1)),
        ));
        for note in &report.notes {
            line(format!("{note}\n"));
        }
        if let Some(table) = gate_table(gate) {
            line(format!(
                "## Quality gate (held-out documents, mean reciprocal rank)\n\n{table}"
            ));
        }
        if !card.figures.is_empty() {
            line(format!("## Figures\n\n{}\n", card.figures.trim()));
        }
        line("## Limits\n\nWord order and negation are not seen: “no lead” is close to “lead”. Words that are rare in the sources are known by their parts only. Chinese and English only; the coverage of a text in another script is 0.".to_owned());
        if !card.limits.is_empty() {
            line(format!("\n{}", card.limits.trim()));
        }
        text
    }
}

/// The temperatures, for the card.
fn told(temperatures: &[f32]) -> String {
    let all: Vec<String> = temperatures.iter().map(f32::to_string).collect();
    match all.as_slice() {
        [one] => one.clone(),
        many => format!("{} for equal shares of the columns", many.join(" and ")),
    }
}

fn gate_table(gate: &GateReport) -> Option<String> {
    if gate.tasks.is_empty() {
        return None;
    }
    let mut table = String::from("| task | MRR | questions | candidates |\n|---|---|---|---|\n");
    for t in &gate.tasks {
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {:.3} | {} | {} |",
            t.name, t.mrr, t.questions, t.candidates
        );
    }
    Some(table)
}

fn sibling(dir: &Path, name: &str) -> PathBuf {
    dir.with_file_name(format!(".{name}"))
}

fn serialise(tensors: &[(&str, Dtype, Vec<usize>, &[u8])]) -> Result<Vec<u8>, EmbedError> {
    let bad = |e: safetensors::SafeTensorError| EmbedError::bad_file(Path::new(WEIGHTS), e);
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, data)| {
            Ok((
                *name,
                TensorView::new(*dtype, shape.clone(), data).map_err(bad)?,
            ))
        })
        .collect::<Result<Vec<_>, EmbedError>>()?;
    safetensors::serialize(views, None).map_err(bad)
}

/// Rows as signed bytes with a scale each: a cell is off by at most half its row's scale, which is
/// the row's largest cell over 127.
pub(crate) fn quantise(rows: &[f32], dim: usize) -> (Vec<i8>, Vec<f32>) {
    let mut cells = Vec::with_capacity(rows.len());
    let mut scales = Vec::with_capacity(rows.len() / dim);
    for row in rows.chunks(dim) {
        let scale = row.iter().fold(0.0f32, |m, x| m.max(x.abs())) / 127.0;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        cells.extend(
            row.iter()
                .map(|x| (x * inverse).round().clamp(-127.0, 127.0) as i8),
        );
        scales.push(scale);
    }
    (cells, scales)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::rng::Rng;

    #[test]
    fn quantisation_is_within_half_a_scale() {
        let mut rng = Rng::new(&[5]);
        let dim = 32;
        let mut rows: Vec<f32> = (0..dim * 50).map(|_| rng.normal()).collect();
        rows[..dim].fill(0.0);
        let (cells, scales) = quantise(&rows, dim);
        for (i, (&x, &c)) in rows.iter().zip(&cells).enumerate() {
            let scale = scales[i / dim];
            assert!((x - scale * f32::from(c)).abs() <= 0.5001 * scale, "{i}");
        }
    }
}
