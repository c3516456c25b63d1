//! The filter grammar, by recursive descent.
//!
//! ```text
//! expression = factor { ["AND"] factor }
//! factor     = term { "OR" term }
//! term       = [ "NOT" | "-" ] ( "(" expression ")" | field comparator value )
//! ```

use super::{Comparison, Field, Filter, Op, Value};
use crate::{Bilingual, CodeError, Kind, parse_date, suggest::did_you_mean};

/// How large a filter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterLimits {
    /// Bytes.
    pub bytes: usize,
    /// Comparisons.
    pub comparisons: usize,
    /// Nested parentheses.
    pub depth: usize,
}

impl Default for FilterLimits {
    fn default() -> Self {
        Self {
            bytes: 10_000,
            comparisons: 100,
            depth: 3,
        }
    }
}

/// Why a filter does not parse, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("filter, position {at}: {problem}")]
pub struct FilterError {
    /// Offset in characters.
    pub at: usize,
    /// What is wrong and what would be accepted.
    pub problem: Bilingual,
}

impl FilterError {
    fn new(at: usize, problem: impl Into<Bilingual>) -> Self {
        Self {
            at,
            problem: problem.into(),
        }
    }

    /// The whole of it, for people.
    pub fn message(&self) -> Bilingual {
        let zh = format!("筛选条件第 {} 个字符：{}", self.at + 1, self.problem.zh);
        Bilingual::new(self.to_string(), zh)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Op(Op),
    Open,
    Close,
    Minus,
}

pub(super) fn parse(text: &str, limits: &FilterLimits) -> Result<Filter, FilterError> {
    if text.len() > limits.bytes {
        let (n, most) = (text.len(), limits.bytes);
        return Err(FilterError::new(
            0,
            (
                format!("{n} bytes are too many: at most {most}"),
                format!("共 {n} 字节，过长：至多 {most} 字节"),
            ),
        ));
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(Filter::All);
    }
    let mut p = Parser {
        tokens,
        next: 0,
        end: text.chars().count(),
        comparisons: 0,
        limits,
    };
    let filter = p.expression(0)?;
    match p.peek() {
        None => Ok(filter),
        Some(_) => Err(p.error(("an unexpected `)`", "多出一个 `)`"))),
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let at = i;
        let two = chars.get(i + 1) == Some(&'=');
        let (token, len) = match c {
            c if c.is_whitespace() => {
                i += 1;
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '=' => (Token::Op(Op::Eq), if two { 2 } else { 1 }),
            '!' if two => (Token::Op(Op::Ne), 2),
            '<' if two => (Token::Op(Op::Le), 2),
            '<' => (Token::Op(Op::Lt), 1),
            '>' if two => (Token::Op(Op::Ge), 2),
            '>' => (Token::Op(Op::Gt), 1),
            ':' => (Token::Op(Op::Has), 1),
            '-' if !matches!(out.last(), Some((_, Token::Op(_)))) => (Token::Minus, 1),
            '"' | '\'' => {
                let mut s = String::new();
                let mut j = i + 1;
                loop {
                    match chars.get(j) {
                        None => {
                            let problem = (
                                format!("the quote {c} is never closed"),
                                format!("引号 {c} 没有闭合"),
                            );
                            return Err(FilterError::new(at, problem));
                        }
                        Some('\\') if j + 1 < chars.len() => {
                            s.push(chars[j + 1]);
                            j += 2;
                        }
                        Some(q) if *q == c => break,
                        Some(other) => {
                            s.push(*other);
                            j += 1;
                        }
                    }
                }
                (Token::Quoted(s), j + 1 - i)
            }
            '!' => {
                let problem = (
                    "`!` stands alone; write != or NOT",
                    "`!` 不能单独使用：请写 != 或 NOT",
                );
                return Err(FilterError::new(at, problem));
            }
            _ => {
                let mut s = String::new();
                let mut j = i;
                while let Some(&w) = chars.get(j) {
                    if w.is_whitespace() || "()=<>!:\"'".contains(w) {
                        break;
                    }
                    s.push(w);
                    j += 1;
                }
                (Token::Word(s), j - i)
            }
        };
        out.push((at, token));
        i += len;
    }
    Ok(out)
}

struct Parser<'a> {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    comparisons: usize,
    limits: &'a FilterLimits,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|t| &t.1)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |t| t.0)
    }

    fn error(&self, problem: impl Into<Bilingual>) -> FilterError {
        FilterError::new(self.at(), problem)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(w)) if w == word)
    }

    fn expression(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut all = vec![self.factor(depth)?];
        loop {
            if self.is_word("AND") {
                self.next += 1;
            } else if self.peek().is_none() || self.peek() == Some(&Token::Close) {
                break;
            }
            all.push(self.factor(depth)?);
        }
        Ok(one_or(all, Filter::And))
    }

    fn factor(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut any = vec![self.term(depth)?];
        while self.is_word("OR") {
            self.next += 1;
            any.push(self.term(depth)?);
        }
        Ok(one_or(any, Filter::Or))
    }

    fn term(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if self.is_word("NOT") || self.peek() == Some(&Token::Minus) {
            self.next += 1;
            return Ok(Filter::Not(Box::new(self.simple(depth)?)));
        }
        self.simple(depth)
    }

    fn simple(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if self.peek() == Some(&Token::Open) {
            if depth == self.limits.depth {
                let most = self.limits.depth;
                return Err(self.error((
                    format!("parentheses are nested deeper than {most} levels"),
                    format!("括号嵌套超过 {most} 层"),
                )));
            }
            self.next += 1;
            let inner = self.expression(depth + 1)?;
            if self.peek() != Some(&Token::Close) {
                return Err(self.error(("a `)` is missing", "缺少 `)`")));
            }
            self.next += 1;
            return Ok(inner);
        }
        let field_error = self.error((
            "expected a field name, such as region, industry or kind",
            "应为字段名，如 region、industry、kind",
        ));
        let Some(Token::Word(name)) = self.peek().cloned() else {
            return Err(field_error);
        };
        let field = field(&name).map_err(|p| self.error(p))?;
        self.next += 1;
        let Some(Token::Op(op)) = self.peek() else {
            return Err(self.error((
                format!("expected = != < <= > >= or : after `{name}`"),
                format!("`{name}` 之后应为 =、!=、<、<=、>、>= 或 :"),
            )));
        };
        let op = *op;
        self.next += 1;
        let (text, quoted) = match self.peek() {
            Some(Token::Word(w)) => (w.clone(), false),
            Some(Token::Quoted(w)) => (w.clone(), true),
            _ => {
                return Err(self.error((
                    format!("expected a value after `{name}`"),
                    format!("`{name}` 之后缺少值"),
                )));
            }
        };
        let value = value(&field, &text, quoted).map_err(|p| self.error(p))?;
        check_op(&field, op, &value).map_err(|p| self.error(p))?;
        self.next += 1;
        self.comparisons += 1;
        if self.comparisons > self.limits.comparisons {
            let most = self.limits.comparisons;
            return Err(self.error((
                format!("more than {most} comparisons"),
                format!("比较超过 {most} 个"),
            )));
        }
        Ok(Filter::Compare(Comparison { field, op, value }))
    }
}

fn one_or(mut items: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    if items.len() == 1 {
        items.swap_remove(0)
    } else {
        many(items)
    }
}

fn field(name: &str) -> Result<Field, Bilingual> {
    if let Some((_, f)) = Field::NAMES.iter().find(|(n, _)| *n == name) {
        return Ok(f.clone());
    }
    if let Some(attribute) = name.strip_prefix("attributes.")
        && !attribute.is_empty()
    {
        return Ok(Field::Attribute(attribute.to_owned()));
    }
    let names = Field::NAMES.iter().map(|(n, _)| *n);
    let shown: String = name.chars().take(40).collect();
    let known: Vec<&str> = names.clone().collect();
    let near = did_you_mean(name, names);
    Err(Bilingual::new(
        format!(
            "unknown field `{shown}`: expected one of {}, attributes.NAME{near}",
            known.join(", ")
        ),
        format!(
            "未知字段 `{shown}`：应为 {}、attributes.名称 之一{}",
            known.join("、"),
            near.zh
        ),
    ))
}

fn value(field: &Field, text: &str, quoted: bool) -> Result<Value, Bilingual> {
    fn read<T>(text: &str, make: fn(T) -> Value) -> Result<Value, Bilingual>
    where
        T: std::str::FromStr<Err = CodeError>,
    {
        text.parse().map(make).map_err(|e: CodeError| e.message())
    }
    if text == "*" && !quoted {
        return Ok(Value::Any);
    }
    match field {
        Field::Kind => read::<Kind>(text, Value::Kind),
        Field::Region => read(text, Value::Region),
        Field::Industry => read(text, Value::Industry),
        Field::Discipline => read(text, Value::Discipline),
        Field::Readiness => read(text, Value::Readiness),
        Field::CooperationMode => read(text, Value::CooperationMode),
        Field::ExpertKind => read(text, Value::ExpertKind),
        Field::InstitutionKind => read(text, Value::InstitutionKind),
        Field::IpForm => read(text, Value::IpForm),
        Field::Stage => read(text, Value::Stage),
        Field::Language => match text {
            "zh" => Ok(Value::Language(crate::Language::Zh)),
            "en" => Ok(Value::Language(crate::Language::En)),
            _ => Err(("expected zh or en", "应为 zh 或 en").into()),
        },
        Field::Visibility => match text {
            "open" => Ok(Value::Visibility(crate::Visibility::Open)),
            "platform" => Ok(Value::Visibility(crate::Visibility::Platform)),
            "sealed" => Ok(Value::Visibility(crate::Visibility::Sealed)),
            _ => Err((
                "expected open, platform or sealed",
                "应为 open、platform 或 sealed",
            )
                .into()),
        },
        Field::Budget | Field::Price => text
            .parse::<f64>()
            .ok()
            .filter(|v| v.is_finite())
            .map(Value::Number)
            .ok_or_else(|| ("expected a number of 万元", "应为以万元计的数").into()),
        Field::Deadline | Field::Valid => parse_date(text).map(Value::Date).ok_or_else(|| {
            (
                "expected a day such as 2026-11-23",
                "应为日期，如 2026-11-23",
            )
                .into()
        }),
        Field::Attribute(_) if !quoted => Ok(text
            .parse::<f64>()
            .ok()
            .filter(|v| v.is_finite())
            .map_or_else(|| Value::Text(text.to_lowercase()), Value::Number)),
        _ => Ok(Value::Text(text.to_lowercase())),
    }
}

/// Order comparisons only where values have an order.
fn check_op(field: &Field, op: Op, value: &Value) -> Result<(), Bilingual> {
    let ordered = matches!(
        field,
        Field::Readiness
            | Field::Budget
            | Field::Price
            | Field::Deadline
            | Field::Id
            | Field::Attribute(_)
    ) && *value != Value::Any;
    if matches!(op, Op::Lt | Op::Le | Op::Gt | Op::Ge) && !ordered {
        return Err((
            "this field has no order: use =, != or :",
            "该字段没有大小之分：请用 =、!= 或 :",
        )
            .into());
    }
    Ok(())
}
