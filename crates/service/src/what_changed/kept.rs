//! What changed as it is kept, with the incident it explains: what of it serde does not know how to write and read. Nobody else reads it.

use cordwood_engine::BlockCounts;
use serde::{Deserialize, Serialize};

/// The engine's counts, member by member.
#[derive(Serialize, Deserialize)]
#[serde(remote = "BlockCounts")]
pub(super) struct BlockCountsKept {
    total: u64,
    pruned_by_time: u64,
    pruned_by_sequence: u64,
    pruned_by_tokens: u64,
    pruned_by_deletion: u64,
    pruned_by_statistics: u64,
    pruned_by_absent_column: u64,
    pruned_by_dictionary: u64,
    counted_whole: u64,
    beyond_limit: u64,
    read: u64,
    unreadable: u64,
    unreached: u64,
}

pub(super) mod pattern_id {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::PatternId;

    pub(crate) fn serialize<S: Serializer>(
        id: &PatternId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(id.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PatternId, D::Error> {
        u64::deserialize(deserializer).map(PatternId)
    }
}

pub(super) mod source_ids {
    use cordwood_event::SourceId;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        ids: &[SourceId],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(ids.iter().map(|id| id.0))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<SourceId>, D::Error> {
        let ids = Vec::<u64>::deserialize(deserializer)?;
        Ok(ids.into_iter().map(SourceId).collect())
    }
}

pub(super) mod times_by_source {
    use std::collections::BTreeMap;

    use cordwood_event::{SourceId, Timestamp};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        times: &BTreeMap<SourceId, Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(times.iter().map(|(id, time)| (id.0, time.as_nanos())))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<SourceId, Timestamp>, D::Error> {
        let times = Vec::<(u64, i64)>::deserialize(deserializer)?.into_iter();
        let times = times.map(|(id, time)| (SourceId(id), Timestamp::from_nanos(time)));
        Ok(times.collect())
    }
}

pub(super) mod by_level {
    use std::collections::BTreeMap;

    use cordwood_event::Level;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::what_changed::Both;

    type Counts = BTreeMap<&'static str, Both<u64>>;

    pub(crate) fn serialize<S: Serializer>(
        counts: &Counts,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        counts.serialize(serializer)
    }

    /// A level that no event has any more is left out.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Counts, D::Error> {
        let counts = BTreeMap::<String, Both<u64>>::deserialize(deserializer)?;
        let mut named = Counts::new();
        for (name, counts) in counts {
            let level = Level::ALL.into_iter().map(Level::name);
            let mut names = level.chain(["none"]);
            if let Some(name) = names.find(|known| *known == name) {
                named.insert(name, counts);
            }
        }
        Ok(named)
    }
}
