//! The JSON of Better Stack's outgoing webhooks for incidents: the record of its incidents API (betterstack.com/docs/uptime/api), so
//! that receivers written for it need no change.

use serde_json::{Value, json};

use crate::wording::sample_line;
use crate::{Links, Notice, NoticeKind};

pub(super) fn body(notice: &Notice, links: &Links) -> Value {
    let is_over = matches!(notice.kind, NoticeKind::Resolved | NoticeKind::Working);
    let status = match notice.kind {
        NoticeKind::Resolved | NoticeKind::Working => "Resolved",
        NoticeKind::Acknowledged => "Acknowledged",
        NoticeKind::Opened
        | NoticeKind::Reopened
        | NoticeKind::Failing
        | NoticeKind::Digest
        | NoticeKind::Test => "Started",
    };
    let samples: Vec<String> = notice.samples.iter().map(sample_line).collect();
    json!({
        "data": {
            "id": notice.incident.map_or_else(|| links.subject(notice), |incident| incident.to_string()),
            "type": "incident",
            "attributes": {
                "name": notice.title,
                "url": links.events(notice),
                "http_method": null,
                "cause": notice.cause,
                "incident_group_id": null,
                "started_at": notice.since.to_string(),
                "acknowledged_at": null,
                "acknowledged_by": null,
                "resolved_at": notice.until.filter(|_| is_over).map(|until| until.to_string()),
                "resolved_by": null,
                "status": status,
                "team_name": notice.client,
                "response_content": samples.join("\n"),
                "regions": null,
                "ssl_certificate_expires_at": null,
                "domain_expires_at": null,
                "metadata": notice.labels,
                "origin_url": links.incident,
            },
            "relationships": {},
        },
    })
}
