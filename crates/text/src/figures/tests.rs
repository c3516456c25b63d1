use super::*;

/// Name, low, high in the unit as written, unit.
type Expected<'a> = (&'a str, Option<f64>, Option<f64>, &'a str);

fn check(text: &str, expected: &[Expected<'_>]) {
    let found = figures(text);
    let told: Vec<(String, Option<f64>, Option<f64>, String)> = found
        .iter()
        .map(|f| {
            let shown = |x: f64| (f.unit.from_base(x) * 1e6).round() / 1e6;
            (
                f.name.clone(),
                f.interval.low.map(shown),
                f.interval.high.map(shown),
                f.unit.text.clone(),
            )
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(n, l, h, u)| ((*n).to_owned(), *l, *h, (*u).to_owned()))
        .collect();
    assert_eq!(told, expected, "{text}");
    for f in &found {
        assert!(text.get(f.span.clone()).is_some());
    }
}

#[test]
fn bounds_before_and_after() {
    check("转化率≥67%", &[("转化率", Some(67.0), None, "%")]);
    check(
        "密度不低于1.80克/立方厘米",
        &[("密度", Some(1.8), None, "克/立方厘米")],
    );
    check("相变在73%以上", &[("相变", Some(73.0), None, "%")]);
    check("误差不超过0.5 mm", &[("误差", None, Some(0.5), "mm")]);
    check("噪声控制在65dB以内", &[("噪声", None, Some(65.0), "dB")]);
    check(
        "响应时间小于等于20ms",
        &[("响应时间", None, Some(20.0), "ms")],
    );
    check(
        "合格率应达到９９．５％",
        &[("合格率", Some(99.5), None, "%")],
    );
    check(
        "yield of at least 95 %",
        &[("yield", Some(95.0), None, "%")],
    );
    check("weight below 2.5 kg", &[("weight", None, Some(2.5), "kg")]);
    check("耐压≥ 1.2 MPa", &[("耐压", Some(1.2), None, "MPa")]);
    check("寿命10年以上", &[("寿命", Some(10.0), None, "年")]);
    check("投资不超过500万元", &[("投资", None, Some(5e6), "元")]);
    check("产能3亿元", &[("产能", Some(3e8), Some(3e8), "元")]);
}

#[test]
fn ranges_and_tolerances() {
    check("粒度10-15 μm", &[("粒度", Some(10.0), Some(15.0), "μm")]);
    check("粒度10μm～15μm", &[("粒度", Some(10.0), Some(15.0), "μm")]);
    check("温度-20℃至60℃", &[("温度", Some(-20.0), Some(60.0), "℃")]);
    check("直径12±0.05mm", &[("直径", Some(11.95), Some(12.05), "mm")]);
    check(
        "定位精度±0.01mm",
        &[("定位精度", Some(-0.01), Some(0.01), "mm")],
    );
    check("水温约40℃", &[("水温", Some(36.0), Some(44.0), "℃")]);
    check(
        "用水约5到6亿立方",
        &[("用水", Some(4.5e8), Some(6.6e8), "立方")],
    );
    check("厚度0.2mm左右", &[("厚度", Some(0.18), Some(0.22), "mm")]);
}

#[test]
fn units_by_their_parts() {
    let base = |text: &str| {
        let f = figures(text);
        assert_eq!(f.len(), 1, "{text} {f:?}");
        f[0].interval.low.or(f[0].interval.high).unwrap()
    };
    let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs(), "{a} {b}");
    near(base("堆积密度≥1.80 g/cm³"), 1800.0);
    near(base("堆积密度≥1.80 g/cm3"), 1800.0);
    near(base("流量65立方米/小时"), 65.0 / 3600.0);
    near(base("流量65 m³/h"), 65.0 / 3600.0);
    near(base("导热系数≥200 W/(m·K)"), 200.0);
    near(base("浓度≤50 mg/L"), 0.05);
    near(base("产量5万吨/年"), 5e7 / 31_556_952.0);
    near(base("车速120 km/h"), 120.0 / 3.6);
    near(base("细胞数3×10⁵个"), 3e5);
    near(base("容量1,500 mAh"), 5400.0);
    near(base("面积2公顷"), 2e4);
    near(base("能耗2.5e3 kWh"), 9e9);
}

#[test]
fn what_is_no_figure() {
    for text in [
        "5G基站与4G网络",
        "采用Q235钢、CR-39树脂和PM2.5监测",
        "成立于2011",
        "第3代产品",
        "model 3 motor",
        "ISO9001认证",
        "12345",
        "3D打印",
        "2016年度报告",
        "特别是2018年",
        "存储深度64K",
        "",
        "≥",
        "±",
        "-",
    ] {
        check(text, &[]);
    }
}

#[test]
fn the_prototypes_errors() {
    check("5G通信", &[]);
    check(
        "38℃-20150W",
        &[
            ("", Some(38.0), Some(38.0), "℃"),
            ("", Some(20150.0), Some(20150.0), "W"),
        ],
    );
    let f = figures("处理量65立方米/小时");
    let volume = figures("体积65立方米");
    assert!(!f[0].unit.is_comparable(&volume[0].unit));
    // A range across two units of one kind is one range.
    check("尺寸5mm-2cm", &[("尺寸", Some(0.5), Some(2.0), "cm")]);
}

#[test]
fn lists_go_by_one_name() {
    check(
        "功率5kW、10kW",
        &[
            ("功率", Some(5.0), Some(5.0), "kW"),
            ("功率", Some(10.0), Some(10.0), "kW"),
        ],
    );
}

#[test]
fn a_wish_goes_by_the_name_before_it() {
    // Name, hoped for, hoped otherwise.
    let told = |text: &str, wanted: &[(&str, bool, bool)]| {
        let found = figures(text);
        let all: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.wished, f.superseded))
            .collect();
        assert_eq!(all, wanted, "{text}");
    };
    told(
        "循环后容量保持率低于70%，希望不低于85%",
        &[
            ("循环后容量保持率", false, true),
            ("循环后容量保持率", true, false),
        ],
    );
    told(
        "厚度0.8mm、1.0mm，要求为0.5mm，宽度目标5 mm",
        &[
            ("厚度", false, true),
            ("厚度", false, true),
            ("厚度", true, false),
            ("宽度", true, false),
        ],
    );
    // Both bounds are meant.
    told(
        "合格率不低于90%，力争95%",
        &[("合格率", false, false), ("合格率", true, false)],
    );
    told(
        "电机5kW、220V，要求380V",
        &[
            ("电机", false, false),
            ("电机", false, true),
            ("电机", true, false),
        ],
    );
    told(
        "厚度目标0.5mm、0.6mm",
        &[("厚度", true, false), ("厚度", true, false)],
    );
    told(
        "合格率不低于90%，力争达到95%",
        &[("合格率", false, false), ("合格率", true, false)],
    );
    // Something else, how far it may be off, another sentence: none of these goes by the name.
    told(
        "功率5kW，希望3年",
        &[("功率", false, false), ("", true, false)],
    );
    told(
        "长度10m，要求±5mm",
        &[("长度", false, false), ("", true, false)],
    );
    told(
        "良率70%。希望85%",
        &[("良率", false, false), ("", true, false)],
    );
    // What is no figure takes none away.
    told("沸点80℃，要求350K", &[("沸点", false, false)]);
}

#[test]
fn an_open_end_is_beyond_every_bound() {
    let one = |t: &str| figures(t).into_iter().next().unwrap();
    let verdict = |a: &str, b: &str| compare(&one(a), &one(b)).unwrap().verdict;
    assert_eq!(verdict("含量不超过70%", "含量达到88%"), Verdict::Short);
    assert_eq!(verdict("含量不超过70%", "含量不低于50%"), Verdict::Partial);
    assert_eq!(verdict("含量不低于67%", "含量低于50%"), Verdict::Short);
    assert_eq!(verdict("含量不低于67%", "含量低于80%"), Verdict::Partial);
    assert_eq!(verdict("含量不低于67%", "含量不低于67%"), Verdict::Met);
    assert_eq!(verdict("含量不超过67%", "含量小于60%"), Verdict::Met);
}

#[test]
fn met_short_partial_incomparable() {
    let one = |t: &str| figures(t).into_iter().next().unwrap();
    let judge = |a: &str, b: &str| compare(&one(a), &one(b)).map(|c| (c.verdict, c.margin));
    let (v, m) = judge("抗冲击韧性≥67%", "所得单晶冲击韧性达到72%").unwrap();
    assert_eq!(v, Verdict::Met);
    assert!((m.unwrap() - 5.0 / 67.0).abs() < 1e-9);
    assert_eq!(
        judge("抗冲击韧性≥67%", "冲击韧性为60%").unwrap().0,
        Verdict::Short
    );
    assert_eq!(
        judge("粒度10-15 μm", "粒度12-20微米").unwrap().0,
        Verdict::Partial
    );
    assert_eq!(
        judge("粒度10-15 μm", "粒度11-13微米").unwrap().0,
        Verdict::Met
    );
    assert_eq!(
        judge("密度不低于1.80克/立方厘米", "密度1.8 t/m³")
            .unwrap()
            .0,
        Verdict::Met
    );
    assert_eq!(
        judge("能耗不超过5kWh", "能耗20MJ").unwrap().0,
        Verdict::Short
    );
    assert_eq!(judge("能耗不超过5kWh", "能耗17MJ").unwrap().0, Verdict::Met);
    let (v, m) = judge("温度不高于60℃", "温度300K").unwrap();
    assert_eq!(v, Verdict::Met);
    assert!((m.unwrap() - (60.0 - 26.85) / 60.0).abs() < 1e-9);
    assert_eq!(judge("温度60℃", "温度70℃").unwrap().0, Verdict::Short);
    assert_eq!(judge("温度60℃", "温度61℃").unwrap().0, Verdict::Met);
    assert_eq!(
        judge("离子电导率≥3 mS/cm", "室温电导率3.4 mS/cm")
            .unwrap()
            .0,
        Verdict::Met
    );
    assert_eq!(
        judge("电导率≥1 S/m", "电导率5 mS/cm").unwrap().0,
        Verdict::Short
    );
    assert!(figures("推行5S管理").is_empty());
    // More is no worse, where a number of times is asked for without a bound.
    assert_eq!(judge("循环800次", "循环900次").unwrap().0, Verdict::Met);
    assert_eq!(judge("循环800次", "循环500次").unwrap().0, Verdict::Short);
    // Another dimension, another thing, or nothing said of what it is.
    assert_eq!(judge("粒度10-15 μm", "密度1.8 g/cm³"), None);
    assert_eq!(judge("转化率≥67%", "市场占有率80%"), None);
    assert_eq!(judge("转化率≥67%", "80%"), None);
    assert_eq!(judge("员工不少于100人", "设备100台"), None);
}

#[test]
fn nothing_panics() {
    let pieces = [
        "≥",
        "10",
        "万",
        "±",
        "-",
        "～",
        "℃",
        "m",
        "³",
        "/",
        "(",
        "（",
        "e",
        "×10",
        "⁵",
        "以上",
        " ",
        "克",
        "^",
        ",",
        ".",
        "𠮷",
        "９",
        "％",
        "about",
        "5",
        "不低于",
        "－",
        "Over",
        "为",
    ];
    let mut x = 88_172_645_463_325_252_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            text.push_str(pieces[(x % pieces.len() as u64) as usize]);
        }
        for (at, first) in text.char_indices() {
            if bound::read(&text, at).is_some() {
                // Neither of what spares a look at most places hides one.
                assert!(bound::may_begin(first), "{text} {at}");
                let digit = |c| number::half(c).is_ascii_digit();
                assert!(text[at..].contains(digit), "{text} {at}");
            }
        }
        for f in figures(&text) {
            assert!(text.get(f.span.clone()).is_some(), "{text}");
            let ends = [f.interval.low, f.interval.high];
            assert!(ends.iter().flatten().all(|x| x.is_finite()), "{text}");
        }
    }
}
