//! Example files: an event's and a team's sheets, filled in with invented people, to be planned as they
//! are and then written over with one's own.

use crate::{
    DeskError, WriteOptions,
    book::{Book, Look, Page, Value, xlsx},
    names::{Kind, RULES, SHEETS, columns},
};
use queqiao_domain::Lang;
use std::path::{Path, PathBuf};

/// A sheet: what it holds, a sentence for whoever fills it in, fields with widths, rows. A text that
/// differs between the languages is `English|中文`; `@field` is the name of a rule.
struct Part {
    kind: Kind,
    note: &'static str,
    fields: &'static [(&'static str, f64)],
    rows: &'static [&'static [&'static str]],
}

/// Writes the example of an event, with all that a plan of meetings commonly needs.
///
/// # Errors
/// The name is taken, or the workbook cannot be written.
pub fn write_event_example(path: &Path, options: &WriteOptions) -> Result<PathBuf, DeskError> {
    let title = "Example of an event, all people and organisations invented|对接会示例（人员与单位均为虚构）";
    let sheets = [
        &ENTERPRISES,
        &NEEDS,
        &EXPERTS,
        &TIMES,
        &WISHES,
        &CONFLICTS,
        &EVENT_RULES,
    ];
    write(title, &sheets, path, options)
}

/// Writes the example of a service team: needs, candidates, rules.
///
/// # Errors
/// The name is taken, or the workbook cannot be written.
pub fn write_team_example(path: &Path, options: &WriteOptions) -> Result<PathBuf, DeskError> {
    let title = "Example of a service team, all people and organisations invented|科技服务团示例（人员与单位均为虚构）";
    write(title, &[&NEEDS, &EXPERTS, &TEAM_RULES], path, options)
}

fn write(
    title: &'static str,
    parts: &[&Part],
    path: &Path,
    options: &WriteOptions,
) -> Result<PathBuf, DeskError> {
    let pair = |text: &'static str| text.split_once('|').unwrap_or((text, text));
    let (en, zh) = pair(title);
    let title = match options.lang {
        Lang::En => en,
        Lang::Zh => zh,
    };
    let mut book = Book::new(title, options.lang);
    for part in parts {
        let known = columns(part.kind);
        let heads: Vec<(&str, &str, f64)> = part
            .fields
            .iter()
            .map(|(field, width)| {
                let (en, zh) = known
                    .iter()
                    .find(|(name, _)| name == field)
                    .map_or((*field, *field), |(_, names)| first_two(names));
                (en, zh, *width)
            })
            .collect();
        let rows: Vec<(Look, Vec<Value>)> = part
            .rows
            .iter()
            .map(|cells| {
                let cell = |text: &&'static str| {
                    let rule = text
                        .strip_prefix('@')
                        .and_then(|field| RULES.iter().find(|(name, _)| *name == field));
                    if let Ok(number) = text.parse::<f64>() {
                        return Value::Plain(number);
                    }
                    let (en, zh) = rule.map_or(pair(text), |(_, names)| first_two(names));
                    book.text(en, zh)
                };
                (Look::Plain, cells.iter().map(cell).collect())
            })
            .collect();
        let name = SHEETS
            .iter()
            .find(|(kind, _)| *kind == part.kind)
            .map_or(("", ""), |(_, names)| first_two(names));
        let (en, zh) = pair(part.note);
        let note = book.say(en, zh).to_owned();
        book.table(name, &note, &heads, &rows, Page::Landscape)
            .map_err(xlsx)?;
    }
    book.save(path, options)
}

/// The English name and the Chinese one: of all names a thing is known by, the second and the first.
fn first_two(names: &'static [&'static str]) -> (&'static str, &'static str) {
    let zh = names.first().copied().unwrap_or_default();
    (names.get(1).copied().unwrap_or(zh), zh)
}

const ENTERPRISES: Part = Part {
    kind: Kind::Participants,
    note: "Who comes with needs. Experts stand on their own sheet.|带着需求来的企业；专家在“专家”表中。",
    fields: &[
        ("id", 10.0),
        ("name", 30.0),
        ("role", 14.0),
        ("organisation", 34.0),
        ("most", 12.0),
    ],
    rows: &[
        &[
            "C1",
            "Example Port Machinery|示例港机",
            "enterprise|企业",
            "Example Port Machinery Ltd|示例港口机械有限公司",
            "6",
        ],
        &[
            "C2",
            "Example Wind|示例风电",
            "enterprise|企业",
            "Example Wind Power Ltd|示例风电设备有限公司",
            "",
        ],
        &[
            "C3",
            "Example Cells|示例电芯",
            "enterprise|企业",
            "Example Cells Ltd|示例电芯有限公司",
            "",
        ],
        &[
            "C4",
            "Example Salt Chemistry|示例盐化",
            "enterprise|企业",
            "Example Salt Chemistry Ltd|示例盐化工有限公司",
            "",
        ],
        &[
            "C5",
            "Example Enzymes|示例酶工程",
            "enterprise|企业",
            "Example Enzymes Ltd|示例酶工程有限公司",
            "",
        ],
    ],
};

const NEEDS: Part = Part {
    kind: Kind::Needs,
    note: "One row a need. Without a sheet of scores the texts are matched.|每行一项需求。没有“评分”表时按文本匹配。",
    fields: &[
        ("id", 10.0),
        ("name", 34.0),
        ("organisation", 16.0),
        ("text", 70.0),
        ("experts", 12.0),
        ("weight", 10.0),
    ],
    rows: &[
        &[
            "N1",
            "Corrosion of quay piles|码头钢桩防腐",
            "C1",
            "Steel piles of a quay rust in the tidal zone; a coating or cathodic protection for ten years is sought.|码头钢桩在潮差区锈蚀严重，希望得到十年以上的涂层或阴极保护方案。",
            "",
            "2",
        ],
        &[
            "N2",
            "Inspection of welds in the line|焊缝在线检测",
            "C1",
            "Pores and cracks of thick welds have to be seen while welding, by machine vision or ultrasound.|厚板焊缝的气孔与裂纹需在焊接过程中检出，可用机器视觉或超声。",
            "",
            "1",
        ],
        &[
            "N3",
            "Recycling of rotor blades|风电叶片回收",
            "C2",
            "Glass fibre composite blades are to be recycled without loss of the fibres' strength.|玻璃纤维复合材料叶片退役后需回收，并保持纤维强度。",
            "",
            "1",
        ],
        &[
            "N4",
            "Cycle life of Si/C anodes|硅碳负极循环寿命",
            "C3",
            "Silicon carbon anodes of lithium ion cells swell; 80 % after 800 cycles is asked for.|锂离子电池硅碳负极膨胀，要求 800 次循环后容量保持率不低于 80%。",
            "",
            "2",
        ],
        &[
            "N5",
            "High-salt waste water|高盐废水资源化",
            "C4",
            "High-salt waste water is to be separated by membranes and crystallised to salts that can be sold.|高盐废水需经膜分离与蒸发结晶分盐，得到可售的工业盐。",
            "",
            "1",
        ],
        &[
            "N6",
            "Yield of an enzyme|酶制剂发酵产率",
            "C5",
            "The titre of an industrial enzyme in a 50 t fermenter is to be raised by strain and process.|50 吨发酵罐中工业酶的效价偏低，希望从菌种与过程两方面提高。",
            "",
            "1",
        ],
    ],
};

const EXPERTS: Part = Part {
    kind: Kind::Experts,
    note: "One row an expert. The title, societies, cost and lead are read for teams only.|每行一位专家。职称、学会、费用、可任团长仅用于组团。",
    fields: &[
        ("id", 10.0),
        ("name", 16.0),
        ("organisation", 30.0),
        ("text", 60.0),
        ("most", 12.0),
        ("title", 16.0),
        ("societies", 26.0),
        ("cost", 12.0),
        ("lead", 12.0),
    ],
    rows: &[
        &[
            "E1",
            "Shen Cheng|沈澄",
            "Example University A|示例大学甲",
            "Anticorrosive coatings and cathodic protection of steel in sea water|海洋环境下钢结构防腐涂层与阴极保护",
            "4",
            "professor|教授",
            "Example Society for Corrosion|示例腐蚀学会",
            "3",
            "yes|是",
        ],
        &[
            "E2",
            "Luo Yan|骆言",
            "Example University B|示例大学乙",
            "Machine vision, inspection of weld defects|机器视觉与焊接缺陷检测",
            "4",
            "associate professor|副教授",
            "Example Society for Welding|示例焊接学会",
            "2",
            "",
        ],
        &[
            "E3",
            "Qi Lan|祁岚",
            "Example Institute C|示例研究院丙",
            "Pyrolysis of composites, recovery of glass and carbon fibres|复合材料热解与玻璃纤维、碳纤维回收",
            "4",
            "researcher|研究员",
            "Example Society for Composites|示例复合材料学会",
            "3",
            "yes|是",
        ],
        &[
            "E4",
            "Zhuo Ye|卓野",
            "Example University B|示例大学乙",
            "Silicon carbon anodes of lithium ion batteries, interfaces with the electrolyte|锂离子电池硅碳负极材料与电解液界面",
            "4",
            "professor|教授",
            "Example Chemical Society|示例化学会",
            "4",
            "yes|是",
        ],
        &[
            "E5",
            "Miao Xi|苗溪",
            "Example University A|示例大学甲",
            "Membrane separation, evaporation and crystallisation of high-salt waste water|膜分离、蒸发结晶与高盐废水处理",
            "4",
            "professor|教授",
            "Example Chemical Society|示例化学会",
            "3",
            "yes|是",
        ],
        &[
            "E6",
            "You Chuan|尤川",
            "Example Institute D|示例研究院丁",
            "Engineering of industrial enzymes, fermentation processes|工业酶分子改造与发酵过程优化",
            "4",
            "researcher|研究员",
            "Example Society for Microbiology|示例微生物学会",
            "2",
            "",
        ],
        &[
            "E7",
            "Wen Lang|温朗",
            "Example University A|示例大学甲",
            "Electrochemistry of corrosion, prediction of service life|腐蚀电化学与服役寿命预测",
            "4",
            "associate professor|副教授",
            "Example Society for Corrosion|示例腐蚀学会",
            "2",
            "",
        ],
        &[
            "E8",
            "Gu Yutong|谷雨桐",
            "Example Institute C|示例研究院丙",
            "Phased array ultrasound, non-destructive testing of thick welds|超声相控阵与厚板焊缝无损检测",
            "4",
            "senior engineer|高级工程师",
            "Example Society for Testing|示例检测学会",
            "2",
            "",
        ],
    ],
};

const TIMES: Part = Part {
    kind: Kind::Availability,
    note: "Only who is not there all the time. Who has a row `present` is there only then.|只写并非全程在场的人。写了“在场”的，只在所写时间在场。",
    fields: &[
        ("who", 18.0),
        ("day", 14.0),
        ("from", 12.0),
        ("until", 12.0),
        ("status", 14.0),
    ],
    rows: &[
        &["E3", "2027-03-18", "10:00", "12:00", "present|在场"],
        &["C4", "2027-03-18", "9:00", "11:00", "present|在场"],
        &["E5", "2027-03-18", "10:00", "10:30", "absent|不在"],
    ],
};

const WISHES: Part = Part {
    kind: Kind::Requests,
    note: "Who wants whom: must, want, maybe, no; or 1 to 5. Either side may ask.|谁想见谁：必须、想见、可以、不见，或 1 至 5 分；双方均可提出。",
    fields: &[("from", 16.0), ("to", 16.0), ("strength", 14.0)],
    rows: &[
        &["N1", "E1", "must|必须"],
        &["C3", "E4", "want|想见"],
        &["E4", "C3", "4"],
        &["C2", "E8", "no|不见"],
    ],
};

const CONFLICTS: Part = Part {
    kind: Kind::Conflicts,
    note: "Who must not meet, beside those of one organisation.|不得会面的双方；同一单位的自动回避。",
    fields: &[("a", 16.0), ("b", 16.0), ("reason", 30.0)],
    rows: &[&["C1", "E7", "shareholder|持有股份"]],
};

const EVENT_RULES: Part = Part {
    kind: Kind::Rules,
    note: "What is left out has a default (docs/events.md).|未写的规则取默认值（见 docs/events.zh-CN.md）。",
    fields: &[("key", 26.0), ("value", 34.0)],
    rows: &[
        &["@name", "Example day of matchmaking|示例对接会"],
        &["@days", "2027-03-18"],
        &["@start", "9:00"],
        &["@end", "12:00"],
        &["@slot", "25"],
        &["@gap", "5"],
        &["@tables", "3"],
        &["@experts", "2"],
        &["@meetings", "4"],
        &["@objective", "cover|覆盖优先"],
        &["@no_show", "10%"],
    ],
};

const TEAM_RULES: Part = Part {
    kind: Kind::Rules,
    note: "What is left out has a default (docs/events.md).|未写的规则取默认值（见 docs/events.zh-CN.md）。",
    fields: &[("key", 26.0), ("value", 34.0)],
    rows: &[
        &["@name", "Example service team|示例科技服务团"],
        &["@size", "4"],
        &["@budget", "12"],
        &["@per_institution", "2"],
        &["@societies", "3"],
        &["@leads", "1"],
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{read_event, read_team};

    #[test]
    fn what_is_written_is_read_without_a_word() {
        let dir = tempfile::tempdir().unwrap();
        for lang in [Lang::En, Lang::Zh] {
            let options = WriteOptions {
                lang,
                replace: false,
            };
            let path = dir.path().join(format!("{lang:?}.xlsx"));
            write_event_example(&path, &options).unwrap();
            let event = read_event(&path).unwrap().event;
            assert!(event.notes.is_empty(), "{:?}", event.notes);
            assert_eq!((event.needs.len(), event.attendees.len()), (6, 13));
            // A name that is taken is left as it is.
            assert!(write_team_example(&path, &options).unwrap_err().is_input());

            let path = dir.path().join(format!("{lang:?}-team.xlsx"));
            write_team_example(&path, &options).unwrap();
            let team = read_team(&path).unwrap();
            assert!(team.notes.is_empty(), "{:?}", team.notes);
            assert_eq!((team.needs.len(), team.members.len()), (6, 8));
        }
    }
}
