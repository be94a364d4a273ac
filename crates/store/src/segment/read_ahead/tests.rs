//! Which blocks are read ahead of which reads.

use proptest::prelude::*;

use super::*;
use crate::block::decode_directories;
use crate::template::TemplateTable;

/// A read of a block, whether it was waited for, and what is read ahead of it.
type Noted = (u32, bool, Option<(u32, u32)>);

fn check(reads: &[Noted]) {
    let mut pass = Pass::begin(reads[0].0);
    for (block, was_waited_for, expected) in &reads[1..] {
        let ahead = pass.note(*block, *was_waited_for);
        assert_eq!(ahead, *expected, "at block {block}");
    }
}

#[test]
fn from_the_newest_to_the_oldest() {
    let mut reads = vec![(100, true, None), (99, true, Some((98, 83)))];
    reads.extend((91..99).rev().map(|block| (block, false, None)));
    reads.push((90, false, Some((82, 74))));
    reads.extend((82..90).rev().map(|block| (block, false, None)));
    reads.push((81, false, Some((73, 65))));
    check(&reads);
}

#[test]
fn to_the_first_block_and_no_further() {
    check(&[
        (4, true, None),
        (3, true, Some((2, 0))),
        (2, false, None),
        (1, false, None),
        (0, false, None),
    ]);
}

#[test]
fn threads_side_by_side() {
    check(&[
        (0, true, None),
        (2, true, Some((3, 18))),
        (1, true, None),
        (4, false, None),
        (3, false, None),
        (11, false, Some((19, 27))),
        (10, false, None),
    ]);
}

#[test]
fn blocks_far_from_each_other_are_no_pass() {
    check(&[
        (0, true, None),
        (50, true, None),
        (20, true, None),
        (90, true, None),
        // Whoever begins anew somewhere else has to be waited for twice again.
        (91, true, Some((92, 107))),
        (10, false, None),
        (11, false, None),
        (12, true, Some((13, 28))),
    ]);
}

#[test]
fn what_is_not_waited_for_is_not_read_ahead() {
    check(&[
        (0, true, None),
        (1, false, None),
        (2, false, None),
        (3, false, None),
    ]);
}

/// The directory of the fixture, in which every kind of chunk occurs.
fn directory() -> BlockDirectory {
    let templates = include_bytes!("../../../fixtures/block-1.templates.bin");
    let templates = TemplateTable::decode(templates).expect("a table");
    let directories = include_bytes!("../../../fixtures/block-1.directory.bin");
    let directories = decode_directories(directories, &Arc::new(templates));
    directories.expect("a directory").remove(0)
}

fn chunks(directory: &BlockDirectory) -> Vec<Chunk> {
    let head = [directory.timestamp, directory.sequence, directory.level];
    let columns = directory.columns.iter().flat_map(ColumnEntry::chunks);
    let mut chunks: Vec<Chunk> = head.into_iter().chain(columns).collect();
    chunks.extend(&directory.presences);
    chunks.extend(directory.dictionaries);
    chunks.extend(directory.rest.map(|rest| rest.chunk));
    chunks.retain(|chunk| chunk.length > 0);
    chunks
}

#[test]
fn the_role_of_a_chunk_finds_it() {
    let directory = directory();
    let chunks = chunks(&directory);
    assert!(chunks.len() > 8, "{} chunks", chunks.len());
    for chunk in chunks {
        let role = Role::of(chunk, &directory);
        let found = role.as_ref().and_then(|role| role.find_in(&directory));
        assert_eq!(found, Some(chunk), "{role:?}");
    }
}

#[test]
fn once_all_is_in_the_page_cache_nothing_is_noted() {
    let directory = directory();
    let read_ahead = ReadAhead::default();
    let read = |block: u32, took: Duration| {
        read_ahead.note(ChunkRead {
            block,
            directory: &directory,
            chunk: directory.timestamp,
            took,
        })
    };
    let waited = Duration::from_millis(1);
    assert_eq!(read(0, Duration::ZERO), None);
    assert!(!read_ahead.is_awake.load(Ordering::Relaxed));
    assert_eq!(read(0, waited), None);
    let wanted = read(1, waited).expect("two blocks were waited for");
    assert_eq!(
        wanted.blocks().collect::<Vec<_>>(),
        (2..=17).collect::<Vec<_>>()
    );
    assert_eq!(wanted.chunk_in(&directory), Some(directory.timestamp));
    let later = (2..200).filter_map(|block| read(block, Duration::ZERO));
    assert!(later.count() < 12, "it went on for ever");
    assert!(!read_ahead.is_awake.load(Ordering::Relaxed));
}

proptest! {
    /// Whatever is read, what is read ahead lies before it on the way, not far, and nothing twice in a row.
    #[test]
    fn never_far_ahead(reads in proptest::collection::vec((0u32..400, 0u32..3, any::<bool>()), 1..80)) {
        let mut pass = Pass::begin(200);
        let mut block = 200u32;
        for (jump, step, was_waited_for) in reads {
            block = if step == 0 { jump } else { block + step };
            if let Some((next, end)) = pass.note(block, was_waited_for) {
                prop_assert!(next.abs_diff(block) <= BLOCKS_AHEAD && end.abs_diff(block) <= BLOCKS_AHEAD);
                prop_assert!(next != block && (next > block) == (end > block) || end == block);
            }
        }
    }
}
