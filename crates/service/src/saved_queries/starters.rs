//! The saved queries that every client begins with: what is asked first in most investigations, in words that logs of most
//! programs have.

use cordwood_catalog::{SavedQueryContent, Visibility};

/// A starter: its name, what it is for, the query, its range and its tags.
struct Starter {
    name: &'static str,
    description: &'static str,
    query: &'static str,
    from: &'static str,
    tags: &'static [&'static str],
}

const STARTERS: [Starter; 6] = [
    Starter {
        name: "Errors by service",
        description: "How many events of the last hour are errors, service by service; the rate is errors out of events.",
        query: "* | stats count() if (level:>=error) as errors, count() as events by service | sort by errors desc",
        from: "now-1h",
        tags: &["errors"],
    },
    Starter {
        name: "Authentication failures",
        description: "Logins, tokens and passwords that were refused: typing errors, expired keys, or somebody trying.",
        query: "\"authentication failure\" OR \"authentication failed\" OR \"failed password\" OR \"invalid password\" \
                OR \"incorrect password\" OR \"invalid user\" OR \"login failed\" OR \"failed login\" OR \"invalid credentials\" \
                OR \"invalid token\" OR unauthorized OR status:401 OR http.status:401 OR status_code:401",
        from: "now-24h",
        tags: &["security", "login"],
    },
    Starter {
        name: "Rate limiting",
        description: "Requests that were turned away for being too many, by us or by a service we call.",
        query: "\"rate limit\" OR \"rate limited\" OR \"rate limiting\" OR \"rate-limit\" OR ratelimit OR \"too many requests\" \
                OR throttled OR throttling OR \"quota exceeded\" OR status:429 OR http.status:429 OR status_code:429",
        from: "now-24h",
        tags: &["limits"],
    },
    Starter {
        name: "Slow requests",
        description: "What took longer than a second, the slowest first.",
        query: "duration_ms:>1000 OR latency_ms:>1000 OR elapsed_ms:>1000 OR response_time_ms:>1000 OR request_time:>1 \
                OR \"slow query\" OR \"slow request\" | sort by duration_ms desc | limit 100",
        from: "now-1h",
        tags: &["performance"],
    },
    Starter {
        name: "Out of memory and restarts",
        description: "Processes that ran out of memory, were killed, crashed, or began anew.",
        query: "\"out of memory\" OR \"oom-killer\" OR oomkilled OR \"killed process\" OR outofmemoryerror \
                OR crashloopbackoff OR \"back-off restarting\" OR \"segmentation fault\" OR \"signal: killed\" \
                OR \"exited with code 137\" OR \"exit code 137\" OR restarting OR restarted",
        from: "now-24h",
        tags: &["crashes", "memory"],
    },
    Starter {
        name: "Admin actions",
        description: "What people with power did: sudo, new accounts, roles, permissions and passwords that were changed.",
        query: "sudo OR \"session opened for user root\" OR \"new user\" OR \"user created\" OR \"user deleted\" OR useradd OR userdel \
                OR \"role changed\" OR \"role assigned\" OR \"permission granted\" OR \"permission changed\" OR \"password changed\" \
                OR \"password reset\" OR \"token created\" OR \"token revoked\" OR role:admin OR user.role:admin",
        from: "now-7d",
        tags: &["security", "audit"],
    },
];

/// The starters as they are saved: shared, and without an owner.
pub(crate) fn starters() -> Vec<SavedQueryContent> {
    let starters = STARTERS.iter().map(|starter| SavedQueryContent {
        name: starter.name.to_owned(),
        visibility: Visibility::Shared,
        description: starter.description.to_owned(),
        query: starter.query.to_owned(),
        from: Some(starter.from.to_owned()),
        to: None,
        is_oldest_first: false,
        columns: Vec::new(),
        tags: starter.tags.iter().map(|&tag| tag.to_owned()).collect(),
        sources: Vec::new(),
    });
    starters.collect()
}
