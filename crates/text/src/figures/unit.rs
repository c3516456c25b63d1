//! Units, by their parts.

use super::number::{chars, exponent, half, skip_blanks};

/// What a unit measures: exponents of length, mass, time, current, temperature, substance, light,
/// money, information, angle, and the things counted (台, 人), which compare only with themselves.
type Dimension = ([i8; 10], Option<&'static str>);

const NONE: [i8; 10] = [0; 10];
const LENGTH: [i8; 10] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const AREA: [i8; 10] = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const VOLUME: [i8; 10] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const MASS: [i8; 10] = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
const TIME: [i8; 10] = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
const RATE: [i8; 10] = [0, 0, -1, 0, 0, 0, 0, 0, 0, 0];
const CURRENT: [i8; 10] = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const CHARGE: [i8; 10] = [0, 0, 1, 1, 0, 0, 0, 0, 0, 0];
const TEMPERATURE: [i8; 10] = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
const SUBSTANCE: [i8; 10] = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
const LIGHT: [i8; 10] = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
const ILLUMINANCE: [i8; 10] = [-2, 0, 0, 0, 0, 0, 1, 0, 0, 0];
const MONEY: [i8; 10] = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0];
const INFORMATION: [i8; 10] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
const FLOW_OF_BITS: [i8; 10] = [0, 0, -1, 0, 0, 0, 0, 0, 1, 0];
const ANGLE: [i8; 10] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const FORCE: [i8; 10] = [1, 1, -2, 0, 0, 0, 0, 0, 0, 0];
const PRESSURE: [i8; 10] = [-1, 1, -2, 0, 0, 0, 0, 0, 0, 0];
const ENERGY: [i8; 10] = [2, 1, -2, 0, 0, 0, 0, 0, 0, 0];
const POWER: [i8; 10] = [2, 1, -3, 0, 0, 0, 0, 0, 0, 0];
const VOLTAGE: [i8; 10] = [2, 1, -3, -1, 0, 0, 0, 0, 0, 0];
const RESISTANCE: [i8; 10] = [2, 1, -3, -2, 0, 0, 0, 0, 0, 0];
const CONDUCTANCE: [i8; 10] = [-2, -1, 3, 2, 0, 0, 0, 0, 0, 0];
const CONDUCTIVITY: [i8; 10] = [-3, -1, 3, 2, 0, 0, 0, 0, 0, 0];
const CAPACITANCE: [i8; 10] = [-2, -1, 4, 2, 0, 0, 0, 0, 0, 0];
const VISCOSITY: [i8; 10] = [-1, 1, -1, 0, 0, 0, 0, 0, 0, 0];

/// Units by name, longest first where one begins another: name, factor to the base, dimension.
/// Sources: the SI brochure (9th edition); GB 3100–1993 for the Chinese names.
const UNITS: &[(&str, f64, [i8; 10])] = &[
    // Shares.
    ("ppm", 1e-6, NONE),
    ("ppb", 1e-9, NONE),
    ("%", 0.01, NONE),
    ("‰", 0.001, NONE),
    // Lengths.
    ("公里", 1e3, LENGTH),
    ("千米", 1e3, LENGTH),
    ("厘米", 1e-2, LENGTH),
    ("毫米", 1e-3, LENGTH),
    ("微米", 1e-6, LENGTH),
    ("纳米", 1e-9, LENGTH),
    ("分米", 1e-1, LENGTH),
    ("米", 1.0, LENGTH),
    ("km", 1e3, LENGTH),
    ("cm", 1e-2, LENGTH),
    ("mm", 1e-3, LENGTH),
    ("μm", 1e-6, LENGTH),
    ("µm", 1e-6, LENGTH),
    ("um", 1e-6, LENGTH),
    ("nm", 1e-9, LENGTH),
    ("dm", 1e-1, LENGTH),
    ("英寸", 0.0254, LENGTH),
    ("inch", 0.0254, LENGTH),
    // Areas and volumes.
    ("平方公里", 1e6, AREA),
    ("平方千米", 1e6, AREA),
    ("平方厘米", 1e-4, AREA),
    ("平方毫米", 1e-6, AREA),
    ("平方米", 1.0, AREA),
    ("公顷", 1e4, AREA),
    ("亩", 10_000.0 / 15.0, AREA),
    ("㎡", 1.0, AREA),
    ("㎜", 1e-3, LENGTH),
    ("㎝", 1e-2, LENGTH),
    ("㎞", 1e3, LENGTH),
    ("立方厘米", 1e-6, VOLUME),
    ("立方毫米", 1e-9, VOLUME),
    ("立方分米", 1e-3, VOLUME),
    ("立方米", 1.0, VOLUME),
    ("立方", 1.0, VOLUME),
    ("毫升", 1e-6, VOLUME),
    ("微升", 1e-9, VOLUME),
    ("公升", 1e-3, VOLUME),
    ("升", 1e-3, VOLUME),
    ("mL", 1e-6, VOLUME),
    ("ml", 1e-6, VOLUME),
    ("μL", 1e-9, VOLUME),
    ("L", 1e-3, VOLUME),
    ("㎥", 1.0, VOLUME),
    // Masses.
    ("千克", 1.0, MASS),
    ("公斤", 1.0, MASS),
    ("毫克", 1e-6, MASS),
    ("微克", 1e-9, MASS),
    ("kg", 1.0, MASS),
    ("Kg", 1.0, MASS),
    ("KG", 1.0, MASS),
    ("mg", 1e-6, MASS),
    ("μg", 1e-9, MASS),
    ("ng", 1e-12, MASS),
    ("㎎", 1e-6, MASS),
    ("㎏", 1.0, MASS),
    ("吨", 1e3, MASS),
    ("克", 1e-3, MASS),
    ("斤", 0.5, MASS),
    ("g", 1e-3, MASS),
    ("t", 1e3, MASS),
    // Times.
    ("毫秒", 1e-3, TIME),
    ("微秒", 1e-6, TIME),
    ("纳秒", 1e-9, TIME),
    ("分钟", 60.0, TIME),
    ("小时", 3600.0, TIME),
    ("个月", 2_629_746.0, TIME),
    ("周", 604_800.0, TIME),
    ("天", 86_400.0, TIME),
    ("日", 86_400.0, TIME),
    ("年", 31_556_952.0, TIME),
    ("秒", 1.0, TIME),
    ("hours", 3600.0, TIME),
    ("hour", 3600.0, TIME),
    ("days", 86_400.0, TIME),
    ("day", 86_400.0, TIME),
    ("years", 31_556_952.0, TIME),
    ("year", 31_556_952.0, TIME),
    ("months", 2_629_746.0, TIME),
    ("min", 60.0, TIME),
    ("ms", 1e-3, TIME),
    ("μs", 1e-6, TIME),
    ("ns", 1e-9, TIME),
    ("h", 3600.0, TIME),
    ("s", 1.0, TIME),
    // Rates.
    ("千赫", 1e3, RATE),
    ("兆赫", 1e6, RATE),
    ("赫兹", 1.0, RATE),
    ("GHz", 1e9, RATE),
    ("MHz", 1e6, RATE),
    ("kHz", 1e3, RATE),
    ("KHz", 1e3, RATE),
    ("Hz", 1.0, RATE),
    ("rpm", 1.0 / 60.0, RATE),
    // Electricity.
    ("千伏安", 1e3, POWER),
    ("千伏", 1e3, VOLTAGE),
    ("毫伏", 1e-3, VOLTAGE),
    ("伏", 1.0, VOLTAGE),
    ("kVA", 1e3, POWER),
    ("MVA", 1e6, POWER),
    ("kV", 1e3, VOLTAGE),
    ("KV", 1e3, VOLTAGE),
    ("mV", 1e-3, VOLTAGE),
    ("V", 1.0, VOLTAGE),
    ("毫安时", 3.6, CHARGE),
    ("安时", 3600.0, CHARGE),
    ("毫安", 1e-3, CURRENT),
    ("安培", 1.0, CURRENT),
    ("mAh", 3.6, CHARGE),
    ("Ah", 3600.0, CHARGE),
    ("kA", 1e3, CURRENT),
    ("mA", 1e-3, CURRENT),
    ("μA", 1e-6, CURRENT),
    ("A", 1.0, CURRENT),
    ("千瓦时", 3.6e6, ENERGY),
    ("千瓦", 1e3, POWER),
    ("兆瓦", 1e6, POWER),
    ("瓦", 1.0, POWER),
    ("kWh", 3.6e6, ENERGY),
    ("MWh", 3.6e9, ENERGY),
    ("Wh", 3600.0, ENERGY),
    ("GW", 1e9, POWER),
    ("MW", 1e6, POWER),
    ("kW", 1e3, POWER),
    ("KW", 1e3, POWER),
    ("mW", 1e-3, POWER),
    ("W", 1.0, POWER),
    ("MΩ", 1e6, RESISTANCE),
    ("kΩ", 1e3, RESISTANCE),
    ("Ω", 1.0, RESISTANCE),
    ("mS", 1e-3, CONDUCTANCE),
    ("μS", 1e-6, CONDUCTANCE),
    // Never S alone: 5S is a way of keeping a workshop.
    ("S/cm", 1e2, CONDUCTIVITY),
    ("S/m", 1.0, CONDUCTIVITY),
    ("μF", 1e-6, CAPACITANCE),
    ("pF", 1e-12, CAPACITANCE),
    // Mechanics.
    ("兆帕", 1e6, PRESSURE),
    ("千帕", 1e3, PRESSURE),
    ("帕", 1.0, PRESSURE),
    ("GPa", 1e9, PRESSURE),
    ("MPa", 1e6, PRESSURE),
    ("Mpa", 1e6, PRESSURE),
    ("mPa", 1e-3, PRESSURE),
    ("kPa", 1e3, PRESSURE),
    ("KPa", 1e3, PRESSURE),
    ("Pa", 1.0, PRESSURE),
    ("bar", 1e5, PRESSURE),
    ("千牛", 1e3, FORCE),
    ("牛顿", 1.0, FORCE),
    ("kN", 1e3, FORCE),
    ("KN", 1e3, FORCE),
    ("MN", 1e6, FORCE),
    ("N", 1.0, FORCE),
    ("千焦", 1e3, ENERGY),
    ("大卡", 4_186.8, ENERGY),
    ("kcal", 4_186.8, ENERGY),
    ("MJ", 1e6, ENERGY),
    ("kJ", 1e3, ENERGY),
    ("KJ", 1e3, ENERGY),
    ("J", 1.0, ENERGY),
    ("cP", 1e-3, VISCOSITY),
    // Substance, light, information.
    ("mmol", 1e-3, SUBSTANCE),
    ("μmol", 1e-6, SUBSTANCE),
    ("mol", 1.0, SUBSTANCE),
    ("流明", 1.0, LIGHT),
    ("lm", 1.0, LIGHT),
    ("lx", 1.0, ILLUMINANCE),
    ("lux", 1.0, ILLUMINANCE),
    ("Gbps", 1e9, FLOW_OF_BITS),
    ("Mbps", 1e6, FLOW_OF_BITS),
    ("kbps", 1e3, FLOW_OF_BITS),
    ("bps", 1.0, FLOW_OF_BITS),
    ("TB", 8e12, INFORMATION),
    ("GB", 8e9, INFORMATION),
    ("MB", 8e6, INFORMATION),
    ("KB", 8e3, INFORMATION),
    ("kB", 8e3, INFORMATION),
    ("bit", 1.0, INFORMATION),
    // Money.
    ("元", 1.0, MONEY),
    ("RMB", 1.0, MONEY),
    // Angles; ° alone, since 度 is also a kilowatt hour.
    ("°", std::f64::consts::PI / 180.0, ANGLE),
    ("rad", 1.0, ANGLE),
    ("K", 1.0, TEMPERATURE),
    ("m", 1.0, LENGTH),
];

/// Things that are counted, and scales of their own.
const COUNTED: &[&str] = &[
    "dB", "HRC", "HV", "目", "台", "套", "件", "人次", "人", "个", "次", "种", "家", "项", "户",
    "株", "头", "只", "辆", "层", "级", "倍", "转", "块", "条", "张", "片", "根", "批",
];

/// A unit as a text writes it, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// As written, blanks left out.
    pub text: String,
    /// What one of it is in the base of its dimension.
    pub(super) factor: f64,
    /// What is added after the factor: 273.15 for ℃.
    pub(super) offset: f64,
    dimension: Dimension,
}

impl Unit {
    /// A value of this unit in the base of its dimension.
    pub(super) fn to_base(&self, value: f64) -> f64 {
        value * self.factor + self.offset
    }

    /// A value of the base in this unit, for people.
    pub fn from_base(&self, value: f64) -> f64 {
        (value - self.offset) / self.factor
    }

    /// Whether both measure the same kind of thing.
    pub fn is_comparable(&self, other: &Unit) -> bool {
        self.dimension == other.dimension
    }

    /// Whether it is an amount of money.
    pub fn is_money(&self) -> bool {
        self.dimension.0 == MONEY
    }

    /// Whether it is a temperature.
    pub fn is_temperature(&self) -> bool {
        self.dimension == (TEMPERATURE, None)
    }

    /// Whether it counts things.
    pub fn is_count(&self) -> bool {
        self.dimension.1.is_some()
    }
}

/// The unit that begins at a byte, with its end.
pub(super) fn read(text: &str, from: usize) -> Option<(Unit, usize)> {
    let start = skip_blanks(text, from);
    if let Some(end) = celsius(text, start) {
        let unit = Unit {
            text: "℃".to_owned(),
            factor: 1.0,
            offset: 273.15,
            dimension: (TEMPERATURE, None),
        };
        return Some((unit, end));
    }
    let (mut factor, mut dimension, mut end) = atom(text, start)?;
    // Further parts: /x, ·x, /(x·y).
    while let Some((sign, after)) = joint(text, end) {
        let (inner, close) = match text[after..].chars().next() {
            Some('(' | '（') if sign < 0 => {
                (after + text[after..].chars().next()?.len_utf8(), true)
            }
            _ => (after, false),
        };
        let Some((mut f, mut d, mut e)) = atom(text, inner) else {
            break;
        };
        if close {
            while let Some((1, next)) = joint(text, e) {
                let Some((f2, d2, e2)) = atom(text, next) else {
                    break;
                };
                f *= f2;
                d = combine(d, d2, 1)?;
                e = e2;
            }
            let Some(end) = text[e..]
                .chars()
                .next()
                .filter(|c| matches!(c, ')' | '）'))
                .map(|c| e + c.len_utf8())
            else {
                break;
            };
            e = end;
        }
        let Some(all) = combine(dimension, d, sign) else {
            break;
        };
        dimension = all;
        factor *= f.powi(i32::from(sign));
        end = e;
    }
    let written = text[start..end]
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(half);
    Some((
        Unit {
            text: written.collect(),
            factor,
            offset: 0.0,
            dimension,
        },
        end,
    ))
}

/// ℃, °C, 摄氏度: the end.
fn celsius(text: &str, start: usize) -> Option<usize> {
    ["℃", "°C", "° C", "摄氏度", "º C", "ºC", "°c"]
        .into_iter()
        .find(|n| text[start..].starts_with(n))
        .map(|n| start + n.len())
}

/// Whether two parts go together here, how (1 or −1), and where the second begins.
fn joint(text: &str, at: usize) -> Option<(i8, usize)> {
    let c = text[at..].chars().next()?;
    let next = at + c.len_utf8();
    match half(c) {
        '/' | '每' => Some((-1, skip_blanks(text, next))),
        '·' | '•' | '*' => Some((1, next)),
        _ => None,
    }
}

fn combine(a: Dimension, b: Dimension, sign: i8) -> Option<Dimension> {
    let mut out = a.0;
    for (x, y) in out.iter_mut().zip(b.0) {
        *x = x.checked_add(y.checked_mul(sign)?)?;
    }
    let counted = match (a.1, b.1) {
        (Some(_), Some(_)) => return None,
        (x, y) => x.or(y),
    };
    Some((out, counted))
}

/// One part of a unit with its exponent: factor, dimension, end.
fn atom(text: &str, start: usize) -> Option<(f64, Dimension, usize)> {
    let (name, factor, dimension) = name(text, start)?;
    let mut end = start + name;
    // cm³, cm^3, cm3; and m² in 平方米 is a name of its own.
    let raised = match text[end..].strip_prefix('^') {
        Some(_) => exponent(text, end + 1),
        // A plain dash is the dash of a range: 5mm-2cm.
        None if text[end..].starts_with(['-', '−', '–', '+']) => None,
        None => exponent(text, end).filter(|(n, _)| matches!(n, 2 | 3 | -1 | -2 | -3)),
    };
    let mut power = 1;
    if let Some((n, after)) = raised
        && dimension.1.is_none()
        && !follows_number(text, after)
    {
        power = n;
        end = after;
    }
    let mut all = dimension;
    if power != 1 {
        for x in &mut all.0 {
            *x = x.checked_mul(i8::try_from(power).ok()?)?;
        }
    }
    Some((factor.powi(power), all, end))
}

/// Whether digits go on: the `3` of `cm35` is no exponent.
fn follows_number(text: &str, at: usize) -> bool {
    chars(text, at).next().is_some_and(|c| c.1.is_ascii_digit())
}

/// The longest name that begins here: its length, factor and dimension.
fn name(text: &str, start: usize) -> Option<(usize, f64, Dimension)> {
    let rest = &text[start..];
    // ％ and its like are written wide as well.
    let first = rest.chars().next()?;
    if half(first) != first && half(first) == '%' {
        return Some((first.len_utf8(), 0.01, (NONE, None)));
    }
    let known = UNITS
        .iter()
        .map(|&(n, f, d)| (n, f, (d, None)))
        .chain(COUNTED.iter().map(|&n| (n, 1.0, (NONE, Some(n)))));
    let (name, factor, dimension) = known
        .filter(|(n, _, _)| rest.starts_with(n))
        .max_by_key(|(n, _, _)| n.len())?;
    // A Latin name ends where the word does: `m` of `model` is no metre.
    let after = rest[name.len()..].chars().next();
    let latin = name.chars().next_back()?.is_ascii_alphabetic();
    let goes_on = after.is_some_and(|c| c.is_alphabetic() && !crate::is_han(c));
    if latin && goes_on {
        return None;
    }
    // 米 of 米饭, 年 of 年度, 日 of 日本, 级 of 级别: no unit.
    const NO_UNIT: &[&str] = &[
        "年度",
        "年代",
        "日本",
        "日前",
        "级别",
        "人员",
        "人才",
        "家具",
        "条件",
        "个性",
        "次级",
        "项目",
        "种类",
        "套路",
        "克服",
        "米饭",
        "天然",
        "周边",
        "周期",
        "层次",
        "伏安特",
        "元素",
        "人工",
        "根据",
        "件套",
    ];
    if NO_UNIT.iter().any(|w| rest.starts_with(w)) {
        return None;
    }
    Some((name.len(), factor, dimension))
}
