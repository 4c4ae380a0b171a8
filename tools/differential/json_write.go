package main

import (
	"regexp"
	"strings"
)

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// toJSON writes a value as JSON; tokens that JSON does not have become texts.
func toJSON(r *random, item value) string {
	var out strings.Builder
	switch item := item.(type) {
	case *mapping:
		out.WriteString("{")
		for i, e := range item.entries {
			if i > 0 {
				out.WriteString(pick(r, ", ", ",", ",\n  "))
			}
			out.WriteString(doubleQuoted(strings.TrimPrefix(e.key, "\x00")) + ": " + toJSON(r, e.value))
		}
		out.WriteString("}")
	case list:
		out.WriteString("[")
		for i, element := range item {
			if i > 0 {
				out.WriteString(", ")
			}
			out.WriteString(toJSON(r, element))
		}
		out.WriteString("]")
	case text:
		out.WriteString(doubleQuoted(string(item)))
	case token:
		if jsonNumber.MatchString(string(item)) || item == "true" || item == "false" || item == "null" {
			out.WriteString(string(item))
		} else {
			out.WriteString(doubleQuoted(string(item)))
		}
	default:
		out.WriteString("null")
	}
	return out.String()
}
