//! Which incidents there are, a page at a time.

use cordwood_catalog::IncidentFilter;
use cordwood_event::Timestamp;

use super::{Incident, IncidentId, IncidentStatus, Severity, of_catalog};
use crate::range::range;
use crate::sources::within;
use crate::{Access, Caller, ClientId, Error, Scope, Service};

/// Incidents on a page unless asked otherwise.
const PER_PAGE_DEFAULT: usize = 50;
/// Incidents on a page at most.
pub const INCIDENTS_PER_PAGE_MAX: usize = 250;

/// Which incidents are wanted; what is `None` or empty does not matter.
#[derive(Clone, Debug, Default)]
pub struct IncidentsRequest {
    /// Those of this client.
    pub client: Option<ClientId>,
    /// Those that began then or later.
    pub from: Option<String>,
    /// Those that began then or earlier; a date is its whole day.
    pub to: Option<String>,
    /// Those that are so far.
    pub statuses: Vec<IncidentStatus>,
    /// Those that are over, or that are not.
    pub is_resolved: Option<bool>,
    /// Those that somebody took care of, or that nobody did.
    pub is_acknowledged: Option<bool>,
    /// Those of a rule.
    pub rule: Option<u64>,
    /// Those that are so bad.
    pub severities: Vec<Severity>,
    /// Those that have a label with one of these values, or at all if there are none; for each.
    pub labels: Vec<(String, Vec<String>)>,
    /// Those whose name or cause has this text.
    pub text: Option<String>,
    /// How many on a page, up to [`INCIDENTS_PER_PAGE_MAX`].
    pub per_page: Option<usize>,
    /// The page by number, from 1.
    pub page: Option<usize>,
    /// The page by where the one before ended: [`IncidentPage::next`].
    pub cursor: Option<String>,
}

/// A page of incidents: those that began last first.
#[derive(Clone, Debug)]
pub struct IncidentPage {
    /// The incidents on it.
    pub incidents: Vec<Incident>,
    /// How many there are on all pages.
    pub total: usize,
    /// The number of this page; 1 for one that a cursor led to.
    pub page: usize,
    /// The number of the last page.
    pub last_page: usize,
    /// A cursor to the next page; `None` on the last one.
    pub next: Option<String>,
}

impl Service {
    /// The incidents that the caller may know of and that are wanted.
    pub fn list_incidents(
        &self,
        caller: &Caller,
        request: &IncidentsRequest,
    ) -> Result<IncidentPage, Error> {
        caller.require(Access::Read)?;
        let per_page = within(
            "per_page",
            request.per_page,
            PER_PAGE_DEFAULT,
            INCIDENTS_PER_PAGE_MAX,
        )?;
        let page = within("page", request.page, 1, usize::MAX)?;
        let mut filter = understood(caller, request, self.now())?;
        let total = self.catalog.count_incidents(&filter).map_err(of_catalog)?;
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let left_out = match &request.cursor {
            Some(cursor) => {
                filter.after = Some(place_of(cursor)?);
                0
            }
            None => (page - 1).saturating_mul(per_page),
        };
        // One more says whether there is a next page.
        let incidents = self.catalog.incidents(&filter, left_out, per_page + 1);
        let mut incidents = incidents.map_err(of_catalog)?;
        let has_more = incidents.len() > per_page;
        incidents.truncate(per_page);
        Ok(IncidentPage {
            next: incidents.last().filter(|_| has_more).map(cursor_after),
            incidents,
            total,
            page,
            last_page: total.div_ceil(per_page).max(1),
        })
    }
}

fn understood(
    caller: &Caller,
    request: &IncidentsRequest,
    now: Timestamp,
) -> Result<IncidentFilter, Error> {
    let range = range(request.from.as_deref(), request.to.as_deref(), now)?;
    let seen = match caller.scope() {
        Scope::AllClients => None,
        Scope::Clients(clients) => Some(clients.iter().copied().collect::<Vec<_>>()),
    };
    let clients = match request.client {
        // One that the caller may not know of has no incidents for it, as one that never was.
        Some(client) if !caller.sees(client) => Some(Vec::new()),
        Some(client) => Some(vec![client]),
        None => seen,
    };
    let mut statuses = request.statuses.clone();
    match request.is_resolved {
        Some(true) => statuses = both(statuses, &[IncidentStatus::Resolved]),
        Some(false) => {
            let open = [IncidentStatus::Started, IncidentStatus::Acknowledged];
            statuses = both(statuses, &open);
        }
        None => {}
    }
    let is_none_wanted = statuses.is_empty() && request.is_resolved.is_some();
    Ok(IncidentFilter {
        clients: match is_none_wanted {
            true => Some(Vec::new()),
            false => clients,
        },
        from: (range.first != Timestamp::MIN).then_some(range.first),
        to: (range.last != Timestamp::MAX).then_some(range.last),
        statuses,
        is_acknowledged: request.is_acknowledged,
        rule: request.rule.map(cordwood_catalog::RuleId),
        severities: request.severities.clone(),
        labels: request.labels.clone(),
        text: request.text.clone().filter(|text| !text.is_empty()),
        after: None,
    })
}

/// The statuses wanted that are among these; all of these if any will do.
fn both(wanted: Vec<IncidentStatus>, these: &[IncidentStatus]) -> Vec<IncidentStatus> {
    match wanted.is_empty() {
        true => these.to_vec(),
        false => wanted
            .into_iter()
            .filter(|status| these.contains(status))
            .collect(),
    }
}

/// When the last incident of a page began, and its number, in 16 hexadecimal digits each. It gives no right to anything.
fn cursor_after(incident: &Incident) -> String {
    let started_at = incident.started_at.as_nanos().cast_unsigned();
    format!("{started_at:016x}{:016x}", incident.id.0)
}

fn place_of(cursor: &str) -> Result<(Timestamp, IncidentId), Error> {
    let number = |digits: Option<&str>| u64::from_str_radix(digits?, 16).ok();
    let is_hexadecimal = cursor.bytes().all(|byte| byte.is_ascii_hexdigit());
    let place = (cursor.len() == 32 && is_hexadecimal)
        .then(|| number(cursor.get(..16)).zip(number(cursor.get(16..))));
    let (started_at, id) = place.flatten().ok_or(Error::InvalidCursor {
        message: "the cursor is not one we gave out",
    })?;
    Ok((
        Timestamp::from_nanos(started_at.cast_signed()),
        IncidentId(id),
    ))
}
