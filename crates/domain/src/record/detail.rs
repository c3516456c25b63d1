//! What each kind of record adds to the common fields.

use crate::{Date, Kind, Readiness, RegionCode};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The fields of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Detail {
    /// 技术需求.
    Need(Need),
    /// 企业.
    Enterprise(Enterprise),
    /// 专家.
    Expert(Expert),
    /// 学会.
    Society(Society),
    /// 科技成果.
    Achievement(Achievement),
    /// 机构.
    Institution(Institution),
}

impl Detail {
    /// The empty detail of a kind.
    pub fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Need => Detail::Need(Need::default()),
            Kind::Enterprise => Detail::Enterprise(Enterprise::default()),
            Kind::Expert => Detail::Expert(Expert::default()),
            Kind::Society => Detail::Society(Society::default()),
            Kind::Achievement => Detail::Achievement(Achievement::default()),
            Kind::Institution => Detail::Institution(Institution::default()),
        }
    }

    /// The kind this detail belongs to.
    pub fn kind(&self) -> Kind {
        match self {
            Detail::Need(_) => Kind::Need,
            Detail::Enterprise(_) => Kind::Enterprise,
            Detail::Expert(_) => Kind::Expert,
            Detail::Society(_) => Kind::Society,
            Detail::Achievement(_) => Kind::Achievement,
            Detail::Institution(_) => Kind::Institution,
        }
    }
}

/// A technology need of an enterprise.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Need {
    /// 需求背景.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub background: String,
    /// 技术难题: what has to be solved.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub problem: String,
    /// 技术指标, one per entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// 拟投入资金, 万元.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<AmountRange>,
    /// Last day for a solution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Date>,
    /// 合作方式.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cooperation_modes: Vec<CooperationMode>,
    /// Least readiness of a solution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_readiness: Option<Readiness>,
    /// Where the need stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<NeedStage>,
    /// Whom to contact; sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// An enterprise.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Enterprise {
    /// 主营业务.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub business: String,
    /// 主要产品.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// 企业类型 / 规模, in the caller's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scale: String,
    /// Whom to contact; sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// An expert: a person who offers help.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Expert {
    /// 研究方向, one per entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub research: Vec<String>,
    /// 个人简介.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub profile: String,
    /// 职称.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub professional_title: String,
    /// 荣誉.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub honours: Vec<String>,
    /// What kind of expert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expert_kind: Option<ExpertKind>,
    /// 可提供的服务.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// How much the expert can take on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// Where the expert goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub travel: Option<Travel>,
    /// When the expert is free; empty means not told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub availability: Vec<Availability>,
    /// The expert has opted out of automated matching.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub opt_out: bool,
    /// What the expert agreed to; none when not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// How to reach the expert; sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// Titles and honours by standing, the highest first; those that hold another as a part come before it.
const STANDINGS: [(u8, &[&str]); 4] = [
    (4, &["院士", "academician"]),
    (
        2,
        &[
            "副教授",
            "副研究员",
            "副主任医师",
            "副高",
            "associate professor",
            "associate researcher",
        ],
    ),
    (3, &["教授级", "正高", "教授", "主任医师", "professor"]),
    (
        1,
        &[
            "助理研究员",
            "讲师",
            "中级",
            "lecturer",
            "assistant researcher",
        ],
    ),
];
/// As above, where none of those is named.
const PLAIN: [(u8, &[&str]); 3] = [
    (3, &["研究员", "researcher"]),
    (2, &["高级工程师", "高工", "senior engineer"]),
    (1, &["工程师", "engineer"]),
];

impl Expert {
    /// Standing by title and honours: 4 academician, 3 professor or researcher, 2 associate professor or senior
    /// engineer, 1 intermediate; none where neither tells. The highest counts, of a title as of an honour.
    pub fn standing(&self) -> Option<u8> {
        let told = std::iter::once(&self.professional_title).chain(&self.honours);
        told.filter_map(|text| standing(text)).max()
    }
}

fn standing(text: &str) -> Option<u8> {
    // A title is short: what is long is a life, and names others' titles too.
    if text.chars().count() > 40 {
        return None;
    }
    let text = text.to_lowercase();
    // An assistant to a professor is none.
    if text.contains("助教") || text.contains("assistant professor") {
        return Some(1);
    }
    STANDINGS
        .iter()
        .chain(&PLAIN)
        .find(|(_, names)| names.iter().any(|n| text.contains(n)))
        .map(|(s, _)| *s)
}

/// What a person agreed to (个人信息保护法 Art. 13 to 15).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Consent {
    /// 处理目的, in the words that were agreed to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    /// When it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<Date>,
    /// The last day on which it holds; none means without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// A learned society.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Society {
    /// 学科领域 / 业务范围.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// 可提供的服务.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// 学会类别 (理科, 工科, 农科, 医科, 交叉学科).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Whom to contact; sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// An achievement ready to be transferred.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Achievement {
    /// 成果简介.
    #[serde(rename = "abstract", skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// 持有人 / 完成人.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub holder: String,
    /// 技术就绪度.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Readiness>,
    /// 技术指标 reached, one per entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub indices: Vec<String>,
    /// 应用领域.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application: String,
    /// 知识产权形式.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_form: Option<IpForm>,
    /// 价格, 万元.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<AmountRange>,
    /// 合作方式.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cooperation_modes: Vec<CooperationMode>,
    /// Whom to contact; sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// An institution: university, laboratory, park, service provider.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Institution {
    /// What kind of institution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub institution_kind: Option<InstitutionKind>,
    /// 简介.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub profile: String,
    /// 可提供的服务.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Whom to contact; sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// An amount of money in 万元 (10,000 yuan): at least one bound, `min` ≤ `max`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct AmountRange {
    /// Least amount, 万元.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Greatest amount, 万元.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// How much an expert can take on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Meetings per event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meetings: Option<u32>,
    /// Engagements open at one time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagements: Option<u32>,
}

/// Where an expert is ready to go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Travel {
    /// Regions, each with all it contains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<RegionCode>,
    /// Greatest distance, km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub km: Option<u32>,
}

/// Days on which someone is free, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
}

/// How to reach someone. Sealed: never part of a match, a log or a `Debug` print.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// 联系人.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// 电话.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// 电子邮箱.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// 通讯地址.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contact(sealed)")
    }
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $en:literal, $zh:literal, [$($alias:literal),*];)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every word of the vocabulary.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The name in files and on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $en,)* }
            }

            /// The Chinese name.
            pub fn zh(self) -> &'static str {
                match self { $($name::$variant => $zh,)* }
            }

            /// What would be accepted, for messages.
            pub fn expected() -> crate::Bilingual {
                crate::Bilingual::new(
                    format!("expected one of {}", Self::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", ")),
                    format!("应为：{}", Self::ALL.iter().map(|v| v.zh()).collect::<Vec<_>>().join("、")),
                )
            }

            fn aliases(self) -> &'static [&'static str] {
                match self { $($name::$variant => &[$($alias),*],)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::CodeError;

            /// Reads the English or the Chinese name, or a wording seen in the field.
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                let t = s.trim().to_lowercase();
                Self::ALL
                    .iter()
                    .copied()
                    .find(|v| v.as_str() == t || v.zh() == t || v.aliases().contains(&t.as_str()))
                    .ok_or_else(|| {
                        let shown: String = s.chars().take(40).collect();
                        crate::CodeError::new(
                            crate::Bilingual::new(format!("`{shown}` is not known here"), format!("“{shown}”无法识别")),
                            Self::expected(),
                        )
                    })
            }
        }
    };
}

vocabulary! {
    /// 合作方式: how two parties work together.
    CooperationMode {
        /// 技术开发: developed together or on commission.
        Development = "development", "技术开发", ["开发", "合作开发", "联合开发", "委托开发", "委托研发", "合作研发", "联合攻关", "联合研发", "共同开发", "委托攻关"];
        /// 技术转让: the right changes hands.
        Transfer = "transfer", "技术转让", ["转让", "成果转让", "专利转让", "技术引进", "引进"];
        /// 技术许可: the right is licensed.
        License = "license", "技术许可", ["许可", "专利许可", "技术授权", "授权", "licence"];
        /// 技术咨询.
        Consulting = "consulting", "技术咨询", ["咨询", "专家咨询", "诊断"];
        /// 技术服务.
        Service = "service", "技术服务", ["服务", "检测服务", "技术指导", "指导"];
        /// 作价入股: the right becomes a share.
        Equity = "equity", "作价入股", ["入股", "技术入股", "作价投资", "股权合作", "合资", "合作生产"];
    }
}

vocabulary! {
    /// Where a need stands.
    NeedStage {
        /// 待对接: open to matches.
        Open = "open", "待对接", ["征集中", "未解决", "未对接", "已发布", "新发布"];
        /// 对接中: in talks.
        InTalks = "in_talks", "对接中", ["洽谈中", "正在对接"];
        /// 已签约: under contract.
        Contracted = "contracted", "已签约", ["签约"];
        /// 已关闭: solved or withdrawn.
        Closed = "closed", "已关闭", ["关闭", "已解决", "已完成", "撤回"];
    }
}

vocabulary! {
    /// What kind of expert.
    ExpertKind {
        /// 科技专家.
        Scientist = "scientist", "科技专家", ["科学家", "研究人员", "学者"];
        /// 工程技术专家.
        Engineer = "engineer", "工程技术专家", ["工程师", "技术专家", "企业专家"];
        /// 科普专家: a science communicator.
        Communicator = "communicator", "科普专家", ["科普", "科普人才"];
        /// 科技志愿者.
        Volunteer = "volunteer", "科技志愿者", ["志愿者"];
        /// 服务专家: finance, law, patents, incubation.
        ServiceProvider = "service_provider", "服务专家", ["技术经纪人", "法律专家", "金融专家", "知识产权专家"];
    }
}

vocabulary! {
    /// What kind of institution.
    InstitutionKind {
        /// 高校.
        University = "university", "高校", ["大学", "高等院校", "学院"];
        /// 科研院所, laboratories.
        Laboratory = "laboratory", "科研院所", ["实验室", "研究所", "研究院", "科研机构", "重点实验室", "新型研发机构"];
        /// 园区.
        Park = "park", "园区", ["科技园", "产业园", "示范园区", "高新区", "孵化器"];
        /// 服务机构: finance, law, patents, testing.
        ServiceProvider = "service_provider", "服务机构", ["科技服务机构", "中介机构", "检测机构"];
    }
}

vocabulary! {
    /// 知识产权形式.
    IpForm {
        /// 发明专利.
        InventionPatent = "invention_patent", "发明专利", ["发明", "专利"];
        /// 实用新型.
        UtilityModel = "utility_model", "实用新型", ["实用新型专利"];
        /// 外观设计.
        Design = "design", "外观设计", ["外观设计专利"];
        /// 软件著作权.
        Software = "software", "软件著作权", ["软著", "计算机软件著作权"];
        /// 技术秘密.
        Secret = "secret", "技术秘密", ["专有技术", "know-how"];
        /// 植物新品种.
        PlantVariety = "plant_variety", "植物新品种", ["新品种"];
        /// 集成电路布图设计.
        Layout = "layout", "集成电路布图设计", ["布图设计"];
        /// 其他.
        Other = "other", "其他", ["其它", "无"];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standing_by_title_and_honours() {
        for (title, expected) in [
            ("教授", Some(3)),
            ("副教授", Some(2)),
            ("教授级高级工程师", Some(3)),
            ("正高级工程师", Some(3)),
            ("高级工程师", Some(2)),
            ("工程师", Some(1)),
            ("研究员", Some(3)),
            ("副研究员", Some(2)),
            ("助理研究员", Some(1)),
            ("讲师", Some(1)),
            ("助教", Some(1)),
            ("中国工程院院士", Some(4)),
            ("Professor", Some(3)),
            ("Associate Professor", Some(2)),
            ("Assistant Professor", Some(1)),
            ("Senior Engineer", Some(2)),
            ("主任医师", Some(3)),
            ("副主任医师", Some(2)),
            ("", None),
            ("总经理", None),
        ] {
            let e = Expert {
                professional_title: title.into(),
                ..Expert::default()
            };
            assert_eq!(e.standing(), expected, "{title}");
        }
        let e = Expert {
            professional_title: "副教授".into(),
            honours: vec!["国家杰青".into(), "中国科学院院士".into()],
            ..Expert::default()
        };
        assert_eq!(e.standing(), Some(4));
    }
}
