//! Tables in text files: columns, values, kinds, bad rows.

use crate::common::{complaints, file, issues, read, record, records, refusal, rows};
use encoding_rs::GB18030;
use queqiao_domain::{Detail, Kind, Relation};
use queqiao_intake::{Cause, ColumnUse, ImportOptions, Report, RowResult, Source};

const NEEDS: &str = "\
序号,*需求名称,需求背景,技术难题,技术指标,拟投入资金（万元）,合作方式,截止日期,所属行业,所在地区,企业名称,联系人,联系电话,生产线数量
1,高韧性立方氮化硼单晶,背景甲,韧性不足,抗冲击韧性≥67%；堆积密度≥1.80,50-200,合作开发、技术转让,2026-12-31,C3099,广东省深圳市,某某公司,张三,0755-12345678,3
";

#[test]
fn a_form_of_the_field() {
    let r = record("需求.csv", NEEDS);
    let Detail::Need(n) = &r.detail else {
        panic!("{r:?}")
    };
    assert_eq!(r.title, "高韧性立方氮化硼单晶");
    assert_eq!(n.problem, "韧性不足");
    assert_eq!(n.targets, ["抗冲击韧性≥67%", "堆积密度≥1.80"]);
    assert_eq!(
        n.budget.map(|b| (b.min, b.max)),
        Some((Some(50.0), Some(200.0)))
    );
    assert_eq!(
        n.cooperation_modes
            .iter()
            .map(|m| m.as_str())
            .collect::<Vec<_>>(),
        ["development", "transfer"]
    );
    assert_eq!(
        n.deadline.map(|d| d.to_string()).as_deref(),
        Some("2026-12-31")
    );
    assert_eq!(r.region.map(|c| c.to_string()).as_deref(), Some("440300"));
    assert_eq!(r.industries[0].code(), "C3099");
    assert_eq!(
        r.organisation.as_ref().map(|o| o.name.as_str()),
        Some("某某公司")
    );
    assert_eq!(
        r.contact().map(|c| (c.name.as_str(), c.phone.as_str())),
        Some(("张三", "0755-12345678"))
    );
    assert_eq!(
        r.attributes.get("生产线数量").map(String::as_str),
        Some("3")
    );
    assert!(r.id.as_str().starts_with("need-"));
}

#[test]
fn numbered_papers_become_passages() {
    let r = record(
        "专家.csv",
        "专家姓名,代表论文1标题,代表论文1摘要,论文摘要3,论文标题3,每次活动可接待场次\n张三,点蚀机理,研究了点蚀。,只有摘要。,,5\n",
    );
    let passages: Vec<_> = r
        .passages
        .iter()
        .map(|p| (p.title.as_str(), p.text.as_str()))
        .collect();
    assert_eq!(passages, [("点蚀机理", "研究了点蚀。"), ("", "只有摘要。")]);
    assert!(r.attributes.is_empty(), "{:?}", r.attributes);
    let Detail::Expert(e) = &r.detail else {
        panic!("{r:?}")
    };
    assert_eq!(e.capacity.and_then(|c| c.meetings), Some(5));
}

#[test]
fn running_twice_gives_the_same_records() {
    assert_eq!(record("需求.csv", NEEDS), record("needs.csv", NEEDS));
}

#[test]
fn encodings_and_delimiters() {
    let plain = record("需求.csv", NEEDS);
    let tabs = NEEDS.replace(',', "\t");
    let utf16: Vec<u8> = [0xfeff_u16]
        .into_iter()
        .chain(tabs.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    for (name, bytes) in [
        ("需求.csv", GB18030.encode(NEEDS).0.into_owned()),
        ("需求.csv", format!("\u{feff}{NEEDS}").into_bytes()),
        ("需求.csv", NEEDS.replace('\n', "\r\n").into_bytes()),
        ("需求.csv", NEEDS.replace('\n', "\r").into_bytes()),
        ("需求.tsv", tabs.clone().into_bytes()),
        ("需求.txt", utf16),
        ("需求.csv", NEEDS.replace(',', ";").into_bytes()),
        ("需求.xlsx", NEEDS.as_bytes().to_vec()),
        ("需求.jsonl", NEEDS.as_bytes().to_vec()),
    ] {
        assert_eq!(record(name, &bytes), plain, "{name}");
    }
}

#[test]
fn experts_achievements_and_the_others() {
    let r = record(
        "x.csv",
        "姓名,职称,职务,研究方向,工作单位,所属学会,个人简介,代表论文,承接能力,是否退出自动匹配,可出差地区,专家类别\n\
         赵一,教授,院长,膜分离、水处理,某大学,中国化工学会、中国膜工业协会,多年从事膜研究,论文甲；论文乙,2项,否,广东、天津,科技专家\n",
    );
    let Detail::Expert(e) = &r.detail else {
        panic!("{r:?}")
    };
    assert_eq!(e.research, ["膜分离", "水处理"]);
    assert_eq!(r.attributes.get("职务").map(String::as_str), Some("院长"));
    assert_eq!(
        r.passages
            .iter()
            .map(|p| p.title.as_str())
            .collect::<Vec<_>>(),
        ["论文甲", "论文乙"]
    );
    assert!(r.links.iter().all(|l| l.relation == Relation::MemberOf) && r.links.len() == 2);
    assert_eq!(e.capacity.and_then(|c| c.engagements), Some(2));
    assert_eq!(e.travel.as_ref().map(|t| t.regions.len()), Some(2));
    assert!(!e.opt_out);

    let r = record(
        "x.csv",
        "成果名称,成果简介,完成人,完成单位,成果阶段,专利类型,转让价格（元）,合作意向,应用领域\n某膜,一种膜,钱二,某大学,中试,发明专利,2000000,面议,水处理\n",
    );
    let Detail::Achievement(a) = &r.detail else {
        panic!("{r:?}")
    };
    assert_eq!(
        a.readiness.map(|r| r.to_string()).as_deref(),
        Some("stage:3")
    );
    assert_eq!(a.price.map(|p| p.min), Some(Some(200.0)));
    assert!(a.cooperation_modes.is_empty());
    assert_eq!(
        r.attributes.get("合作方式").map(String::as_str),
        Some("面议")
    );

    let r = record(
        "societies.tsv",
        "code\tname\tgroup\nA-01\t中国数学会\t理科\n",
    );
    assert_eq!(
        (r.kind(), r.id.as_str(), r.title.as_str()),
        (Kind::Society, "A-01", "中国数学会")
    );

    let r = record(
        "机构.csv",
        "机构名称,机构类别,统一社会信用代码,简介\n某大学,高校,12100000400010275N,综合性大学\n",
    );
    assert_eq!(
        r.organisation
            .as_ref()
            .and_then(|o| o.uscc)
            .map(|u| u.to_string())
            .as_deref(),
        Some("12100000400010275N")
    );
}

#[test]
fn every_wrong_value_is_told_with_its_cell() {
    let bad = NEEDS
        .replace("50-200", "很多钱")
        .replace("合作开发、技术转让", "技术赠与")
        .replace("2026-12-31", "明年")
        .replace("C3099", "集成电路制作")
        .replace("广东省深圳市", "亚特兰蒂斯");
    let found = complaints("需求.csv", &bad);
    assert_eq!(found.len(), 5, "{found:#?}");
    let all = found.join("\n");
    for part in [
        "row 2, column F 拟投入资金（万元）, value `很多钱`: this is not an amount; expected an amount such as",
        "column G 合作方式, value `技术赠与`: `技术赠与` is not known here; expected one of development",
        "column H 截止日期, value `明年`: this is not a day; expected a day such as 2026-11-23",
        "column I 所属行业, value `集成电路制作`: `集成电路制作` is no industry of GB/T 4754-2017; expected a code (C, C39, C397, C3973 or 3973) or a name of the standard (集成电路制造); did you mean C3973",
        "column J 所在地区, value `亚特兰蒂斯`",
    ] {
        assert!(all.contains(part), "{part}\n{all}");
    }
}

#[test]
fn the_rules_of_the_domain_name_their_column() {
    let found = complaints(
        "需求.csv",
        "需求名称,技术难题\n甲,联系 11010519491231002X\n",
    );
    assert_eq!(
        found,
        [
            "row 2, column B 技术难题, value `联系 ******************`: a citizen identity number stands at position 3; identity numbers are refused: remove it"
        ]
    );
    let found = complaints("需求.csv", "id,需求名称,关键词\n1,甲,\u{1}\n");
    assert!(
        found[0].contains("column C 关键词") && found[0].contains("control character"),
        "{found:?}"
    );
    let found = complaints("需求.csv", "id,需求名称,备注\n1,,乙\n");
    assert!(found[0].contains("no text at all"), "{found:?}");
}

#[test]
fn contacts_are_never_shown() {
    let found = complaints(
        "需求.csv",
        format!("需求名称,联系电话\n甲,{}\n", "13800000000 ".repeat(400)),
    );
    assert!(
        found[0].contains("column B 联系电话: 4799 characters are too many")
            && !found[0].contains("138"),
        "{found:?}"
    );
}

#[test]
fn refused_columns_are_not_read() {
    let f = file(
        "专家.csv",
        "姓名,研究方向,民族,身份证号（必填）\n赵一,膜分离,汉族,11010519491231002X\n",
    );
    let mut source = Source::open(&f.path, &ImportOptions::default()).unwrap();
    let mut report = Report::new();
    let row = source.next().unwrap().unwrap();
    report.add(&row);
    assert!(source.next().is_none());
    report.close(&source);
    assert!(records(&[row])[0].attributes.is_empty());
    let columns = &report.files[0].sheets[0].columns;
    assert!(matches!(&columns[2].used, ColumnUse::Refused(why) if why.en.contains("ethnicity")));
    assert!(matches!(&columns[3].used, ColumnUse::Refused(why) if why.zh.contains("证件号码")));
    let json = serde_json::to_string(&report).unwrap();
    assert!(
        json.contains(r#""use":"refused""#) && !json.contains("汉族"),
        "{json}"
    );
}

#[test]
fn unknown_columns_are_kept_and_hinted() {
    let f = file("需求.csv", "需求名称,拟投入资全,备注\n甲,100,急\n");
    let mut source = Source::open(&f.path, &ImportOptions::default()).unwrap();
    let row = source.next().unwrap().unwrap();
    assert_eq!(records(&[row])[0].attributes.len(), 2);
    let c = &source.sheets()[0].columns[1];
    assert_eq!(c.used, ColumnUse::Attribute("拟投入资全".into()));
    assert_eq!(c.did_you_mean.as_deref(), Some("拟投入资金"));
    assert_eq!(source.sheets()[0].columns[2].did_you_mean, None);
}

#[test]
fn ids() {
    let text = "编号,需求名称\n津-1,甲\nN-2,乙\n津-1,甲\n津-1,丙\n,丁\n,丁\n";
    let rows = rows("需求.csv", text);
    let got: Vec<String> = rows
        .iter()
        .map(|r| match &r.result {
            RowResult::Record(c) => c.get().id.to_string(),
            RowResult::Repeats(p) => format!("= row {}", p.row),
            RowResult::Bad(i) => i[0].describe().en.split_once("row ").unwrap().1.to_owned(),
        })
        .collect();
    assert_eq!(got[..3], ["%E6%B4%A5-1", "N-2", "= row 2"]);
    assert!(
        got[3].starts_with("5, value `津-1`: the id `津-1` is taken by another record: "),
        "{}",
        got[3]
    );
    assert!(got[3].contains("row 2; expected"), "{}", got[3]);
    assert!(
        got[3].ends_with("expected an id of its own for each record"),
        "{}",
        got[3]
    );
    assert!(got[4].starts_with("need-"));
    assert_eq!(got[5], "= row 6");
}

#[test]
fn one_record_told_differently() {
    let rows = rows("需求.csv", "需求名称,预算\n甲,100\n甲,200\n");
    let i = issues(&rows[1])[0];
    assert!(
        i.problem
            .en
            .contains("this is the record of an earlier row, told differently"),
        "{i:?}"
    );
    assert!(i.problem.zh.ends_with("第 2 行"), "{i:?}");
}

#[test]
fn disciplines_of_other_lists_are_keywords() {
    let r = record("专家.csv", "姓名,学科\n赵一,园艺学；机械工程；520\n");
    assert_eq!(r.keywords, ["园艺学"]);
    assert_eq!(r.disciplines.len(), 2);
    let found = complaints("专家.csv", "姓名,学科代码\n赵一,园艺学\n");
    assert!(
        found[0].contains("column B 学科代码, value `园艺学`"),
        "{found:?}"
    );
}

#[test]
fn what_word_leaves_behind() {
    let r = record("需求.csv", "需求名称,技术难题\n甲,第一行\u{b}第二行\u{7}\n");
    let Detail::Need(n) = &r.detail else { panic!() };
    assert_eq!(n.problem, "第一行\n第二行");
}

#[test]
fn ragged_rows_are_told_by_line_and_number() {
    let rows = rows(
        "需求.csv",
        "编号,需求名称,技术难题\n1,甲,\"乙\n丙\"\n2,丁\n3,戊,己,庚\n4,辛,壬,,\n",
    );
    assert!(matches!(rows[0].result, RowResult::Record(_)));
    assert!(matches!(rows[3].result, RowResult::Record(_)));
    assert_eq!(rows[1].place.row, 3);
    assert_eq!(
        issues(&rows[1])[0].problem.en,
        "line 4: the row has 2 columns and the header 3"
    );
    assert_eq!(
        issues(&rows[2])[0].problem.zh,
        "文本第 5 行：该行有 4 列，而表头有 3 列"
    );
}

#[test]
fn the_kind_is_found() {
    let kinds = |name: &str, text: &str, options: &ImportOptions| {
        read(&file(name, text).path, options)
            .map(|rows| records(&rows).iter().map(|r| r.kind()).collect::<Vec<_>>())
    };
    let default = ImportOptions::default();
    let given = ImportOptions::default().with_kind(Kind::Society);
    assert_eq!(
        kinds("x.csv", "名称,简介\n甲,乙\n", &given).unwrap(),
        [Kind::Society]
    );
    assert_eq!(
        kinds("x.csv", "kind,title\nexpert,甲\n需求,乙\n", &default).unwrap(),
        [Kind::Expert, Kind::Need]
    );
    assert_eq!(
        kinds("专家.csv", "类型,名称\n科技成果,甲\n外聘,乙\n", &default).unwrap(),
        [Kind::Achievement, Kind::Expert]
    );
    assert_eq!(
        kinds("机构.csv", "名称,简介\n甲,乙\n", &default).unwrap(),
        [Kind::Institution]
    );
    assert_eq!(
        kinds(
            "企业.csv",
            "需求名称,技术难题,企业名称\n甲,乙,丙\n",
            &default
        )
        .unwrap(),
        [Kind::Need]
    );
    let e = kinds("x.csv", "名称,简介\n甲,乙\n", &default).unwrap_err();
    assert_eq!(e.cause, Cause::NoKind);
    assert!(e.to_string().contains("pass --kind need|enterprise"), "{e}");
    let found = complaints("x.csv", "kind,title\nexprt,甲\n");
    assert!(
        found[0].contains("column A kind, value `exprt`")
            && found[0].contains("did you mean `expert`"),
        "{found:?}"
    );
    let rows = read(&file("x.csv", "kind,title\n外聘,甲\n").path, &given).unwrap();
    assert_eq!(
        records(&rows)[0].attributes.get("kind").map(String::as_str),
        Some("外聘")
    );
    let rows = read(&file("x.csv", "kind,title\nexpert,甲\n").path, &given).unwrap();
    assert!(
        issues(&rows[0])[0]
            .problem
            .en
            .contains("the row says expert and the import was told society")
    );
}

#[test]
fn files_that_cannot_be_read_say_so() {
    for (name, bytes, cause, part) in [
        ("a.csv", "".as_bytes(), Cause::Empty, "the file is empty"),
        (
            "a.csv",
            "\n\n \n".as_bytes(),
            Cause::Empty,
            "the file is empty",
        ),
        (
            "a.csv",
            "甲,乙\n1,2\n".as_bytes(),
            Cause::NoColumns,
            "found: 甲, 乙; name the columns in Chinese or English, such as need: title",
        ),
        (
            "a.csv",
            b"%PDF-1.4".as_slice(),
            Cause::Format,
            "save it as xlsx",
        ),
        (
            "a.xls",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(),
            Cause::Format,
            "xls / et",
        ),
        (
            "a.xls",
            b"<html><table></table></html>".as_slice(),
            Cause::Format,
            "HTML",
        ),
        (
            "a.csv",
            b"id,title\n1,\xff\xff".as_slice(),
            Cause::Encoding,
            "line 2",
        ),
        (
            "a.csv",
            b"id,title\n1,\"open".as_slice(),
            Cause::Damaged,
            "line 2 is never closed",
        ),
        (
            "a.xlsx",
            b"PK\x03\x04junk".as_slice(),
            Cause::Damaged,
            "damaged",
        ),
    ] {
        let e = refusal(name, bytes);
        assert_eq!(e.cause, cause, "{e}");
        assert!(e.to_string().contains(part), "{e}");
        assert!(e.message().zh.contains(name));
    }
    let e = read(
        std::path::Path::new("/nowhere/x.csv"),
        &ImportOptions::default(),
    )
    .unwrap_err();
    assert_eq!(e.cause, Cause::Io);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        read(dir.path(), &ImportOptions::default())
            .unwrap_err()
            .cause,
        Cause::Format
    );
}

#[test]
fn a_header_alone_is_no_error() {
    assert!(rows("需求.csv", "需求名称,技术难题\n").is_empty());
    assert!(
        rows(
            "需求.csv",
            "企业技术需求征集表,,\n序号,需求名称,技术难题\n1,,\n2,,\n"
        )
        .is_empty()
    );
}

#[test]
fn titles_examples_and_repeated_headers_are_no_rows() {
    let f = file(
        "需求.csv",
        "某市企业技术需求征集表,,\n填报单位：某某,,\n序号,需求名称,技术难题\n示例,甲,乙\n1,丙,丁\n序号,需求名称,技术难题\n2,戊,己\n",
    );
    let mut source = Source::open(&f.path, &ImportOptions::default()).unwrap();
    let rows: Vec<_> = source.by_ref().map(|r| r.unwrap()).collect();
    assert_eq!(rows.iter().map(|r| r.place.row).collect::<Vec<_>>(), [5, 7]);
    assert_eq!(source.notes().len(), 2);
    assert_eq!(source.sheets()[0].header_row, Some(3));
}

#[test]
fn several_columns_for_one_field() {
    let r = record(
        "需求.csv",
        "需求名称,项目名称,技术难题,需求描述,关键词,技术领域,省,市,区,手机,办公电话\n甲,乙,难题,描述,膜,水处理、膜,广东省,深圳市,南山区,138,0755\n",
    );
    let Detail::Need(n) = &r.detail else { panic!() };
    assert_eq!(r.title, "甲");
    assert_eq!(r.attributes.get("项目名称").map(String::as_str), Some("乙"));
    assert_eq!(n.problem, "难题\n描述");
    assert_eq!(r.keywords, ["膜", "水处理"]);
    assert_eq!(r.region.map(|c| c.to_string()).as_deref(), Some("440305"));
    assert_eq!(r.contact().map(|c| c.phone.as_str()), Some("138；0755"));
    let found = complaints("需求.csv", "需求名称,地区,市\n甲,天津,深圳市\n");
    assert!(
        found[0].contains("the columns name different regions"),
        "{found:?}"
    );
}

#[test]
fn free_words_and_categories_are_no_errors() {
    let r = record(
        "需求.csv",
        "需求名称,预算,需求期限,行业,有效期\n甲,面议,长期,新材料；C39,2026-01-01至2026-12-31\n",
    );
    assert_eq!(
        r.attributes.get("拟投入资金").map(String::as_str),
        Some("面议")
    );
    assert_eq!(
        r.attributes.get("截止日期").map(String::as_str),
        Some("长期")
    );
    assert_eq!(r.keywords, ["新材料"]);
    assert_eq!(r.industries.len(), 1);
    assert_eq!(
        r.valid_from.map(|d| d.to_string()).as_deref(),
        Some("2026-01-01")
    );
}

#[test]
fn a_large_cell_and_many_columns() {
    let rows = rows(
        "需求.csv",
        format!("需求名称,技术难题\n甲,{}\n乙,丙\n", "长".repeat(350_000)),
    );
    assert!(
        issues(&rows[0])[0]
            .problem
            .en
            .contains("350000 characters are too many")
    );
    assert!(matches!(rows[1].result, RowResult::Record(_)));
    let names: Vec<String> = (0..10_000).map(|i| format!("列{i}#2")).collect();
    let cells = vec![""; 10_000];
    let rows = crate::common::rows(
        "需求.csv",
        format!("需求名称,{}\n甲,{}\n", names.join(","), cells.join(",")),
    );
    assert!(matches!(rows[0].result, RowResult::Record(_)));
}
