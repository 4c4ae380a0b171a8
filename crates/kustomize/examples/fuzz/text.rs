//! Changes to a text: to its bytes, to its lines as YAML has them, and to what stands behind its keys.

use crate::random::Random;
use crate::seeds::{Seeds, entry_of};

/// What may be put anywhere.
const FRAGMENTS: &[&[u8]] = &[
    b": ",
    b":",
    b"- ",
    b"-",
    b"? ",
    b"?",
    b"[",
    b"]",
    b"{",
    b"}",
    b", ",
    b"&a ",
    b"*a",
    b"&b ",
    b"*b ",
    b"!",
    b"!!int ",
    b"!!str ",
    b"!!float ",
    b"!!bool ",
    b"!!null ",
    b"!!binary ",
    b"!!timestamp ",
    b"!!map ",
    b"!!seq ",
    b"!!merge ",
    b"!!set ",
    b"!<x> ",
    b"!<tag:yaml.org,2002:int> ",
    b"!e!x ",
    b"|\n",
    b">\n",
    b"|-1\n",
    b">+\n",
    b"|2\n",
    b">9-\n",
    b"'",
    b"\"",
    b"''",
    b"\"\"",
    b"#",
    b" #",
    b"\t",
    b" ",
    b"  ",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\r",
    b"---\n",
    b"\n---\n",
    b"--- ",
    b"...\n",
    b"%YAML 1.1\n",
    b"%YAML 1.2\n",
    b"%TAG ! x,\n",
    b"%TAG !e! tag:e,\n",
    b"\\",
    b"\\x41",
    b"\\u0041",
    b"\\U0001F600",
    b"\\ud800",
    b"\\\n",
    b"\\0",
    b"\\N",
    b"\\L",
    b"\xC2\x85",
    b"\xE2\x80\xA8",
    b"\xE2\x80\xA9",
    b"\xC3\xA9",
    b"\xF0\x9F\x98\x80",
    b"\xED\xA0\x80",
    b"\xFF",
    b"\0",
    b"\x7F",
    b"\xC2\x80",
    b"\xEF\xBB\xBF",
    b"\xEF\xBF\xBE",
    b"<<: ",
    b"<<: *a\n",
    b"<<: [*a, *b]\n",
    b"a",
    b"b c",
    b"null: ",
    b"@",
    b"`",
    b"\xFF\xFE",
    b"\xFE\xFF",
    b"%41",
    b"# c\n",
    b" # c\n\n",
    b"\n#",
    b"\n  - ",
    b"\n- ",
    b"\n  a: ",
    b"$(VAR)",
    b"${{ x }}",
    b"$$",
    b"*",
    b".",
    b"..",
    b"/",
    b"~1",
    b"~0",
    b"\\.",
    b"[name=a]",
    b"[*]",
];

/// Scalars that one reader or another takes for something.
const SCALARS: &[&[u8]] = &[
    b"0",
    b"-0",
    b"+0",
    b"00",
    b"0440",
    b"0o17",
    b"0x",
    b"0x1F",
    b"0b101",
    b"-0b1",
    b"1_000",
    b"_1",
    b"1e3",
    b"1e999",
    b"-1e-999",
    b"1.",
    b".5",
    b"-.5",
    b"+.inf",
    b"-.inf",
    b".INF",
    b".nan",
    b".NaN",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"-9223372036854775809",
    b"18446744073709551615",
    b"18446744073709551616",
    b"99999999999999999999999999999999999999",
    b"16777217.5",
    b"1.7976931348623157e308",
    b"4.9e-324",
    b"0.1e-400",
    b"123456789012345678901234567890e-30",
    b"12:30",
    b"12:30:45",
    b"-190:20:30.15",
    b"2001-01-01",
    b"2001-1-1",
    b"2001-12-14t21:59:43.10-05:00",
    b"2001-02-30",
    b"9999-99-99",
    b"true",
    b"True",
    b"yes",
    b"on",
    b"n",
    b"~",
    b"null",
    b"Null",
    b"",
    b"''",
    b"\"\"",
    b"{}",
    b"[]",
    b"[[]]",
    b"{a: {}}",
    b"=",
    b"<<",
    b"-",
    b"?",
    b"a: b",
    b"!!str",
    b"!!binary aGk=",
    b"!!binary '*'",
    b"!!int x",
    b"!!float 1",
    b"\"\\u0000\"",
    b"\"\\n\"",
    b"\"a\\tb\"",
    b"' '",
    b"\"\\x85\"",
    b"'\xC2\x85'",
    b"\"\\ud83d\\ude00\"",
    b"|-\n        x\n         y",
    b">\n        x y\n          z\n\n        w",
    b"*a",
    b"&a x",
    b"&a [*a]",
    b"{<<: *a}",
    b"[*a, *a, *a]",
    b"# c",
    b"x # c",
    b"-1",
    b"1",
    b"2147483648",
    b"4294967296",
    b"1.0",
    b"v1",
    b"List",
    b"ConfigMapList",
    b"merge",
    b"replace",
    b"delete",
    b"$patch",
    b"{$patch: delete}",
    b"{$patch: replace}",
    b"[{$patch: delete}]",
    b"[{name: a, $patch: merge}]",
];

/// Makes some changes.
pub(crate) fn mutate(bytes: &mut Vec<u8>, random: &mut Random, seeds: &Seeds) {
    // Mostly few, so that most of what comes out can still be read.
    for _ in 0..=random.below(4) {
        change(bytes, random, seeds);
    }
}

/// Makes one change.
pub(crate) fn change(bytes: &mut Vec<u8>, random: &mut Random, seeds: &Seeds) {
    match random.below(16) {
        0 => remove_bytes(bytes, random),
        1 => flip(bytes, random),
        2..=4 => insert(bytes, random),
        5 => repeat_fragment(bytes, random),
        6 => splice(bytes, random, seeds),
        7..=8 => on_lines(bytes, random, duplicate),
        9 => on_lines(bytes, random, |lines, random| indent(lines, random)),
        10 => on_lines(bytes, random, |lines, random| swap(lines, random)),
        11 => on_lines(bytes, random, remove_lines),
        12 => add_properties(bytes, random),
        13..=14 => replace_value(bytes, random, seeds),
        _ => restyle(bytes, random),
    }
}

/// Makes one change that leaves most of a text what it was: to its lines, or to what stands behind a key.
pub(crate) fn change_gently(bytes: &mut Vec<u8>, random: &mut Random, seeds: &Seeds) {
    match random.below(8) {
        0 => on_lines(bytes, random, duplicate),
        1 => on_lines(bytes, random, |lines, random| swap(lines, random)),
        2 => on_lines(bytes, random, remove_lines),
        3 => add_properties(bytes, random),
        4 => restyle(bytes, random),
        _ => replace_value(bytes, random, seeds),
    }
}

fn place_in(bytes: &[u8], random: &mut Random) -> usize {
    random.below(bytes.len() + 1)
}

fn put(bytes: &mut Vec<u8>, place: usize, new: &[u8]) {
    drop(bytes.splice(place..place, new.iter().copied()));
}

fn remove_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let place = place_in(bytes, random);
    let end = bytes.len().min(place + 1 + random.below(8));
    drop(bytes.drain(place.min(end)..end));
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    let (place, value) = (random.below(bytes.len()), random.below(256));
    if let Some(byte) = bytes.get_mut(place) {
        *byte = u8::try_from(value).unwrap_or_default();
    }
}

fn insert(bytes: &mut Vec<u8>, random: &mut Random) {
    let place = place_in(bytes, random);
    put(bytes, place, random.text(FRAGMENTS));
}

fn repeat_fragment(bytes: &mut Vec<u8>, random: &mut Random) {
    let place = place_in(bytes, random);
    let most = if random.once_in(200) { 1_200 } else { 12 };
    let times = 1 + random.below(most);
    put(bytes, place, &random.text(FRAGMENTS).repeat(times));
}

/// A part of another document in the place of a part of this one.
fn splice(bytes: &mut Vec<u8>, random: &mut Random, seeds: &Seeds) {
    let Some(other) = random.of_list(&seeds.documents) else {
        return;
    };
    let other = window(other, random);
    let start = line_start(bytes, place_in(bytes, random));
    let end = (start + random.below(80)).min(bytes.len());
    drop(bytes.splice(start..end, other.iter().copied()));
}

/// Some lines of a text, not many.
pub(crate) fn window<'t>(text: &'t [u8], random: &mut Random) -> &'t [u8] {
    let start = line_start(text, place_in(text, random));
    let wanted = start + 20 + random.below(600);
    let end = line_start(text, wanted.min(text.len()));
    text.get(
        start..if end > start {
            end
        } else {
            text.len().min(wanted)
        },
    )
    .unwrap_or_default()
}

fn line_start(bytes: &[u8], place: usize) -> usize {
    let before = bytes.get(..place).unwrap_or_default();
    before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |index| index + 1)
}

fn on_lines(bytes: &mut Vec<u8>, random: &mut Random, change: fn(&mut Vec<Vec<u8>>, &mut Random)) {
    let mut lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if !lines.is_empty() {
        change(&mut lines, random);
        *bytes = lines.concat();
    }
}

/// The places of some lines that follow one another.
fn range(lines: &[Vec<u8>], random: &mut Random) -> std::ops::Range<usize> {
    let start = random.below(lines.len());
    start..lines.len().min(start + 1 + random.below(5))
}

fn duplicate(lines: &mut Vec<Vec<u8>>, random: &mut Random) {
    let copied = range(lines, random);
    let copied = lines.get(copied).unwrap_or_default().to_vec();
    let place = random.below(lines.len() + 1);
    drop(lines.splice(place..place, copied));
}

fn remove_lines(lines: &mut Vec<Vec<u8>>, random: &mut Random) {
    let removed = range(lines, random);
    drop(lines.drain(removed));
}

fn indent(lines: &mut [Vec<u8>], random: &mut Random) {
    let (chosen, by, out) = (range(lines, random), 1 + random.below(4), random.once_in(2));
    for line in lines.get_mut(chosen).unwrap_or_default() {
        if out {
            let blanks = line.iter().take_while(|byte| **byte == b' ').count();
            drop(line.drain(..by.min(blanks)));
        } else {
            drop(line.splice(0..0, std::iter::repeat_n(b' ', by)));
        }
    }
}

fn swap(lines: &mut [Vec<u8>], random: &mut Random) {
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    lines.swap(one, other);
}

/// The places where nodes begin: behind keys and dashes.
fn node_places(bytes: &[u8]) -> Vec<usize> {
    let begins = |pair: &[u8]| pair == b": " || pair == b"- " || pair == b", ";
    let places = bytes.windows(2).enumerate();
    let places = places.filter(|(_, pair)| begins(pair));
    places.map(|(index, _)| index + 2).collect()
}

/// An anchor, a tag, or an alias in the place of a node.
fn add_properties(bytes: &mut Vec<u8>, random: &mut Random) {
    const ANCHORS: [&[u8]; 4] = [b"&a ", b"&b ", b"!!str ", b"&a !!map "];
    const ALIASES: [&[u8]; 4] = [b"*a\n", b"*b ", b"{<<: *a, k: 1}\n", b"[*a, *b]\n"];
    let places = node_places(bytes);
    let Some(&first) = random.of_list(&places) else {
        return;
    };
    let Some(&second) = random.of_list(&places) else {
        return;
    };
    put(bytes, second.max(first), random.text(&ALIASES));
    put(bytes, second.min(first), random.text(&ANCHORS));
}

/// Another value behind a key: one that stands behind this key elsewhere, or any.
fn replace_value(bytes: &mut Vec<u8>, random: &mut Random, seeds: &Seeds) {
    let start = line_start(bytes, place_in(bytes, random));
    let line = bytes.get(start..).unwrap_or_default();
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some((key, value)) = entry_of(line) else {
        return;
    };
    let place = line
        .windows(value.len())
        .rposition(|part| part == value)
        .unwrap_or_default();
    let new = match (random.below(3), seeds.values.get(key)) {
        (0, _) => random.text(SCALARS),
        (1, Some(values)) => random.text(values),
        _ => random.text(&seeds.all_values),
    };
    let place = start + place;
    drop(bytes.splice(place..place + value.len(), new.iter().copied()));
}

/// The value of a line in another style.
fn restyle(bytes: &mut Vec<u8>, random: &mut Random) {
    let start = line_start(bytes, place_in(bytes, random));
    let line = bytes.get(start..).unwrap_or_default();
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some((_, value)) = entry_of(line) else {
        return;
    };
    let value = value.to_vec();
    let end = start + line.trim_ascii_end().len();
    let blanks = line.iter().take_while(|byte| **byte == b' ').count();
    let deeper = |lead: &[u8], tail: &[u8]| {
        let indent = vec![b' '; blanks + 4];
        [lead, b"\n", &indent, &value, b"\n", &indent, tail].concat()
    };
    let new = match random.below(7) {
        0 => [b"'", value.as_slice(), b"'"].concat(),
        1 => [b"\"", value.as_slice(), b"\""].concat(),
        2 => deeper(b"|", b"more"),
        3 => deeper(b">-", b"  more"),
        4 => deeper(b"", b"more"),
        5 => [b"[", value.as_slice(), b", ", value.as_slice(), b"]"].concat(),
        _ => [b"{k: ", value.as_slice(), b"}"].concat(),
    };
    drop(bytes.splice(end - value.len().min(end)..end, new));
}
