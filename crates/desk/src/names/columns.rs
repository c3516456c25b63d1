//! Names of columns.

use super::Kind;

type Names = (&'static str, &'static [&'static str]);

const WORKED: Names = (
    "worked",
    &[
        "合作过",
        "worked_with",
        "合作单位",
        "合作者",
        "曾合作",
        "论文合作者",
    ],
);
const DECLARED: Names = ("declared", &["申报回避", "declared", "回避", "回避对象"]);
const POSTS: Names = ("posts", &["学会任职", "posts", "任职学会", "社会任职"]);

/// Columns of a sheet: field, names it is known by.
pub(crate) fn columns(kind: Kind) -> &'static [Names] {
    match kind {
        Kind::Participants | Kind::Experts => &[
            (
                "id",
                &["编号", "id", "专家编号", "企业编号", "参会编号", "代码"],
            ),
            (
                "name",
                &[
                    "姓名",
                    "name",
                    "名称",
                    "专家",
                    "专家姓名",
                    "参会者",
                    "企业名称",
                    "企业",
                    "嘉宾",
                ],
            ),
            (
                "role",
                &["角色", "role", "类别", "身份", "类型", "kind", "side"],
            ),
            ("elsewhere", &["其他活动场次", "elsewhere", "同期已约场次"]),
            WORKED,
            DECLARED,
            POSTS,
            (
                "organisation",
                &[
                    "单位",
                    "organisation",
                    "工作单位",
                    "所在单位",
                    "依托单位",
                    "organization",
                    "affiliation",
                    "institution",
                    "机构",
                ],
            ),
            ("family", &["集团", "family", "所属集团", "母公司", "group"]),
            (
                "most",
                &[
                    "最多场次",
                    "most",
                    "接待上限",
                    "上限",
                    "最大接待",
                    "承接能力",
                    "capacity",
                    "max",
                ],
            ),
            ("status", &["状态", "status", "参会状态"]),
            (
                "text",
                &[
                    "研究方向",
                    "text",
                    "简介",
                    "专长",
                    "领域",
                    "research",
                    "profile",
                    "description",
                    "方向",
                    "主营业务",
                    "个人简介",
                ],
            ),
            ("title", &["职称", "title", "职务", "rank"]),
            ("societies", &["学会", "societies", "所属学会", "society"]),
            (
                "cost",
                &["费用", "cost", "费用（万元）", "费用万元", "报价"],
            ),
            ("lead", &["可任团长", "lead", "团长", "领队"]),
            ("load", &["可承担需求数", "load", "承担上限", "负荷"]),
            (
                "distance",
                &[
                    "距离",
                    "distance",
                    "距离（公里）",
                    "路程公里",
                    "距离公里",
                    "km",
                ],
            ),
            ("range", &["出差半径", "travel_km", "最远出差"]),
            (
                "from",
                &["可参会起", "from", "可服务起", "空闲起", "开始日期"],
            ),
            (
                "until",
                &["可参会止", "until", "可服务止", "空闲止", "结束日期"],
            ),
        ],
        Kind::Applications => &[
            ("id", &["申报编号", "id", "编号", "代码"]),
            (
                "name",
                &[
                    "申报单位",
                    "name",
                    "名称",
                    "园区",
                    "园区名称",
                    "城市",
                    "title",
                ],
            ),
            (
                "organisation",
                &[
                    "依托单位",
                    "organisation",
                    "运营单位",
                    "单位",
                    "organization",
                ],
            ),
            ("family", &["集团", "family", "所属集团", "母公司", "group"]),
            (
                "district",
                &["所在区", "district", "地区", "区", "区县", "县区", "区域"],
            ),
            ("priority", &["初评分", "priority", "排序分", "推荐顺序分"]),
            ("reviewers", &["评审人数", "reviewers", "所需评委"]),
            (
                "text",
                &["申报内容", "text", "简介", "描述", "领域", "description"],
            ),
            WORKED,
            DECLARED,
            POSTS,
        ],
        Kind::Reviewers => &[
            ("id", &["评委编号", "id", "编号", "专家编号", "代码"]),
            ("name", &["姓名", "name", "评委", "专家", "专家姓名"]),
            (
                "organisation",
                &[
                    "单位",
                    "organisation",
                    "工作单位",
                    "所在单位",
                    "organization",
                    "affiliation",
                ],
            ),
            ("family", &["集团", "family", "所属集团", "母公司", "group"]),
            ("least", &["最少评审数", "least", "评审下限", "min"]),
            (
                "most",
                &["最多评审数", "most", "评审上限", "max", "capacity"],
            ),
            (
                "text",
                &["研究方向", "text", "专长", "领域", "简介", "research"],
            ),
            WORKED,
            DECLARED,
            POSTS,
        ],
        Kind::Criteria => &[
            ("figure", &["指标", "figure", "条件", "项目", "criterion"]),
            ("least", &["最低", "least", "下限", "不低于", "min", "≥"]),
            ("most", &["最高", "most", "上限", "不高于", "max", "≤"]),
            ("unit", &["单位", "unit", "计量单位"]),
        ],
        Kind::Roundtables => &[
            (
                "name",
                &["圆桌", "name", "桌名", "主题", "领域", "table", "field"],
            ),
            (
                "text",
                &["议题", "text", "说明", "关键词", "主题说明", "topic"],
            ),
            ("most", &["座位数", "seats", "人数上限", "most", "座位"]),
            ("least", &["最少人数", "least", "人数下限", "min"]),
            ("host", &["主持人", "host", "主持", "召集人"]),
        ],
        Kind::Projects => &[
            ("id", &["项目编号", "id", "编号", "代码"]),
            ("name", &["项目名称", "title", "名称", "项目", "name"]),
            (
                "organisation",
                &[
                    "单位",
                    "organisation",
                    "持有单位",
                    "完成单位",
                    "所在单位",
                    "organization",
                ],
            ),
            (
                "readiness",
                &[
                    "技术就绪度",
                    "readiness",
                    "成熟度",
                    "技术成熟度",
                    "trl",
                    "就绪度",
                ],
            ),
            (
                "text",
                &["项目简介", "text", "简介", "描述", "内容", "description"],
            ),
            ("track", &["赛道", "track", "所属赛道", "方向"]),
        ],
        Kind::Tracks | Kind::Listings => &[
            (
                "name",
                &[
                    "赛道",
                    "name",
                    "企业",
                    "名称",
                    "track",
                    "enterprise",
                    "企业名称",
                ],
            ),
            (
                "text",
                &["方向", "text", "说明", "关注方向", "需求", "description"],
            ),
            ("places", &["名额", "places", "数量", "榜单长度", "上限"]),
            (
                "gate",
                &["成熟度门槛", "gate", "门槛", "最低成熟度", "最低就绪度"],
            ),
        ],
        Kind::Needs => &[
            ("id", &["需求编号", "id", "编号", "代码"]),
            (
                "name",
                &[
                    "需求名称",
                    "title",
                    "名称",
                    "需求",
                    "标题",
                    "name",
                    "技术需求",
                ],
            ),
            (
                "organisation",
                &[
                    "企业",
                    "organisation",
                    "企业名称",
                    "单位",
                    "需求单位",
                    "需求方",
                    "enterprise",
                    "company",
                    "participant",
                    "organization",
                ],
            ),
            (
                "text",
                &[
                    "技术难题",
                    "text",
                    "描述",
                    "需求描述",
                    "内容",
                    "需求内容",
                    "problem",
                    "description",
                ],
            ),
            ("experts", &["专家数", "experts", "所需专家数", "名额", "k"]),
            (
                "weight",
                &["权重", "weight", "优先级", "priority", "重要性"],
            ),
            ("floor", &["最低覆盖", "floor", "最低匹配"]),
        ],
        Kind::Availability => &[
            (
                "who",
                &["姓名", "who", "编号", "参会者", "name", "id", "participant"],
            ),
            ("day", &["日期", "date", "day"]),
            (
                "from",
                &["开始", "from", "开始时间", "起", "start", "begin"],
            ),
            ("until", &["结束", "until", "结束时间", "止", "end", "to"]),
            ("status", &["状态", "status", "类型", "在场"]),
        ],
        Kind::Requests => &[
            ("from", &["提出方", "from", "谁", "发起方", "requester"]),
            ("to", &["对象", "to", "想见", "意向对象", "target"]),
            (
                "strength",
                &["意向", "strength", "强度", "程度", "priority", "意愿"],
            ),
        ],
        Kind::Conflicts => &[
            ("a", &["甲方", "a", "一方", "first", "参会者"]),
            ("b", &["乙方", "b", "另一方", "second", "回避对象"]),
            ("reason", &["原因", "reason", "说明"]),
        ],
        Kind::Rules => &[
            ("key", &["项目", "key", "规则", "rule", "参数", "名称"]),
            ("value", &["值", "value", "内容", "设置"]),
        ],
        Kind::Scores => &[
            ("need", &["需求", "need", "需求编号"]),
            ("expert", &["专家", "expert", "专家编号", "候选人"]),
            ("score", &["评分", "score", "匹配度", "匹配值", "分值"]),
        ],
        Kind::Tables => &[
            (
                "name",
                &["桌位", "table", "桌号", "名称", "name", "room", "房间"],
            ),
            ("site", &["地点", "site", "场地", "会场"]),
            ("until", &["可用至", "until", "停用时间"]),
        ],
        Kind::Travel => &[
            ("from", &["从", "from", "起点"]),
            ("to", &["到", "to", "终点"]),
            ("minutes", &["分钟", "minutes", "路程（分钟）"]),
        ],
        Kind::Fixed => &[
            ("need", &["需求", "need", "需求编号"]),
            ("expert", &["专家", "expert", "专家编号"]),
            ("day", &["日期", "date", "day"]),
            ("begin", &["开始", "begin", "时间", "start", "time"]),
            ("table", &["桌位", "table", "桌号"]),
        ],
        Kind::Meetings => &[
            ("need", &["需求编号", "need"]),
            ("expert", &["专家编号", "expert"]),
            ("day", &["日期", "date"]),
            ("begin", &["开始", "begin"]),
            ("end", &["结束", "end"]),
            ("table", &["桌位", "table"]),
            ("name", &["专家姓名", "name"]),
        ],
    }
}
