//! `/api/v1/query/histogram`: how many events of a query there are in each interval of time, by level.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::Uri;
use cordwood_service::{Cancel, Histogram, HistogramRequest, LevelTotals};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::query::{CancelOnDrop, posted};
use crate::rest::query_meta::QueryMeta;
use crate::rest::query_request::{read_search, text};
use crate::rest::times::EventTime;

/// A query, and the buckets wanted.
#[derive(Debug, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`histogram_request` reads the parameters by their names, wherever they came from"
)]
pub(crate) struct HistogramParameters {
    /// In the query language; stages that make a table are refused.
    query: Option<String>,
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given.
    source_id: Option<Vec<String>>,
    source_ids: Option<Vec<String>>,
    /// From when, inclusive; from the first event unless given.
    from: Option<String>,
    /// Until when, inclusive; to the last event unless given.
    to: Option<String>,
    /// Buckets at most, 60 unless given, up to 1000; their width is chosen for it.
    buckets: Option<usize>,
    /// How wide the buckets are instead, such as `5m`.
    interval: Option<String>,
    /// How long it may take.
    timeout_ms: Option<u64>,
}

/// The histogram of a query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistogramAnswer {
    data: HistogramRecord,
    meta: QueryMeta,
}

/// Counts by time and level.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistogramRecord {
    /// How wide the buckets are, as a query writes it.
    interval: String,
    interval_ms: i64,
    /// The range they cover, inclusive; null where there are no events to say.
    from: Option<EventTime>,
    to: Option<EventTime>,
    /// Every bucket of the range in order of time, empty ones too.
    buckets: Vec<BucketRecord>,
    total: u64,
    /// All events by level; `none` where none is known.
    levels: BTreeMap<&'static str, u64>,
}

/// One bucket; it ends where the next one begins.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BucketRecord {
    start: EventTime,
    count: u64,
    /// The levels there are in it.
    levels: BTreeMap<&'static str, u64>,
}

/// Count the events of a query by time and level
#[utoipa::path(
    get, path = "/query/histogram", tag = "query",
    params(HistogramParameters),
    responses((status = 200, body = HistogramAnswer)),
)]
pub(crate) async fn histogram_get(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    uri: Uri,
) -> Result<Json<HistogramAnswer>, Failure> {
    histogram(&edge, caller, &Parameters::of(&uri)).await
}

/// Count the events of a query by time and level
///
/// With the parameters as a JSON object or a form.
#[utoipa::path(
    post, path = "/query/histogram", tag = "query",
    request_body = HistogramParameters,
    responses((status = 200, body = HistogramAnswer)),
)]
pub(crate) async fn histogram_post(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    request: Request,
) -> Result<Json<HistogramAnswer>, Failure> {
    histogram(&edge, caller, &posted(request).await?).await
}

async fn histogram(
    edge: &Edge,
    Authenticated(caller): Authenticated,
    parameters: &Parameters,
) -> Result<Json<HistogramAnswer>, Failure> {
    let request = histogram_request(parameters)?;
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    let counted = edge
        .query
        .run(move || service.histogram(&caller, &request, &cancel));
    Ok(Json(histogram_answer(&counted.await??)))
}

fn histogram_request(parameters: &Parameters) -> Result<HistogramRequest, Failure> {
    parameters.only::<HistogramParameters>()?;
    Ok(HistogramRequest {
        search: read_search(parameters)?,
        buckets: parameters.parsed("buckets", "a whole number of buckets")?,
        interval: text(parameters, "interval"),
    })
}

fn histogram_answer(histogram: &Histogram) -> HistogramAnswer {
    const NANOS_PER_MILLI: i64 = 1_000_000;
    let buckets = histogram.buckets.iter().map(|bucket| BucketRecord {
        start: EventTime(bucket.start),
        count: bucket.counts.events,
        levels: levels(&bucket.counts),
    });
    let range = histogram.range;
    HistogramAnswer {
        data: HistogramRecord {
            interval: histogram.interval.to_string(),
            interval_ms: histogram.interval.nanos / NANOS_PER_MILLI,
            from: range.map(|(first, _)| EventTime(first)),
            to: range.map(|(_, last)| EventTime(last)),
            buckets: buckets.collect(),
            total: histogram.totals.events,
            levels: levels(&histogram.totals),
        },
        meta: QueryMeta::of_account(&histogram.account).with_hints(&histogram.hints),
    }
}

fn levels(counts: &LevelTotals) -> BTreeMap<&'static str, u64> {
    let levels = counts.levels();
    let named = levels.map(|(level, events)| (level.map_or("none", |level| level.name()), events));
    named.collect()
}
