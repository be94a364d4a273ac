//! One test per row of the language's table: values that match, and near ones that do not.

use crate::event::check;

#[test]
fn a_word_is_found_in_any_field_between_word_boundaries() {
    check(
        "timeout",
        &[
            r#"{"message":"connection timeout"}"#,
            r#"{"message":"TimeOut!"}"#,
            r#"{"error":{"kind":"read-timeout"}}"#,
            r#"{"tags":["slow","timeout"]}"#,
            r#"{"spans":[{"inner":{"note":"timeout"}}]}"#,
        ],
        &[
            r#"{"message":"timeouts"}"#,
            r#"{"message":"_timeout"}"#,
            r#"{"message":"time out"}"#,
            r#"{"timeout":"no value of this name counts"}"#,
            r#"{"message":"étimeout"}"#,
            r"{}",
        ],
    );
    check(
        "500",
        &[
            r#"{"status":500}"#,
            r#"{"status":500.0}"#,
            r#"{"m":"got 500"}"#,
        ],
        &[r#"{"status":5000}"#, r#"{"status":"5000"}"#],
    );
    check(
        "true",
        &[r#"{"ok":true}"#, r#"{"ok":"TRUE"}"#, r#"{"a":[true]}"#],
        &[r#"{"ok":false}"#],
    );
    check("True", &[r#"{"ok":true}"#], &[r#"{"ok":1}"#]);
    check(
        "warn",
        &[r#"{"level":"WARNING"}"#, r#"{"level":"warn"}"#],
        &[r#"{"level":"error"}"#],
    );
    check(
        "WARNING",
        &[r#"{"level":"WARNING"}"#],
        &[r#"{"level":"warn"}"#],
    );
}

#[test]
fn neither_time_nor_source_nor_id_are_any_field() {
    check("2026", &[], &[r#"{"dt":"2026-03-27T00:00:00Z"}"#]);
    check("checkout", &[], &[r#"{"a":"b"}"#]);
}

#[test]
fn a_phrase_is_compared_as_typed() {
    check(
        "\"connection refused\"",
        &[
            r#"{"m":"Connection refused (111)"}"#,
            r#"{"m":"x:connection refused"}"#,
        ],
        &[
            r#"{"m":"connection  refused"}"#,
            r#"{"m":"refused connection"}"#,
            r#"{"m":"connection refuseds"}"#,
            r#"{"a":"connection","b":"refused"}"#,
        ],
    );
    check("\"(x)\"", &[r#"{"m":"f(x)y"}"#], &[r#"{"m":"f( x)"}"#]);
    check(
        "\"-x\"",
        &[r#"{"m":"a-x"}"#, r#"{"m":"a-X b"}"#],
        &[r#"{"m":"a-xy"}"#],
    );
    check(
        r#""a \"b\" \\ c""#,
        &[r#"{"m":"a \"b\" \\ c"}"#],
        &[r#"{"m":"a b c"}"#],
    );
    check(
        r#""C:\temp\new""#,
        &[r#"{"m":"open C:\\Temp\\NEW failed"}"#],
        &[r#"{"m":"C:tempnew"}"#],
    );
    check("\"a*b?\"", &[r#"{"m":"a*b?"}"#], &[r#"{"m":"axxb!"}"#]);
}

#[test]
fn ids_paths_addresses_and_hyphens_are_found_as_written() {
    for (query, text) in [
        ("user@example.com", "mail from user@example.com."),
        ("10.0.0.1:5432", "dial tcp 10.0.0.1:5432: refused"),
        (
            "550e8400-e29b-41d4-a716-446655440000",
            "id=550E8400-E29B-41D4-A716-446655440000",
        ),
        ("/api/v1/checkout", "GET /api/v1/checkout 200"),
        ("checkout-api", "in checkout-api now"),
        ("12:30:45", "at 12:30:45 sharp"),
        ("2026-03-27T10:15:30Z", "at 2026-03-27T10:15:30Z"),
        ("std::io::Error", "std::io::Error: broken pipe"),
        ("https://example.com/a", "see https://example.com/a"),
        ("fe80::1", "from fe80::1 to"),
        ("00:1a:2b:3c:4d:5e", "mac 00:1A:2B:3C:4D:5E"),
        ("C#", "in C# code"),
        (r"C:\Windows\System32", r"in c:\windows\system32\x"),
        ("/a/b?id=5", "GET /a/b?id=5 HTTP/1.1"),
        ("[error]", "12 [error] x"),
    ] {
        let json = serde_json::json!({ "m": text }).to_string();
        check(query, &[&json], &[r#"{"m":"nothing"}"#]);
    }
}

#[test]
fn a_field_contains_a_word_or_phrase() {
    check(
        "message:deadlock",
        &[
            r#"{"message":"Deadlock found"}"#,
            r#"{"message":["a","deadlock b"]}"#,
        ],
        &[
            r#"{"other":"deadlock"}"#,
            r#"{"message":"deadlocks"}"#,
            r#"{"message":null}"#,
        ],
    );
    check(
        "status:500",
        &[
            r#"{"status":500}"#,
            r#"{"status":5e2}"#,
            r#"{"status":"HTTP 500"}"#,
        ],
        &[r#"{"status":501}"#, r#"{"status":"5000"}"#],
    );
    check(
        "id:18446744073709551615",
        &[r#"{"id":18446744073709551615}"#],
        &[
            r#"{"id":18446744073709551614}"#,
            r#"{"id":1.8446744073709552e19}"#,
        ],
    );
    check(
        "n:9007199254740993",
        &[r#"{"n":9007199254740993}"#],
        &[r#"{"n":9007199254740992}"#],
    );
    check(
        "t:-5",
        &[r#"{"t":-5}"#, r#"{"t":"at -5 degrees"}"#],
        &[r#"{"t":5}"#],
    );
    check("ok:TRUE", &[r#"{"ok":true}"#], &[r#"{"ok":false}"#]);
    check(
        "message : \"a b\"",
        &[r#"{"message":"a b"}"#],
        &[r#"{"message":"ab"}"#],
    );
    check(
        "user:ЖЕНЯ",
        &[r#"{"user":"женя"}"#],
        &[r#"{"user":"женя2"}"#],
    );
}

#[test]
fn equals_is_the_whole_value_to_the_letter() {
    for query in [
        "host=web-1",
        "host:=web-1",
        "host==web-1",
        "host = web-1",
        "host=\"web-1\"",
    ] {
        check(
            query,
            &[r#"{"host":"web-1"}"#, r#"{"host":["x","web-1"]}"#],
            &[
                r#"{"host":"Web-1"}"#,
                r#"{"host":"web-1 "}"#,
                r#"{"host":"a web-1"}"#,
            ],
        );
    }
    check(
        "status=500",
        &[r#"{"status":500.0}"#, r#"{"status":"500"}"#],
        &[r#"{"status":"500.0"}"#, r#"{"status":"500 x"}"#],
    );
    check(
        "ok=true",
        &[r#"{"ok":true}"#, r#"{"ok":"true"}"#],
        &[r#"{"ok":"True"}"#],
    );
    check(
        "host=prod-*",
        &[r#"{"host":"prod-*"}"#],
        &[r#"{"host":"prod-1"}"#],
    );
    check(
        "path=/a/b",
        &[r#"{"path":"/a/b"}"#],
        &[r#"{"path":"/a/b/c"}"#],
    );
}

#[test]
fn an_empty_phrase_after_a_field_is_the_empty_value() {
    for query in ["a=\"\"", "a:\"\""] {
        check(
            query,
            &[r#"{"a":""}"#],
            &[r#"{"a":" "}"#, r#"{"a":null}"#, r"{}"],
        );
    }
}

#[test]
fn negated_operators_match_events_without_the_field() {
    check(
        "a!=b",
        &[r#"{"a":"c"}"#, r"{}", r#"{"a":"B"}"#],
        &[r#"{"a":"b"}"#],
    );
    check("a!:b", &[r#"{"a":"c"}"#, r"{}"], &[r#"{"a":"x B y"}"#]);
    check("a!~/^b/", &[r#"{"a":"cb"}"#, r"{}"], &[r#"{"a":"bc"}"#]);
    check("a!=b", &[r#"{"a":["c"]}"#], &[r#"{"a":["c","b"]}"#]);
}

#[test]
fn wildcards_match_the_whole_value_or_a_word_in_it() {
    check(
        "host:prod-*",
        &[
            r#"{"host":"prod-1"}"#,
            r#"{"host":"PROD-"}"#,
            r#"{"host":"a prod-1"}"#,
        ],
        &[r#"{"host":"xprod-1"}"#, r#"{"host":"prod"}"#],
    );
    check(
        "message:time*",
        &[r#"{"message":"a timeout b"}"#, r#"{"message":"\ttime"}"#],
        &[r#"{"message":"a-time b"}"#],
    );
    check(
        "message:*out",
        &[r#"{"message":"timeout"}"#, r#"{"message":"a TIMEOUT b"}"#],
        &[r#"{"message":"timeout,"}"#],
    );
    check(
        "*timeout*",
        &[r#"{"m":"xtimeouts"}"#, r#"{"a":["z",{"k":"timeoutx"}]}"#],
        &[r#"{"m":"time-out"}"#],
    );
    check(
        "id:ab?d",
        &[r#"{"id":"abcd"}"#, r#"{"id":"x abéd"}"#],
        &[r#"{"id":"abd"}"#, r#"{"id":"abccd"}"#],
    );
    check(
        "m:a*c",
        &[r#"{"m":"a b c"}"#, r#"{"m":"x abc y"}"#],
        &[r#"{"m":"x a b c"}"#],
    );
    check(
        "status:5*",
        &[r#"{"status":500}"#, r#"{"status":5.5}"#],
        &[r#"{"status":450}"#],
    );
    check("ok:t*", &[r#"{"ok":true}"#], &[r#"{"ok":false}"#]);
    check(r"m:a\*b*", &[r#"{"m":"a*bc"}"#], &[r#"{"m":"axbc"}"#]);
    check(r"m:a\ b*", &[r#"{"m":"a bc"}"#], &[r#"{"m":"x a bc"}"#]);
    check(
        "path:/api/v1/x*",
        &[r#"{"path":"/api/v1/xyz"}"#],
        &[r#"{"path":"/api/v1/y"}"#],
    );
    check(
        r"path:\/api\/v1\/checkout*",
        &[r#"{"path":"/api/v1/checkout/7"}"#],
        &[r#"{"path":"/v1/checkout"}"#],
    );
    check(
        "m:?",
        &[r#"{"m":"a"}"#, r#"{"m":"abc d"}"#],
        &[r#"{"m":""}"#, r#"{"m":"ab"}"#],
    );
    check("m:**?**", &[r#"{"m":"ab"}"#], &[r#"{"m":""}"#]);
}

#[test]
fn regular_expressions_are_unanchored_and_keep_case() {
    check(
        r"message:/took [0-9]{4,}\.[0-9]+ms/",
        &[r#"{"message":"took 1234.5ms"}"#],
        &[
            r#"{"message":"took 123.5ms"}"#,
            r#"{"message":"Took 1234.5ms"}"#,
        ],
    );
    check("m:/A.c/i", &[r#"{"m":"xaBcx"}"#], &[r#"{"m":"ac"}"#]);
    check("m=~/^a/", &[r#"{"m":"ab"}"#], &[r#"{"m":"ba"}"#]);
    check("m=~\"^a/b\"", &[r#"{"m":"a/b"}"#], &[r#"{"m":"ba/b"}"#]);
    check(
        r"m=~^\d+$",
        &[r#"{"m":"12"}"#, r#"{"m":12}"#],
        &[r#"{"m":"1a"}"#],
    );
    check(
        r"path:/^\/api/",
        &[r#"{"path":"/api"}"#],
        &[r#"{"path":"x/api"}"#],
    );
    check(
        "status:/^5/",
        &[r#"{"status":503}"#],
        &[r#"{"status":350}"#],
    );
    check(
        "/conn.*refused/",
        &[r#"{"a":{"b":"conn was refused"}}"#],
        &[r#"{"m":"refused conn"}"#],
    );
    check("m:/a/ n:b", &[r#"{"m":"a","n":"b"}"#], &[r#"{"m":"a"}"#]);
}

#[test]
fn ranges_are_of_numbers_when_their_ends_are() {
    check(
        "n:[1 TO 5]",
        &[
            r#"{"n":1}"#,
            r#"{"n":5.0}"#,
            r#"{"n":"3"}"#,
            r#"{"n":[9,2]}"#,
        ],
        &[
            r#"{"n":0.99}"#,
            r#"{"n":5.01}"#,
            r#"{"n":"3 ms"}"#,
            r#"{"n":true}"#,
            r#"{"n":null}"#,
        ],
    );
    check(
        "n:{1 TO 5}",
        &[r#"{"n":1.5}"#],
        &[r#"{"n":1}"#, r#"{"n":5}"#],
    );
    check("n:[1 TO 5}", &[r#"{"n":1}"#], &[r#"{"n":5}"#]);
    check("n:{1 TO 5]", &[r#"{"n":5}"#], &[r#"{"n":1}"#]);
    check("n:[* TO 5]", &[r#"{"n":-1e300}"#], &[r#"{"n":6}"#]);
    check(
        "n:[5 TO *]",
        &[r#"{"n":18446744073709551615}"#],
        &[r#"{"n":4}"#],
    );
    check("n:[-5 TO -1]", &[r#"{"n":-3}"#], &[r#"{"n":3}"#]);
    check("n:[* TO *]", &[r#"{"n":"any"}"#], &[r#"{"n":null}"#, r"{}"]);
    check(
        "n:[9007199254740993 TO *]",
        &[r#"{"n":9007199254740993}"#],
        &[r#"{"n":9007199254740992}"#],
    );
    check("n!:[1 TO 5]", &[r#"{"n":6}"#, r"{}"], &[r#"{"n":2}"#]);
    check("n:[1 to 5]", &[r#"{"n":2}"#], &[r#"{"n":6}"#]);
}

#[test]
fn other_ranges_are_of_text_in_the_order_of_code_points() {
    check(
        "v:[a TO c]",
        &[r#"{"v":"a"}"#, r#"{"v":"bzz"}"#, r#"{"v":"c"}"#],
        &[r#"{"v":"ca"}"#, r#"{"v":"B"}"#, r#"{"v":5}"#],
    );
    check("v:[5 TO a]", &[r#"{"v":"7"}"#], &[r#"{"v":7}"#]);
    check(
        r#"v:["a b" TO "a d"]"#,
        &[r#"{"v":"a c"}"#],
        &[r#"{"v":"a e"}"#],
    );
}

#[test]
fn comparisons_are_ranges_with_one_end() {
    check(
        "n:>5",
        &[r#"{"n":5.1}"#, r#"{"n":"6"}"#],
        &[r#"{"n":5}"#, r#"{"n":"x"}"#],
    );
    check("n>=5", &[r#"{"n":5}"#], &[r#"{"n":4.9}"#]);
    check("n:<5", &[r#"{"n":4}"#], &[r#"{"n":5}"#]);
    check("n <= 5", &[r#"{"n":5}"#], &[r#"{"n":6}"#]);
    check("n:>=-5", &[r#"{"n":-5}"#], &[r#"{"n":-6}"#]);
    check("n:>\"5\"", &[r#"{"n":6}"#], &[r#"{"n":5}"#]);
    check("n:>1e999", &[], &[r#"{"n":1e308}"#]);
    check(
        "v:>=v1.2",
        &[r#"{"v":"v1.3"}"#],
        &[r#"{"v":"v1.10"}"#, r#"{"v":2}"#],
    );
}

#[test]
fn a_time_is_compared_with_the_events() {
    let day = r#"{"dt":"2026-03-27T00:00:00Z"}"#;
    let night = r#"{"dt":"2026-03-27T23:59:59.999999999Z"}"#;
    let before = r#"{"dt":"2026-03-26T23:59:59.999999999Z"}"#;
    let after = r#"{"dt":"2026-03-28T00:00:00Z"}"#;
    for query in [
        "dt:2026-03-27",
        "dt=2026-03-27",
        "dt:[2026-03-27 TO 2026-03-27]",
    ] {
        check(query, &[day, night], &[before, after]);
    }
    check("dt:>2026-03-27", &[after], &[night]);
    check("dt:>=2026-03-27", &[day], &[before]);
    check("dt:<2026-03-27", &[before], &[day]);
    check("dt:<=2026-03-27", &[night], &[after]);
    check(
        "dt:{2026-03-26 TO 2026-03-28}",
        &[day, night],
        &[before, after],
    );
    check(
        "dt:[2026-03-27T00:00:00Z TO 2026-03-27T23:59:59Z]",
        &[day],
        &[before, night, after],
    );
    check("dt:[2026-03-27T01:00:00+01:00 TO *]", &[day], &[before]);
    check("dt:2026-03-27T23:59", &[night], &[day]);
    check("dt:2026-03-27T23:59:59Z", &[night], &[after]);
    check("dt:2026-03-27T23:59:59.999Z", &[night], &[after]);
    check("dt:2026-03-27T23:59:59.998Z", &[], &[night]);
    check("dt:\"2026-03-27 00:00:00\"", &[day], &[night]);
    check(
        "dt>1774569599",
        &[day],
        &[before.replace(".999999999", "").as_str()],
    );
    check("dt:*", &[day], &[]);
    check("dt!=2026-03-27", &[before], &[day]);
    check("dt:(2026-03-26 OR 2026-03-28)", &[before, after], &[day]);
}

#[test]
fn a_time_is_counted_from_now() {
    // It is noon.
    let eleven = r#"{"dt":"2026-03-27T11:00:00Z"}"#;
    let ten = r#"{"dt":"2026-03-27T10:59:59.999999999Z"}"#;
    check("dt:>=now-1h", &[eleven], &[ten]);
    check(
        "dt:>now-1h",
        &[r#"{"dt":"2026-03-27T11:00:00.000000001Z"}"#],
        &[eleven],
    );
    check("dt:>=now-60m", &[eleven], &[ten]);
    check("dt:>=now-3600s", &[eleven], &[ten]);
    check(
        "dt:[now-1d TO now-1h]",
        &[eleven, ten],
        &[r#"{"dt":"2026-03-26T11:59:59Z"}"#],
    );
    check(
        "dt:<now+1w",
        &[r#"{"dt":"2026-04-03T11:59:59Z"}"#],
        &[r#"{"dt":"2026-04-03T12:00:00Z"}"#],
    );
    check(
        "dt<=now",
        &[r#"{"dt":"2026-03-27T12:00:00Z"}"#],
        &[r#"{"dt":"2026-03-27T12:00:01Z"}"#],
    );
}

#[test]
fn a_field_is_present_unless_null() {
    check(
        "a:*",
        &[
            r#"{"a":""}"#,
            r#"{"a":0}"#,
            r#"{"a":[]}"#,
            r#"{"a":{}}"#,
            r#"{"a":[null]}"#,
        ],
        &[r"{}", r#"{"a":null}"#, r#"{"b":1}"#],
    );
    check("NOT a:*", &[r"{}", r#"{"a":null}"#], &[r#"{"a":false}"#]);
    check("a!:*", &[r"{}"], &[r#"{"a":1}"#]);
    check(
        "items.name:*",
        &[r#"{"items":[{"x":1},{"name":"n"}]}"#],
        &[r#"{"items":[{"name":null}]}"#],
    );
    check(
        "level:*",
        &[r#"{"level":"warn"}"#, r#"{"level":"odd"}"#],
        &[r"{}"],
    );
}

#[test]
fn addresses_lie_in_blocks() {
    check(
        "ip:10.0.0.0/8",
        &[
            r#"{"ip":"10.255.0.1"}"#,
            r#"{"ip":["x","10.0.0.0"]}"#,
            r#"{"ip":"::ffff:10.1.1.1"}"#,
        ],
        &[
            r#"{"ip":"11.0.0.1"}"#,
            r#"{"ip":"10.0.0"}"#,
            r#"{"ip":"::1"}"#,
            r#"{"ip":10}"#,
        ],
    );
    check(
        "ip:10.9.8.7/8",
        &[r#"{"ip":"10.0.0.1"}"#],
        &[r#"{"ip":"9.0.0.1"}"#],
    );
    check(
        "ip:0.0.0.0/0",
        &[r#"{"ip":"1.2.3.4"}"#],
        &[r#"{"ip":"::2"}"#, r#"{"ip":"host"}"#],
    );
    check(
        "ip:1.2.3.4/32",
        &[r#"{"ip":"1.2.3.4"}"#],
        &[r#"{"ip":"1.2.3.5"}"#],
    );
    check("ip:::/0", &[r#"{"ip":"fe80::1"}"#], &[r#"{"ip":"x"}"#]);
    check("ip:::1", &[r#"{"ip":"::1"}"#], &[r#"{"ip":"::2"}"#]);
    check(
        "ip:2001:db8::/32",
        &[r#"{"ip":"2001:DB8:1::1"}"#],
        &[r#"{"ip":"2001:db9::1"}"#, r#"{"ip":"10.0.0.1"}"#],
    );
    check(
        "net:10.0.0.0/8",
        &[r#"{"net":"10.0.0.0/8"}"#, r#"{"net":"10.1.0.0/16"}"#],
        &[r#"{"net":"10.0.0.0/7"}"#],
    );
    check(
        "ip:(10.0.0.0/8 OR 192.168.0.0/16)",
        &[r#"{"ip":"192.168.3.4"}"#],
        &[r#"{"ip":"172.16.0.1"}"#],
    );
    check(
        "ip:\"10.0.0.0/8\"",
        &[r#"{"ip":"net 10.0.0.0/8"}"#],
        &[r#"{"ip":"10.1.1.1"}"#],
    );
}

#[test]
fn one_field_takes_several_alternatives() {
    for query in [
        "status:(500 OR 502)",
        "status:in(500, 502)",
        "status:in(500,502)",
        "status:(500 || 502)",
    ] {
        check(
            query,
            &[r#"{"status":500}"#, r#"{"status":"502"}"#],
            &[r#"{"status":501}"#, r"{}"],
        );
    }
    check(
        "status=in(500, 502)",
        &[r#"{"status":"502"}"#],
        &[r#"{"status":"502 x"}"#],
    );
    check(
        "status!=(500 OR 502)",
        &[r#"{"status":1}"#, r"{}"],
        &[r#"{"status":500}"#],
    );
    check("status!:in(500, 502)", &[r"{}"], &[r#"{"status":502}"#]);
    check(
        "m:(a* OR /b$/ OR >c OR =D)",
        &[
            r#"{"m":"axe"}"#,
            r#"{"m":"ab"}"#,
            r#"{"m":"cc"}"#,
            r#"{"m":"D"}"#,
        ],
        &[r#"{"m":"C"}"#],
    );
    check(
        "m:(a b)",
        &[r#"{"m":"b a"}"#, r#"{"m":["a","b"]}"#],
        &[r#"{"m":"a"}"#],
    );
    check(
        "m:(a NOT b)",
        &[r#"{"m":"a"}"#],
        &[r#"{"m":"a b"}"#, r#"{"m":"b"}"#],
    );
    check("m:(a -b)", &[r#"{"m":"a"}"#], &[r#"{"m":"a b"}"#]);
    check("n:(-1 OR -2)", &[r#"{"n":-1}"#], &[r#"{"n":1}"#]);
    check(
        "m:in(\"a, b\", c)",
        &[r#"{"m":"x a, b"}"#, r#"{"m":"c"}"#],
        &[r#"{"m":"a"}"#],
    );
    check("m:in (a)", &[r#"{"m":"in a"}"#], &[r#"{"m":"a"}"#]);
    check("m:in(*)", &[r#"{"m":"x"}"#], &[r"{}"]);
}

#[test]
fn levels_are_normalised_and_ordered_by_severity() {
    for query in [
        "level:warn",
        "level:WARNING",
        "level=Warning",
        "level:4",
        "level:40",
        "level:\"warn\"",
    ] {
        check(
            query,
            &[
                r#"{"level":"warn"}"#,
                r#"{"level":"WRN"}"#,
                r#"{"level":40}"#,
            ],
            &[r#"{"level":"error"}"#, r"{}", r#"{"level":"warn-ish"}"#],
        );
    }
    check(
        "level:(error OR fatal)",
        &[r#"{"level":"err"}"#, r#"{"level":"panic"}"#],
        &[r#"{"level":"info"}"#],
    );
    check(
        "level:>=warn",
        &[r#"{"level":"warning"}"#, r#"{"level":"crit"}"#],
        &[r#"{"level":"notice"}"#, r"{}"],
    );
    check(
        "level:<info",
        &[r#"{"level":"debug"}"#],
        &[r#"{"level":"info"}"#, r"{}"],
    );
    check(
        "level:[info TO error}",
        &[r#"{"level":"warn"}"#],
        &[r#"{"level":"error"}"#],
    );
    check(
        "level:war*",
        &[r#"{"level":"WARNING"}"#, r#"{"level":"warlock"}"#],
        &[r#"{"level":"error"}"#],
    );
    check(
        "level:/^WARN/",
        &[r#"{"level":"WARNING"}"#],
        &[r#"{"level":"warn"}"#],
    );
    check(
        "level:audit",
        &[r#"{"level":"AUDIT"}"#, r#"{"level":"an audit"}"#],
        &[r#"{"level":"info"}"#],
    );
    check(
        "level=audit",
        &[r#"{"level":"AUDIT"}"#],
        &[r#"{"level":"an audit"}"#],
    );
    check(
        "level!=error",
        &[r#"{"level":"warn"}"#, r"{}"],
        &[r#"{"level":"err"}"#],
    );
    check(
        "level:(audit OR >=error)",
        &[r#"{"level":"audit"}"#, r#"{"level":"fatal"}"#],
        &[r#"{"level":"warn"}"#],
    );
}

#[test]
fn sources_go_by_id_and_name() {
    for query in [
        "_source:7",
        "_source:src-7",
        "_source=7",
        "_source:\"checkout API\"",
        "_source=\"Checkout api\"",
        "_source:checkout*",
        "_source:/api$/",
        "_source:in(web, 7)",
        "_source:*",
    ] {
        check(query, &[r"{}"], &[]);
    }
    for query in [
        "_source:8",
        "_source:src-70",
        "_source:api",
        "_source=\"checkout api\"",
        "_source:in(web, 8)",
    ] {
        check(query, &[], &[r"{}"]);
    }
}

#[test]
fn an_event_goes_by_its_id() {
    // Nanoseconds, and the sequence number 31 of the origin of these tests.
    let id = "18a0af9b3dfd8000-1f";
    let event = format!(r#"{{"dt":"{}"}}"#, time_of(id));
    check(
        &format!("_id:{id}"),
        &[&event],
        &[r#"{"dt":"2026-03-27T12:00:00.001Z"}"#],
    );
    check(&format!("_id={id}"), &[&event], &[]);
    check(&format!("_id:in({id}, 18a0af9b3dfd8000-2)"), &[&event], &[]);
    check("_id:18a0af9b3dfd8000-1e", &[], &[&event]);
    check("_id:*", &[&event], &[]);
}

fn time_of(id: &str) -> String {
    let id: cordwood_event::EventId = id.parse().unwrap();
    id.timestamp.to_string()
}

#[test]
fn fields_are_dotted_quoted_or_escaped() {
    check(
        "http.status:500",
        &[
            r#"{"http":{"status":500}}"#,
            r#"{"http.status":500}"#,
            r#"{"http":[{"status":200},{"status":500}]}"#,
        ],
        &[
            r#"{"http":{"status":501}}"#,
            r#"{"status":500}"#,
            r#"{"http":{"x":{"status":500}}}"#,
        ],
    );
    check(
        r"http\.status:500",
        &[r#"{"http":{"status":500}}"#],
        &[r#"{"http":1}"#],
    );
    check(
        "\"odd field\":x",
        &[r#"{"odd field":"x"}"#],
        &[r#"{"odd":"x"}"#],
    );
    check(
        r"odd\ field:x",
        &[r#"{"odd field":"x"}"#],
        &[r#"{"odd":"x"}"#],
    );
    check(r"a\:b:x", &[r#"{"a:b":"x"}"#], &[r#"{"a":"b:x"}"#]);
    check(r"a\:b", &[r#"{"m":"is a:b"}"#], &[r#"{"a":"b"}"#]);
    check("\"10\":5", &[r#"{"10":5}"#], &[r#"{"m":"10:5"}"#]);
    check("\"\":5", &[r#"{"":5}"#], &[r#"{"a":5}"#]);
    check(
        "items.a.b:1",
        &[
            r#"{"items":[{"a.b":1}]}"#,
            r#"{"items":[[{"a":{"b":1}}]]}"#,
            r#"{"items":{"a":[{"b":[2,1]}]}}"#,
        ],
        &[r#"{"items":[{"a":{"b":2}}]}"#, r#"{"items":["a.b:1"]}"#],
    );
    check("@timestamp:x", &[r#"{"@timestamp":"x"}"#], &[r"{}"]);
    check(
        "*:x",
        &[r#"{"a":"x"}"#, r#"{"b":[{"c":"x"}]}"#],
        &[r#"{"a":"y"}"#],
    );
    check("*=x", &[r#"{"a":"x"}"#], &[r#"{"a":"x y"}"#]);
}

#[test]
fn an_array_matches_when_any_element_does() {
    check(
        "tags:blue",
        &[r#"{"tags":["red","Blue"]}"#, r#"{"tags":[["blue"]]}"#],
        &[
            r#"{"tags":["bluer"]}"#,
            r#"{"tags":[]}"#,
            r#"{"tags":[{"k":"blue"}]}"#,
        ],
    );
    check("n:>5", &[r#"{"n":[1,9]}"#], &[r#"{"n":[1,2]}"#]);
    check(
        "NOT tags:blue",
        &[r#"{"tags":["red"]}"#],
        &[r#"{"tags":["red","blue"]}"#],
    );
}

#[test]
fn nothing_and_a_star_match_everything() {
    for query in ["", "   ", "*", "**", "*:*", "* AND *"] {
        check(query, &[r"{}", r#"{"a":1}"#], &[]);
    }
    check("NOT *", &[], &[r"{}"]);
}
