//! What `--help` says in Chinese: for each command its purpose and its arguments, by their ids. A test compares
//! it with the commands there are.

/// A command by its path, what it is for, and its arguments: `id`, or `id=value` for one of a few values.
pub(super) type Page = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Arguments that mean the same wherever they stand.
pub(super) const EVERYWHERE: &[(&str, &str)] = &[
    ("lang", "给人看的内容用何种语言；默认随环境"),
    ("lang=en", "英文"),
    ("lang=zh", "中文"),
    (
        "models",
        "模型所在文件夹；默认在程序旁边，或当前目录的 `models`",
    ),
    ("log_json", "日志以 JSON 行输出"),
    ("help", "显示说明"),
    ("version", "显示版本"),
    ("path", "数据目录"),
    ("tenant", "哪个租户的记录"),
    ("model", "模型名称"),
    ("format", "输出方式"),
    ("format=table", "给人看"),
    ("format=json", "给程序读：一个 JSON 文档"),
    ("mode", "由索引的哪一侧作答"),
    ("mode=hybrid", "含义与共同词语"),
    ("mode=dense", "仅含义"),
    ("mode=lexical", "仅共同词语"),
    ("alpha", "检验水平；区间为 1 − 此值"),
    ("out", "要写出的工作簿（.xlsx），不能与已有文件重名"),
    ("replace", "覆盖已有的文件"),
    ("config", "配置文件（TOML）"),
    ("weights", "打分权重（JSON）；默认为随程序提供的"),
    (
        "examination",
        "某个位置被看到的可能：1/rank、1/rank^0.7、log、all，或按名次给出：1,.6,.4",
    ),
    ("keys", "密钥文件，若不在数据目录中"),
];

pub(super) const PAGES: &[Page] = &[
    ("", "鹊桥：为企业的技术需求找到能解决它的人", &[]),
    (
        "serve",
        "启动 gRPC 服务",
        &[
            ("data", "数据目录（默认 queqiao-data）"),
            (
                "listen",
                "监听地址；端口 0 取一个空闲端口（默认 127.0.0.1:50051）",
            ),
            (
                "config",
                "配置文件（TOML）：命令行优先于环境变量（QUEQIAO_…），环境变量优先于文件",
            ),
            (
                "allow_insecure",
                "在他人可达的地址上监听，尽管没有密钥验证调用者",
            ),
            (
                "allow_plaintext",
                "在他人可达的地址上明文接受密钥：用于前面有 TLS 代理时",
            ),
        ],
    ),
    (
        "import",
        "把表格导入数据目录",
        &[
            ("files", "文件：xlsx、csv、tsv、jsonl"),
            ("kind", "记录的类别，文件中没有写明时使用"),
            ("sheet", "只读工作簿中的这张表"),
            (
                "bad_rows",
                "有误的行写到哪里；默认在原文件旁边，文件名带 `.bad`",
            ),
            ("dry_run", "只读取和检查，不存入"),
            ("format", "导入报告的输出方式"),
        ],
    ),
    (
        "export",
        "把数据目录中的记录写成文件",
        &[
            ("file", "要写出的文件：.jsonl、.csv 或 .xlsx"),
            ("kind", "只写这一类别"),
            ("with_contacts", "连同密封的联系方式"),
            ("format", "报告的输出方式"),
        ],
    ),
    (
        "match",
        "匹配",
        &[
            (
                "need",
                "由一条已存的记录提问：需求，或提供帮助的任何一方；可给多次",
            ),
            (
                "needs_where",
                "由满足条件（AIP-160）的已存需求提问，如 `region : 440300`",
            ),
            ("text", "由一段文本提问"),
            (
                "file",
                "由文件提问：.txt 为一段文本；xlsx、csv、tsv、jsonl 逐行提问",
            ),
            (
                "to",
                "想要的类别，用逗号分隔（expert,achievement）；默认为相应的另一方",
            ),
            ("k", "想要的匹配数，1 至 1000"),
            (
                "filter",
                "对结果的条件（AIP-160），如 `region : 440000 AND industry : C39`",
            ),
            ("explain", "拆开每个得分，并说明每一分句由什么回答"),
            (
                "why",
                "这条记录为何排在此处、怎样会改变；-k 为它应进入的名单长度",
            ),
            ("keep", "留存这次结果，以便登记后续；会显示其 match_id"),
            ("own_organisation", "结果中也包括提问方本单位的记录"),
            ("per_organisation", "同一单位至多几个匹配"),
            (
                "together",
                "统筹推荐：多条已存记录的名单一起生成，对方想见谁同样算数，少数热门者不会占满每张名单",
            ),
            (
                "diverse",
                "避免名单内容雷同：mmr（两两不相似）或 xquad（每一分句都有人回答）",
            ),
            ("diverse=mmr", "两两不相似"),
            ("diverse=xquad", "问题的每一分句都有人回答"),
            ("explore", "名单末尾留给新来者的比例（0 至 0.3）"),
            ("weight", "自定的权重（region=0.2）；--explain 列出各项特征"),
            ("kind", "FILE 各行的类别，文件中没有写明时使用"),
            ("today", "记录须在这一天有效；默认今天"),
        ],
    ),
    (
        "rank",
        "对测试集排序，写成 TREC run",
        &[
            (
                "collection",
                "BEIR 布局的文件夹：corpus.jsonl、queries.jsonl、qrels",
            ),
            ("pool", "每个查询对哪些文档排序"),
            ("pool=all", "全部文档"),
            ("pool=judged", "该查询已有判定的文档"),
            ("depth", "每个查询的行数"),
            ("run", "要写出的 run 文件"),
            (
                "features",
                "同时写出每行的特征，供 `queqiao weights fit` 与您自己的排序器使用",
            ),
        ],
    ),
    (
        "clarify",
        "需求写得是否清楚，还应追问什么",
        &[
            ("need", "一项已存的需求"),
            ("text", "一段文本"),
            (
                "file",
                "文件中的全部需求（xlsx、csv、tsv、jsonl），每项一行",
            ),
            ("to", "由哪些类别回答，用逗号分隔；默认专家"),
        ],
    ),
    (
        "duplicates",
        "查重：内容几乎相同的记录",
        &[
            ("kind", "这一类别的记录"),
            ("least", "相同部分至少占多大比例（0.5 至 1）"),
            ("limit", "至多几对"),
        ],
    ),
    (
        "chain",
        "产业链上的供给与需求",
        &[
            (
                "chain",
                "节点的 csv，列为 id、name、description、upstream（编号，分号分隔）",
            ),
            (
                "region",
                "谁的产业链（代码或名称）：缺口在该地区内统计，补缺者来自区外",
            ),
            ("least_score", "记录归入得分最高的节点，得分至少为此值"),
            ("fillers", "每个节点的补缺者数"),
        ],
    ),
    ("outcomes", "匹配的后续：登记、统计、从中学习", &[]),
    (
        "outcomes report",
        "从 csv 登记留存结果（`queqiao match --keep`）的后续",
        &[(
            "file",
            "csv，列为 match_id、candidate、stage（shown、opened、contacted、met、signed、declined），以及有则填写的 reason、time、event",
        )],
    ),
    (
        "outcomes show",
        "查看留存的结果：当时名单上有谁，各得分由什么构成",
        &[("match_id", "其 match_id")],
    ),
    (
        "outcomes funnel",
        "漏斗统计：展示、打开、联系、会面、签约、拒绝及原因",
        &[
            ("by", "按什么分组"),
            ("by=all", "不分组"),
            ("by=event", "后续所属的活动"),
            ("by=region", "被匹配者所在的省"),
            ("by=discipline", "其一级学科"),
            ("by=industry", "其行业门类"),
            ("by=kind", "其类别"),
            ("by=weights", "当时排序所用的权重"),
        ],
    ),
    (
        "outcomes export",
        "导出供 `queqiao weights fit` 使用的特征与判定",
        &[
            ("features", "要写出的特征文件"),
            (
                "qrels",
                "要写出的判定文件：每条的后续，并按其位置被忽略的程度加权",
            ),
            (
                "bias",
                "名单第 r 位被看到的概率为 r^-BIAS；0 表示每位都被看到",
            ),
            ("clip", "任何后续的权重不超过此值"),
        ],
    ),
    (
        "outcomes calibrate",
        "从后续学习得分的含义，此后匹配带有概率",
        &[
            ("target", "概率指的是什么"),
            ("target=contacted", "一方联系了另一方"),
            ("target=met", "双方会面"),
            ("target=signed", "双方签约"),
        ],
    ),
    ("weights", "按判定或后续拟合打分权重，并启用", &[]),
    (
        "weights fit",
        "拟合权重，使更好的候选者排在前面；仅当在未见过的查询上确有提升时才写出",
        &[
            ("features", "特征，由 `queqiao rank --features` 写出"),
            ("qrels", "判定或后续：一个文件，或测试集的文件夹"),
            (
                "also",
                "另一测试集的特征与判定，新权重在其上不得显著变差；可给多次",
            ),
            ("out", "要写出的权重文件"),
            ("start", "从哪组权重出发并以其为约束；默认为随程序提供的"),
            ("measure", "应当提升的指标"),
            ("folds", "把查询分成几份，每份用其余各份拟合的权重来排"),
            ("anyway", "没有提升也写出"),
        ],
    ),
    (
        "weights use",
        "在数据目录中启用权重，下次启动起生效",
        &[("file", "权重，由 `queqiao weights fit` 写出")],
    ),
    ("weights back", "恢复此前启用的权重", &[]),
    ("event", "策划对接会", &[]),
    (
        "event plan",
        "从活动的表格生成名单、日程、评审组、圆桌与路演",
        &[
            (
                "event",
                "csv 与 xlsx 的文件夹，或一个工作簿：参会者、需求、专家、时间、意向、回避、规则、评分、桌位、锁定、路程；评审组另需申报、评审专家、硬性条件；圆桌另需圆桌；路演另需项目、赛道、企业榜单",
            ),
            (
                "with",
                "同期另一活动的方案：其中的专家届时不空，其场次计入规则“每人跨活动上限”；可给多次",
            ),
            ("time_limit", "多少秒后停止，给出届时最好的方案"),
            ("model", "模型名称，用于活动未给出的评分"),
        ],
    ),
    (
        "event replan",
        "变动之后重新安排，尽量少改动会面",
        &[
            ("event", "活动的文件夹或工作簿，同 `event plan`"),
            ("with", "同期另一活动的方案；可给多次"),
            ("time_limit", "多少秒后停止，给出届时最好的方案"),
            ("model", "模型名称，用于活动未给出的评分"),
            ("before", "已发出的方案：由 `event plan` 写出的工作簿"),
            ("cancel", "不能到会的人：编号或姓名；可给多次"),
            (
                "lose_table",
                "不能使用的桌位，全程或自某时起（`7`、`7@14:00`）",
            ),
            ("late", "迟到的人与到达时间（`E12@10:30`）"),
        ],
    ),
    (
        "event explain",
        "某项需求与某位专家为何会面，或为何没有",
        &[
            ("event", "活动的文件夹或工作簿，同 `event plan`"),
            ("with", "同期另一活动的方案；可给多次"),
            ("time_limit", "多少秒后停止，给出届时最好的方案"),
            ("model", "模型名称，用于活动未给出的评分"),
            ("need", "需求编号"),
            ("expert", "专家的编号或姓名"),
        ],
    ),
    (
        "event example",
        "写出示例工作簿，含排会面通常所需的各张表，填有虚构的人员，可直接生成方案，也可照着填写",
        &[("file", "要写出的工作簿，不能与已有文件重名")],
    ),
    ("team", "组建科技服务团", &[]),
    ("team compose", "为一组需求组建最好的团队，并给出证明", TEAM),
    (
        "team consortium",
        "组建联合体：成员互补，共同承担一个联合项目的各部分",
        TEAM,
    ),
    (
        "team example",
        "写出示例工作簿，含需求、候选专家与规则，填有虚构的人员",
        &[("file", "要写出的工作簿，不能与已有文件重名")],
    ),
    ("eval", "按判定评测排序结果", MEASURING),
    (
        "compare",
        "判断一个 run 相对另一个的提升是否超出偶然",
        MEASURING,
    ),
    (
        "lists",
        "把名单作为整体评测：曝光、嫉妒、阻塞对、预期匹配",
        &[
            ("lists", "名单，以 run 的形式：谁得到名单，谁在名单上"),
            ("depth", "名单计前几位；默认全部"),
            (
                "supply",
                "测试集文件夹，或每行一个编号的文件：可能被展示的人；默认为任何一处提到的人",
            ),
            (
                "wants",
                "得到名单的人对名单上的人的意愿，以 run 的形式：0 至 1 的概率，用于预期匹配",
            ),
            (
                "wants_back",
                "名单上的人对得到名单者的意愿，方向相反的 run；默认一律同意",
            ),
            (
                "back",
                "方向相反的名单，每个 LISTS 对应一个文件；默认每人看到自己所在名单的全部主人",
            ),
            ("capacity", "一个人可出现在几张名单上，用于阻塞对；默认不限"),
            ("qrels", "判定，用于检查得分是否名副其实"),
        ],
    ),
    (
        "off-policy",
        "由日志估计：若当时展示这些 run，收益会是多少",
        &[
            (
                "log",
                "展示过的名单及其后续的日志（JSON 行；也可为 .gz、.zst）",
            ),
            ("runs", "本可展示的 run"),
            ("assume", "对后续如何产生所作的假设"),
            (
                "assume=examination",
                "后续取决于文档本身，以及其位置是否被看到",
            ),
            (
                "assume=placement",
                "后续以任意方式取决于文档与位置；日志给出每项的倾向得分",
            ),
            (
                "predictions",
                "文档被看到后会如何，以 run 的形式：用于双重稳健估计",
            ),
            ("depth", "一个 run 填几位；默认与展示过的名单一样长"),
            ("clip", "单项的最大权重"),
            ("min_ess", "有效名单数少于此值则拒绝给出估计"),
            ("min_support", "日志展示过的部分少于此比例则拒绝给出估计"),
            ("alpha", "区间为 1 − 此值"),
        ],
    ),
    (
        "interleaving",
        "判断人们更喜欢交错展示的两个系统中的哪一个",
        &[(
            "log",
            "交错名单的日志，每项注明属于哪一方（JSON 行；也可为 .gz、.zst）",
        )],
    ),
    (
        "bench-quality",
        "对文件夹中的每个测试集排序并评测；有指标下降则失败",
        &[
            (
                "folder",
                "测试集所在文件夹；默认为 QUEQIAO_SHARED 所指，或 ../shared/collections",
            ),
            ("only", "只做这些测试集，用逗号分隔"),
            ("accepted", "上次认可的数值"),
            ("accept", "把这次的数值记为认可"),
            (
                "judged_pool",
                "哪些测试集只对已有判定的文档排序，用逗号分隔；认可的数值会记住这一点",
            ),
            ("alpha", "下降超出偶然的水平，对全部测试集与指标合并计算"),
        ],
    ),
    (
        "train",
        "用文本训练嵌入模型",
        &[
            (
                "corpus",
                "文本：jsonl、csv、tsv、纯文本（也可为 .zst）、xlsx 的文件夹与文件",
            ),
            ("out", "新模型的文件夹"),
            ("licence", "依次为每个 CORPUS 的许可证，写入模型卡"),
            ("weight", "依次为每个 CORPUS 的抽取频次；未给出为 1"),
            (
                "taxonomy",
                "代码与名称的树（IPC、行业）：一个节点，及其与上级的名称",
            ),
            ("taxonomy_licence", "依次为每个 --taxonomy 的许可证"),
            (
                "taxonomy_weight",
                "依次为每个 --taxonomy 的抽取频次；未给出为 0.1",
            ),
            ("words", "词表：哪些字符串是词"),
            ("start", "从这个模型继续训练，沿用其词表"),
            ("model_licence", "新模型的许可证"),
            ("attribution", "来源要求注明的内容，写入模型卡"),
            ("card", "文件：模型的数值与局限（Markdown），写入模型卡"),
            ("replace", "覆盖已有的模型文件夹"),
            ("exclude", "绝不用于训练的编号，每行一个"),
            ("fraction", "只用这一比例的文档训练，用于学习曲线"),
            ("steps", "训练步数"),
            ("seed", "随机种子：种子相同则模型相同"),
            (
                "set",
                "按名称给出的其他设置，如 dim=256 或 temperatures=[0.1]：见 TRAINING.md",
            ),
        ],
    ),
    (
        "embed",
        "把文本转为向量",
        &[
            (
                "files",
                "文本：.jsonl 对象（含 text、title 或两者），否则每行一段文本；- 为标准输入",
            ),
            (
                "out",
                "要写出的文件：.npy（32 位浮点，每段文本一行）或 .jsonl（编号与向量）",
            ),
            ("role", "文本是提问的一方还是被查找的一方：有的模型处理不同"),
            ("role=query", "提问的文本"),
            ("role=passage", "被查找的文本"),
            ("model", "模型名称，或其文件夹的路径"),
        ],
    ),
    (
        "models",
        "查看与校验模型",
        &[
            ("verify", "按校验和检查文件"),
            (
                "add",
                "把模型文件夹中的这个文件夹（任何种类）登记或重新登记",
            ),
            ("licence", "所登记模型的许可证"),
            ("summary", "对所登记模型的一句话介绍"),
            ("default", "未指定模型时即用所登记的模型"),
        ],
    ),
    ("audit", "检查审计日志", &[]),
    (
        "audit verify",
        "查找被改动、删除或插入的行",
        &[
            ("trail", "审计日志所在文件夹，若不在数据目录中"),
            ("head", "先前检查给出的末行标识：该行必须仍在"),
        ],
    ),
    ("config", "检查与解释服务的设置", &[]),
    (
        "config check",
        "检查配置文件及其结果，不启动任何服务",
        &[("file", "配置文件（TOML）；未给出则只检查环境变量")],
    ),
    (
        "config explain",
        "列出每项设置、其值、由谁给出、有何含义",
        &[("name", "只列出名称以此开头的设置")],
    ),
    ("key", "创建、查看、吊销服务调用者的密钥", &[]),
    (
        "key create",
        "创建密钥，只显示一次",
        &[
            ("name", "这是谁的密钥，用您自己的话写"),
            (
                "role",
                "角色，用逗号分隔：reader、writer、organiser、contact-reader、monitor、admin",
            ),
            ("tenant", "租户，用逗号分隔"),
            ("all_tenants", "全部租户，以及整个服务的事务"),
            ("days", "有效天数；未给出则长期有效"),
            ("requests_per_second", "每秒请求数，若不同于服务的一般配额"),
        ],
    ),
    ("key list", "列出有哪些密钥（不含密钥本身）", &[]),
    (
        "key revoke",
        "永久吊销一个密钥；运行中的服务一秒内得知",
        &[("id", "密钥的编号，见 `key list`")],
    ),
    (
        "backup",
        "把数据目录或运行中服务的全部记录复制到文件",
        &[
            ("file", "要写出的文件，不能与已有文件重名"),
            (
                "server",
                "运行中服务的地址，如 https://host:50051：从它复制，服务照常。密钥取自 QUEQIAO_KEY 或 --key-file，从不写在命令行上",
            ),
            ("key_file", "密钥文件，该密钥须在全部租户中有 admin 角色"),
            ("ca", "签发服务证书的机构（PEM）"),
        ],
    ),
    (
        "restore",
        "由备份建立数据目录",
        &[
            ("file", "由 `backup` 写出的文件"),
            (
                "keys",
                "`backup` 写出的最新密钥；默认为文件旁的 queqiao.keys。在其写出之前被删除的人不会恢复",
            ),
            (
                "master_key",
                "做备份的服务的主密钥：其数据目录中的 keys/master.key，或您保存的副本",
            ),
            (
                "until",
                "把记录恢复到备份之前的这一时刻：2026-11-26T14:02（北京时间），或带时区 2026-11-26T06:02:00Z。最早到备份之前 history_days 天",
            ),
        ],
    ),
    (
        "doctor",
        "检查数据目录",
        &[
            ("rebuild", "由存储重建全部索引"),
            (
                "receipt",
                "删除回执的文件，由 EraseRecord 给出，- 为标准输入：只检查该回执是否成立",
            ),
        ],
    ),
    (
        "demo",
        "演示：载入示例，启动服务并请求匹配",
        &[("keep", "让服务继续运行，直到按 Ctrl-C")],
    ),
    ("help", "显示本说明，或某个子命令的说明", &[]),
];

const TEAM: &[(&str, &str)] = &[
    (
        "file",
        "工作簿，或 csv 与 xlsx 的文件夹：需求、专家、规则、评分",
    ),
    (
        "needs",
        "已存的需求，用逗号分隔，权重不为 1 时注明（`N1,N2*3`）；候选人为数据目录中的专家",
    ),
    (
        "needs_where",
        "按条件（AIP-160）选取已存的需求，如 `region : 440300`：某地区或园区的需求",
    ),
    (
        "visit",
        "服务日期（`2026-12-01` 或 `2026-12-01~2026-12-03`）；用于已存的需求",
    ),
    (
        "region",
        "服务地区（GB/T 2260），用于说明了出行范围的专家；用于已存的需求",
    ),
    ("must", "必选的专家，用逗号分隔；用于已存的需求"),
    ("must_not", "排除的专家，用逗号分隔；用于已存的需求"),
    ("size", "人数上限"),
    ("budget", "预算，万元"),
    ("per_institution", "同一单位人数上限"),
    ("societies", "至少来自几个学会"),
    (
        "lead_rank",
        "可任团长的职称，用逗号分隔（教授,研究员）；用于已存的需求",
    ),
    ("leads", "可任团长者至少几人"),
    (
        "robust",
        "目标中有多大比例归于任一成员缺席后所余的部分，0 至 1",
    ),
    ("time_limit", "多少秒后停止，给出届时最好的团队"),
];

const MEASURING: &[(&str, &str)] = &[
    (
        "qrels",
        "判定（TREC、BEIR tsv、JSON；也可为 .gz、.zst），或测试集的文件夹",
    ),
    ("runs", "run（TREC、JSON；也可为 .gz、.zst）"),
    (
        "measures",
        "指标，用 ir_measures 或 trec_eval 的名称，用逗号分隔",
    ),
    ("per_query", "同时给出每个查询的数值"),
    (
        "missing",
        "有判定而 run 未作答的查询如何计；默认视为什么也没找到",
    ),
    ("missing=zero", "视为什么也没找到"),
    ("missing=skip", "不计入"),
    ("only_answerable", "不计没有相关文档的查询"),
    ("precision", "得分按何种精度比较"),
    ("precision=double", "64 位"),
    (
        "precision=single",
        "舍入到 32 位，同 trec_eval 9 及以前与 pytrec_eval",
    ),
    ("depth", "每个查询计前几条"),
    ("format=html", "给人看：一页带图的网页"),
    ("format=trec", "与 trec_eval 相同的行"),
    ("out", "写入此文件，不打印"),
    (
        "baseline",
        "其他 run 与之比较的 run，用名称或文件；默认第一个",
    ),
    ("permutations", "随机化检验的置换次数"),
    ("resamples", "自助法的重抽样次数"),
    ("seed", "两者的随机种子：种子相同则结果相同"),
    ("moved", "每次比较中列出几个变动最大的查询"),
    ("looks", "计划查看几次，用于数据增长中多次查看的情形"),
    ("look", "这是第几次查看，从 1 起"),
];
