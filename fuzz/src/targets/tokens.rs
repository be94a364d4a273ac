//! Token maps: no bytes panic a reader, and what one lookup finds a walk through all finds too.

use bytes::Bytes;
use cordwood_store::tokens::{TokenMap, WordHash};

use super::Target;

/// The index's length in four bytes, the index, the pages.
pub(super) const TOKENS: Target = Target {
    name: "tokens",
    run: read_map,
    dictionary: &["\x01", "\x07", "\x1f", "\x28"],
};

/// As docs/format.md says.
const PAGE_BYTES: usize = 4096;

fn read_map(input: &[u8]) {
    let Some((length, rest)) = input.split_first_chunk() else {
        return;
    };
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let Some((index, pages)) = rest.split_at_checked(length) else {
        return;
    };
    // Of the greatest segments there are; a walk through more takes a fuzzer's patience.
    const BLOCKS_MAX: u32 = 1 << 16;
    let Ok(map) = TokenMap::open(index, pages.len() as u64) else {
        return;
    };
    if map.blocks() > BLOCKS_MAX {
        return;
    }
    let pages = Bytes::from(with_checksums(pages));
    let mut found = Vec::new();
    let walked = map.each(&pages, |hash, blocks| {
        if found.len() < 16 {
            found.push((hash, blocks.to_vec()));
        }
    });
    for (hash, blocks) in found {
        if let Ok(set) = map.find(WordHash(hash), &pages)
            && walked.is_ok()
        {
            assert!(blocks.iter().all(|block| set.contains(*block)), "{hash}");
        }
    }
    let _ = map.find(WordHash(u32::MAX), &pages);
}

/// Else a mutation would never get further than the checksum.
fn with_checksums(pages: &[u8]) -> Vec<u8> {
    let mut pages = pages.to_vec();
    for page in pages.chunks_mut(PAGE_BYTES) {
        if let Some((crc, rest)) = page.split_first_chunk_mut() {
            *crc = crc32c::crc32c(rest).to_le_bytes();
        }
    }
    pages
}
