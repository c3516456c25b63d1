//! What is exported imports again to the same records.

use proptest::prelude::*;
use queqiao_domain::{
    Achievement, AmountRange, Availability, Capacity, CheckLimits, Contact, CooperationMode,
    Detail, Enterprise, Expert, ExpertKind, Institution, InstitutionKind, IpForm, Kind, Lang,
    Language, Link, Need, NeedStage, Organisation, Passage, Record, RecordId, Relation, Society,
    Travel, Visibility, parse_date,
};
use queqiao_intake::{ExportOptions, Exporter, ImportOptions, RowResult, Source};

fn s(t: &str) -> String {
    t.to_owned()
}

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|i| s(i)).collect()
}

/// A record of a kind with every field filled, plain where people would be plain.
fn full(kind: Kind) -> Record {
    let mut r = Record::new(RecordId::new(format!("{kind}-1")).unwrap(), kind);
    r.title = s("高韧性立方氮化硼, \"单晶\"");
    r.passages = vec![
        Passage {
            title: s("论文甲"),
            text: s("摘要一；有分号\n有换行"),
        },
        Passage {
            title: String::new(),
            text: s("只有正文"),
        },
    ];
    r.keywords = list(&["膜分离", "水处理（超滤、纳滤）", "a, b"]);
    r.industries = vec![
        "C3973".parse().unwrap(),
        "C".parse().unwrap(),
        "C39".parse().unwrap(),
    ];
    r.disciplines = vec![
        "520.20".parse().unwrap(),
        "460".parse().unwrap(),
        "870".parse().unwrap(),
    ];
    r.region = "440305".parse().ok();
    r.language = Some(Language::Zh);
    r.organisation = Some(Organisation {
        name: s("某某公司"),
        uscc: "91350100M000100Y43".parse().ok(),
    });
    r.links = vec![
        Link {
            relation: Relation::MemberOf,
            target: s("中国化工学会"),
        },
        Link {
            relation: Relation::MemberOf,
            target: s("A-01"),
        },
        Link {
            relation: Relation::WorkedWith,
            target: s("某大学"),
        },
    ];
    r.conflicts = list(&["某某公司", "E-9"]);
    r.visibility = Visibility::Platform;
    r.valid_from = parse_date("2026-01-01");
    r.valid_until = parse_date("2026-12-31");
    r.attributes = [
        ("备注", "=HYPERLINK(1)"),
        ("拟投入资全", "-5"),
        ("预算", "已用"),
        ("column K", "x"),
        ("甲#2", "乙"),
    ]
    .into_iter()
    .map(|(k, v)| (s(k), s(v)))
    .collect();
    let contact = Some(Contact {
        name: s("张三"),
        phone: s("0755-12345678；13800000000"),
        email: s("a@example.org"),
        address: s("某路 1 号"),
    });
    let modes = vec![CooperationMode::Development, CooperationMode::Equity];
    let text = s("第一行\n第二行，含“引号”与 \"quotes\"");
    r.detail = match kind {
        Kind::Need => Detail::Need(Need {
            background: text.clone(),
            problem: s("韧性不足"),
            targets: list(&["抗冲击韧性≥67%，且密度≤1.8", "1,000 小时"]),
            budget: Some(AmountRange {
                min: Some(0.1),
                max: Some(33.333_333_333_333_336),
            }),
            deadline: parse_date("2026-11-23"),
            cooperation_modes: modes,
            least_readiness: "TRL 6".parse().ok(),
            stage: Some(NeedStage::InTalks),
            contact,
        }),
        Kind::Enterprise => Detail::Enterprise(Enterprise {
            business: text,
            products: list(&["膜组件", "反应器"]),
            scale: s("规模以上"),
            contact,
        }),
        Kind::Expert => Detail::Expert(Expert {
            research: list(&["膜分离", "3D 打印"]),
            profile: text,
            professional_title: s("教授"),
            honours: list(&["国家科技进步奖二等奖（2015）"]),
            expert_kind: Some(ExpertKind::Engineer),
            services: list(&["诊断", "培训"]),
            capacity: Some(Capacity {
                meetings: Some(5),
                engagements: Some(2),
            }),
            travel: Some(Travel {
                regions: vec!["440000".parse().unwrap(), "110100".parse().unwrap()],
                km: Some(300),
            }),
            availability: vec![
                Availability {
                    from: parse_date("2026-11-01").unwrap(),
                    until: parse_date("2026-11-30").unwrap(),
                },
                Availability {
                    from: parse_date("2026-12-05").unwrap(),
                    until: parse_date("2026-12-05").unwrap(),
                },
            ],
            opt_out: true,
            consent: Some(queqiao_domain::Consent {
                purpose: s("参加对接会，向需求企业推荐"),
                given: parse_date("2026-01-02"),
                until: parse_date("2027-01-01"),
            }),
            contact,
        }),
        Kind::Society => Detail::Society(Society {
            scope: text,
            services: list(&["论坛", "评价"]),
            group: s("理科"),
            contact,
        }),
        Kind::Achievement => Detail::Achievement(Achievement {
            summary: text,
            holder: s("钱二"),
            readiness: "stage:3".parse().ok(),
            indices: list(&["通量 50 L/(m²·h)", "寿命 3 年"]),
            application: s("水处理"),
            ip_form: Some(IpForm::UtilityModel),
            price: Some(AmountRange {
                min: None,
                max: Some(200.0),
            }),
            cooperation_modes: modes,
            contact,
        }),
        Kind::Institution => Detail::Institution(Institution {
            institution_kind: Some(InstitutionKind::Park),
            profile: text,
            services: list(&["孵化"]),
            contact,
        }),
    };
    r
}

/// A record on which every plain rendering would fail.
fn awkward(kind: Kind) -> Record {
    let mut r = full(kind);
    r.id = RecordId::new(format!("%E6%B4%A5-{kind}")).unwrap();
    r.title = s(" =1+1\n换行 ");
    r.keywords = list(&["a；b", "1、甲", "x"]);
    r.links = vec![
        Link {
            relation: Relation::WorkedWith,
            target: s("甲；乙"),
        },
        Link {
            relation: Relation::MemberOf,
            target: s("无"),
        },
    ];
    r.organisation = Some(Organisation {
        name: s("'@单位"),
        uscc: None,
    });
    r.attributes = [
        ("a", " 空白 "),
        ("b", "json:{}"),
        ("c", "_x0041_ \r\n 控制"),
        ("", "空名"),
        ("title", "撞名"),
        ("拟投入资金", "面议"),
        ("附加属性", "撞名"),
    ]
    .into_iter()
    .map(|(k, v)| (s(k), s(v)))
    .collect();
    match &mut r.detail {
        Detail::Need(d) => {
            d.budget = None;
            d.problem = s("-5℃ 以下不脆裂");
            d.background = "长文本，\n".repeat(9_000) + "完";
        }
        Detail::Expert(d) => {
            d.profile = s("json:不是 JSON");
            d.capacity = Some(Capacity {
                meetings: None,
                engagements: Some(0),
            });
            d.travel = Some(Travel {
                regions: vec![],
                km: Some(10),
            });
        }
        Detail::Achievement(d) => {
            d.price = Some(AmountRange {
                min: Some(1e-9),
                max: Some(1e-9),
            })
        }
        _ => {}
    }
    r
}

fn round_trip(name: &str, options: ExportOptions, records: &[Record]) -> Vec<Record> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let mut e = Exporter::create(&path, options).unwrap();
    for r in records {
        e.write(r).unwrap();
    }
    let done = e.finish().unwrap();
    assert_eq!(done.records, records.len() as u64);
    // Nothing is left behind.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    Source::open(&path, &ImportOptions::default())
        .unwrap()
        .map(|row| match row.unwrap() {
            row if matches!(row.result, RowResult::Record(_)) => match row.result {
                RowResult::Record(r) => r.into_inner(),
                _ => unreachable!(),
            },
            row => panic!("{name}: {:#?}", row.result),
        })
        .collect()
}

const FORMATS: [&str; 3] = ["x.jsonl", "x.csv", "x.xlsx"];

fn options(lang: Lang) -> ExportOptions {
    ExportOptions {
        lang,
        contact: true,
        ..ExportOptions::default()
    }
}

#[test]
fn every_kind_and_every_field() {
    for kind in Kind::ALL {
        for (i, r) in [full(kind), awkward(kind)].into_iter().enumerate() {
            if let Err(v) = r.clone().check(&CheckLimits::default()) {
                panic!("{kind} {i}: {v:?}");
            }
            for name in FORMATS {
                for lang in [Lang::Zh, Lang::En] {
                    let back = round_trip(name, options(lang), std::slice::from_ref(&r));
                    assert_eq!(back, std::slice::from_ref(&r), "{kind} {i} {name} {lang:?}");
                    assert_eq!(back[0].contact(), r.contact());
                }
            }
        }
    }
}

#[test]
fn all_kinds_in_one_file() {
    let records: Vec<Record> = Kind::ALL
        .into_iter()
        .flat_map(|k| [full(k), awkward(k)])
        .collect();
    for name in FORMATS {
        for lang in [Lang::Zh, Lang::En] {
            assert_eq!(
                round_trip(name, options(lang), &records),
                records,
                "{name} {lang:?}"
            );
        }
    }
}

#[test]
fn contacts_stay_unless_asked_for() {
    for name in FORMATS {
        let back = round_trip(name, ExportOptions::default(), &[full(Kind::Need)]);
        assert_eq!(back[0].contact(), None, "{name}");
    }
}

#[test]
fn people_can_read_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.csv");
    let mut e = Exporter::create(
        &path,
        ExportOptions {
            lang: Lang::Zh,
            ..ExportOptions::default()
        },
    )
    .unwrap();
    let mut r = Record::new(RecordId::new("N-1").unwrap(), Kind::Need);
    r.title = s("甲");
    r.industries = vec!["C39".parse().unwrap()];
    r.region = "440305".parse().ok();
    if let Detail::Need(n) = &mut r.detail {
        n.budget = Some(AmountRange {
            min: Some(50.0),
            max: None,
        });
        n.cooperation_modes = vec![CooperationMode::Development];
    }
    r.attributes.insert(s("备注"), s("=1"));
    e.write(&r).unwrap();
    e.finish().unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "\u{feff}编号,记录类型,需求名称,拟投入资金（万元）,合作方式,所属行业,所在地区,备注\r\n\
         N-1,技术需求,甲,≥50,技术开发,C39 计算机、通信和其他电子设备制造业,广东省深圳市南山区,'=1\r\n"
    );
    assert!(Exporter::create(dir.path().join("x.doc"), ExportOptions::default()).is_err());
}

#[test]
fn many_attributes_share_a_column() {
    let mut r = full(Kind::Expert);
    r.attributes = (0..400)
        .map(|i| (format!("属性{i}"), format!("{i}")))
        .collect();
    for name in FORMATS {
        assert_eq!(
            round_trip(name, options(Lang::Zh), std::slice::from_ref(&r)),
            std::slice::from_ref(&r),
            "{name}"
        );
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a甲 ，、；;,\\n\\t\\r\"'=+@|_x0041—（）()《1.-]{0,12}",
        "\\PC{0,12}",
        "json:.{0,4}",
        "无|面议|-|长期|示例|序号"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_text_survives(
        title in texts(),
        problem in texts(),
        keywords in proptest::collection::vec(texts(), 0..4),
        targets in proptest::collection::vec(texts(), 0..4),
        target in texts(),
        name in texts(),
        value in texts(),
        id in "[a-zA-Z0-9%._-]{1,9}",
        budget in proptest::option::of((0.0..1e8_f64, 0.0..1e8_f64)),
    ) {
        let mut r = Record::new(RecordId::new(id).unwrap(), Kind::Need);
        r.title = title;
        r.keywords = keywords;
        r.links = vec![Link { relation: Relation::MemberOf, target }];
        r.attributes.insert(name, value);
        r.detail = Detail::Need(Need {
            problem,
            targets,
            budget: budget.map(|(a, b)| AmountRange { min: Some(a.min(b)), max: Some(a.max(b)) }),
            ..Need::default()
        });
        // What is exported was stored, and what is stored was checked.
        let r = r.check(&CheckLimits::default());
        prop_assume!(r.is_ok());
        let r = r.unwrap().into_inner();
        for name in FORMATS {
            prop_assert_eq!(round_trip(name, options(Lang::Zh), std::slice::from_ref(&r)), std::slice::from_ref(&r), "{}", name);
        }
    }
}
