//! Makes `crates/domain/tables/*.tsv` from public lists of codes.
//!
//! ```text
//! cargo run -p queqiao-domain --example make_tables -- SOURCES
//! ```
//!
//! SOURCES is a folder with `regions/{provinces,cities,areas}.csv` (code,name,…; GB/T 2260) and
//! `taxonomies/gbt4754_2017.tsv` (code, name, parent, level; GB/T 4754-2017). Codes and names of
//! the standards are public facts; nothing else is taken. What the lists lack (Hong Kong, Macao,
//! Taiwan) and the 62 first-level disciplines of GB/T 13745-2009 stand in this file.
#![allow(clippy::print_stdout)]

use std::{collections::BTreeMap, error::Error, fs, path::Path};

const SPECIAL_REGIONS: [(u32, &str); 3] = [
    (710_000, "台湾省"),
    (810_000, "香港特别行政区"),
    (820_000, "澳门特别行政区"),
];

const DISCIPLINES: &str = "110 数学;120 信息科学与系统科学;130 力学;140 物理学;150 化学;160 天文学;170 地球科学;180 生物学;190 心理学;210 农学;220 林学;230 畜牧、兽医科学;240 水产学;310 基础医学;320 临床医学;330 预防医学与公共卫生学;340 军事医学与特种医学;350 药学;360 中医学与中药学;410 工程与技术科学基础学科;413 信息与系统科学相关工程与技术;416 自然科学相关工程与技术;420 测绘科学技术;430 材料科学;440 矿山工程技术;450 冶金工程技术;460 机械工程;470 动力与电气工程;480 能源科学技术;490 核科学技术;510 电子与通信技术;520 计算机科学技术;530 化学工程;535 产品应用相关工程与技术;540 纺织科学技术;550 食品科学技术;560 土木建筑工程;570 水利工程;580 交通运输工程;590 航空、航天科学技术;610 环境科学技术及资源科学技术;620 安全科学技术;630 管理学;710 马克思主义;720 哲学;730 宗教学;740 语言学;750 文学;760 艺术学;770 历史学;780 考古学;790 经济学;810 政治学;820 法学;830 军事学;840 社会学;850 民族学与文化学;860 新闻学与传播学;870 图书馆、情报与文献学;880 教育学;890 体育科学;910 统计学";

fn main() -> Result<(), Box<dyn Error>> {
    let sources = std::env::args()
        .nth(1)
        .ok_or("usage: make_tables SOURCES (see the head of this file)")?;
    let sources = Path::new(&sources);
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables");
    fs::create_dir_all(&out)?;

    let mut regions: BTreeMap<u32, String> = SPECIAL_REGIONS
        .iter()
        .map(|(c, n)| (*c, (*n).to_owned()))
        .collect();
    for (file, scale) in [("provinces", 10_000), ("cities", 100), ("areas", 1)] {
        let path = sources.join(format!("regions/{file}.csv"));
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        for (n, line) in text.lines().enumerate().skip(1) {
            let mut cells = line.split(',').map(|c| c.trim_matches('"'));
            let (Some(code), Some(name)) = (cells.next(), cells.next()) else {
                return Err(format!("{}:{}: two columns expected", path.display(), n + 1).into());
            };
            let code: u32 = code
                .parse()
                .map_err(|e| format!("{}:{}: code `{code}`: {e}", path.display(), n + 1))?;
            // Codes of cities without districts are listed with a made-up seventh digit.
            if code < 1_000_000 / scale {
                regions.insert(code * scale, name.to_owned());
            }
        }
    }
    write(
        &out.join("gbt2260.tsv"),
        "# GB/T 2260: code, name",
        regions.iter().map(|(c, n)| format!("{c:06}\t{n}")),
    )?;

    let path = sources.join("taxonomies/gbt4754_2017.tsv");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut industries = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        if let [code, name, ..] = cells[..] {
            industries.insert(code.to_owned(), name.trim().to_owned());
        }
    }
    write(
        &out.join("gbt4754.tsv"),
        "# GB/T 4754-2017: code, name",
        industries.iter().map(|(c, n)| format!("{c}\t{n}")),
    )?;

    write(
        &out.join("gbt13745.tsv"),
        "# GB/T 13745-2009, first level: code, name",
        DISCIPLINES.split(';').map(|d| d.replacen(' ', "\t", 1)),
    )?;
    Ok(())
}

fn write(
    path: &Path,
    head: &str,
    rows: impl Iterator<Item = String>,
) -> Result<(), Box<dyn Error>> {
    let mut text = format!("{head}\n");
    let mut n = 0;
    for row in rows {
        text.push_str(&row);
        text.push('\n');
        n += 1;
    }
    fs::write(path, text)?;
    println!("{}: {n} rows", path.display());
    Ok(())
}
