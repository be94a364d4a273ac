//! A notice as HTML that mail programs show: tables and styles in place, nothing loaded from anywhere.

use crate::html::html;
use crate::wording::{Action, actions, colour, facts, headline, sample_line};
use crate::{Links, Notice};

pub(super) fn page(notice: &Notice, links: &Links) -> String {
    let headline = html(&headline(notice));
    let mut parts = vec![format!(
        "<h2 style=\"margin:0 0 12px;padding:8px 12px;color:#fff;background:#{:06x}\">{headline}</h2>",
        colour(notice)
    )];
    if !notice.cause.is_empty() {
        parts.push(format!(
            "<p style=\"white-space:pre-wrap\">{}</p>",
            html(&notice.cause)
        ));
    }
    parts.push(table(&facts(notice)));
    if !notice.samples.is_empty() {
        let lines: Vec<String> = notice.samples.iter().map(sample_line).collect();
        parts.push(format!(
            "<pre style=\"padding:8px;background:#f3f4f6;white-space:pre-wrap\">{}</pre>",
            html(&lines.join("\n"))
        ));
    }
    let links: Vec<String> = actions(notice, links).iter().map(link).collect();
    if !links.is_empty() {
        parts.push(format!("<p>{}</p>", links.join(" &nbsp; ")));
    }
    format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>{headline}</title></head>\
         <body style=\"font-family:sans-serif;font-size:14px\">\n{}\n</body></html>\n",
        parts.join("\n")
    )
}

fn table(facts: &[(String, String)]) -> String {
    let rows = facts.iter().map(|(name, value)| {
        let (name, value) = (html(name), html(value));
        format!("<tr><td style=\"padding:2px 12px 2px 0;color:#6b7280\">{name}</td><td>{value}</td></tr>\n")
    });
    format!("<table>\n{}</table>", rows.collect::<String>())
}

fn link(action: &Action) -> String {
    let url = html(&action.url);
    format!("<a href=\"{url}\">{}</a>", action.label)
}
