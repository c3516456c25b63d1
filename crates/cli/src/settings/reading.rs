//! Values as texts: from the environment, flags, and the file.

use super::{
    Value,
    table::{Form, Setting},
};
use queqiao_domain::Bilingual;
use std::net::SocketAddr;

/// Reads a value from a text.
pub(super) fn read_text(setting: &Setting, text: &str) -> Result<Value, Bilingual> {
    let wrong = || {
        let shown: String = text.chars().take(60).collect();
        expected(setting, &Bilingual::new(shown.clone(), shown))
    };
    Ok(match setting.form {
        Form::Text | Form::Path | Form::Source if text.is_empty() => return Err(wrong()),
        Form::Text | Form::Path | Form::Source => Value::Text(text.to_owned()),
        Form::Address => {
            text.parse::<SocketAddr>().map_err(|_| wrong())?;
            Value::Text(text.to_owned())
        }
        Form::Switch => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Value::Switch(true),
            "false" | "0" | "no" | "off" => Value::Switch(false),
            _ => return Err(wrong()),
        },
        Form::Whole(least, most) => {
            let digits = text.replace('_', "");
            let n = digits.parse::<u64>().ok();
            let n = n.filter(|n| (least..=most).contains(n));
            Value::Number(n.ok_or_else(wrong)?)
        }
    })
}

/// What a setting is, and what it should be.
pub(super) fn expected(setting: &Setting, is: &Bilingual) -> Bilingual {
    let should = match setting.form {
        Form::Text => Bilingual::new("a text", "文本"),
        Form::Path => Bilingual::new("a path", "路径"),
        Form::Source => Bilingual::new("a path or an https address", "路径或 https 地址"),
        Form::Address => Bilingual::new(
            "an address and a port, such as 127.0.0.1:50051",
            "地址与端口，如 127.0.0.1:50051",
        ),
        Form::Switch => Bilingual::new("true or false", "true 或 false"),
        Form::Whole(least, most) => Bilingual::new(
            format!("a whole number from {least} to {most}"),
            format!("{least} 至 {most} 的整数"),
        ),
    };
    let name = setting.name;
    Bilingual::new(
        format!("{name} is {}: expected {}", is.en, should.en),
        format!("{name} 为 {}：应为{}", is.zh, should.zh),
    )
}
