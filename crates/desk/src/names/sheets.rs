//! Names of sheets.

/// What a sheet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Participants,
    Needs,
    Experts,
    Availability,
    Requests,
    Conflicts,
    Rules,
    Scores,
    Tables,
    Travel,
    Fixed,
    Meetings,
    Applications,
    Reviewers,
    Criteria,
    Roundtables,
    Projects,
    Tracks,
    Listings,
}

/// Sheets by name; the first fits a Chinese file, the second an English one.
pub(crate) const SHEETS: &[(Kind, &[&str])] = &[
    (
        Kind::Participants,
        &[
            "参会者",
            "participants",
            "参会人员",
            "参会名单",
            "嘉宾",
            "嘉宾名单",
            "参会",
            "attendees",
            "guests",
        ],
    ),
    (
        Kind::Needs,
        &[
            "需求",
            "needs",
            "技术需求",
            "需求清单",
            "技术需求清单",
            "企业需求",
            "任务分解",
            "parts",
        ],
    ),
    (
        Kind::Experts,
        &[
            "专家",
            "experts",
            "专家名单",
            "候选人",
            "candidates",
            "候选专家",
            "候选单位",
        ],
    ),
    (
        Kind::Availability,
        &[
            "时间",
            "availability",
            "可参会时间",
            "到场时间",
            "时间安排",
            "在场时间",
        ],
    ),
    (
        Kind::Requests,
        &["意向", "requests", "意向单", "意愿", "约见", "wishes"],
    ),
    (
        Kind::Conflicts,
        &["回避", "conflicts", "利益冲突", "回避名单"],
    ),
    (
        Kind::Rules,
        &["规则", "rules", "设置", "参数", "要求", "settings"],
    ),
    (
        Kind::Scores,
        &["评分", "scores", "匹配", "匹配度", "匹配值"],
    ),
    (
        Kind::Tables,
        &["桌位", "tables", "会议桌", "场地", "桌", "rooms"],
    ),
    (Kind::Travel, &["路程", "travel", "场地距离"]),
    (
        Kind::Fixed,
        &["锁定", "fixed", "已定会面", "locked", "固定"],
    ),
    (Kind::Meetings, &["会面总表", "All meetings"]),
    (
        Kind::Applications,
        &["申报", "applications", "申报单位", "申报园区", "申报名单"],
    ),
    (
        Kind::Reviewers,
        &["评审专家", "reviewers", "评委", "评审", "评审人"],
    ),
    (
        Kind::Criteria,
        &["硬性条件", "criteria", "申报条件", "门槛", "条件"],
    ),
    (
        Kind::Roundtables,
        &["圆桌", "roundtables", "圆桌会议", "圆桌主题"],
    ),
    (Kind::Projects, &["项目", "projects", "项目库", "路演项目"]),
    (Kind::Tracks, &["赛道", "tracks", "方向"]),
    (
        Kind::Listings,
        &["企业榜单", "listings", "企业清单", "企业名单"],
    ),
];
