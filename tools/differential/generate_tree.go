package main

import (
	"fmt"
	"path"
	"strings"
)

// generator makes one tree.
type generator struct {
	*random
	tree *tree
	// oddity is how often, in a hundred, scalars are awkward.
	oddity int
	// tame says that files are written plainly.
	tame bool
	// careless is how often, in a hundred, a part is made without a look at whether it can work.
	careless int
	// used are the ids of the objects so far.
	used  map[string]bool
	files int
	// patchedBefore are the objects of which a patch may have dropped something.
	patchedBefore map[*object]bool
	// diamonds counts the layers above that are built more than once.
	diamonds int
	// variables are the names of the vars of the tree.
	variables []string
}

// layer is a kustomization in the making.
type layer struct {
	directory string
	fields    *mapping
	// objects are those that its patches can reach.
	objects []*object
	// generated are names of its own ConfigMaps and Secrets, with their kinds.
	generated [][2]string
}

// generate makes the tree of a seed and an index.
func generate(seed, index uint64) *tree {
	r := newRandom(seed, index)
	g := &generator{random: r, tree: newTree(), oddity: pick(r, 0, 5, 5, 15, 40, 80), tame: r.chance(40), careless: pick(r, 0, 0, 0, 0, 0, 0, 1, 2, 5, 10, 40), used: map[string]bool{}, patchedBefore: map[*object]bool{}}
	root := "overlay"
	depth := pick(r, 0, 0, 1, 1, 1, 2, 2, 3, 4)
	if depth == 0 {
		root = pick(r, ".", "app", "a/b/c")
	}
	g.layer(root, depth, "Kustomization")
	g.tree.dir = root
	if root != "." && r.chance(5) {
		g.tree.dir = pick(r, root+"/", "./"+root, root+"/../"+root)
	}
	if r.chance(12) {
		g.tree.args = append(g.tree.args, pick(r, "--reorder=legacy", "--reorder=none"))
	}
	for _, flag := range []string{"--load-restrictor=LoadRestrictionsNone", "--enable-managedby-label"} {
		if r.chance(6) {
			g.tree.args = append(g.tree.args, flag)
		}
	}
	if r.chance(6) {
		g.damage()
	}
	return g.tree
}

// careful tells whether the next part should be one that works.
func (g *generator) careful() bool { return !g.chance(g.careless) }

// style chooses how a file is written.
func (g *generator) style() style {
	if g.tame {
		return plainStyle(g.random)
	}
	return oddStyle(g.random)
}

// file adds a file to a directory and gives its name.
func (g *generator) file(directory, base, content string) string {
	g.files++
	extension := path.Ext(base)
	name := strings.TrimSuffix(base, extension)
	if _, taken := g.tree.files[path.Join(directory, base)]; taken || g.chance(10) {
		base = fmt.Sprintf("%s-%d%s", name, g.files, extension)
	}
	g.tree.files[path.Join(directory, base)] = content
	return base
}

// yamlFile writes documents as a file of a directory.
func (g *generator) yamlFile(directory, base string, documents ...value) string {
	if len(documents) == 1 && g.chance(4) {
		return g.file(directory, strings.TrimSuffix(base, ".yaml")+".json", toJSON(g.random, documents[0]))
	}
	if g.chance(2) {
		documents = append(documents, nil)
	}
	s := g.style()
	s.schemaComments = false
	return g.file(directory, base, write(g.random, s, documents...))
}

// relative is the path from one directory of the tree to another.
func relative(from, to string) string {
	if from == "." {
		return to
	}
	up := strings.Repeat("../", strings.Count(from, "/")+1)
	if to == "." {
		return strings.TrimSuffix(up, "/")
	}
	return up + to
}

func (g *generator) layer(directory string, depth int, kind string) []*object {
	l := &layer{directory: directory, fields: &mapping{}}
	if kind == "Component" || g.chance(50) {
		version := "kustomize.config.k8s.io/v1beta1"
		if kind == "Component" {
			version = "kustomize.config.k8s.io/v1alpha1"
		}
		l.fields.set("apiVersion", version)
		l.fields.set("kind", kind)
	}
	g.bases(l, depth)
	g.resources(l, kind == "Component", depth)
	if g.chance(12) && kind != "Component" || g.chance(3) {
		g.components(l)
	}
	g.features(l)
	if len(l.fields.entries) == 0 || l.fields.get("resources") == nil && g.chance(30) {
		l.fields.set("namePrefix", "p-")
	}
	g.kustomization(l)
	return l.objects
}

// bases adds the layers below.
func (g *generator) bases(l *layer, depth int) {
	if depth == 0 {
		return
	}
	count := pick(g.random, 1, 1, 1, 2)
	var entries []string
	for i := range count {
		directory := fmt.Sprintf("base%d", g.files)
		if g.chance(30) {
			directory = fmt.Sprintf("layers/%d-%d", depth, g.files+i)
		} else if g.chance(10) && l.directory != "." {
			directory = path.Join(l.directory, "sub")
		}
		if _, taken := g.tree.files[path.Join(directory, "kustomization.yaml")]; taken {
			continue
		}
		g.files++
		if g.chance(12) {
			entries = append(entries, g.diamond(l, directory, depth)...)
			continue
		}
		l.objects = append(l.objects, g.layer(directory, depth-1, "Kustomization")...)
		entry := relative(l.directory, directory)
		if g.chance(8) {
			entry = pick(g.random, entry+"/", "./"+entry, entry+"/.", path.Join(entry)+"//")
		}
		entries = append(entries, entry)
	}
	field := "resources"
	if g.chance(10) {
		field = "bases"
	}
	l.fields.set(field, entries)
}

// diamond puts two layers over one, which differ in names or namespaces.
func (g *generator) diamond(l *layer, directory string, depth int) []string {
	g.diamonds++
	below := g.layer(directory, depth-1, "Kustomization")
	g.diamonds--
	var entries []string
	for _, side := range []string{"left", "right"} {
		variant := &layer{directory: directory + "-" + side, fields: &mapping{}, objects: below}
		variant.fields.set("resources", []string{relative(variant.directory, directory)})
		switch g.IntN(4) {
		case 0:
			variant.fields.set("namespace", side)
		case 1:
			variant.fields.set("nameSuffix", "-"+side)
		default:
			variant.fields.set("namePrefix", side+"-")
		}
		if g.chance(40) {
			g.features(variant)
		}
		g.kustomization(variant)
		entries = append(entries, relative(l.directory, variant.directory))
	}
	return entries
}

// kustomization writes the file of a layer.
func (g *generator) kustomization(l *layer) {
	if g.chance(20) {
		g.Shuffle(len(l.fields.entries), func(i, j int) {
			l.fields.entries[i], l.fields.entries[j] = l.fields.entries[j], l.fields.entries[i]
		})
	}
	if g.chance(3) {
		chosen := &l.fields.entries[g.IntN(len(l.fields.entries))]
		chosen.key = pick(g.random, strings.ToLower(chosen.key), strings.ToUpper(chosen.key), strings.ToUpper(chosen.key[:1])+chosen.key[1:])
	}
	name := "kustomization.yaml"
	if g.chance(8) {
		name = pick(g.random, "kustomization.yml", "Kustomization")
	}
	s := g.style()
	s.schemaComments = false
	if s.anchors > 10 {
		s.anchors = 10
	}
	g.tree.files[path.Join(l.directory, name)] = write(g.random, s, l.fields)
}

// appendTo adds entries to a field that is a list.
func (l *layer) appendTo(field string, entries ...value) {
	present, _ := l.fields.get(field).(list)
	l.fields.set(field, append(present, entries...))
}

// resources adds files with objects.
func (g *generator) resources(l *layer, component bool, depth int) {
	count := g.between(1, 4)
	if depth > 0 {
		count = pick(g.random, 0, 0, 0, 1, 2)
	}
	if component && g.chance(50) {
		count = 0
	}
	var documents []value
	for range count {
		made := g.freshObject()
		l.objects = append(l.objects, made)
		documents = append(documents, made.body)
		if g.chance(50) {
			l.appendTo("resources", text(g.resourceFile(l.directory, documents)))
			documents = nil
		}
	}
	if len(documents) > 0 {
		l.appendTo("resources", text(g.resourceFile(l.directory, documents)))
	}
	if g.chance(2) && g.careful() {
		l.appendTo("resources", text(g.file(l.directory, "empty.yaml", pick(g.random, "", "# nothing\n", "---\n", "---\n---\n", "\n\n"))))
	} else if g.chance(2) && !g.careful() {
		l.appendTo("resources", text(g.file(l.directory, "empty.yaml", pick(g.random, "", "# nothing\n", "---\n", "---\n---\n", "\n\n", "{}\n", "null\n", "[]\n", "text\n"))))
	}
}

func (g *generator) resourceFile(directory string, documents []value) string {
	base := pick(g.random, "resources.yaml", "app.yaml", "deploy.yaml", "all.yml")
	if g.chance(5) {
		document := dict("apiVersion", "v1", "kind", "List", "items", documents)
		if g.chance(20) {
			document.set("kind", pick(g.random, "ConfigMapList", "DeploymentList", "WidgetList"))
		}
		return g.yamlFile(directory, base, document)
	}
	if g.chance(2) && !g.careful() {
		return g.yamlFile(directory, base, list(documents))
	}
	if g.chance(5) {
		base = "nested/" + base
	}
	return g.yamlFile(directory, base, documents...)
}

func (g *generator) freshObject() *object {
	for range 20 {
		made := g.object()
		id := made.kind + "/" + made.namespace + "/" + made.name
		if g.used[id] && !g.chance(1) {
			continue
		}
		fixed := made.kind == "Namespace" || made.kind == "CustomResourceDefinition" || made.kind == "APIService"
		if g.diamonds > 0 && fixed && g.careful() {
			continue
		}
		g.used[id] = true
		return made
	}
	made := g.object()
	made.name = fmt.Sprintf("unique-%d", g.IntN(1000000))
	made.body.get("metadata").(*mapping).set("name", made.name)
	return made
}

func (g *generator) components(l *layer) {
	for range g.between(1, 2) {
		g.files++
		directory := fmt.Sprintf("components/c%d", g.files)
		sub := &layer{directory: directory, fields: dict("apiVersion", "kustomize.config.k8s.io/v1alpha1", "kind", "Component"), objects: l.objects}
		g.resources(sub, true, 0)
		g.features(sub)
		if len(sub.fields.entries) == 2 {
			g.labels(sub)
		}
		g.kustomization(sub)
		l.objects = sub.objects
		l.generated = append(l.generated, sub.generated...)
		l.appendTo("components", text(relative(l.directory, directory)))
	}
}
