//! What people and machines see: stdout for results, stderr for progress and failures.
#![allow(clippy::print_stderr)]

use crate::{args::Cli, failure::Failure};
use comfy_table::{Cell, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use indicatif::{ProgressBar, ProgressStyle};
use queqiao_domain::{Bilingual, Lang};
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// Where output goes, in which language.
pub(crate) struct Console {
    pub(crate) lang: Lang,
}

impl Console {
    pub(crate) fn new(cli: &Cli) -> Self {
        Self {
            lang: cli.language(),
        }
    }

    /// The wording in the reader's language.
    pub(crate) fn say<'a>(&self, en: &'a str, zh: &'a str) -> &'a str {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// A message in the reader's language.
    pub(crate) fn text<'a>(&self, b: &'a Bilingual) -> &'a str {
        b.get(self.lang)
    }

    /// Prints. A reader that has seen enough, such as `head`, is no failure; a full disk is one.
    fn put(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {}
            Err(e) => {
                self.failure(&Failure::failed(
                    format!("the result cannot be printed: {e}"),
                    format!("结果无法输出：{e}"),
                ));
                std::process::exit(1);
            }
        }
    }

    /// A line of the result.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        self.put(&format!("{}\n", text.as_ref()));
    }

    /// A whole document as the result.
    pub(crate) fn document(&self, text: &str) {
        self.put(text);
    }

    /// A line beside the result.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        eprintln!("{}", text.as_ref());
    }

    /// The one JSON document of a result.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|e| {
            Failure::failed(
                format!("the result cannot be written as JSON: {e}"),
                format!("结果无法写成 JSON：{e}"),
            )
        })?;
        self.put(&(text + "\n"));
        Ok(())
    }

    /// A table that fits the terminal and knows the width of Chinese.
    pub(crate) fn table<S: Into<Cell>>(&self, head: impl IntoIterator<Item = S>) -> Table {
        let mut table = Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(head.into_iter().map(Into::into).collect::<Vec<Cell>>());
        if table.width().is_none() {
            table.set_width(120);
        }
        table
    }

    /// A progress bar on stderr; none where stderr is no terminal.
    pub(crate) fn progress(&self, total: u64, en: &str, zh: &str) -> ProgressBar {
        let bar = ProgressBar::new(total);
        let template = "{msg} [{bar:30}] {percent:>3}% {elapsed} / {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(self.say(en, zh).to_owned());
        bar
    }

    /// A failed command.
    pub(crate) fn failure(&self, failure: &Failure) {
        eprintln!(
            "{}: {}",
            self.say("error", "错误"),
            self.text(failure.message())
        );
    }
}

/// The beginning of a text, in at most `max` characters, on one line.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= max {
        flat
    } else {
        let mut out: String = flat.chars().take(max - 1).collect();
        out.push('…');
        out
    }
}
