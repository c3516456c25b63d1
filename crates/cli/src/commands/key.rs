//! `queqiao key`: the keys of those who call the service.

use super::audit;
use crate::{
    args::{Format, KeyArgs, KeyCommand, KeyCreateArgs, KeyPlace},
    failure::Failure,
    output::Console,
};
use jiff::{Timestamp, ToSpan};
use queqiao_server::{KeyFile, KeyInfo, NewKey, Tenants};
use serde::Serialize;
use std::path::PathBuf;

/// A key as it is shown: without what is kept of its secret.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    roles: &'a queqiao_server::Roles,
    tenants: &'a Tenants,
    created: Timestamp,
    expires: Option<Timestamp>,
    revoked: Option<Timestamp>,
    requests_per_second: Option<u32>,
    valid: bool,
    /// Only when it has just been made.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(k: &'a KeyInfo, key: Option<&'a str>) -> Self {
        Shown {
            id: &k.id,
            name: &k.name,
            roles: &k.roles,
            tenants: &k.tenants,
            created: k.created,
            expires: k.expires,
            revoked: k.revoked,
            requests_per_second: k.requests_per_second,
            valid: k.is_valid(Timestamp::now()),
            key,
        }
    }
}

pub(crate) fn run(args: &KeyArgs, console: &Console) -> Result<(), Failure> {
    match &args.command {
        KeyCommand::Create(a) => create(a, console),
        KeyCommand::List(a) => list(&a.place, console),
        KeyCommand::Revoke(a) => {
            let key = KeyFile::revoke(&path(&a.place), &a.id)?;
            audit::note(
                &a.place.folder.path,
                "key.revoke",
                format!("key:{}", key.id),
            )?;
            match a.place.format {
                Format::Json => console.json(&Shown::of(&key, None)),
                Format::Table => {
                    console.line(format!(
                        "{} {} ({})",
                        console.say("revoked", "已吊销"),
                        key.id,
                        key.name
                    ));
                    Ok(())
                }
            }
        }
    }
}

fn path(place: &KeyPlace) -> PathBuf {
    let default = || KeyFile::path_in(&place.folder.path);
    place.keys.clone().unwrap_or_else(default)
}

fn create(args: &KeyCreateArgs, console: &Console) -> Result<(), Failure> {
    let tenants = match args.all_tenants {
        true => Tenants::All,
        false => Tenants::Only(args.tenant.iter().cloned().collect()),
    };
    let hours = args.days.map(|d| i64::from(d) * 24);
    let new = NewKey {
        name: args.name.clone(),
        roles: args.role.iter().copied().collect(),
        tenants,
        expires: hours.and_then(|h| Timestamp::now().checked_add(h.hours()).ok()),
        requests_per_second: args.requests_per_second,
    };
    let (key, text) = KeyFile::create(&path(&args.place), new)?;
    let made = format!("key:{} {} [{}]", key.id, key.roles, key.tenants.describe());
    if let Err(e) = audit::note(&args.place.folder.path, "key.create", made) {
        // A key that nobody could account for is none.
        let _ = KeyFile::revoke(&path(&args.place), &key.id);
        return Err(e);
    }
    match args.place.format {
        Format::Json => console.json(&Shown::of(&key, Some(&text))),
        Format::Table => {
            // The key alone on stdout, for scripts.
            console.line(&text);
            console.note(console.say(
                "this is the only time it is shown: keep it where secrets are kept, and send it as `authorization: Bearer KEY`",
                "密钥只显示这一次：请妥善保管，调用时放在请求头 `authorization: Bearer 密钥` 中",
            ));
            Ok(())
        }
    }
}

fn list(place: &KeyPlace, console: &Console) -> Result<(), Failure> {
    let file = KeyFile::read_or_new(&path(place))?;
    match place.format {
        Format::Json => {
            let shown: Vec<Shown<'_>> = file.keys.iter().map(|k| Shown::of(k, None)).collect();
            console.json(&shown)
        }
        Format::Table => {
            let mut table = console.table(match console.lang {
                queqiao_domain::Lang::En => ["id", "name", "roles", "tenants", "state"],
                queqiao_domain::Lang::Zh => ["编号", "名称", "角色", "租户", "状态"],
            });
            for k in &file.keys {
                table.add_row([
                    k.id.clone(),
                    k.name.clone(),
                    k.roles.to_string(),
                    console.text(&k.tenants.describe()).to_owned(),
                    state(k, console),
                ]);
            }
            console.line(table.to_string());
            Ok(())
        }
    }
}

fn state(key: &KeyInfo, console: &Console) -> String {
    let day = |t: Timestamp| t.strftime("%F").to_string();
    match (key.revoked, key.expires) {
        (Some(at), _) => format!("{} {}", console.say("revoked", "已吊销"), day(at)),
        (None, Some(at)) if !key.is_valid(Timestamp::now()) => {
            format!("{} {}", console.say("expired", "已过期"), day(at))
        }
        (None, Some(at)) => format!("{} {}", console.say("valid until", "有效期至"), day(at)),
        (None, None) => console.say("valid", "有效").to_owned(),
    }
}
