//! Which column names stand for which field: the words of the forms in the field.
//!
//! The tables are kept as paragraphs (one line a name would be a thousand lines).

use super::field::Field::{self, *};
use queqiao_domain::Kind;

/// The names of one field. The first is the Chinese header of exported files, the second the
/// English one; a name further to the front wins where two columns name the same field.
pub(crate) struct Names {
    pub(crate) field: Field,
    pub(crate) names: &'static [&'static str],
}

const fn n(field: Field, names: &'static [&'static str]) -> Names {
    Names { field, names }
}

/// Names that hold for every kind, unless the kind says otherwise.
#[rustfmt::skip]
pub(crate) const COMMON: &[Names] = &[
    n(Id, &["编号", "id", "_id", "rid", "ID号", "记录编号", "唯一标识", "标识", "record_id", "uid", "uuid", "doc_id"]),
    n(KindName, &["记录类型", "kind", "记录类别", "数据类型", "对象类型", "record_kind", "record_type"]),
    n(WeakKind, &["类型", "type"]),
    n(Title, &["名称", "title", "标题", "name"]),
    n(Passages, &["文本段落", "passages", "papers", "publications"]),
    n(Keywords, &["关键词", "keywords", "关键字", "技术关键词", "技术领域", "所属技术领域", "所属领域", "领域",
        "技术方向", "技术分类", "主题词", "标签", "tags", "keyword"]),
    n(Industries, &["所属行业", "industries", "行业", "行业代码", "行业类别", "行业分类", "行业名称", "行业领域",
        "所属行业领域", "国民经济行业", "国民经济行业分类", "国民经济行业代码", "所属行业代码", "所属产业",
        "产业领域", "产业", "industry", "industry_code"]),
    n(Disciplines, &["学科代码", "disciplines", "学科", "所属学科", "学科分类", "学科分类代码", "一级学科",
        "学科名称", "discipline", "discipline_code"]),
    n(Region, &["所在地区", "region", "地区", "所在地", "区域", "省市区", "所属地区", "所属区域", "所在区域",
        "行政区划", "行政区划代码", "地区代码", "地域", "所在省市", "省市", "所属省市", "需求地区", "项目所在地",
        "单位所在地", "企业所在地", "机构所在地", "所属辖区", "region_code", "location"]),
    n(Province, &["省份", "region.province", "省", "所在省", "所在省份", "province"]),
    n(City, &["城市", "region.city", "市", "所在市", "所在城市", "地市", "地级市", "city"]),
    n(District, &["区县", "region.district", "区", "县区", "县", "所在区", "所在区县", "district", "county"]),
    n(LanguageName, &["语言", "language", "语种", "lang"]),
    n(OrganisationName, &["依托单位", "organisation", "organisation.name", "挂靠单位", "主管单位", "主办单位",
        "上级单位", "支撑单位", "organization"]),
    n(UsccCode, &["统一社会信用代码", "uscc", "organisation.uscc", "信用代码", "社会信用代码", "统一信用代码",
        "企业信用代码", "credit_code"]),
    n(Links, &["关联关系", "links"]),
    n(MemberOf, &["所属学会", "member_of", "学会", "所属协会", "所在学会", "所属学协会", "所属学（协）会",
        "加入学会", "学会会员", "society", "societies"]),
    n(WorksAt, &["任职机构", "works_at"]),
    n(MadeBy, &["完成专家", "made_by"]),
    n(OwnedBy, &["归属机构", "owned_by"]),
    n(WorkedWith, &["曾合作方", "worked_with", "曾合作单位", "合作过的单位"]),
    n(Conflicts, &["利益冲突", "conflicts", "回避", "回避单位", "回避名单", "需回避单位", "回避对象", "conflict",
        "conflicts_of_interest"]),
    n(VisibilityName, &["可见范围", "visibility", "公开范围", "公开程度", "是否公开"]),
    n(Released, &["可公开内容", "released", "可公开条款", "公开内容", "对外公开内容"]),
    n(ValidFrom, &["有效期起", "valid_from", "生效日期", "有效期开始", "有效期自", "有效起始日期"]),
    n(ValidUntil, &["有效期止", "valid_until", "有效期", "有效期至", "有效期限", "需求有效期", "失效日期",
        "有效期结束", "有效截止日期"]),
    n(Attributes, &["附加属性", "attributes"]),
    n(ContactJson, &["联系信息", "contact"]),
    n(ContactName, &["联系人", "contact.name", "联系人姓名", "需求联系人", "项目联系人", "企业联系人", "技术联系人",
        "单位联系人", "对接人", "contact_person"]),
    n(ContactPhone, &["联系电话", "contact.phone", "电话", "手机", "手机号", "手机号码", "联系方式", "移动电话",
        "办公电话", "固定电话", "联系手机", "座机", "电话号码", "联系人电话", "联系人手机", "phone", "telephone",
        "tel", "mobile", "mobile_phone", "phone_number", "微信", "微信号", "QQ", "QQ号", "传真", "fax", "wechat"]),
    n(ContactEmail, &["电子邮箱", "contact.email", "邮箱", "电子邮件", "邮箱地址", "联系邮箱", "email", "e-mail",
        "email_address", "mail"]),
    n(ContactAddress, &["通讯地址", "contact.address", "联系地址", "通信地址", "地址", "详细地址", "单位地址",
        "企业地址", "注册地址", "办公地址", "邮寄地址", "address", "postal_address"]),
    n(RowNumber, &["序号", "row_number", "行号", "no", "no.", "#", "排序", "row", "index"]),
    n(ErrorColumn, &["错误 / error"]),
];

#[rustfmt::skip]
const NEED: &[Names] = &[
    n(Id, &["需求编号", "id", "技术需求编号", "难题编号", "榜单编号", "题目编号", "项目编号", "need_id", "query_id",
        "qid"]),
    n(Title, &["需求名称", "title", "技术需求名称", "需求标题", "技术需求标题", "难题名称", "技术难题名称",
        "需求题目", "榜单名称", "项目名称", "课题名称", "题目", "标题", "名称", "需求主题", "主题", "need_title",
        "name"]),
    n(OrganisationName, &["企业名称", "organisation", "单位名称", "需求方", "需求单位", "需求企业", "需求方名称",
        "需求单位名称", "提出单位", "发布单位", "申报单位", "提报单位", "填报单位", "发榜单位", "出题单位",
        "出题企业", "所属企业", "公司名称", "企业", "公司", "单位", "organisation.name", "organization", "company",
        "company_name", "enterprise"]),
    n(Background, &["需求背景", "background", "背景", "技术背景", "项目背景", "背景介绍", "背景说明", "应用背景",
        "技术现状", "现状", "现有基础", "现有工作基础", "context"]),
    n(Problem, &["技术难题", "problem", "需求内容", "技术需求内容", "需求描述", "技术需求描述", "主要内容",
        "需求详情", "难题描述", "技术难题描述", "关键技术问题", "拟解决的技术问题", "需解决的技术问题",
        "需要解决的技术问题", "拟解决的关键技术问题", "主要技术问题", "技术问题", "问题描述", "具体需求", "具体内容",
        "需求说明", "需求简介", "需求概述", "技术需求", "需求", "难题", "主要研究内容", "研究内容", "攻关内容",
        "内容", "描述", "摘要", "简介", "content", "text", "description", "body", "detail", "details"]),
    n(Targets, &["技术指标", "targets", "主要技术指标", "预期目标", "目标", "技术要求", "指标要求", "考核指标",
        "主要指标", "关键指标", "性能指标", "预期指标", "预期技术指标", "预期达到的技术指标", "拟达到的技术指标",
        "技术参数", "预期成果", "target", "indices", "kpi"]),
    n(Budget, &["拟投入资金", "budget", "预算", "意向投入", "意向投入资金", "投入资金", "拟投资额", "拟投入经费",
        "拟投入金额", "拟投入", "投入金额", "计划投入", "计划投入资金", "计划投资", "预计投入", "预算金额",
        "投资预算", "资金预算", "经费预算", "项目预算", "研发预算", "投资金额", "意向金额", "意向价格", "出资额度",
        "拟出资金额", "拟支付金额", "悬赏金额", "榜金", "揭榜金额"]),
    n(BudgetMin, &["预算下限", "budget.min", "最低预算", "投入下限"]),
    n(BudgetMax, &["预算上限", "budget.max", "最高预算", "投入上限"]),
    n(Deadline, &["截止日期", "deadline", "需求期限", "截止时间", "需求截止日期", "需求截止时间", "解决期限",
        "期望完成时间", "要求完成时间", "计划完成时间", "完成时限", "完成期限", "揭榜截止日期", "due_date"]),
    n(Modes, MODES),
    n(LeastReadiness, &["最低就绪度", "least_readiness", "最低技术就绪度", "最低成熟度", "最低技术成熟度", "就绪度要求", "技术就绪度要求", "成熟度要求",
        "技术成熟度要求", "成果成熟度要求", "期望成熟度", "要求就绪度", "技术就绪度", "就绪度", "成熟度", "readiness"]),
    n(Stage, &["需求状态", "stage", "状态", "对接状态", "需求进展", "status"]),
];

#[rustfmt::skip]
const MODES: &[&str] = &[
    "合作方式", "cooperation_modes", "合作意向", "合作模式", "拟合作方式", "期望合作方式", "意向合作方式",
    "拟采取的合作方式", "转化方式", "拟转化方式", "成果转化方式", "转让方式", "交易方式", "cooperation_mode",
    "cooperation",
];

#[rustfmt::skip]
const ENTERPRISE: &[Names] = &[
    n(Id, &["企业编号", "id", "enterprise_id", "company_id"]),
    n(Title, &["企业名称", "title", "公司名称", "企业全称", "单位名称", "名称", "企业", "公司", "name", "company",
        "company_name", "enterprise_name", "enterprise"]),
    n(Business, &["主营业务", "business", "主要业务", "经营范围", "业务范围", "企业简介", "公司简介", "企业介绍",
        "简介", "profile", "text", "description", "content"]),
    n(Products, &["主要产品", "products", "主营产品", "核心产品", "产品", "产品名称", "product"]),
    n(Scale, &["企业规模", "scale", "规模", "企业类型", "企业性质"]),
];

#[rustfmt::skip]
const EXPERT: &[Names] = &[
    n(Id, &["专家编号", "id", "人才编号", "expert_id"]),
    n(Title, &["专家姓名", "title", "姓名", "专家名称", "人才姓名", "专家", "名称", "name", "full_name", "expert_name"]),
    n(Research, &["研究方向", "research", "研究领域", "主要研究方向", "专业领域", "擅长领域", "专业方向",
        "专业技术领域", "技术专长", "研究专长", "专业特长", "专业专长", "专长", "擅长技术", "擅长方向", "从事专业",
        "从事领域", "学科领域", "技术领域", "所属领域", "领域", "专业", "expertise", "research_areas",
        "research_area", "research_interests", "fields"]),
    n(Profile, &["个人简介", "profile", "简介", "专家简介", "人物简介", "个人简历", "简历", "专家介绍", "个人介绍",
        "基本情况", "个人情况", "主要业绩", "introduce", "introduction", "biography", "bio", "text", "description",
        "content"]),
    n(ProfessionalTitle, &["职称", "professional_title", "专业技术职称", "技术职称", "专业技术职务", "职称/职务",
        "职务/职称", "职务职称", "academic_title"]),
    n(Honours, &["荣誉", "honours", "荣誉称号", "人才称号", "称号", "获奖情况", "获奖", "奖励", "荣誉奖励",
        "主要荣誉", "人才计划", "honors", "awards"]),
    n(ExpertKindName, &["专家类别", "expert_kind", "专家类型", "人才类别", "人才类型"]),
    n(Services, SERVICES),
    n(CapacityJson, &["接待与承接能力", "capacity"]),
    n(Meetings, &["最大接待", "capacity.meetings", "接待能力", "最大接待数", "最大接待家数", "最多对接数",
        "每场对接上限", "每场接待数", "每次活动可接待场次", "可接待场次", "每场可接待数", "接待场次", "meetings", "max_meetings"]),
    n(Engagements, &["承接能力", "capacity.engagements", "最大承接", "最大承接数", "最大承接能力", "可承接项目数",
        "同时承接数", "engagements", "max_engagements"]),
    n(TravelRegions, &["可出差地区", "travel.regions", "出差范围", "出差地区", "可服务地区", "服务地区", "服务区域",
        "travel", "travel_regions"]),
    n(TravelKm, &["出差半径", "travel.km", "最远出差距离", "travel_km"]),
    n(AvailabilityDays, &["可对接时间", "availability", "空闲时间", "可用时间", "可参会时间", "可参加时间"]),
    n(OptOut, &["是否退出自动匹配", "opt_out", "退出自动匹配", "不参与自动匹配", "是否不参与自动匹配"]),
    n(ConsentPurpose, &["同意的处理目的", "consent.purpose", "同意用途", "授权用途", "个人信息处理目的", "consent"]),
    n(ConsentGiven, &["同意日期", "consent.given", "授权日期", "同意书签署日期"]),
    n(ConsentUntil, &["同意有效期至", "consent.until", "授权有效期至", "授权截止日期"]),
    n(OrganisationName, &["工作单位", "organisation", "所在单位", "现工作单位", "工作单位名称", "任职单位",
        "所属单位", "依托单位", "供职单位", "所在机构", "单位名称", "单位", "organisation.name", "organization",
        "affiliation", "employer", "work_unit", "institution"]),
    n(Passages, &["代表论文", "passages", "代表性论文", "代表性成果", "代表成果", "代表作", "代表性论著", "主要论文",
        "发表论文", "论文", "论文题目", "论文著作", "主要成果", "学术成果", "papers", "publications"]),
];

#[rustfmt::skip]
const SERVICES: &[&str] = &[
    "可提供服务", "services", "可提供的服务", "提供服务", "服务内容", "可服务内容", "服务项目", "服务方式",
    "服务类型", "service",
];

#[rustfmt::skip]
const SOCIETY: &[Names] = &[
    n(Id, &["学会编号", "id", "学会代码", "code", "society_id"]),
    n(Title, &["学会名称", "title", "协会名称", "学协会名称", "学会", "协会", "单位名称", "名称", "name", "society",
        "society_name"]),
    n(Scope, &["业务范围", "scope", "学科领域", "服务领域", "专业领域", "专业方向", "学会简介", "协会简介", "简介",
        "profile", "text", "description", "content"]),
    n(Services, SERVICES),
    n(Group, &["学会类别", "group", "学会类型", "学科类别", "类别", "分类"]),
];

#[rustfmt::skip]
const ACHIEVEMENT: &[Names] = &[
    n(Id, &["成果编号", "id", "成果登记号", "登记号", "专利号", "申请号", "项目编号", "achievement_id"]),
    n(Title, &["成果名称", "title", "科技成果名称", "技术成果名称", "专利名称", "发明名称", "技术名称", "项目名称",
        "名称", "标题", "name", "achievement_title"]),
    n(Abstract, &["成果简介", "abstract", "成果摘要", "摘要", "成果介绍", "成果描述", "成果内容", "成果概述",
        "技术简介", "内容简介", "技术内容", "项目简介", "主要内容", "简介", "内容", "描述", "summary", "text",
        "content", "description"]),
    n(Holder, &["完成人", "holder", "成果完成人", "主要完成人", "第一完成人", "持有人", "成果持有人", "发明人",
        "项目负责人", "负责人", "inventor", "inventors"]),
    n(OrganisationName, &["完成单位", "organisation", "第一完成单位", "成果完成单位", "主要完成单位", "持有单位",
        "成果持有单位", "权利人", "专利权人", "所属单位", "单位名称", "单位", "organisation.name", "organization",
        "assignee", "owner"]),
    n(ReadinessLevel, &["技术就绪度", "readiness", "就绪度", "技术成熟度", "成果成熟度", "成熟度", "成熟程度",
        "技术成熟程度", "成果阶段", "成果所处阶段", "所处阶段", "研发阶段", "所处研发阶段", "产业化阶段", "trl",
        "stage"]),
    n(Indices, &["技术指标", "indices", "主要技术指标", "性能指标", "主要性能指标", "技术性能指标", "技术参数",
        "关键指标", "主要指标", "targets"]),
    n(Application, &["应用领域", "application", "应用范围", "适用范围", "应用场景", "应用行业", "应用前景",
        "应用方向", "市场前景", "applications"]),
    n(IpFormName, &["知识产权形式", "ip_form", "知识产权类型", "知识产权", "专利类型"]),
    n(Price, &["转让价格", "price", "价格", "拟转让价格", "意向价格", "成果价格", "交易价格", "许可价格", "报价",
        "转让费用"]),
    n(PriceMin, &["价格下限", "price.min", "最低价格"]),
    n(PriceMax, &["价格上限", "price.max", "最高价格"]),
    n(Modes, MODES),
];

#[rustfmt::skip]
const INSTITUTION: &[Names] = &[
    n(Id, &["机构编号", "id", "institution_id", "park_id"]),
    n(Title, &["机构名称", "title", "高校名称", "学校名称", "院所名称", "园区名称", "平台名称", "实验室名称",
        "服务机构名称", "单位名称", "名称", "机构", "name", "institution", "institution_name"]),
    n(InstitutionKindName, &["机构类别", "institution_kind", "机构类型", "机构性质", "单位类型", "单位性质"]),
    n(Profile, &["机构简介", "profile", "单位简介", "机构介绍", "园区简介", "平台简介", "简介", "业务范围", "text",
        "description", "content"]),
    n(Services, SERVICES),
];

/// The names of a kind's own, which come before [`COMMON`].
pub(crate) fn of_kind(kind: Kind) -> &'static [Names] {
    match kind {
        Kind::Need => NEED,
        Kind::Enterprise => ENTERPRISE,
        Kind::Expert => EXPERT,
        Kind::Society => SOCIETY,
        Kind::Achievement => ACHIEVEMENT,
        Kind::Institution => INSTITUTION,
    }
}

/// Columns often seen that have no field of their own: kept as attributes, and no slip of the pen.
#[rustfmt::skip]
pub(crate) const PLAIN_ATTRIBUTES: &[&str] = &[
    "备注", "职务", "学历", "学位", "毕业院校", "填报日期", "填表日期", "提交时间", "创建时间", "更新时间", "来源",
    "链接", "网址", "link", "url", "remark", "remarks", "note", "notes", "created_at", "updated_at", "source",
    "metadata",
];
