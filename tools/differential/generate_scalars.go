package main

import "strings"

// awkwardTexts are strings that YAML writers and readers trip over.
var awkwardTexts = []string{
	"", " ", "a b", " leading", "trailing ", "two  spaces", "tab\there", "yes", "No", "on", "OFF", "y", "n", "true", "False", "null", "~", "Null",
	"0", "1", "-1", "1.0", "1e3", "0x1F", "0o17", "017", "0777", "089", "1_000", "12:30", "190:20:30", "1.2.3", "v1.2", ".5", "5.", "+1", "-", "--", "---", "...",
	"2020-01-01", "2001-12-14t21:59:43.10-05:00", "2020-1-1", ".inf", "-.INF", ".nan", "NaN", "0b101", "1e400", "9007199254740993", "18446744073709551616",
	"#not a comment", "a #b", "a # b", "a: b", "a:b", ": a", "a:", "- a", "-a", "? a", "?a", "[a", "a]", "{a", "a}", "a, b", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a`",
	"'", "''", "\"", "it's", "say \"hi\"", "back\\slash", "\\n", "a\nb", "a\nb\n", "a\n\nb\n\n", "\na", "\n", " a\n b\n", "  two\nless\n", "a \nb", "a\tb\n", "\ta", "a\n  b\nc\n",
	"ünïcödé", "日本語", "emoji 😀", "\u00a0nbsp", "zero\u200bwidth", "bom\ufeffinside", "line\u2028sep", "next\u0085line", "\u00ad", "bell\u0007", "esc\u001b[0m", "del\u007f",
	"$(VAR)", "$$(VAR)", "$(NAME)-$(NAME)", "${VAR}", "=", "<<", "key=value", "a=b=c", "!!str x", "<a&b>", "\u003c", "100%", "1,000", "(a)", "C:\\dir", "/path/to", "http://a.b/c?d=e#f",
	"a very long line of words that goes on and on beyond the eighty columns at which the writer folds it into several lines of text",
	"averyveryveryverylongwordwithoutanyspaceatallthatgoesonandonbeyondtheeightycolumnsatwhichthewriterfolds and more",
	"a long line: with a colon that needs quotes and goes on and on beyond the eighty columns at which it is folded into several lines",
	"a long  line  with  double  spaces  that goes on and on beyond the eighty columns at which the writer folds it  into several lines ",
	"a long 'line' with ''quotes'' and \"others\" that goes on beyond the eighty columns: at which the writer folds it # into several",
	"日本語の長い行 が続いています 日本語の長い行 が続いています 日本語の長い行 が続いています 日本語の長い行 が続いています 日本語の長い行 が続いています 日本語",
	"{\"a\": 1, \"b\": [true, null, 1.5e3], \"c\": {\"d\": \"e\"}}", "a: 1\nb:\n- c\n- d: e\n", "key: value # comment\nother: 'quoted'\n", "[]", "{}", "[1, 2]",
	"#!/bin/sh\nset -e\necho \"$1\" | sed 's/a/b/'\n", "line one\nline two that is a very long line of words that goes on beyond the eighty columns and on\n",
	"\n\n", "a\r\nb", "trailing newline and space \n", "x\n\n\ny", "- a\n- b", "&anchor", "1 2", "0.1", "1.5", "123456789012345678901234567890", "1e-7", "-0", "0.0", "00", "0x", "08", "1:2", "1__0",
}

// awkwardTokens are scalars as they stand in a file.
var awkwardTokens = []string{
	"0", "1", "-1", "+1", "1.0", "1.50", "1e3", "1E+3", "1e-7", "0x1F", "0o17", "017", "0777", "089", "0b101", "1_000", "12:30", "1.5e300", "123456789.123456789",
	"9007199254740993", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "0.1", "-0", "-0.0", ".5", "5.", "100000000000000000000000",
	"true", "True", "TRUE", "false", "yes", "No", "on", "Off", "y", "N", "null", "Null", "~", "", "2020-01-01", "2020-01-01T00:00:00Z", "2001-12-14 21:59:43.10 -5", "2020-13-45",
	"!!str 1", "!!str true", "!!int \"3\"", "!!float 1", "!!bool \"true\"", "!!null ''", "! x", "!custom x", "!!binary aGVsbG8=", "'single'", "\"double\"", "\"esc\\u00e9\\x41\\t\"", "\"\\U0001F600\"", "\"a\\\n  b\"",
	"plain words", "a:b", "http://x.y/z", "1.2.3", "v1", "- 1", "=", "<<",
}

// rareTokens fail the build, or are read in a way of their own.
var rareTokens = []string{".inf", "-.inf", ".nan", "!!timestamp 2020-01-01", "!!set {a}", "!!omap []", "!!merge <<", "%", "@", "`", "\"\\/\"", "\"\\ud83d\\ude00\"", "*unknown"}

// awkwardKeys are keys of maps of strings.
var awkwardKeys = []string{
	"a", "b", "A", "a1", "a2", "a10", "a-b", "a_b", "a.b", "_a", "0", "1", "01", "1.5", "true", "yes", "on", "y", "n", "null", "~", "with space", "ünï", "日本", "x/y", "example.com/key",
	"a:b", "#a", "-a", "- a", "?", "key with a very long name that goes on and on", "UPPER", "app.kubernetes.io/name", "config.yaml", "data.json", ".hidden", "..", "a..b", "😀", "'quoted'", "\"dq\"", "2020-01-01", "0x1", "=", "a=b",
}

func (r *random) word() string {
	return pick(r, "alpha", "beta", "gamma", "delta", "blue", "green", "one", "two", "three", "stable", "canary", "frontend", "backend", "metrics")
}

// sentence gives plain text, sometimes long.
func (r *random) sentence() string {
	words := make([]string, 0, 30)
	for range pick(r, 1, 2, 3, 8, 20, 30) {
		words = append(words, r.word())
	}
	return strings.Join(words, " ")
}

// anyText gives a text: mostly tame, else awkward.
func (g *generator) anyText() string {
	switch {
	case g.chance(100 - g.oddity):
		return pick(g.random, g.word(), g.word()+"-"+g.word(), g.sentence(), "a/"+g.word(), g.word()+":"+itoa(g.between(0, 9999)))
	case g.chance(15):
		return pick(g.random, awkwardTexts...) + pick(g.random, " ", "\n", "", ":", "\t", "- ") + pick(g.random, awkwardTexts...)
	case g.chance(10):
		return g.sentence() + pick(g.random, awkwardTexts...) + g.sentence()
	default:
		return pick(g.random, awkwardTexts...)
	}
}

// anyScalar gives a text or a token.
func (g *generator) anyScalar() value {
	switch {
	case g.chance(60):
		return text(g.anyText())
	case g.chance(100 - g.oddity):
		return pick[value](g.random, token("1"), token("true"), token("false"), token("0.5"), token(itoa(g.between(0, 70000))))
	case g.chance(1):
		return token(pick(g.random, rareTokens...))
	default:
		return token(pick(g.random, awkwardTokens...))
	}
}

// anyKey gives a key: mostly tame.
func (g *generator) anyKey() string {
	if g.chance(100 - g.oddity) {
		return pick(g.random, "key", "name", "size", "color", "LOG_LEVEL", "HOST", "PORT", "application.properties", "config.yaml", "data.json", "a", "b", "c")
	}
	return pick(g.random, awkwardKeys...)
}

// anyValue gives a small value of any shape.
func (g *generator) anyValue(depth int) value {
	switch {
	case depth > 0 && g.chance(25):
		made := &mapping{}
		for range g.between(0, 3) {
			made.set(g.anyKey(), g.anyValue(depth-1))
		}
		return made
	case depth > 0 && g.chance(25):
		var made list
		for range g.between(0, 3) {
			made = append(made, g.anyValue(depth-1))
		}
		return made
	default:
		return g.anyScalar()
	}
}

// strings gives a map of texts such as labels have.
func (g *generator) stringMap(most int) *mapping {
	made := &mapping{}
	for range g.between(1, most) {
		if g.chance(8) && g.oddity > 0 {
			made.set(g.anyKey(), g.anyText())
			continue
		}
		made.set(pick(g.random, "app", "tier", "env", "team", "app.kubernetes.io/name", "example.com/owner", "version"), g.word())
	}
	return made
}
