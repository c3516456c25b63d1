//! Resource names and request ids.

use super::{Violations, shown};
use queqiao_domain::Violation;
use queqiao_domain::{ResourceName, TenantId};

/// `tenants/{tenant}` in `field`.
pub(crate) fn read_parent(field: &str, text: &str) -> Result<TenantId, Violations> {
    let id = text.strip_prefix("tenants/").filter(|t| !t.contains('/'));
    let Some(id) = id else {
        return Err(vec![Violation::new(
            field,
            (
                format!("`{}` names no tenant", shown(text)),
                format!("“{}”不是租户名", shown(text)),
            ),
            (
                "expected tenants/TENANT, such as tenants/default",
                "应为 tenants/TENANT，如 tenants/default",
            ),
        )]);
    };
    TenantId::new(id).map_err(|e| {
        vec![Violation::new(
            field,
            e.message(),
            (
                format!("expected tenants/ and 1 to {} of these", TenantId::MAX),
                format!("应为 tenants/ 加 1 至 {} 个合规字符", TenantId::MAX),
            ),
        )]
    })
}

/// `tenants/{tenant}/{collection}/{id}` in `field`; of `tenant` when one is given.
pub(crate) fn read_name(
    field: &str,
    text: &str,
    tenant: Option<&TenantId>,
) -> Result<ResourceName, Violations> {
    let name: ResourceName = text.parse().map_err(|e: queqiao_domain::IdError| {
        vec![Violation::new(
            field,
            e.message(),
            (
                "expected a name such as tenants/default/experts/E-1",
                "应为资源名，如 tenants/default/experts/E-1",
            ),
        )]
    })?;
    match tenant {
        Some(t) if *t != name.tenant => Err(vec![Violation::new(
            field,
            (
                format!("it is of tenant {}, the request of tenant {t}", name.tenant),
                format!("它属于租户 {}，而请求属于租户 {t}", name.tenant),
            ),
            (
                "expected names of one tenant in a request",
                "同一请求中的名称应属于同一租户",
            ),
        )]),
        _ => Ok(name),
    }
}

/// A UUID, or nothing.
pub(crate) fn read_request_id(text: &str) -> Result<Option<[u8; 16]>, Violations> {
    if text.is_empty() {
        return Ok(None);
    }
    uuid::Uuid::try_parse(text)
        .map(|id| Some(id.into_bytes()))
        .map_err(|_| {
            vec![Violation::new(
                "request_id",
                (
                    format!("`{}` is no UUID", shown(text)),
                    format!("“{}”不是 UUID", shown(text)),
                ),
                (
                    "expected a UUID such as 0190c2a4-7b1e-7c39-9d10-6f2b1c5e8a11, the same one for a retry",
                    "应为 UUID，重试时使用同一个",
                ),
            )]
        })
}
