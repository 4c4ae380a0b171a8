package main

import (
	"strings"
	"time"
)

// shrink drops what a difference does not need, for as long as the time allows.
func (c *tester) shrink(t *tree, found verdict, limit time.Duration) (*tree, verdict, error) {
	s := &shrinker{tester: c, best: t, found: found, until: time.Now().Add(limit)}
	for {
		before := s.best.size()
		for _, step := range []func(){s.dropFlags, s.dropFiles, s.dropBlocks, s.dropLines, s.simplify} {
			step()
		}
		if s.err != nil || s.best.size() >= before || time.Now().After(s.until) {
			return s.best, s.found, s.err
		}
	}
}

// shrinker holds the smallest tree so far that shows the difference.
type shrinker struct {
	*tester
	best  *tree
	found verdict
	until time.Time
	err   error
}

// try takes over a candidate that still differs in the same way.
func (s *shrinker) try(candidate *tree) bool {
	if s.err != nil || time.Now().After(s.until) {
		return false
	}
	found, err := s.compare(candidate, false)
	if err != nil {
		s.err = err
		return false
	}
	if sameKind(found.kind, s.found.kind) {
		s.best, s.found = candidate, found
		return true
	}
	return false
}

// sameKind treats all differences of bytes alike: which line differs first changes as the tree does.
func sameKind(a, b string) bool {
	return a == b || strings.HasPrefix(a, "other bytes") && strings.HasPrefix(b, "other bytes")
}

func (s *shrinker) dropFlags() {
	for i := len(s.best.args) - 1; i >= 0; i-- {
		candidate := s.best.clone()
		candidate.args = append(candidate.args[:i], candidate.args[i+1:]...)
		s.try(candidate)
	}
}

func (s *shrinker) dropFiles() {
	for _, name := range s.best.names() {
		candidate := s.best.clone()
		delete(candidate.files, name)
		s.try(candidate)
	}
}

// dropBlocks drops a line with all below it that stand deeper: a field or an entry of a list.
func (s *shrinker) dropBlocks() {
	for _, name := range s.best.names() {
		for start := 0; ; {
			lines := splitLines(s.best.files[name])
			if start >= len(lines) {
				break
			}
			if !s.try(s.without(name, lines, start, blockEnd(lines, start))) {
				start++
			}
			if time.Now().After(s.until) {
				return
			}
		}
	}
}

// dropLines drops single lines, of texts for instance.
func (s *shrinker) dropLines() {
	for _, name := range s.best.names() {
		for start := 0; ; {
			lines := splitLines(s.best.files[name])
			if start >= len(lines) || time.Now().After(s.until) {
				break
			}
			if !s.try(s.without(name, lines, start, start+1)) {
				start++
			}
		}
	}
}

// simplify cuts comments and shortens what stands behind a colon.
func (s *shrinker) simplify() {
	for _, name := range s.best.names() {
		lines := splitLines(s.best.files[name])
		for i := range lines {
			lines = splitLines(s.best.files[name])
			if i >= len(lines) {
				break
			}
			for _, shorter := range shorterLines(lines[i]) {
				changed := append([]string(nil), lines...)
				changed[i] = shorter
				candidate := s.best.clone()
				candidate.files[name] = strings.Join(changed, "")
				if s.try(candidate) {
					break
				}
			}
		}
	}
}

func shorterLines(line string) []string {
	var shorter []string
	body := strings.TrimRight(line, "\r\n")
	if before, _, found := strings.Cut(body, " #"); found {
		shorter = append(shorter, before+"\n")
	}
	if key, item, found := strings.Cut(body, ": "); found && len(item) > 1 {
		shorter = append(shorter, key+": a\n")
		if len(item) > 12 {
			shorter = append(shorter, key+": "+item[:len(item)/2]+"\n")
		}
	}
	return shorter
}

func (s *shrinker) without(name string, lines []string, start, end int) *tree {
	candidate := s.best.clone()
	kept := append(append([]string(nil), lines[:start]...), lines[end:]...)
	candidate.files[name] = strings.Join(kept, "")
	return candidate
}

// splitLines keeps the line breaks.
func splitLines(content string) []string {
	lines := strings.SplitAfter(content, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// blockEnd is the index behind the last line that belongs to the line at start.
func blockEnd(lines []string, start int) int {
	if strings.HasPrefix(lines[start], "---") {
		end := start + 1
		for end < len(lines) && !strings.HasPrefix(lines[end], "---") {
			end++
		}
		return end
	}
	column := indentation(lines[start])
	end := start + 1
	for end < len(lines) {
		line := strings.TrimRight(lines[end], "\r\n")
		deeper := indentation(line) > column
		entry := indentation(line) == column && strings.HasPrefix(line[column:], "- ") && !strings.HasPrefix(lines[start][column:], "-")
		if strings.TrimSpace(line) != "" && !deeper && !entry || strings.HasPrefix(line, "---") {
			break
		}
		end++
	}
	return end
}

func indentation(line string) int {
	return len(line) - len(strings.TrimLeft(line, " "))
}
