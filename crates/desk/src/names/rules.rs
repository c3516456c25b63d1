//! Names of rules.

use queqiao_events::conflict::same_name_key;

/// Rules of events and teams: field, names.
pub(crate) const RULES: &[(&str, &[&str])] = &[
    (
        "name",
        &["活动名称", "name", "名称", "event", "团队名称", "team"],
    ),
    ("days", &["日期", "date", "活动日期", "days"]),
    ("start", &["开始时间", "start", "开始"]),
    ("end", &["结束时间", "end", "结束"]),
    (
        "slot",
        &[
            "时段长度",
            "slot",
            "每场分钟",
            "时长",
            "时段",
            "slot_minutes",
        ],
    ),
    ("gap", &["间隔", "gap", "间隔分钟", "转场分钟"]),
    ("breaks", &["休息", "breaks", "午休", "茶歇", "break"]),
    ("tables", &["桌数", "tables", "桌位数", "会议桌数"]),
    (
        "experts",
        &["每需求专家数", "experts_per_need", "k", "推荐人数"],
    ),
    (
        "meetings",
        &["专家场次上限", "meetings_per_expert", "每专家场次", "cap"],
    ),
    ("objective", &["目标", "objective", "优化目标"]),
    ("no_show", &["缺席率", "no_show", "爽约率"]),
    ("seed", &["种子", "seed", "随机种子"]),
    ("size", &["人数上限", "size", "团队人数", "成员数"]),
    ("budget", &["预算", "budget", "预算（万元）", "经费"]),
    (
        "per_institution",
        &["同一单位上限", "per_institution", "单位上限"],
    ),
    (
        "societies",
        &["学会数", "least_societies", "最少学会数", "societies"],
    ),
    ("leads", &["团长数", "least_leads", "最少团长数", "leads"]),
    ("lead_rank", &["团长职称", "lead_rank", "团长要求"]),
    (
        "distance",
        &["最远距离", "max_distance", "距离上限", "出差上限"],
    ),
    ("visit", &["服务日期", "visit", "服务时间"]),
    ("must", &["必选", "must", "指定成员"]),
    ("must_not", &["排除", "must_not", "不得入团"]),
    (
        "across",
        &[
            "每人跨活动上限",
            "most_across",
            "同期总场次上限",
            "跨活动上限",
        ],
    ),
    (
        "least_meetings",
        &["专家场次下限", "least_per_expert", "每专家最少场次"],
    ),
    (
        "least_score",
        &["最低匹配值", "least_score", "匹配值下限", "min_score"],
    ),
    (
        "reviewers",
        &["每项评审人数", "reviewers_per_application", "评审人数"],
    ),
    (
        "least_load",
        &["评审数下限", "least_reviews", "每人最少评审数"],
    ),
    (
        "most_load",
        &["评审数上限", "most_reviews", "每人最多评审数"],
    ),
    ("per_district", &["每区名额", "per_district", "每区上限"]),
    ("conflict_rules", &["回避规则", "conflict_rules"]),
    ("balance", &["圆桌均衡", "balance", "供需均衡"]),
    ("seats", &["圆桌座位", "seats_per_table", "每桌人数"]),
    (
        "lists_each",
        &["每项目榜单数", "lists_per_project", "每项目上榜次数"],
    ),
    ("places", &["每榜名额", "places_per_list", "榜单长度"]),
    ("floor", &["任务最低匹配", "part_floor", "最低覆盖"]),
    (
        "parts_each",
        &["每成员任务数", "parts_per_member", "每单位任务数"],
    ),
    ("robust", &["稳健", "robust", "稳健权重"]),
    ("gap_below", &["缺口线", "gap_below", "覆盖线"]),
];

/// The rule that a name means.
pub(crate) fn rule(name: &str) -> Option<&'static str> {
    let key = same_name_key(name);
    RULES
        .iter()
        .find(|r| r.1.iter().any(|n| same_name_key(n) == key))
        .map(|r| r.0)
}
