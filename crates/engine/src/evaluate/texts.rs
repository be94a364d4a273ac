//! One test on a column of texts that follow templates: decided template by template, and only where that does not
//! suffice text by text.

use cordwood_query::TextTest;
use cordwood_store::column::{Column, TextCodes, TextRun, TextValues, Values};
use cordwood_store::template::TemplateUses;

use crate::block::OpenBlock;
use crate::evaluate::templates::{TemplateTest, Verdict};
use crate::evaluate::values::ValueTest;
use crate::evaluate::{Failure, ranks};
use crate::selection::Selection;

/// Of a template with at least one wanted text in so many, all texts are put together and searched in one pass; of
/// others, the wanted ones alone.
const SPARSE_SHARE: usize = 8;

/// Those rows of `among` whose text in the column at `index` matches. Reads nothing if no template can match, and the
/// slots only if there is a template on which the verdict depends on them.
pub(crate) fn select(
    test: &ValueTest<'_>,
    block: &OpenBlock,
    index: usize,
    uses: &TemplateUses,
    among: &Selection,
) -> Result<Selection, Failure> {
    let none = Selection::none(among.rows());
    if test.is_inside_arrays() {
        return Ok(none);
    }
    let verdicts = match test.predicate.text_test() {
        TextTest::Never => return Ok(none),
        TextTest::Always => {
            let presence = block.presence(index)?;
            return Ok(ranks::to_rows(&presence, ranks::to_ranks(&presence, among)));
        }
        _ => verdicts(test, uses),
    };
    if verdicts.iter().all(|verdict| *verdict == Verdict::None) {
        return Ok(none);
    }
    let presence = block.presence(index)?;
    let wanted = ranks::to_ranks(&presence, among);
    test.has_tested_rows.set(true);
    let codes = block.text_codes(index)?;
    let mut held = wanted.filter(|rank| {
        let code = codes.codes().get(rank);
        code.is_some_and(|code| verdicts.get(usize::from(*code)) == Some(&Verdict::All))
    });
    let open = OpenRanks::of(&codes, &verdicts, &wanted);
    open.select_whole(test, &codes, &mut held)?;
    if open.has_templates() {
        let column = block.column(index)?;
        if let Column {
            values: Values::Text(texts),
            ..
        } = column
        {
            open.select_in_templates(test, texts, &mut held)?;
        }
    }
    held.intersect(&wanted);
    Ok(ranks::to_rows(&presence, held))
}

/// By code; of the texts that are kept whole nothing is known, if there are any.
fn verdicts(test: &ValueTest<'_>, uses: &TemplateUses) -> Vec<Verdict> {
    let of_template = TemplateTest::new(test.predicate);
    let whole = match uses.whole_rows() {
        0 => Verdict::None,
        _ => Verdict::Maybe,
    };
    let templates = uses.templates();
    let of_templates = templates.map(|(template, used)| of_template.verdict(template, used));
    std::iter::once(whole).chain(of_templates).collect()
}

/// The ranks whose texts have to be looked at, by code.
struct OpenRanks {
    /// All ranks of a code that has a wanted one and no verdict; of other codes, none.
    ranks: Vec<Vec<usize>>,
    /// By code, how many of them are wanted.
    wanted: Vec<usize>,
}

impl OpenRanks {
    fn of(codes: &TextCodes, verdicts: &[Verdict], wanted: &Selection) -> OpenRanks {
        let mut counts = vec![0usize; verdicts.len()];
        for rank in wanted.iter() {
            let code = codes.codes().get(rank).map_or(0, |code| usize::from(*code));
            if verdicts.get(code) == Some(&Verdict::Maybe) {
                counts[code] += 1;
            }
        }
        let mut ranks: Vec<Vec<usize>> = verdicts.iter().map(|_| Vec::new()).collect();
        for (rank, code) in codes.codes().iter().enumerate() {
            let code = usize::from(*code);
            if counts.get(code).is_some_and(|count| *count > 0) {
                ranks[code].push(rank);
            }
        }
        OpenRanks {
            ranks,
            wanted: counts,
        }
    }

    fn has_templates(&self) -> bool {
        self.wanted.iter().skip(1).any(|count| *count > 0)
    }

    /// The texts that follow no template.
    fn select_whole(
        &self,
        test: &ValueTest<'_>,
        codes: &TextCodes,
        held: &mut Selection,
    ) -> Result<(), Failure> {
        let Some(ranks) = self.ranks.first().filter(|ranks| !ranks.is_empty()) else {
            return Ok(());
        };
        for index in 0..codes.whole().frame_count() {
            test.budget.check()?;
            let frame = codes.whole().frame(index)?;
            let of_frame = ranks.get(frame.first_rank..).unwrap_or_default();
            select_in_run(test, frame.text.as_bytes(), frame.ends, of_frame, held);
        }
        Ok(())
    }

    fn select_in_templates(
        &self,
        test: &ValueTest<'_>,
        texts: &TextValues,
        held: &mut Selection,
    ) -> Result<(), Failure> {
        let open = self.ranks.iter().zip(&self.wanted).enumerate().skip(1);
        for (code, (ranks, wanted)) in open.filter(|(_, (_, wanted))| **wanted > 0) {
            test.budget.check()?;
            if wanted * SPARSE_SHARE < ranks.len() && !test.keeps_frames {
                select_one_by_one(test, texts, ranks, held)?;
                continue;
            }
            let built;
            let run: &TextRun = match test.keeps_frames {
                true => texts.run_of(code - 1)?,
                false => {
                    built = texts.build_run(code - 1)?;
                    &built
                }
            };
            select_in_run(test, run.text.as_bytes(), &run.ends, ranks, held);
        }
        Ok(())
    }
}

fn select_one_by_one(
    test: &ValueTest<'_>,
    texts: &TextValues,
    ranks: &[usize],
    held: &mut Selection,
) -> Result<(), Failure> {
    for rank in ranks {
        if test.predicate.matches_text(&texts.text(*rank)?) {
            held.insert(*rank);
        }
    }
    Ok(())
}

/// `ranks` are those of the texts of the run, in order.
fn select_in_run(
    test: &ValueTest<'_>,
    run: &[u8],
    ends: &[u32],
    ranks: &[usize],
    held: &mut Selection,
) {
    test.predicate.select_texts(run, ends, &mut |index| {
        if let Some(rank) = ranks.get(index) {
            held.insert(*rank);
        }
    });
}
