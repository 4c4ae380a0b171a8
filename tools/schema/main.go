// Command schema writes the table from which crates/kustomize answers questions about Kubernetes' built-in types.
//
// It reads the two OpenAPI documents that kyaml compiles in and keeps what strategic merge and namespace scoping ask
// for: fields, list elements, map values, patch strategies, merge keys, group-version-kinds and scopes.
//
//	kyaml=$(go mod download -json sigs.k8s.io/kustomize/kyaml@v0.21.2 | jq -r .Dir)
//	go -C tools/schema run . -kyaml "$kyaml" -out "$PWD/crates/kustomize/src/schema/builtin.bin"
//
// The layout is described in crates/kustomize/src/schema/table.rs.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// scopeOnly are the kinds of which kyaml knows the scope (precomputedIsNamespaceScoped) but no schema.
var scopeOnly = []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}

const (
	bundlePath        = "openapi/kubernetesapi/data/kubernetes-openapi-union-v1.21.2.bundle-v1.json.gz"
	kustomizationPath = "openapi/kustomizationapi/swagger.json"

	magic = "KSC1"
	none  = 0xFFFF

	scopeCluster    = 1
	scopeNamespaced = 2
	// alwaysKnown marks what stays known when a custom schema takes the place of the built-in one.
	alwaysKnown = 4
)

type schema struct {
	Ref                  string            `json:"$ref"`
	Type                 json.RawMessage   `json:"type"`
	Properties           map[string]schema `json:"properties"`
	Items                *schema           `json:"items"`
	AdditionalProperties json.RawMessage   `json:"additionalProperties"`
	PatchStrategy        string            `json:"x-kubernetes-patch-strategy"`
	PatchMergeKey        string            `json:"x-kubernetes-patch-merge-key"`
	ListMapKeys          []string          `json:"x-kubernetes-list-map-keys"`
	Kinds                []gvk             `json:"x-kubernetes-group-version-kind"`
}

type gvk struct {
	Group   string `json:"group"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
}

func (g gvk) apiVersion() string {
	if g.Group == "" {
		return g.Version
	}
	return g.Group + "/" + g.Version
}

type document struct {
	Definitions map[string]schema `json:"definitions"`
	Resources   []struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Definition string `json:"definition"`
		Scope      string `json:"scope"`
	} `json:"resources"`
}

type resource struct {
	apiVersion, kind, definition string
	flags                        uint16
}

// node is what the table says about one schema; equal inline schemas share one node.
type node struct {
	fields             []field
	elements, values   uint16
	strategy, mergeKey uint16
}

type field struct{ name, node uint16 }

type builder struct {
	definitions     map[string]schema
	definitionNames []string
	definitionIndex map[string]uint16
	stringIndex     map[string]uint16
	nodes           []node
	nodeIndex       map[string]uint16
	keyLists        []uint16
	keyListIndex    map[string]uint16
}

func main() {
	log.SetFlags(0)
	kyaml := flag.String("kyaml", "", "directory of the kyaml module")
	out := flag.String("out", "", "file to write")
	flag.Parse()
	if *kyaml == "" || *out == "" {
		log.Fatal("both -kyaml and -out are needed")
	}
	definitions, resources, err := load(*kyaml)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, build(definitions, resources), 0o644); err != nil {
		log.Fatal(err)
	}
}

func load(kyaml string) (map[string]schema, []resource, error) {
	var builtin, kustomization document
	packed, err := os.ReadFile(filepath.Join(kyaml, bundlePath))
	if err != nil {
		return nil, nil, err
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, nil, err
	}
	if err := json.NewDecoder(reader).Decode(&builtin); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", bundlePath, err)
	}
	text, err := os.ReadFile(filepath.Join(kyaml, kustomizationPath))
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(text, &kustomization); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", kustomizationPath, err)
	}

	var resources []resource
	for _, r := range builtin.Resources {
		flags := map[string]uint16{"": 0, "Cluster": scopeCluster, "Namespaced": scopeNamespaced}[r.Scope]
		resources = append(resources, resource{r.APIVersion, r.Kind, r.Definition, flags})
	}
	for _, kind := range scopeOnly {
		resources = append(resources, resource{"admissionregistration.k8s.io/v1", kind, "", scopeCluster})
	}
	for name, s := range kustomization.Definitions {
		if _, found := builtin.Definitions[name]; found {
			return nil, nil, fmt.Errorf("both documents define %s", name)
		}
		builtin.Definitions[name] = s
		for _, g := range s.Kinds {
			resources = append(resources, resource{g.apiVersion(), g.Kind, name, alwaysKnown})
		}
	}
	return builtin.Definitions, resources, nil
}

func build(definitions map[string]schema, resources []resource) []byte {
	strs := map[string]bool{}
	for name, s := range definitions {
		strs[name] = true
		collect(s, strs)
	}
	for _, r := range resources {
		strs[r.apiVersion], strs[r.kind] = true, true
	}
	pool := sortedKeys(strs)

	b := &builder{
		definitions:     definitions,
		definitionNames: sortedKeys(definitions),
		definitionIndex: map[string]uint16{},
		stringIndex:     map[string]uint16{},
		nodeIndex:       map[string]uint16{},
		keyListIndex:    map[string]uint16{},
	}
	for i, s := range pool {
		b.stringIndex[s] = uint16(i)
	}
	// The first nodes are the definitions, in the order of their names.
	for i, name := range b.definitionNames {
		b.definitionIndex[name] = uint16(i)
	}
	b.nodes = make([]node, len(b.definitionNames))
	for i, name := range b.definitionNames {
		b.nodes[i] = b.describe(definitions[name])
	}
	return b.encode(pool, resources)
}

func collect(s schema, strs map[string]bool) {
	for name, property := range s.Properties {
		strs[name] = true
		collect(property, strs)
	}
	if s.PatchStrategy != "" {
		strs[s.PatchStrategy] = true
		for _, key := range mergeKeys(s) {
			strs[key] = true
		}
	}
	if s.Items != nil {
		collect(*s.Items, strs)
	}
	if values := mapValues(s); values != nil {
		collect(*values, strs)
	}
}

// mergeKeys are the keys that kyaml's PatchStrategyAndKeyList gives: it asks for them only where there is a strategy.
func mergeKeys(s schema) []string {
	switch {
	case s.PatchStrategy == "":
		return nil
	case s.ListMapKeys != nil:
		return s.ListMapKeys
	case s.PatchMergeKey != "":
		return []string{s.PatchMergeKey}
	default:
		return nil
	}
}

func mapValues(s schema) *schema {
	if len(s.AdditionalProperties) == 0 || s.AdditionalProperties[0] != '{' {
		return nil
	}
	var values schema
	if err := json.Unmarshal(s.AdditionalProperties, &values); err != nil {
		log.Fatal(err)
	}
	return &values
}

func (b *builder) describe(s schema) node {
	n := node{elements: none, values: none, strategy: none, mergeKey: none}
	for _, name := range sortedKeys(s.Properties) {
		if target := b.resolve(s.Properties[name]); target != none {
			n.fields = append(n.fields, field{b.stringIndex[name], target})
		}
	}
	if string(s.Type) == `"array"` && s.Items != nil {
		n.elements = b.resolve(*s.Items)
	}
	if values := mapValues(s); values != nil {
		n.values = b.resolve(*values)
	}
	if s.PatchStrategy != "" {
		n.strategy = b.stringIndex[s.PatchStrategy]
	}
	if keys := mergeKeys(s); len(keys) > 0 {
		n.mergeKey = b.keyList(keys)
	}
	return n
}

// resolve gives the node of a schema, that of the definition where the schema is a reference.
func (b *builder) resolve(s schema) uint16 {
	for s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/definitions/")
		index, found := b.definitionIndex[name]
		if !found {
			return none
		}
		if s = b.definitions[name]; s.Ref == "" {
			return index
		}
	}
	n := b.describe(s)
	shape := fmt.Sprint(n)
	if index, found := b.nodeIndex[shape]; found {
		return index
	}
	index := uint16(len(b.nodes))
	b.nodes = append(b.nodes, n)
	b.nodeIndex[shape] = index
	return index
}

func (b *builder) keyList(keys []string) uint16 {
	joined := strings.Join(keys, "\x00")
	if index, found := b.keyListIndex[joined]; found {
		return index
	}
	index := uint16(len(b.keyLists))
	b.keyLists = append(b.keyLists, uint16(len(keys)))
	for _, key := range keys {
		b.keyLists = append(b.keyLists, b.stringIndex[key])
	}
	b.keyListIndex[joined] = index
	return index
}

func (b *builder) encode(pool []string, resources []resource) []byte {
	sort.Slice(resources, func(i, j int) bool {
		if resources[i].apiVersion != resources[j].apiVersion {
			return resources[i].apiVersion < resources[j].apiVersion
		}
		return resources[i].kind < resources[j].kind
	})
	var words, fields []uint16
	for _, name := range b.definitionNames {
		words = append(words, b.stringIndex[name])
	}
	for _, n := range b.nodes {
		words = append(words, uint16(len(fields)/2), uint16(len(n.fields)), n.elements, n.values, n.strategy, n.mergeKey)
		for _, f := range n.fields {
			fields = append(fields, f.name, f.node)
		}
	}
	words = append(words, fields...)
	words = append(words, b.keyLists...)
	for _, r := range resources {
		target := uint16(none)
		if r.definition != "" {
			target = b.definitionIndex[r.definition]
		}
		words = append(words, b.stringIndex[r.apiVersion], b.stringIndex[r.kind], target, r.flags)
	}
	text := strings.Join(pool, "")
	header := []uint16{
		uint16(len(pool)), uint16(len(b.definitionNames)), uint16(len(b.nodes)),
		uint16(len(fields) / 2), uint16(len(b.keyLists)), uint16(len(resources)),
	}

	blob := []byte(magic)
	for _, word := range append(header, words...) {
		blob = binary.LittleEndian.AppendUint16(blob, word)
	}
	end := 0
	for _, s := range pool {
		end += len(s)
		blob = binary.LittleEndian.AppendUint32(blob, uint32(end))
	}
	return append(blob, text...)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
