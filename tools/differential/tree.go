package main

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// tree is one input: files below in/, the directory that is built and the flags it is built with.
type tree struct {
	files map[string]string
	dir   string
	args  []string
}

func newTree() *tree {
	return &tree{files: map[string]string{}, dir: "."}
}

func (t *tree) clone() *tree {
	copied := &tree{files: make(map[string]string, len(t.files)), dir: t.dir, args: append([]string(nil), t.args...)}
	for name, text := range t.files {
		copied.files[name] = text
	}
	return copied
}

// names are the paths of the files, sorted.
func (t *tree) names() []string {
	names := make([]string, 0, len(t.files))
	for name := range t.files {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// size is what shrinking makes smaller.
func (t *tree) size() int {
	size := 0
	for name, text := range t.files {
		size += len(name) + len(text)
	}
	return size
}

// mentions tells whether any file has the word, in any case.
func (t *tree) mentions(word string) bool {
	for _, text := range t.files {
		if strings.Contains(strings.ToLower(text), word) {
			return true
		}
	}
	return false
}

// write replaces what is in directory by the tree.
func (t *tree) write(directory string) error {
	if err := os.RemoveAll(directory); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(directory, t.dir), 0o755); err != nil {
		return err
	}
	for name, text := range t.files {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// readTree reads the files below a directory; links and what is not a file are left out.
func readTree(directory string) (*tree, error) {
	read := newTree()
	err := filepath.WalkDir(directory, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(directory, path)
		if err != nil {
			return err
		}
		read.files[filepath.ToSlash(name)] = string(text)
		return nil
	})
	return read, err
}
