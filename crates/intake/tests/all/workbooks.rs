//! Workbooks: sheets, headers, merged cells, dates, codes, and what is refused.

use crate::common::{file, fill, issues, read, records, refusal, with_part, workbook};
use queqiao_domain::{Detail, Kind};
use queqiao_intake::{Cause, ImportOptions, RowResult, Source};
use rust_xlsxwriter::{Format, Worksheet};
use std::io::Cursor;
use zip::{ZipWriter, write::SimpleFileOptions};

fn form(sheet: &mut Worksheet) {
    let plain = Format::new();
    sheet
        .merge_range(0, 0, 0, 9, "某市企业技术需求征集表", &plain)
        .unwrap();
    // A header of two rows: 序号 merged downwards, 联系方式 over its two parts.
    for (c, name) in [
        "序号",
        "*需求名称",
        "技术难题（必填）",
        "拟投入资金（元）",
        "截止日期",
        "所在地区",
        "企业名称",
    ]
    .iter()
    .enumerate()
    {
        sheet
            .merge_range(1, c as u16, 2, c as u16, name, &plain)
            .unwrap();
    }
    sheet.merge_range(1, 7, 1, 8, "联系方式", &plain).unwrap();
    sheet.write(2, 7, "联系人").unwrap();
    sheet.write(2, 8, "电话").unwrap();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    // Two needs of one enterprise, its name merged over both.
    for r in [3, 4] {
        sheet.write(r, 0, r - 2).unwrap();
        sheet.write(r, 1, format!("需求{r}")).unwrap();
        sheet.write(r, 2, "难题").unwrap();
        sheet.write(r, 3, 500_000).unwrap();
        sheet.write_number_with_format(r, 4, 46_349, &day).unwrap();
        sheet.write(r, 5, 440_300.0).unwrap();
        sheet.write(r, 8, 13_800_000_000_u64).unwrap();
    }
    sheet.merge_range(3, 6, 4, 6, "某某公司", &plain).unwrap();
    // A blank row, rows that are numbered and no more, and one bad row.
    sheet.write(6, 0, 3).unwrap();
    sheet.write(7, 0, 4).unwrap();
    sheet.write(7, 1, "需求7").unwrap();
    sheet.write(7, 4, 1.5).unwrap();
}

#[test]
fn a_form_of_the_field() {
    let f = workbook("征集表.xlsx", &[("Sheet1", &form)]);
    let rows = read(&f.path, &ImportOptions::default()).unwrap();
    assert_eq!(
        rows.iter().map(|r| r.place.row).collect::<Vec<_>>(),
        [4, 5, 8]
    );
    let found = records(&rows[..2]);
    for r in &found {
        let Detail::Need(n) = &r.detail else {
            panic!("{r:?}")
        };
        assert_eq!(n.budget.and_then(|b| b.min), Some(50.0));
        assert_eq!(
            n.deadline.map(|d| d.to_string()).as_deref(),
            Some("2026-11-23")
        );
        assert_eq!(r.region.map(|c| c.to_string()).as_deref(), Some("440300"));
        assert_eq!(
            r.organisation.as_ref().map(|o| o.name.as_str()),
            Some("某某公司")
        );
        assert_eq!(r.contact().map(|c| c.phone.as_str()), Some("13800000000"));
    }
    let text = issues(&rows[2])[0].describe().en;
    assert!(
        text.contains("sheet Sheet1, row 8, column E 截止日期, value `1.5`"),
        "{text}"
    );
}

#[test]
fn sheets_are_read_each_by_its_name() {
    let needs = |s: &mut Worksheet| fill(s, &[&["名称", "简介"], &["甲", "乙"]]);
    let notes = |s: &mut Worksheet| fill(s, &[&["本表由各单位填写"], &["请勿改动"]]);
    let hidden = |s: &mut Worksheet| {
        fill(s, &[&["名称"], &["选项"]]);
        s.set_hidden(true);
    };
    let f = workbook(
        "x.xlsx",
        &[
            ("填写说明", &notes),
            ("技术需求", &needs),
            ("专家", &needs),
            ("字典", &hidden),
        ],
    );
    let mut source = Source::open(&f.path, &ImportOptions::default()).unwrap();
    let rows: Vec<_> = source.by_ref().map(|r| r.unwrap()).collect();
    let kinds: Vec<Kind> = records(&rows).iter().map(|r| r.kind()).collect();
    assert_eq!(kinds, [Kind::Need, Kind::Expert]);
    let notes: Vec<&str> = source.notes().iter().map(|n| n.text.en.as_str()).collect();
    assert_eq!(
        notes,
        [
            "sheet 填写说明 was left out: none of its columns could carry a record",
            "sheet 字典 is hidden and was left out"
        ]
    );
    let one = ImportOptions {
        sheet: Some("专家".into()),
        ..ImportOptions::default()
    };
    assert_eq!(read(&f.path, &one).unwrap().len(), 1);
    let none = ImportOptions {
        sheet: Some("成果".into()),
        ..ImportOptions::default()
    };
    let e = read(&f.path, &none).unwrap_err();
    assert_eq!(e.cause, Cause::NoSheet);
    assert!(
        e.to_string()
            .contains("the sheets are: 填写说明, 技术需求, 专家"),
        "{e}"
    );
}

#[test]
fn formulas_count_by_their_result() {
    let sheet = |s: &mut Worksheet| {
        fill(
            s,
            &[
                &["需求名称", "拟投入资金", "备注"],
                &["甲", "", ""],
                &["乙", "", ""],
            ],
        );
        s.write_formula(
            1,
            1,
            rust_xlsxwriter::Formula::new("=50+50").set_result("100"),
        )
        .unwrap();
        s.write_formula(
            2,
            1,
            rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!"),
        )
        .unwrap();
        s.write_boolean(1, 2, true).unwrap();
    };
    let f = workbook("需求.xlsx", &[("Sheet1", &sheet)]);
    let rows = read(&f.path, &ImportOptions::default()).unwrap();
    let r = records(&rows[..1])[0];
    let Detail::Need(n) = &r.detail else { panic!() };
    assert_eq!(n.budget.and_then(|b| b.max), Some(100.0));
    assert!(
        issues(&rows[1])[0].problem.en.contains("formula"),
        "{:?}",
        rows[1]
    );
}

#[test]
fn a_csv_named_xlsx_and_the_reverse() {
    let sheet = |s: &mut Worksheet| fill(s, &[&["需求名称"], &["甲"]]);
    let f = workbook("需求.csv", &[("Sheet1", &sheet)]);
    assert_eq!(read(&f.path, &ImportOptions::default()).unwrap().len(), 1);
}

#[test]
fn an_empty_workbook_says_so() {
    let f = workbook("x.xlsx", &[("Sheet1", &|_: &mut Worksheet| {})]);
    assert_eq!(
        read(&f.path, &ImportOptions::default()).unwrap_err().cause,
        Cause::Empty
    );
    let sheet = |s: &mut Worksheet| fill(s, &[&["甲", "乙"], &["1", "2"]]);
    let f = workbook("x.xlsx", &[("Sheet1", &sheet)]);
    let e = read(&f.path, &ImportOptions::default()).unwrap_err();
    assert_eq!(e.cause, Cause::NoColumns);
}

#[test]
fn zip_bombs_are_refused() {
    let bomb = with_part("xl/worksheets/sheet1.xml", |mut b| {
        b.resize(60_000_000, b' ');
        b
    });
    assert!(bomb.len() < 200_000);
    let e = refusal("需求.xlsx", bomb);
    assert_eq!(e.cause, Cause::TooLarge);
    assert!(e.to_string().contains("zip bomb"), "{e}");
}

#[test]
fn other_documents_are_told() {
    let mut w = ZipWriter::new(Cursor::new(Vec::new()));
    w.start_file("word/document.xml", SimpleFileOptions::default())
        .unwrap();
    let e = refusal("需求.xlsx", w.finish().unwrap().into_inner());
    assert!(e.to_string().contains("Word"), "{e}");
}

#[test]
fn broken_parts_are_errors_and_never_panics() {
    for (part, text) in [
        ("xl/workbook.xml", "<workbook><sheets>"),
        ("xl/workbook.xml", "not xml at all <<<"),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row r=\"1\"><c r=\"A0\"><v>1</v></c></row>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row r=\"99999999999\"><c r=\"ZZZZZZZZZ99999999999\" t=\"s\"><v>7</v></c></row></sheetData></worksheet>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row><c t=\"s\"><v>99</v></c></row></sheetData></worksheet>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>需求名称</t></is></c></row><row><c r=\"XFE2\"><v>1</v></c></row></sheetData></worksheet>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships><Relationship Id=\"rId1\" Target=\"sheet\" Type=\"t\"/></Relationships>",
        ),
        (
            "xl/sharedStrings.xml",
            "<sst count=\"4000000000\" uniqueCount=\"4000000000\"><si>",
        ),
        (
            "xl/styles.xml",
            "<styleSheet><cellXfs><xf numFmtId=\"x\"/></cellXfs></styleSheet>",
        ),
    ] {
        let bytes = with_part(part, |_| text.as_bytes().to_vec());
        // Whatever a reader makes of it, it is an error or rows, and told in time.
        match read(&file("需求.xlsx", bytes).path, &ImportOptions::default()) {
            Ok(rows) => assert!(rows.len() < 3, "{part}: {text}"),
            Err(e) => assert_ne!(e.cause, Cause::Io, "{e}"),
        }
    }
}

#[test]
fn a_long_cell_is_one_row_s_trouble() {
    let sheet = |s: &mut Worksheet| {
        fill(s, &[&["需求名称", "技术难题"], &["甲", ""], &["乙", "丙"]]);
        s.write_string(1, 1, "长".repeat(32_000)).unwrap();
    };
    let f = workbook("需求.xlsx", &[("Sheet1", &sheet)]);
    let rows = read(&f.path, &ImportOptions::default()).unwrap();
    assert!(
        rows.iter()
            .all(|r| matches!(r.result, RowResult::Record(_)))
    );
}
