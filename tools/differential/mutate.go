package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maximalCorpusFile leaves out of mutation what would only cost time.
const maximalCorpusFile = 64 << 10

// readCorpus reads the trees that patterns name; beside in/ may stand dir and args, as in testdata/kustomize.
func readCorpus(patterns []string) ([]*tree, error) {
	var trees []*tree
	for _, pattern := range patterns {
		directories, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		if len(directories) == 0 {
			return nil, fmt.Errorf("no directory matches %s", pattern)
		}
		for _, directory := range directories {
			read, err := readTree(directory)
			if err != nil {
				return nil, err
			}
			if beside, err := os.ReadFile(filepath.Join(filepath.Dir(directory), "dir")); err == nil {
				read.dir = strings.TrimSpace(string(beside))
			}
			trees = append(trees, withRoots(read)...)
		}
	}
	return trees, nil
}

// withRoots gives a tree once for each directory that it may be built from, the likeliest ones.
func withRoots(read *tree) []*tree {
	for name, content := range read.files {
		if len(content) > maximalCorpusFile || strings.Contains(content, "helm") || strings.Contains(content, "://") && strings.Contains(path.Base(name), "kustomization") {
			return nil
		}
	}
	if read.dir != "." {
		return []*tree{read}
	}
	var trees []*tree
	for _, name := range read.names() {
		base := path.Base(name)
		if base == "kustomization.yaml" || base == "kustomization.yml" || base == "Kustomization" {
			rooted := read.clone()
			rooted.dir = path.Dir(name)
			trees = append(trees, rooted)
		}
	}
	return trees
}

// mutate changes a tree of the corpus in a few places, at times with lines of another.
func mutate(r *random, sources []*tree) *tree {
	mutant := pick(r, sources...).clone()
	g := &generator{random: r, tree: mutant, oddity: 50, used: map[string]bool{}, patchedBefore: map[*object]bool{}}
	for range pick(r, 1, 1, 1, 2, 2, 3, 5) {
		if len(mutant.files) == 0 {
			break
		}
		name := pick(r, mutant.names()...)
		lines := splitLines(mutant.files[name])
		if len(lines) == 0 {
			continue
		}
		at := r.IntN(len(lines))
		switch r.IntN(12) {
		case 0:
			lines = append(lines[:at], lines[blockEnd(lines, at):]...)
		case 1:
			end := blockEnd(lines, at)
			block := append([]string(nil), lines[at:end]...)
			lines = append(lines[:end], append(block, lines[end:]...)...)
		case 2, 3, 4:
			lines[at] = g.swapScalar(lines[at], r, lines)
		case 5:
			lines[at] = swapText(r, lines[at], g.anyText())
		case 6, 7:
			g.splice(sources, name)
			continue
		case 8:
			lines[at] = strings.Replace(lines[at], "- ", pick(r, "-  ", "- - ", "- &x ", "-\n"+strings.Repeat(" ", indentation(lines[at])+2)), 1)
		case 9:
			g.extraFeature()
			continue
		case 10:
			g.restyle(name)
			continue
		default:
			if r.chance(20) {
				g.damage()
				continue
			}
			lines[at] = swapText(r, lines[at], pick(r, g.name(), g.word(), "null", "[]", "{}", "1"))
		}
		mutant.files[name] = strings.Join(lines, "")
	}
	return mutant
}

// swapScalar writes another scalar behind the key of a line, from the same file or an awkward one.
func (g *generator) swapScalar(line string, r *random, lines []string) string {
	if r.chance(50) {
		if _, other, found := strings.Cut(strings.TrimRight(pick(r, lines...), "\r\n"), ": "); found {
			return behindKey(line, other)
		}
	}
	return behindKey(line, pick(r, awkwardTokens...))
}

func swapText(r *random, line, replacement string) string {
	w := &writer{random: r}
	return behindKey(line, w.quote(replacement))
}

// behindKey replaces what stands behind the colon or the dash of a line.
func behindKey(line, replacement string) string {
	body := strings.TrimRight(line, "\r\n")
	if before, _, found := strings.Cut(body, ": "); found {
		return before + ": " + replacement + "\n"
	}
	if before, _, found := strings.Cut(body, "- "); found && strings.TrimSpace(before) == "" {
		return before + "- " + replacement + "\n"
	}
	return line
}

// splice adds a field of another kustomization, with the files that stand beside it.
func (g *generator) splice(sources []*tree, name string) {
	other := pick(g.random, sources...)
	for _, candidate := range other.names() {
		if !strings.HasPrefix(strings.ToLower(path.Base(candidate)), "kustomization") || !g.chance(60) {
			continue
		}
		own := g.kustomizationName(name)
		if own == "" {
			return
		}
		lines := splitLines(other.files[candidate])
		if len(lines) == 0 {
			return
		}
		start := g.IntN(len(lines))
		for start > 0 && indentation(lines[start]) > 0 || start > 0 && strings.HasPrefix(lines[start], "-") {
			start--
		}
		field := strings.Join(lines[start:blockEnd(lines, start)], "")
		if !strings.HasSuffix(g.tree.files[own], "\n") {
			field = "\n" + field
		}
		g.tree.files[own] += field
		for beside, content := range other.files {
			below, found := strings.CutPrefix(beside, strings.TrimSuffix(path.Dir(candidate), ".")+"/")
			if path.Dir(candidate) == "." {
				below, found = beside, true
			}
			target := path.Join(path.Dir(own), below)
			if _, taken := g.tree.files[target]; found && !taken && strings.Contains(field, below) && !g.blocked(target) {
				g.tree.files[target] = content
			}
		}
		return
	}
}

// blocked tells whether a file would have to be a directory, or the other way round.
func (g *generator) blocked(target string) bool {
	for name := range g.tree.files {
		if strings.HasPrefix(name, target+"/") || strings.HasPrefix(target, name+"/") {
			return true
		}
	}
	return false
}

func (g *generator) kustomizationName(preferred string) string {
	var found []string
	for _, name := range g.tree.names() {
		if strings.HasPrefix(path.Base(name), "kustomization") {
			if name == preferred {
				return name
			}
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return pick(g.random, found...)
}

// extraFeature adds a generated field to a kustomization, for objects such as those that the tree has.
func (g *generator) extraFeature() {
	own := g.kustomizationName("")
	if own == "" {
		return
	}
	l := &layer{directory: path.Dir(own), fields: &mapping{}}
	for _, name := range g.tree.names() {
		if o := objectIn(g.tree.files[name]); o != nil {
			l.objects = append(l.objects, o)
		}
	}
	g.features(l)
	for _, e := range l.fields.entries {
		if strings.Contains(g.tree.files[own], e.key+":") {
			continue
		}
		if !strings.HasSuffix(g.tree.files[own], "\n") {
			g.tree.files[own] += "\n"
		}
		g.tree.files[own] += write(g.random, style{indent: 2, blocks: 90}, dict(e.key, e.value))
	}
}

// objectIn finds the kind and name of the first object of a file, roughly.
func objectIn(content string) *object {
	o := &object{}
	for line := range strings.SplitSeq(content, "\n") {
		if item, found := strings.CutPrefix(line, "apiVersion: "); found && o.apiVersion == "" {
			o.apiVersion = strings.TrimSpace(item)
		}
		if item, found := strings.CutPrefix(line, "kind: "); found && o.kind == "" {
			o.kind = strings.TrimSpace(item)
		}
		if item, found := strings.CutPrefix(line, "  name: "); found && o.name == "" {
			o.name = strings.TrimSpace(item)
		}
	}
	if o.apiVersion == "" || o.kind == "" || o.name == "" || strings.HasPrefix(o.apiVersion, "kustomize") {
		return nil
	}
	o.body = dict("apiVersion", o.apiVersion, "kind", o.kind, "metadata", dict("name", o.name, "labels", dict("app", "a")), "spec", dict("template", dict("spec", dict("containers", []value{dict("name", "nginx", "image", "nginx")}))), "data", dict("a", "b"))
	return o
}

// restyle changes line breaks or marks of a whole file.
func (g *generator) restyle(name string) {
	content := g.tree.files[name]
	switch g.IntN(5) {
	case 0:
		content = strings.ReplaceAll(content, "\n", "\r\n")
	case 1:
		content = "\ufeff" + content
	case 2:
		content = strings.TrimRight(content, "\n")
	case 3:
		content = "---\n" + content
	default:
		content += pick(g.random, "---\n", "...\n", "# end", "\n\n", "---\n"+content)
	}
	g.tree.files[name] = content
}
