package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

func itoa(n int) string { return strconv.Itoa(n) }

// style says how a document is written; percentages.
type style struct {
	indent, listIndent                     int
	flow, comments, quotes, blocks, breaks int
	anchors, blanks                        int
	carriageReturns, byteOrderMark         bool
	startMarker, endMarker                 bool
	trailingBlank                          bool
	schemaComments                         bool
}

// plainStyle is how most people write.
func plainStyle(r *random) style {
	return style{
		indent: 2, listIndent: pick(r, 0, 0, 2), quotes: pick(r, 0, 5, 20), blocks: 90,
		comments: pick(r, 0, 0, 3, 10), flow: pick(r, 0, 0, 5),
	}
}

// oddStyle has everything that YAML has, seldom all at once.
func oddStyle(r *random) style {
	if r.chance(60) {
		return plainStyle(r)
	}
	return style{
		indent: pick(r, 2, 2, 2, 4, 1, 3), listIndent: pick(r, 0, 0, 2, 2, 1),
		flow: pick(r, 0, 5, 15, 40, 100), comments: pick(r, 0, 5, 20, 50), quotes: pick(r, 0, 10, 50, 100),
		blocks: pick(r, 0, 50, 100), breaks: pick(r, 0, 0, 20, 60), anchors: pick(r, 0, 0, 0, 10, 30), blanks: pick(r, 0, 0, 5, 20),
		carriageReturns: r.chance(8), byteOrderMark: r.chance(5), startMarker: r.chance(25), endMarker: r.chance(2),
		trailingBlank: r.chance(10), schemaComments: r.chance(3),
	}
}

// writer writes one document.
type writer struct {
	*random
	style
	out     strings.Builder
	anchors []value
}

// write writes documents into one file.
func write(r *random, s style, documents ...value) string {
	var out strings.Builder
	if s.byteOrderMark {
		out.WriteString("\ufeff")
	}
	for i, document := range documents {
		w := &writer{random: r, style: s}
		if i > 0 || s.startMarker {
			w.out.WriteString("---" + pick(r, append(make([]string, 40), " # a document", " ")...) + "\n")
		}
		w.comment(0)
		switch document := document.(type) {
		case nil:
		case *mapping:
			if len(document.entries) == 0 {
				w.out.WriteString("{}\n")
			} else {
				w.mapping(document, 0)
			}
		case list:
			if len(document) == 0 {
				w.out.WriteString("[]\n")
			} else {
				w.list(document, 0)
			}
		default:
			w.scalar(document, 0, false)
			w.out.WriteString("\n")
		}
		if s.endMarker {
			w.out.WriteString("...\n")
			if i+1 < len(documents) {
				w.out.WriteString(pick(r, "", "# between\n", "\n"))
			}
		}
		out.WriteString(w.out.String())
	}
	written := out.String()
	if s.trailingBlank {
		written += pick(r, "\n", "\n\n", "# the end\n", "# the end", "---\n", "---\n# nothing\n")
	} else if r.chance(3) {
		written = strings.TrimSuffix(written, "\n")
	}
	if s.carriageReturns {
		written = strings.ReplaceAll(written, "\n", "\r\n")
	}
	return written
}

func (w *writer) pad(column int) { w.out.WriteString(strings.Repeat(" ", column)) }

func (w *writer) comment(column int) {
	if w.chance(w.blanks) {
		w.out.WriteString(pick(w.random, "\n", "\n\n", "  \n"))
	}
	if !w.chance(w.comments) {
		return
	}
	for range w.between(1, 2) {
		w.pad(pick(w.random, column, column, column, 0, column+2))
		w.out.WriteString(pick(w.random, "# a comment\n", "#comment: with a colon\n", "# - a: list\n", "#\n", "# ünïcode ✓\n"))
	}
}

// endLine ends a line, perhaps with a comment.
func (w *writer) endLine() {
	if w.chance(w.comments / 2) {
		w.out.WriteString(pick(w.random, " # why", "  # a: b", " #", " # {\"$setter\": \"x\"}"))
		if w.schemaComments && w.chance(30) {
			w.out.WriteString("\n")
			return
		}
	}
	if w.blanks > 0 && w.chance(w.blanks/2) {
		w.out.WriteString(pick(w.random, " ", "  "))
	}
	w.out.WriteString("\n")
}

func (w *writer) mapping(m *mapping, column int) {
	for i, e := range m.entries {
		if i > 0 {
			w.comment(column)
			w.pad(column)
		}
		w.key(e.key)
		w.out.WriteString(":")
		w.after(e.value, column, w.indent, w.listIndent)
	}
}

func (w *writer) list(items list, column int) {
	for i, item := range items {
		if i > 0 {
			w.comment(column)
			w.pad(column)
		}
		w.out.WriteString("-")
		switch item := item.(type) {
		case *mapping:
			if len(item.entries) > 0 && !w.chance(w.flow) {
				w.out.WriteString(" ")
				w.mapping(item, column+2)
				continue
			}
		case list:
			if len(item) > 0 && !w.chance(w.flow) {
				w.out.WriteString(" ")
				w.list(item, column+2)
				continue
			}
		}
		w.after(item, column, 2, 2)
	}
}

// after writes a value behind its key or dash, and ends the line.
func (w *writer) after(item value, column, indent, listIndent int) {
	if alias, found := w.aliasOf(item); found {
		w.out.WriteString(" " + alias)
		w.endLine()
		return
	}
	anchor := w.anchorFor(item)
	if anchor != "" {
		w.out.WriteString(" " + anchor)
	}
	switch item := item.(type) {
	case nil:
		w.endLine()
	case *mapping:
		if len(item.entries) == 0 || w.chance(w.flow) {
			w.out.WriteString(" " + w.flowValue(item, column+indent))
			w.endLine()
			return
		}
		w.endLine()
		w.comment(column + indent)
		w.pad(column + indent)
		w.mapping(item, column+indent)
	case list:
		if len(item) == 0 || w.chance(w.flow) {
			w.out.WriteString(" " + w.flowValue(item, column+indent))
			w.endLine()
			return
		}
		w.endLine()
		w.comment(column + listIndent)
		w.pad(column + listIndent)
		w.list(item, column+listIndent)
	default:
		w.out.WriteString(" ")
		w.scalar(item, column+max(1, indent), true)
	}
}

func (w *writer) anchorFor(item value) string {
	if w.style.anchors == 0 || item == nil || !w.chance(w.style.anchors) {
		return ""
	}
	w.anchors = append(w.anchors, item)
	return fmt.Sprintf("&a%d", len(w.anchors))
}

func (w *writer) aliasOf(item value) (string, bool) {
	if len(w.anchors) == 0 || !w.chance(w.style.anchors) {
		return "", false
	}
	for i, anchored := range w.anchors {
		_, wantsMapping := item.(*mapping)
		_, isMapping := anchored.(*mapping)
		_, wantsList := item.(list)
		_, isList := anchored.(list)
		// An alias to what is being written would hold itself.
		if wantsMapping == isMapping && wantsList == isList && !isMapping && !isList {
			return fmt.Sprintf("*a%d", i+1), true
		}
	}
	return "", false
}

var (
	safePlain = regexp.MustCompile(`^[A-Za-z0-9_./$(][A-Za-z0-9_./$()@%+=;|~^ -]*$`)
	// resolved are words that mean something else than their text where they stand plain.
	resolved = regexp.MustCompile(`^(?i:true|false|null|~|yes|no|on|off|y|n|nan|inf|\.nan|[-+]?\.inf|[-+.0-9].*)$`)
)

func (w *writer) key(key string) {
	switch {
	case key == "<<":
		w.out.WriteString(key)
	case safePlain.MatchString(key) && !resolved.MatchString(key) && !strings.HasSuffix(key, " "):
		if w.chance(w.quotes / 5) {
			w.out.WriteString(w.quote(key))
			return
		}
		w.out.WriteString(key)
	case strings.HasPrefix(key, "\x00"):
		w.out.WriteString(key[1:])
	default:
		w.out.WriteString(w.quote(key))
	}
}

func (w *writer) quote(s string) string {
	if w.chance(50) && !strings.ContainsAny(s, "\n\r\t\u0085") && utf8.ValidString(s) && !strings.ContainsFunc(s, unprintable) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return doubleQuoted(s)
}

func unprintable(c rune) bool {
	return c < 0x20 || c == 0x7f || c >= 0x80 && c <= 0x9f || c == 0xfeff || c == 0x2028 || c == 0x2029
}

func doubleQuoted(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			out.WriteRune('\\')
			out.WriteRune(c)
		case c == '\n':
			out.WriteString(`\n`)
		case c == '\t':
			out.WriteString(`\t`)
		case c < 0x20 || c == 0x7f || c >= 0x80 && c <= 0x9f:
			fmt.Fprintf(&out, `\x%02x`, c)
		case c == 0xfeff || c == 0x2028 || c == 0x2029:
			fmt.Fprintf(&out, `\u%04x`, c)
		default:
			out.WriteRune(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}

// scalar writes a scalar and, behind a key or dash, ends its line.
func (w *writer) scalar(item value, column int, ends bool) {
	var s string
	switch item := item.(type) {
	case token:
		w.out.WriteString(string(item))
		if ends {
			w.endLine()
		}
		return
	case text:
		s = string(item)
	default:
		s = fmt.Sprint(item)
	}
	if ends && w.blockScalar(s, column) {
		return
	}
	if w.chance(w.breaks) && strings.Contains(strings.TrimSpace(s), " ") && !strings.Contains(s, "\n") && column > 0 {
		w.out.WriteString(w.broken(s, column))
	} else if safePlain.MatchString(s) && !resolved.MatchString(s) && !strings.HasSuffix(s, " ") && !w.chance(w.quotes) {
		w.out.WriteString(s)
	} else {
		w.out.WriteString(w.quote(s))
	}
	if ends {
		w.endLine()
	}
}

// blockScalar writes a text as | or >; not every text is.
func (w *writer) blockScalar(s string, column int) bool {
	several := strings.Contains(s, "\n")
	if several && !w.chance(w.blocks) || !several && !w.chance(w.blocks/20) {
		return false
	}
	if s == "" || strings.ContainsAny(s, "\r\u0085") || strings.ContainsFunc(strings.ReplaceAll(strings.ReplaceAll(s, "\n", ""), "\t", ""), unprintable) {
		return false
	}
	header := pick(w.random, "|", "|", "|", ">")
	body := strings.TrimRight(s, "\n")
	trailing := len(s) - len(body)
	if body == "" {
		return false
	}
	if body[0] == ' ' || body[0] == '\n' || body[0] == '\t' || w.chance(3) {
		header += itoa(max(1, min(9, w.blockIndent(column))))
	}
	switch trailing {
	case 0:
		header += "-"
	case 1:
	default:
		header += "+"
	}
	w.out.WriteString(header)
	// Below an anchor kustomize writes such a comment into the text.
	if w.style.anchors == 0 && w.chance(w.comments/2) {
		w.out.WriteString(" # block")
	}
	w.out.WriteString("\n")
	folded := header[0] == '>'
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			w.pad(w.blockColumn(column))
			w.out.WriteString(line)
		} else if w.chance(w.blanks) {
			w.pad(column - 1)
		}
		w.out.WriteString("\n")
		if folded && w.chance(97) {
			w.out.WriteString("\n")
		}
	}
	for range trailing - 1 {
		w.out.WriteString("\n")
	}
	return true
}

// blockIndent is how much deeper a block scalar stands than the key that it belongs to.
func (w *writer) blockIndent(column int) int { return min(w.indent, max(1, column)) }

func (w *writer) blockColumn(column int) int { return max(1, column) }

// broken writes a flow scalar over several lines.
func (w *writer) broken(s string, column int) string {
	plain := safePlain.MatchString(s) && !resolved.MatchString(s) && strings.TrimSpace(s) == s && !strings.Contains(s, " -") && !strings.Contains(s, " #")
	written := s
	if !plain {
		written = w.quote(s)
	}
	var out strings.Builder
	for i := 0; i < len(written); i++ {
		single := written[i] == ' ' && i > 1 && i+2 < len(written) && written[i-1] != ' ' && written[i+1] != ' ' && written[i-1] != '\\'
		if single && w.chance(30) {
			out.WriteString("\n" + strings.Repeat(" ", column+w.IntN(3)))
			continue
		}
		out.WriteByte(written[i])
	}
	return out.String()
}

// flowValue writes a value in flow style, perhaps over several lines.
func (w *writer) flowValue(item value, column int) string {
	space := pick(w.random, "", "", "", " ")
	gap := func() string {
		if w.chance(w.breaks) {
			return "\n" + strings.Repeat(" ", column+1)
		}
		return space
	}
	var out strings.Builder
	switch item := item.(type) {
	case *mapping:
		out.WriteString("{" + space)
		for i, e := range item.entries {
			if i > 0 {
				out.WriteString("," + pick(w.random, " ", " ", "  ") + gap())
			}
			inner := &writer{random: w.random, style: w.style}
			inner.key(e.key)
			out.WriteString(inner.out.String() + ": " + w.flowValue(e.value, column))
		}
		if len(item.entries) > 0 && w.chance(5) {
			out.WriteString(",")
		}
		out.WriteString(gap() + "}")
	case list:
		out.WriteString("[" + space)
		for i, element := range item {
			if i > 0 {
				out.WriteString("," + pick(w.random, " ", " ", "") + gap())
			}
			out.WriteString(w.flowValue(element, column))
		}
		out.WriteString(gap() + "]")
	case nil:
		return "null"
	default:
		inner := &writer{random: w.random, style: w.style}
		inner.style.breaks = 0
		inner.scalar(item, 0, false)
		return inner.out.String()
	}
	return out.String()
}
