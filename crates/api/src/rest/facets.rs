//! `/api/v1/query/facets`: the fields of what a query finds, and the commonest values of some.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::Uri;
use cordwood_service::{
    Cancel, Cell, Distinct, Facet, FacetsAnswer, FacetsRequest, FieldKinds, ScalarKind,
    SurveyedField, ValueCount,
};
use serde::{Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::query::{CancelOnDrop, posted};
use crate::rest::query_meta::{CountRecord, QueryMeta};
use crate::rest::query_request::read_search;

/// Fields listed in an answer, the commonest; those beyond are only said to be there.
const FIELDS_LISTED_MAX: usize = 1000;

/// A query, and the fields wanted.
#[derive(Debug, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`facets_request` reads the parameters by their names, wherever they came from"
)]
pub(crate) struct FacetsParameters {
    /// In the query language; of stages only `where`.
    query: Option<String>,
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given.
    source_id: Option<Vec<String>>,
    source_ids: Option<Vec<String>>,
    /// From when, inclusive.
    from: Option<String>,
    /// Until when, inclusive.
    to: Option<String>,
    /// The fields wanted, repeated or with commas between, at most 20: counted over all events that match. The commonest unless
    /// given, of a sample where counting would mean to read.
    field: Option<Vec<String>>,
    /// Values of each, 10 unless given, up to 100.
    values: Option<usize>,
    /// How long it may take.
    timeout_ms: Option<u64>,
}

/// The fields of a query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetsAnswerBody {
    /// The fields asked for, or the commonest, with their values.
    data: Vec<FacetRecord>,
    /// All fields of the range, whether their events match or not, the commonest first.
    fields: Vec<FieldRecord>,
    /// Whether there are more fields than these.
    more_fields: bool,
    /// How many events match.
    matches: CountRecord,
    /// How many events the range has.
    events_in_range: u64,
    meta: QueryMeta,
}

/// A field with its commonest values.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetRecord {
    field: String,
    /// The types of its values in the range: `text`, `number`, `boolean`, `json`.
    types: Vec<&'static str>,
    /// Whether its values are of types that do not go together.
    conflict: bool,
    /// In how many events it is there and not null.
    events: u64,
    /// Of so many events that match.
    of: u64,
    /// How many events were looked at for its values: fewer than match, where they were counted in a sample of the newest.
    looked_at: u64,
    /// How many different values it has.
    distinct: u64,
    /// `exactly`, `about` or `at_least`.
    distinct_is: &'static str,
    /// The commonest values; none where they are too many or too long to list.
    values: Vec<ValueRecord>,
    /// The least value, if all are numbers; else null.
    min: CellRecord,
    /// The greatest value, if all are numbers; else null.
    max: CellRecord,
}

/// A value and in how many events it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValueRecord {
    value: CellRecord,
    events: u64,
}

/// A field of the range.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldRecord {
    field: String,
    types: Vec<&'static str>,
    conflict: bool,
    /// In how many events it is there and not null.
    events: u64,
}

/// Any JSON value.
#[derive(Debug, ToSchema)]
#[schema(value_type = serde_json::Value)]
pub(crate) struct CellRecord(Cell);

impl Serialize for CellRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Cell::Null => serializer.serialize_unit(),
            Cell::Bool(boolean) => serializer.serialize_bool(*boolean),
            Cell::Int(integer) => serializer.serialize_i128(*integer),
            Cell::Float(float) => serializer.serialize_f64(*float),
            Cell::Str(text) | Cell::Json(text) => serializer.serialize_str(text),
            Cell::Time(time) => serializer.collect_str(time),
        }
    }
}

/// List the fields of what a query finds, with their commonest values
#[utoipa::path(
    get, path = "/query/facets", tag = "query",
    params(FacetsParameters),
    responses((status = 200, body = FacetsAnswerBody)),
)]
pub(crate) async fn facets_get(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    uri: Uri,
) -> Result<Json<FacetsAnswerBody>, Failure> {
    let parameters = Parameters::of(&uri);
    facets(&edge, caller, &parameters, Cancel::default()).await
}

/// List the fields of what a query finds, with their commonest values
///
/// With the parameters as a JSON object or a form.
#[utoipa::path(
    post, path = "/query/facets", tag = "query",
    request_body = FacetsParameters,
    responses((status = 200, body = FacetsAnswerBody)),
)]
pub(crate) async fn facets_post(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    request: Request,
) -> Result<Json<FacetsAnswerBody>, Failure> {
    let parameters = posted(request).await?;
    facets(&edge, caller, &parameters, Cancel::default()).await
}

pub(crate) async fn facets(
    edge: &Edge,
    Authenticated(caller): Authenticated,
    parameters: &Parameters,
    cancel: Cancel,
) -> Result<Json<FacetsAnswerBody>, Failure> {
    let request = facets_request(parameters)?;
    let service = edge.ready()?;
    let _gone = CancelOnDrop(cancel.clone());
    let found = edge
        .query
        .run(move || service.facets(&caller, &request, &cancel));
    Ok(Json(facets_answer(found.await??)))
}

fn facets_request(parameters: &Parameters) -> Result<FacetsRequest, Failure> {
    parameters.only::<FacetsParameters>()?;
    let named = parameters.iter().filter(|(name, _)| *name == "field");
    let fields = named.flat_map(|(_, value)| value.split(',').map(str::trim));
    Ok(FacetsRequest {
        search: read_search(parameters)?,
        fields: fields
            .filter(|field| !field.is_empty())
            .map(str::to_owned)
            .collect(),
        values: parameters.parsed("values", "a whole number of values")?,
    })
}

fn facets_answer(answer: FacetsAnswer) -> FacetsAnswerBody {
    let meta = QueryMeta::of_account(&answer.account).with_hints(&answer.hints);
    let found = answer.found;
    let survey = found.survey;
    let mut fields: Vec<FieldRecord> = survey
        .fields
        .iter()
        .map(|(name, field)| field_record(name, field))
        .collect();
    // The names stay in order where as many events have them.
    fields.sort_by_key(|field| std::cmp::Reverse(field.events));
    let more_fields = survey.more || fields.len() > FIELDS_LISTED_MAX;
    fields.truncate(FIELDS_LISTED_MAX);
    FacetsAnswerBody {
        data: found.facets.into_iter().map(facet_record).collect(),
        fields,
        more_fields,
        matches: CountRecord(found.matches),
        events_in_range: survey.events,
        meta,
    }
}

fn field_record(name: &str, field: &SurveyedField) -> FieldRecord {
    FieldRecord {
        field: name.to_owned(),
        types: types(field.kinds),
        conflict: field.is_in_conflict(),
        events: field.events,
    }
}

fn facet_record(facet: Facet) -> FacetRecord {
    let (distinct, distinct_is) = match facet.distinct {
        Distinct::Exactly(values) => (values, "exactly"),
        Distinct::About(values) => (values, "about"),
        Distinct::AtLeast(values) => (values, "at_least"),
    };
    let (min, max) = facet.numbers.unwrap_or((Cell::Null, Cell::Null));
    let value_record = |counted: ValueCount| ValueRecord {
        value: CellRecord(counted.value),
        events: counted.events,
    };
    FacetRecord {
        field: facet.name.into(),
        types: types(facet.kinds),
        conflict: facet.is_in_conflict,
        events: facet.coverage.events,
        of: facet.coverage.of,
        looked_at: facet.looked_at,
        distinct,
        distinct_is,
        values: facet.values.into_iter().map(value_record).collect(),
        min: CellRecord(min),
        max: CellRecord(max),
    }
}

fn types(kinds: FieldKinds) -> Vec<&'static str> {
    let has = |kind| kinds.has(kind);
    let is_number = has(ScalarKind::Int) || has(ScalarKind::Float);
    let types = [
        (has(ScalarKind::Str), "text"),
        (is_number, "number"),
        (has(ScalarKind::Bool), "boolean"),
        (has(ScalarKind::Json), "json"),
    ];
    let there = types.into_iter().filter(|(is_there, _)| *is_there);
    there.map(|(_, name)| name).collect()
}
