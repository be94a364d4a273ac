//! What is decoded of a TEXT column: texts, stamps, slots and their index tell the same.

use super::*;

/// Texts come back one by one and by template, and the stamps tell the truth.
pub(super) fn check(texts: &TextValues, values: &[Value]) {
    let (codes, slots) = (texts.codes(), texts.slots());
    let mut seen = 0;
    for (index, (template, used)) in codes.uses().templates().enumerate() {
        let run = slots.build_run(index).unwrap();
        let ranks = (0..values.len()).filter(|rank| usize::from(codes.codes()[*rank]) == index + 1);
        for (place, rank) in ranks.enumerate() {
            let text = values[rank].as_scalar().as_str();
            assert_eq!(run.get(place), text);
            assert_eq!(texts.text(rank).ok().as_deref(), text);
        }
        assert_eq!(run.ends.len(), used.rows as usize);
        assert!(used.rows as usize >= template::ROWS_PER_TEMPLATE_MIN);
        for text in (0..run.ends.len()).filter_map(|place| run.get(place)) {
            check_stamps(template, used, text);
        }
        check_slots(slots, index, template, &run);
        seen += run.ends.len();
    }
    let whole = slots.whole().unwrap();
    assert_eq!(seen + whole.len(), values.len());
    for text in (0..whole.len()).map(|place| whole.get(place).unwrap()) {
        assert!(
            slots
                .index()
                .whole_may_hold(&SlotIndex::words_of_whole(text))
        );
    }
}

/// The values of slots make the texts, and no word of one is ruled out by the index.
fn check_slots(slots: &TextSlots, index: usize, template: &Template, run: &TextRun) {
    let statics: Vec<&str> = template.statics().collect();
    for place in 0..run.ends.len() {
        let mut rebuilt = statics[0].to_owned();
        for slot in 0..template.slots() {
            let before = rebuilt.len();
            match slots.values(index, slot).unwrap() {
                SlotValues::Texts(values) => {
                    assert_eq!(values.len(), run.ends.len());
                    rebuilt += check_slot_value(values, place);
                }
                SlotValues::Dictionary(values, codes) => {
                    rebuilt += check_slot_value(values, usize::from(codes[place]));
                }
                SlotValues::Numbers => {
                    let rest = run.get(place).unwrap().get(before..).unwrap();
                    let next = statics[slot + 1].chars().next();
                    let end = next.map_or(rest.len(), |next| rest.find(next).unwrap());
                    rebuilt += rest.get(..end).unwrap();
                }
            }
            let words = SlotIndex::words_of(rebuilt.get(before..).unwrap());
            assert_eq!(slots.index().may_hold(index, slot, &words), Ok(true));
            rebuilt += statics[slot + 1];
        }
        assert_eq!(run.get(place), Some(&*rebuilt));
    }
}

fn check_slot_value(values: SlotRun<'_>, index: usize) -> &str {
    let value = values.get(index).unwrap();
    let start = values.start_after(index).unwrap() - value.len() - 1;
    let with_end = values.text().get(start..=start + value.len());
    assert_eq!(with_end, Some(&*format!("{value}\n")));
    assert_eq!(values.index_at(start), index);
    assert_eq!(values.index_at(start + value.len()), index);
    value
}

/// The slots of a text are what is left when the static text is taken out, and each is as its stamp says.
fn check_stamps(template: &Template, used: &TemplateUse, text: &str) {
    let statics: Vec<&str> = template.statics().collect();
    let mut rest = text.strip_prefix(statics[0]).unwrap();
    for (stamp, after) in used.stamps.iter().zip(&statics[1..]) {
        let run = slot_runs(rest).next().unwrap();
        assert!(rest.starts_with(run), "{rest} begins with a slot");
        assert!((stamp.bytes_min..=stamp.bytes_max).contains(&u32::try_from(run.len()).unwrap()));
        assert!(stamp.classes.contain(CharClasses::of(run)), "{run}");
        let tail = rest.strip_prefix(run).unwrap();
        rest = tail.strip_prefix(after).unwrap();
    }
    assert_eq!(rest, "");
}
