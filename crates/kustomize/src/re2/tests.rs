use super::compile;

#[test]
fn patterns_mean_what_they_mean_in_go() {
    let cases = [
        (r"^[a-d&&[d]]$", "d", false),
        (r"^[a-d&&[d]]$", "&]", true),
        (r"^[[]|d$", "[", true),
        (r"^[!--]$", "-", true),
        (r"^[~~]$", "~", true),
        (r"\Qd.\E", "d.", true),
        (r"\Qd.\E", "dx", false),
        (r"\Qab\E+$", "abb", true),
        (r"^d{,5}$", "d{,5}", true),
        (r"^d{02}$", "d{02}", true),
        (r"^\d$", "٣", false),
        (r"^\w$", "é", false),
        (r"é\b", "é", false),
        (r"^\B$", "", true),
        (r"\b{start}d", "d", false),
        (r"^(?i)D(?-i:x)$", "dx", true),
        (r"^(?P<a>d)(?<b>e)$", "de", true),
        (r"^\pL\p{^Greek}\PN$", "aba", true),
        (r"^[\p{Lu}[:digit:]\D]$", "x", true),
        (r"^\x41\x{42}\103\v$", "ABC\u{b}", true),
        (r"^[\x{D700}-\x{E001}]$", "\u{E000}", true),
        (r"^\x{D800}$", "\u{FFFD}", false),
        (r"^[\x{D800}-\x{DFFF}]$", "\u{FFFD}", false),
        (r"^(?:a{10}){100}$", "a", false),
        (r"a{0}", "", true),
        (r"^a # b$", "a # b", true),
        (r"^}\{]$", "}{]", true),
        ("", "anything", true),
    ];
    for (pattern, text, is_match) in cases {
        let compiled = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(compiled.is_match(text), is_match, "{pattern} on {text}");
    }
}

const REFUSED: &[&str] = &[
    "d{1001}|d",
    "d{2,1}",
    "d{99999999999999999999}",
    "(?:d{11}){100}",
    "d++",
    "d**",
    "d{2}{3}",
    "d*??",
    r"\u{64}",
    r"\u0064",
    r"\Z",
    r"\C",
    r"\1",
    r"\E",
    r"\x4",
    r"\x{110000}",
    r"\x{}",
    r"\_\e",
    "\\",
    "*",
    "(*)",
    "a|*",
    "(",
    ")",
    "a)(",
    "[",
    "[]",
    "[^]",
    "[a",
    "[z-a]",
    r"[a-\d]",
    r"[\b]",
    r"[\Qa\E]",
    "[[:foo:]]",
    r"\p{foo}",
    r"\p{gc=Lu}",
    r"\p{Alphabetic}",
    r"\p{Grek}",
    r"\p{greek}",
    r"\p",
    r"\p{L",
    "(?x)a b",
    "(?R)a",
    "(?u)a",
    "(?i",
    "(?i-)a",
    "(?i-s-m)a",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?<!a)",
    "(?P=a)",
    "(?P<>a)",
    "(?P<a-b>c)",
    "(?#a)",
    "(?'a'b)",
];

#[test]
fn what_go_refuses_is_refused() {
    for pattern in REFUSED {
        assert!(compile(pattern).is_err(), "{pattern}");
    }
}
