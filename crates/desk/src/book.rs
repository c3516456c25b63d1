//! Printable workbooks: page set-up, frozen headers, widths that fit Chinese, text that stays text.

use crate::DeskError;
use queqiao_domain::{Bilingual, Lang};
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
    XlsxError,
};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// How a plan is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions {
    /// Language of headers and sentences; names stay as given.
    pub lang: Lang,
    /// Write over a file that is there.
    pub replace: bool,
}

/// What a cell holds.
pub(crate) enum Value {
    Text(String),
    Number(f64),
    Count(usize),
    Share(f64),
    /// A figure as it was given.
    Plain(f64),
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::Text(s.to_owned())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Value::Text(s)
    }
}

/// How a row looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Plain,
    /// First row of a group: a line above.
    Group,
    /// Something to look at.
    Warn,
}

/// How a sheet is printed; always as wide as the page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Portrait,
    Landscape,
    /// A3, for tables of many columns.
    Wide,
    /// Every group on a page of its own.
    Cards,
}

/// Rows of a table.
pub(crate) type Rows = Vec<(Look, Vec<Value>)>;
/// What writing a sheet comes to.
pub(crate) type Done = Result<(), XlsxError>;

pub(crate) struct Book {
    book: Workbook,
    pub(crate) lang: Lang,
    title: String,
}

/// Characters in a cell (Excel's own limit).
const CHARACTERS: usize = 32_000;
const FONT: &str = "Microsoft YaHei";
const INK: Color = Color::RGB(0x1F2A44);

fn base() -> Format {
    Format::new()
        .set_font_name(FONT)
        .set_font_size(10)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap()
        .set_border(FormatBorder::Hair)
        .set_border_color(Color::RGB(0x9AA5B8))
}

impl Book {
    pub(crate) fn new(title: &str, lang: Lang) -> Self {
        let mut book = Workbook::new();
        // A fixed day: equal plans give equal files.
        let mut properties = DocProperties::new().set_title(title);
        if let Ok(day) = ExcelDateTime::from_ymd(2000, 1, 1) {
            properties = properties.set_creation_datetime(&day);
        }
        book.set_properties(&properties);
        Self {
            book,
            lang,
            title: title.to_owned(),
        }
    }

    /// A cell in the language of the workbook.
    pub(crate) fn text(&self, en: &str, zh: &str) -> Value {
        Value::Text(self.say(en, zh).to_owned())
    }

    pub(crate) fn say<'a>(&self, en: &'a str, zh: &'a str) -> &'a str {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// A table on a sheet of its own: name, sentence above it, columns with widths (in Latin
    /// characters), rows.
    pub(crate) fn table(
        &mut self,
        name: (&str, &str),
        note: &str,
        columns: &[(&str, &str, f64)],
        rows: &[(Look, Vec<Value>)],
        page: Page,
    ) -> Done {
        let name = self.say(name.0, name.1).to_owned();
        let heads: Vec<String> = columns
            .iter()
            .map(|c| self.say(c.0, c.1).to_owned())
            .collect();
        let last = columns.len().saturating_sub(1) as u16;
        // Excel takes 255 characters at most.
        let short: String = self.title.chars().take(60).collect();
        let footer = format!("&L{}&C{name}&R&P / &N", short.replace('&', "&&"));
        let sheet = self.book.add_worksheet();
        sheet.set_name(&name)?;
        for (i, (_, _, width)) in columns.iter().enumerate() {
            sheet.set_column_width(i as u16, *width)?;
        }
        let total: f64 = columns.iter().map(|c| c.2).sum();
        let heading = format!(
            "{}{}{}",
            self.title,
            if self.title.is_empty() { "" } else { " · " },
            name
        );
        let big = Format::new()
            .set_font_name(FONT)
            .set_font_size(14)
            .set_bold()
            .set_font_color(INK)
            .set_align(FormatAlign::VerticalCenter);
        let small = Format::new()
            .set_font_name(FONT)
            .set_font_size(9)
            .set_font_color(Color::RGB(0x5A6478))
            .set_text_wrap()
            .set_align(FormatAlign::VerticalCenter);
        // Merged over the width of the table, so that a long sentence wraps inside the page.
        if last > 0 {
            sheet.merge_range(0, 0, 0, last, &heading, &big)?;
            sheet.merge_range(1, 0, 1, last, note, &small)?;
        } else {
            sheet.write_string_with_format(0, 0, &heading, &big)?;
            sheet.write_string_with_format(1, 0, note, &small)?;
        }
        sheet.set_row_height(0, 24)?;
        sheet.set_row_height(1, 14.0 * lines(note, total * 1.1) as f64 + 4.0)?;
        let head = base()
            .set_bold()
            .set_font_color(Color::White)
            .set_background_color(INK)
            .set_align(FormatAlign::Center);
        for (i, h) in heads.iter().enumerate() {
            sheet.write_string_with_format(2, i as u16, h, &head)?;
        }
        sheet.set_row_height(2, 20)?;
        for (r, (look, cells)) in rows.iter().enumerate() {
            write_row(sheet, r as u32 + 3, *look, cells, columns)?;
        }
        let end = rows.len() as u32 + 2;
        sheet.set_freeze_panes(3, 0)?;
        if !rows.is_empty() && last > 0 {
            sheet.autofilter(2, 0, end, last)?;
        }
        sheet.set_repeat_rows(2, 2)?;
        if page != Page::Portrait {
            sheet.set_landscape();
        }
        if page == Page::Cards {
            let groups: Vec<u32> = rows
                .iter()
                .enumerate()
                .skip(1)
                .filter(|(_, (look, _))| *look == Look::Group)
                .map(|(i, _)| i as u32 + 3)
                .collect();
            // Excel knows 1,023 breaks.
            sheet.set_page_breaks(&groups[..groups.len().min(1_000)])?;
        }
        sheet
            .set_paper_size(if page == Page::Wide { 8 } else { 9 })
            .set_print_fit_to_pages(1, 0)
            .set_print_center_horizontally(true);
        sheet.set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3);
        sheet.set_footer(&footer);
        sheet.set_print_area(0, 0, end, last)?;
        Ok(())
    }

    /// Puts the workbook under its name, whole or not at all.
    pub(crate) fn save(
        mut self,
        path: &Path,
        options: &WriteOptions,
    ) -> Result<PathBuf, DeskError> {
        may_write(path, options)?;
        let failed = |e: String| {
            DeskError::Write(Bilingual::new(
                format!("{} cannot be written: {e}", path.display()),
                format!("无法写入 {}：{e}", path.display()),
            ))
        };
        let bytes = self
            .book
            .save_to_buffer()
            .map_err(|e| failed(e.to_string()))?;
        let dir = match path.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        let mut part = tempfile::Builder::new();
        part.prefix(".queqiao-").suffix(".part");
        // A plan is handed round: whoever may read new files of this folder may read it.
        #[cfg(unix)]
        part.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = part.tempfile_in(dir).map_err(|e| failed(e.to_string()))?;
        file.write_all(&bytes)
            .and_then(|()| file.as_file().sync_all())
            .map_err(|e| failed(e.to_string()))?;
        if options.replace {
            file.persist(path).map_err(|e| failed(e.to_string()))?;
        } else {
            file.persist_noclobber(path)
                .map_err(|e| failed(e.to_string()))?;
        }
        Ok(path.to_owned())
    }
}

/// Refuses a name that is taken, before any work is done.
///
/// # Errors
/// The name is taken and `replace` was not asked for.
pub fn may_write(path: &Path, options: &WriteOptions) -> Result<(), DeskError> {
    if path.exists() && !options.replace {
        return Err(DeskError::Input(Bilingual::new(
            format!(
                "{} is there already: name another file, or say --replace",
                path.display()
            ),
            format!(
                "{} 已存在：请换一个文件名，或使用 --replace",
                path.display()
            ),
        )));
    }
    Ok(())
}

/// Width of a text in Latin characters: Chinese takes two.
fn width(text: &str) -> f64 {
    text.chars()
        .map(|c| if (c as u32) < 0x2E80 { 1.0 } else { 2.0 })
        .sum()
}

fn lines(text: &str, room: f64) -> usize {
    text.lines()
        .map(|l| (width(l) / room.max(1.0)).ceil().max(1.0) as usize)
        .sum::<usize>()
        .max(1)
}

fn write_row(
    sheet: &mut Worksheet,
    row: u32,
    look: Look,
    cells: &[Value],
    columns: &[(&str, &str, f64)],
) -> Result<(), XlsxError> {
    let mut format = base();
    match look {
        Look::Plain => {}
        Look::Group => format = format.set_border_top(FormatBorder::Thin).set_bold(),
        Look::Warn => format = format.set_background_color(Color::RGB(0xFFF3D6)),
    }
    let mut height = 1;
    for (i, cell) in cells.iter().enumerate() {
        let column = i as u16;
        let plain = if look == Look::Group && i > 0 {
            base().set_border_top(FormatBorder::Thin)
        } else {
            format.clone()
        };
        match cell {
            // Always a string cell: a text that begins with = + - @ is never a formula.
            Value::Text(t) => {
                let shown: String = t.chars().take(CHARACTERS).collect();
                height = height.max(lines(&shown, columns[i].2 - 1.0));
                sheet.write_string_with_format(row, column, &shown, &plain)?;
            }
            Value::Number(n) => {
                sheet.write_number_with_format(
                    row,
                    column,
                    *n,
                    &plain.set_num_format("0.000").set_align(FormatAlign::Right),
                )?;
            }
            Value::Count(n) => {
                sheet.write_number_with_format(
                    row,
                    column,
                    *n as f64,
                    &plain.set_num_format("0").set_align(FormatAlign::Right),
                )?;
            }
            Value::Plain(n) => {
                sheet.write_number_with_format(
                    row,
                    column,
                    *n,
                    &plain.set_align(FormatAlign::Right),
                )?;
            }
            Value::Share(n) => {
                sheet.write_number_with_format(
                    row,
                    column,
                    *n,
                    &plain.set_num_format("0.0%").set_align(FormatAlign::Right),
                )?;
            }
        }
    }
    sheet.set_row_height(row, (15.0 * height as f64 + 2.0).min(400.0))?;
    Ok(())
}

pub(crate) fn xlsx(e: XlsxError) -> DeskError {
    DeskError::Write(Bilingual::new(
        format!("the workbook cannot be made: {e}"),
        format!("无法生成工作簿：{e}"),
    ))
}
