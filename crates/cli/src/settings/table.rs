//! Every setting of the service: its name, what it may be, what it is when nobody says, what it means.

use super::Value;
use queqiao_engine::store::Options;
use queqiao_server::ServerConfig;
use std::time::Duration;

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// Address and port.
    Address,
    /// A file or folder; in a configuration file, seen from that file's folder.
    Path,
    /// A file, as a path, or an address with `https://`.
    Source,
    /// true or false.
    Switch,
    /// A whole number between two bounds.
    Whole(u64, u64),
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// As in the file, tables joined by dots.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// From the server's own defaults.
    pub(crate) default: fn(&ServerConfig) -> Value,
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

impl Setting {
    /// The variable of the environment that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("QUEQIAO_{}", self.name.replace('.', "_").to_uppercase())
    }
}

fn number(n: impl TryInto<u64>) -> Value {
    n.try_into().map_or(Value::None, Value::Number)
}

fn seconds(d: Duration) -> Value {
    Value::Number(d.as_secs())
}

const fn text(
    name: &'static str,
    form: Form,
    default: fn(&ServerConfig) -> Value,
    en: &'static str,
    zh: &'static str,
) -> Setting {
    Setting {
        name,
        form,
        default,
        en,
        zh,
    }
}

const HOUR: u64 = 3_600;
const GIB: u64 = 1 << 30;

/// In the order in which they are explained.
pub(crate) const SETTINGS: &[Setting] = &[
    text(
        "data",
        Form::Path,
        |_| Value::Text("queqiao-data".to_owned()),
        "data folder",
        "数据目录",
    ),
    text(
        "listen",
        Form::Address,
        |c| Value::Text(c.listen.to_string()),
        "address and port; port 0 takes a free one; beyond loopback only with a key, or allow_insecure",
        "监听地址与端口；端口 0 自动选择；监听本机以外须先有密钥，或设置 allow_insecure",
    ),
    text(
        "allow_insecure",
        Form::Switch,
        |c| Value::Switch(c.allow_insecure),
        "listen beyond loopback although no key asks who calls: for closed networks only",
        "无密钥也监听本机以外的地址：仅限封闭网络",
    ),
    text(
        "allow_plaintext",
        Form::Switch,
        |c| Value::Switch(c.allow_plaintext),
        "take keys in the clear beyond loopback: only behind a proxy that speaks TLS",
        "监听本机以外的地址时允许密钥明文传输：仅限前面有 TLS 代理时",
    ),
    text(
        "model",
        Form::Text,
        |_| Value::None,
        "embedding model by name; the manifest's default where none is given",
        "嵌入模型名称；默认用清单中的默认模型",
    ),
    text(
        "models",
        Form::Path,
        |_| Value::None,
        "folder with models; beside the program, or `models` here, where none is given",
        "模型目录；默认在程序旁或当前目录的 models",
    ),
    text(
        "master_key",
        Form::Path,
        |_| Value::None,
        "file of the master key, which opens the keys of records; keys/master.key in the data folder where none is given",
        "主密钥文件，用于解开各条记录的密钥；默认为数据目录中的 keys/master.key",
    ),
    text(
        "history_days",
        Form::Whole(0, 3_650),
        |_| number(Options::default().history_days),
        "days over which `queqiao restore --until` can bring a backup back to a moment before it; the store grows by the changes of so many days; 0 is none",
        "`queqiao restore --until` 可将备份恢复到多少天之内的任意时刻；存储相应多占这些天的变更；0 为不保留",
    ),
    text(
        "graph_threads",
        Form::Whole(0, 1_024),
        |_| number(0_u32),
        "threads that build search graphs beside the answers, which go first, for each tenant; 0 is half of the cores",
        "每个租户在后台构建检索图的线程数（应答优先）；0 表示核心数的一半",
    ),
    text(
        "people.require_consent",
        Form::Switch,
        |_| Value::Switch(false),
        "match experts only with a consent on record (expert.consent)",
        "仅匹配有同意记录（expert.consent）的专家",
    ),
    text(
        "housekeeping_minutes",
        Form::Whole(0, 30 * 24 * 60),
        |c| number(c.housekeeping.as_secs() / 60),
        "how often to purge what was deleted long ago, and to write anew the files of indexes in which erased records left traces; 0 is never",
        "多久清理一次早已删除的记录，并重写留有已清除记录痕迹的索引文件；0 为从不",
    ),
    text(
        "auth.keys",
        Form::Path,
        |_| Value::None,
        "file of keys that `queqiao key` writes; access/keys.json in the data folder where none is given",
        "`queqiao key` 写入的密钥文件；默认为数据目录中的 access/keys.json",
    ),
    text(
        "auth.jwt.issuer",
        Form::Text,
        |_| Value::None,
        "identity provider (`iss`) whose tokens are accepted beside keys; with auth.jwt.audience and auth.jwt.jwks",
        "除密钥外接受其令牌的身份提供方（`iss`）；须同时设置 auth.jwt.audience 与 auth.jwt.jwks",
    ),
    text(
        "auth.jwt.audience",
        Form::Text,
        |_| Value::None,
        "what `aud` of a token has to hold",
        "令牌的 `aud` 必须包含的值",
    ),
    text(
        "auth.jwt.jwks",
        Form::Source,
        |_| Value::None,
        "the provider's keys (JWKS): a file, read again when it changes, or an https address, asked every hour",
        "身份提供方的公钥（JWKS）：文件（变化后自动重新读取），或 https 地址（每小时获取一次）",
    ),
    text(
        "auth.jwt.roles_claim",
        Form::Text,
        |_| Value::Text("queqiao_roles".to_owned()),
        "claim that holds roles: a list, or a text with spaces",
        "令牌中写有角色的声明：列表或以空格分隔的文本",
    ),
    text(
        "auth.jwt.tenants_claim",
        Form::Text,
        |_| Value::Text("queqiao_tenants".to_owned()),
        "claim that holds tenants, the same; * is all",
        "令牌中写有租户的声明，格式同上；* 表示全部",
    ),
    text(
        "tls.certificate",
        Form::Path,
        |_| Value::None,
        "PEM with the server's certificate and those that lead to its authority; read again when it changes",
        "服务器证书链（PEM）；文件变化后自动重新读取",
    ),
    text(
        "tls.key",
        Form::Path,
        |_| Value::None,
        "PEM with the private key of that certificate",
        "上述证书的私钥（PEM）",
    ),
    text(
        "tls.client_ca",
        Form::Path,
        |_| Value::None,
        "PEM with authorities: a client must then show a certificate of one of them (mTLS)",
        "客户端证书的颁发者（PEM）：设置后客户端必须出示其签发的证书（双向 TLS）",
    ),
    text(
        "audit.enabled",
        Form::Switch,
        |_| Value::Switch(true),
        "keep a trail of who changed what, who was refused, and who saw contacts",
        "记录审计日志：谁改了什么、谁被拒绝、谁查看了联系方式",
    ),
    text(
        "audit.folder",
        Form::Path,
        |_| Value::None,
        "folder of the trail; audit in the data folder where none is given",
        "审计日志目录；默认为数据目录中的 audit",
    ),
    text(
        "audit.reads",
        Form::Switch,
        |_| Value::Switch(false),
        "reads and matches, too, go into the trail",
        "读取与匹配也记入审计日志",
    ),
    text(
        "audit.max_bytes",
        Form::Whole(1 << 16, 64 * GIB),
        |_| Value::Number(64 << 20),
        "a file of the trail that has grown to this is followed by another",
        "单个审计文件的大小，达到后换新文件",
    ),
    text(
        "audit.keep_days",
        Form::Whole(183, 36_500),
        |_| Value::Number(200),
        "days that the trail is kept; the law asks for six months at least (网络安全法 第二十一条)",
        "审计日志保留天数；法律要求不少于六个月（网络安全法第二十一条）",
    ),
    text(
        "requests_per_second",
        Form::Whole(0, 1_000_000),
        |c| number(c.requests_per_second),
        "requests a second of one key, where the key has no quota of its own; 0 is no bound",
        "单个密钥每秒请求数（密钥可另设）；0 表示不限",
    ),
    text(
        "slow_request_ms",
        Form::Whole(1, 24 * HOUR * 1_000),
        |c| number(c.slow_request.as_millis()),
        "a request that takes this long is told in the log as slow",
        "超过此时长（毫秒）的请求记入慢请求日志",
    ),
    text(
        "max_request_bytes",
        Form::Whole(1 << 10, GIB),
        |c| number(c.max_request_bytes),
        "greatest request, bytes, before and after decompression",
        "请求消息上限（字节），解压前后均适用",
    ),
    text(
        "max_response_bytes",
        Form::Whole(1 << 10, GIB),
        |c| number(c.max_response_bytes),
        "greatest answer, bytes",
        "响应消息上限（字节）",
    ),
    text(
        "memory_budget_mib",
        Form::Whole(0, 1 << 30),
        |c| number(c.memory_budget_mib),
        "memory the process may hold, mapped files left out, before no more records are taken; 0 is nine tenths of the machine's or the container's",
        "进程可占用的内存（MiB，不计映射文件），超出后不再接受新记录；0 表示机器或容器内存的九成",
    ),
    text(
        "max_concurrent_requests",
        Form::Whole(1, 1_000_000),
        |c| number(c.max_concurrent_requests),
        "requests in work at one time, over all connections; the next one gets UNAVAILABLE",
        "同时处理的请求数（所有连接合计）；超出者得到 UNAVAILABLE",
    ),
    text(
        "max_connections",
        Form::Whole(1, 1_000_000),
        |c| number(c.max_connections),
        "open connections; the next one is closed at once",
        "连接数上限；超出者立即关闭",
    ),
    text(
        "max_streams_per_connection",
        Form::Whole(1, 100_000),
        |c| number(c.max_streams_per_connection),
        "requests in work at one time on one connection",
        "单个连接上同时处理的请求数",
    ),
    text(
        "workers",
        Form::Whole(1, 4_096),
        |c| number(c.workers),
        "threads that compute or read for requests at one time",
        "同时用于计算与读取的线程数",
    ),
    text(
        "handshake_timeout_seconds",
        Form::Whole(1, HOUR),
        |c| seconds(c.handshake_timeout),
        "a connection that has not begun to speak TLS, then HTTP, after this is closed",
        "连接在此时间内未完成 TLS 或 HTTP 握手即关闭",
    ),
    text(
        "idle_timeout_seconds",
        Form::Whole(1, 24 * HOUR),
        |c| seconds(c.idle_timeout),
        "a connection without a request for this long is closed",
        "空闲连接的关闭时间",
    ),
    text(
        "keepalive_interval_seconds",
        Form::Whole(1, HOUR),
        |c| seconds(c.keepalive_interval),
        "the server pings a connection that is silent for this long",
        "连接静默多久后服务器发送 ping",
    ),
    text(
        "keepalive_timeout_seconds",
        Form::Whole(1, HOUR),
        |c| seconds(c.keepalive_timeout),
        "and closes it when no answer comes within this",
        "ping 无应答多久后关闭连接",
    ),
    text(
        "request_timeout_seconds",
        Form::Whole(1, 24 * HOUR),
        |c| seconds(c.request_timeout),
        "longest time for a request whose client sets no shorter deadline",
        "请求的最长处理时间（客户端可设更短）",
    ),
    text(
        "drain_timeout_seconds",
        Form::Whole(1, HOUR),
        |c| seconds(c.drain_timeout),
        "requests in work at shutdown may take this long",
        "停止服务时等待在途请求的时间",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_variables_are_their_own() {
        let names: BTreeSet<_> = SETTINGS.iter().map(|s| s.name).collect();
        let variables: BTreeSet<_> = SETTINGS.iter().map(Setting::variable).collect();
        assert_eq!(
            (names.len(), variables.len()),
            (SETTINGS.len(), SETTINGS.len())
        );
    }

    #[test]
    fn every_default_is_of_its_form() {
        let config = ServerConfig::default();
        for s in SETTINGS {
            let fits = match ((s.default)(&config), s.form) {
                (Value::None, Form::Text | Form::Path | Form::Source) => true,
                (Value::Text(_), Form::Text | Form::Path | Form::Address) => true,
                (Value::Switch(_), Form::Switch) => true,
                (Value::Number(n), Form::Whole(least, most)) => (least..=most).contains(&n),
                _ => false,
            };
            assert!(fits, "{}", s.name);
        }
    }
}
