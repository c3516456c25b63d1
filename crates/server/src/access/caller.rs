//! Who calls, and what the handlers say of a request.

use super::{KeyInfo, Role, Roles, Tenants};
use crate::{audit::Event, convert::read_parent, status};
use queqiao_domain::{Bilingual, TenantId};
use std::{
    collections::BTreeSet,
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tonic::{Code, Request, Status};

/// Whoever asks, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// For logs and the audit trail: `key:ID`, `local`, `anyone`. No secret.
    pub(crate) subject: String,
    pub(crate) roles: Roles,
    pub(crate) tenants: Tenants,
    /// A quota of its own.
    pub(crate) requests_per_second: Option<u32>,
}

impl Caller {
    /// Nobody in particular: may do what needs nothing.
    pub(crate) fn anyone() -> Self {
        Caller {
            subject: "anyone".to_owned(),
            roles: Roles::default(),
            tenants: Tenants::Only(BTreeSet::new()),
            requests_per_second: None,
        }
    }

    /// Whoever reaches a server that asks nobody who they are.
    pub(crate) fn local() -> Self {
        Caller {
            subject: "local".to_owned(),
            roles: [Role::Admin].into_iter().collect(),
            tenants: Tenants::All,
            requests_per_second: None,
        }
    }

    pub(crate) fn of_key(key: &KeyInfo) -> Self {
        Caller {
            subject: format!("key:{}", key.id),
            roles: key.roles.clone(),
            tenants: key.tenants.clone(),
            requests_per_second: key.requests_per_second,
        }
    }
}

/// What a handler said of its request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) peer: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) tenant: Option<TenantId>,
    /// Names of what is asked for or changed.
    pub(crate) objects: Vec<String>,
    /// The match that was answered.
    pub(crate) match_id: Option<String>,
    /// How a match was made, for the log of slow ones: shapes and times, no texts.
    pub(crate) plan: Option<String>,
    /// The handler has added its own line to the audit trail, and there need be no other.
    pub(crate) written_down: bool,
}

/// One request: its caller, and what it is about. Travels in the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Context(Arc<(Caller, Mutex<Noted>)>);

impl Context {
    pub(crate) fn new(caller: Caller) -> Self {
        Context(Arc::new((caller, Mutex::default())))
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.0.0
    }

    /// An event of the audit trail about this request, but for what was done and how it ended.
    pub(crate) fn event(&self) -> Event {
        let noted = self.noted().clone();
        Event {
            subject: self.caller().subject.clone(),
            peer: noted.peer,
            tenant: noted.tenant.map(|t| t.to_string()),
            objects: noted.objects,
            request_id: noted.request_id,
            ..Event::default()
        }
    }

    pub(crate) fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes into a tenant on behalf of the caller: every handler of a tenant's data passes here
    /// before it looks for anything, so that a refusal does not tell what there is.
    pub(crate) fn enter(&self, tenant: &TenantId) -> Result<(), Status> {
        self.enter_for(tenant, [] as [&str; 0])
    }

    /// [`enter`](Self::enter), for the tenant of a request that is not read yet.
    pub(crate) fn enter_parent(&self, parent: &str) -> Result<(), Status> {
        self.enter(&read_parent("parent", parent).map_err(status::invalid)?)
    }

    /// [`enter`](Self::enter), for what has these names.
    pub(crate) fn enter_for(
        &self,
        tenant: &TenantId,
        objects: impl IntoIterator<Item = impl Display>,
    ) -> Result<(), Status> {
        tracing::Span::current().record("tenant", tenant.as_str());
        {
            let mut noted = self.noted();
            noted.tenant = Some(tenant.clone());
            noted.objects = objects.into_iter().map(|o| o.to_string()).collect();
        }
        if self.caller().tenants.contain(tenant) {
            return Ok(());
        }
        Err(status::told(
            Code::PermissionDenied,
            "TENANT_NOT_ALLOWED",
            &Bilingual::new(
                format!(
                    "your key does not reach into tenant {tenant}: use a key of that tenant, or ask the operator for one"
                ),
                format!("您的密钥无权访问租户 {tenant}：请使用该租户的密钥，或向管理员申请"),
            ),
            &[("tenant", tenant.as_str())],
        ))
    }
}

/// The context of a request. One that did not come through the gateway may do nothing.
pub(crate) fn context<T>(request: &Request<T>) -> Context {
    request
        .extensions()
        .get::<Context>()
        .cloned()
        .unwrap_or_else(|| Context::new(Caller::anyone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_around_the_gateway_reaches_no_tenant() {
        let cx = context(&Request::new(()));
        let e = cx.enter_for(&TenantId::default(), ["x"]).unwrap_err();
        assert_eq!(e.code(), Code::PermissionDenied);
        let cx = Context::new(Caller::local());
        cx.enter_for(&TenantId::default(), ["x"]).unwrap();
        assert_eq!(cx.noted().objects, ["x"]);
    }
}
