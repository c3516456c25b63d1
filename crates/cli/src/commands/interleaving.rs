//! `queqiao interleaving`: which of two systems people prefer, from lists that both filled.

use super::compare::probability;
use crate::{
    args::{Format, InterleavingArgs},
    failure::Failure,
    output::Console,
};
use queqiao_eval::{Interleaving, interleaving};

/// A coin that fails a test at this level is worth a word.
const COIN: f64 = 0.001;

pub(crate) fn run(args: &InterleavingArgs, console: &Console) -> Result<(), Failure> {
    if !(args.alpha > 0.0 && args.alpha < 1.0) {
        return Err(Failure::input(
            "--alpha lies between 0 and 1",
            "--alpha 应在 0 与 1 之间",
        ));
    }
    let found = interleaving(&args.log, args.alpha)?;
    doubts(&found, console);
    match args.format {
        Format::Json => console.json(&found),
        Format::Table => {
            console.document(&table(&found, args.alpha, console));
            Ok(())
        }
    }
}

/// What speaks against the log being of a fair draft.
fn doubts(i: &Interleaving, console: &Console) {
    let (a, b) = (&i.first, &i.second);
    if i.p_began < COIN {
        let [first, second] = i.began;
        console.note(console.say(
            &format!(
                "{a} began {first} lists and {b} {second}: no fair coin, or lists are missing"
            ),
            &format!("{a} 先选 {first} 次，{b} 先选 {second} 次：抽签不公平，或日志不全"),
        ));
    }
    if i.uneven > 0 {
        let (n, all) = (i.uneven, i.lists);
        console.note(console.say(
            &format!("in {n} of {all} lists places differ by more than one: no draft leaves these, unless one system ran out"),
            &format!("{all} 个名单中有 {n} 个双方名额相差超过 1：除非一方已无结果，轮选不会如此"),
        ));
    }
}

fn table(i: &Interleaving, alpha: f64, console: &Console) -> String {
    let mut table = console.table([
        console.say("system", "系统"),
        console.say("lists won", "胜出名单"),
        console.say("places", "名额"),
        console.say("began", "先选"),
    ]);
    for (name, won, places, began) in [
        (&i.first, i.losses, i.places[0], i.began[0]),
        (&i.second, i.wins, i.places[1], i.began[1]),
    ] {
        table.add_row([
            name.clone(),
            won.to_string(),
            places.to_string(),
            began.to_string(),
        ]);
    }
    super::eval::right(&mut table, 1);
    let (lists, ties, b) = (i.lists, i.ties, &i.second);
    let (share, p) = ((i.preference + 0.5) * 100.0, probability(i.p_sign));
    let (credit, c) = (&i.credit, i.credit.interval);
    let more = format!("{:+.4} [{:+.4}, {:+.4}]", credit.mean, c.low, c.high);
    let verdict = match i.p_sign < alpha {
        true if i.preference > 0.0 => Some(&i.second),
        true => Some(&i.first),
        false => None,
    };
    let verdict = match verdict {
        Some(name) => console
            .say(&format!("{name} is preferred"), &format!("偏好 {name}"))
            .to_owned(),
        None => console
            .say("no preference can be told", "看不出偏好")
            .to_owned(),
    };
    format!(
        "{table}\n{}\n",
        console.say(
            &format!("{b}: {share:.1} % of {lists} lists, {ties} ties counted by half; p {p} (sign test); outcome per list {more}\n{verdict}"),
            &format!("{b}：{lists} 个名单中占 {share:.1} %（{ties} 个平局按半计）；p {p}（符号检验）；每名单结果差 {more}\n{verdict}"),
        )
    )
}
