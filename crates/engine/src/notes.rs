//! What an answer says of itself beside its matches.

use crate::{
    Error,
    admitting::{admits, base_filter, kind_filter, kinds, seen_filter},
    finding::{Asking, Sight},
    listing::Listed,
    question::Question,
    request::MatchRequest,
    response::Note,
};
use queqiao_domain::{Bilingual, Filter, Kind};
use queqiao_retrieval::{Consistency, Index, Mode, Query, SearchResult};

/// Below this share of known characters an answer says that the model knows little of the text.
const LOW_COVERAGE: f32 = 0.6;

pub(crate) fn notes(
    asking: &Asking<'_>,
    found: &SearchResult,
    listed: &Listed<'_>,
) -> Result<Vec<Note>, Error> {
    let &Asking {
        sight,
        request,
        question,
        ..
    } = asking;
    let (passed_over, folded) = (listed.passed_over, listed.folded);
    let mut notes = Vec::new();
    if folded > 0 {
        notes.push(Note {
            code: "FOLDED",
            message: Bilingual::new(
                format!("{folded} records that say the very same as one on the list were left out"),
                format!("有 {folded} 条与名单中内容完全相同的记录未列出"),
            ),
        });
    }
    if passed_over > 0 {
        notes.push(Note {
            code: "PASSED_OVER",
            message: Bilingual::new(
                format!("{passed_over} better matches were passed over: their organisations have as many as were allowed"),
                format!("有 {passed_over} 个得分更高的匹配被略过：其所属单位已达上限"),
            ),
        });
    }
    if request.mode != Mode::Lexical {
        let text: Vec<&str> = question.fields.iter().map(|f| f.1.as_str()).collect();
        let covered = sight.pipeline.embedder.coverage(&text.join("\n"));
        if let Some(share) = covered.filter(|c| *c < LOW_COVERAGE) {
            let percent = (share * 100.0).round();
            notes.push(Note {
                code: "LOW_COVERAGE",
                message: Bilingual::new(
                    format!("the model knows {percent} % of this text: the order rests mostly on shared words"),
                    format!("模型只认识该文本的 {percent}%，排序主要依据共同词语"),
                ),
            });
        }
    }
    if found.admitted == 0 {
        notes.push(nothing_admitted(sight, request, question, found.total)?);
    }
    Ok(notes)
}

/// Which condition left nothing.
fn nothing_admitted(
    sight: &Sight,
    request: &MatchRequest,
    question: &Question,
    total: usize,
) -> Result<Note, Error> {
    let count = |filter: &Filter| -> Result<usize, Error> {
        let Some(live) = &sight.live else {
            return Ok(0);
        };
        let none = ndarray::Array2::zeros((0, live.pipeline.embedder.dim()));
        Ok(live
            .index
            .search(&Query {
                vectors: &none,
                passages: &[],
                filter,
                admit: &|_, facets| admits(request, facets),
                mode: Mode::Lexical,
                candidates: 0,
                consistency: Consistency::Latest,
            })?
            .admitted)
    };
    let wanted = kinds(request, question);
    let names = |f: fn(Kind) -> &'static str| wanted.iter().map(|k| f(*k)).collect::<Vec<_>>();
    let (en, zh) = if total == 0 {
        (
            "there are no records yet: import some".to_owned(),
            "还没有任何记录，请先导入".to_owned(),
        )
    } else if count(&kind_filter(&wanted))? == 0 {
        (
            format!(
                "none of the {total} records is of kind {}",
                names(Kind::as_str).join(", ")
            ),
            format!("{total} 条记录中没有{}", names(Kind::zh).join("、")),
        )
    } else if count(&base_filter(request, question))? == 0 {
        (
            format!("no record of these kinds is valid on {}", request.today),
            format!("这些类别的记录在 {} 均不在有效期内", request.today),
        )
    } else if count(&base_filter(request, question).and(seen_filter(request)))? == 0 {
        (
            "the filter leaves no record: loosen it".to_owned(),
            "筛选条件排除了所有记录，请放宽".to_owned(),
        )
    } else {
        (
            "every record that is left belongs to the asker, opted out, is closed or has a conflict".to_owned(),
            "余下的记录均属提问方自身、已退出匹配、已关闭或存在利益冲突".to_owned(),
        )
    };
    Ok(Note {
        code: "NOTHING_ADMITTED",
        message: Bilingual::new(en, zh),
    })
}
