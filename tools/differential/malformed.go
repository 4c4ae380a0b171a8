package main

import (
	"bytes"
	"errors"
	"io"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// hasKeyTwice tells whether a map in the tree has a key twice. What kustomize makes of one depends on which of its
// many ways of reading a map comes first, so that it is no difference of ours.
func hasKeyTwice(t *tree) bool {
	for _, text := range t.files {
		if keyTwiceIn([]byte(text), 3) {
			return true
		}
	}
	return false
}

// keyTwiceIn reads YAML in a text, and in the texts within that, as patches in a kustomization are.
func keyTwiceIn(text []byte, depth int) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return false
		}
		if keyTwice(&document, depth) {
			return true
		}
	}
}

func keyTwice(node *yaml.Node, depth int) bool {
	if node.Kind == yaml.MappingNode {
		seen := map[string]bool{}
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i].Value
			if seen[key] {
				return true
			}
			seen[key] = true
		}
	}
	if node.Kind == yaml.ScalarNode && depth > 0 && bytes.ContainsRune([]byte(node.Value), '\n') && keyTwiceIn([]byte(node.Value), depth-1) {
		return true
	}
	for _, child := range node.Content {
		if keyTwice(child, depth) {
			return true
		}
	}
	return false
}

// readable tells whether every file that kustomize may read as YAML is YAML, so that a syntax error is not the tree's.
func readable(t *tree) bool {
	for name, text := range t.files {
		extension := path.Ext(name)
		if extension != ".yaml" && extension != ".yml" && extension != ".json" && path.Base(name) != "Kustomization" {
			continue
		}
		decoder := yaml.NewDecoder(strings.NewReader(text))
		for {
			var document yaml.Node
			err := decoder.Decode(&document)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return false
			}
		}
	}
	return true
}
