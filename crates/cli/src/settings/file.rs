//! The configuration file: read whole, with everything that is wrong told by its line.

use super::{
    Value,
    reading::read_text,
    table::{Form, SETTINGS, Setting},
};
use queqiao_domain::{Bilingual, nearest};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// A value of the file and where it stands.
pub(super) type Given = (&'static Setting, Value, usize);

/// Values of the file, and what is wrong with the others.
pub(super) fn read(path: &Path, text: &str) -> (Vec<Given>, Vec<Bilingual>) {
    let mut reader = Reader {
        path,
        text,
        given: Vec::new(),
        wrong: Vec::new(),
    };
    match DeTable::parse(text) {
        Ok(table) => reader.table("", table.get_ref()),
        Err(e) => {
            let line = reader.line(e.span().map_or(0, |s| s.start));
            let problem = e.message();
            reader.tell(
                line,
                format!("it is no TOML: {problem}"),
                format!("不是 TOML：{problem}"),
            );
        }
    }
    // In the order in which a person reads the file.
    reader.given.sort_by_key(|(_, _, line)| *line);
    reader.wrong.sort_by_key(|(line, _)| *line);
    let wrong = reader.wrong.into_iter().map(|(_, told)| told);
    (reader.given, wrong.collect())
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    given: Vec<Given>,
    wrong: Vec<(usize, Bilingual)>,
}

impl Reader<'_> {
    /// The line of a byte, from 1.
    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        1 + before.filter(|b| **b == b'\n').count()
    }

    fn tell(&mut self, line: usize, en: String, zh: String) {
        let path = self.path.display();
        let told = Bilingual::new(
            format!("{path}, line {line}: {en}"),
            format!("{path} 第 {line} 行：{zh}"),
        );
        self.wrong.push((line, told));
    }

    fn table(&mut self, at: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = match at {
                "" => key.get_ref().to_string(),
                at => format!("{at}.{}", key.get_ref()),
            };
            let line = self.line(key.span().start);
            match (SETTINGS.iter().find(|s| s.name == name), value.get_ref()) {
                (Some(setting), value) => self.value(setting, line, value),
                (None, DeValue::Table(inner)) if is_table(&name) => self.table(&name, inner),
                (None, _) => self.unknown(line, &name),
            }
        }
    }

    fn unknown(&mut self, line: usize, name: &str) {
        let names = SETTINGS.iter().map(|s| s.name);
        let tables = SETTINGS
            .iter()
            .filter_map(|s| Some(s.name.rsplit_once('.')?.0));
        // A name of another table, too: `certificate` stands for `tls.certificate`.
        let last = |s: &&str| s.rsplit('.').next() == Some(name);
        let meant = names
            .clone()
            .find(last)
            .or_else(|| nearest(name, names.chain(tables)));
        let (en, zh) = match meant {
            Some(m) => (
                format!("; did you mean `{m}`?"),
                format!("；是否为 `{m}`？"),
            ),
            None => (
                "; `queqiao config explain` shows them all".to_owned(),
                "；可用 `queqiao config explain` 查看全部".to_owned(),
            ),
        };
        self.tell(
            line,
            format!("there is no setting `{name}`{en}"),
            format!("没有设置项 `{name}`{zh}"),
        );
    }

    fn value(&mut self, setting: &'static Setting, line: usize, value: &DeValue<'_>) {
        let read = match (setting.form, value) {
            (Form::Switch, DeValue::Boolean(b)) => Ok(Value::Switch(*b)),
            (Form::Whole(..), DeValue::Integer(n)) => match n.radix() {
                10 => read_text(setting, n.as_str()),
                radix => match u64::from_str_radix(n.as_str(), radix) {
                    Ok(n) => read_text(setting, &n.to_string()),
                    Err(_) => read_text(setting, n.as_str()),
                },
            },
            (Form::Source, DeValue::String(s)) if s.contains("://") => read_text(setting, s),
            (Form::Path | Form::Source, DeValue::String(s)) => {
                read_text(setting, s).map(|v| self.beside(v))
            }
            (Form::Text | Form::Address, DeValue::String(s)) => read_text(setting, s),
            (_, other) => Err(super::reading::expected(
                setting,
                &Bilingual::new(
                    format!("a value of type {}", other.type_str()),
                    format!("{} 类型的值", other.type_str()),
                ),
            )),
        };
        match read {
            Ok(v) => self.given.push((setting, v, line)),
            Err(e) => self.tell(line, e.en, e.zh),
        }
    }

    /// A path, seen from the file's folder.
    fn beside(&self, value: Value) -> Value {
        match (&value, self.path.parent()) {
            (Value::Text(p), Some(dir)) => Value::Text(dir.join(p).display().to_string()),
            _ => value,
        }
    }
}

/// Whether settings stand under this name.
fn is_table(name: &str) -> bool {
    SETTINGS.iter().any(|s| {
        s.name
            .strip_prefix(name)
            .is_some_and(|r| r.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> (Vec<(&'static str, Value, usize)>, Vec<String>) {
        let (given, wrong) = read(Path::new("q.toml"), text);
        let given = given.into_iter().map(|(s, v, l)| (s.name, v, l)).collect();
        (given, wrong.into_iter().map(|b| b.en).collect())
    }

    #[test]
    fn values_and_their_lines() {
        let (given, wrong) = check(
            "# limits\nmax_connections = 1_000\nallow_insecure = false\n\n[tls]\ncertificate = 'c.pem'\nkey = '/k.pem'\n",
        );
        assert_eq!(wrong, [""; 0]);
        assert_eq!(
            given,
            [
                ("max_connections", Value::Number(1_000), 2),
                ("allow_insecure", Value::Switch(false), 3),
                ("tls.certificate", Value::Text("c.pem".into()), 6),
                ("tls.key", Value::Text("/k.pem".into()), 7),
            ]
        );
        assert_eq!(check("max_connections = 0x10").0[0].1, Value::Number(16));
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_line() {
        let (given, wrong) = check(
            "max_conections = 3\nworkers = 0\nlisten = 5\n\n[tls]\ncertificat = 'x'\n[nothing]\na = 1\n",
        );
        assert!(given.is_empty());
        let expect = [
            "q.toml, line 1: there is no setting `max_conections`; did you mean `max_connections`?",
            "q.toml, line 2: workers is 0: expected a whole number from 1 to 4096",
            "q.toml, line 3: listen is a value of type integer: expected an address and a port, such as 127.0.0.1:50051",
            "q.toml, line 6: there is no setting `tls.certificat`; did you mean `tls.certificate`?",
            "q.toml, line 7: there is no setting `nothing`; `queqiao config explain` shows them all",
        ];
        assert_eq!(wrong, expect);
        let (_, wrong) = check("a = \n");
        assert!(
            wrong[0].starts_with("q.toml, line 1: it is no TOML"),
            "{wrong:?}"
        );
        let (_, wrong) =
            check("certificate = 'x'\nworkers = -1\nmax_request_bytes = 99999999999999999999\n");
        assert!(
            wrong[0].ends_with("did you mean `tls.certificate`?"),
            "{wrong:?}"
        );
        assert_eq!(wrong.len(), 3, "{wrong:?}");
    }
}
