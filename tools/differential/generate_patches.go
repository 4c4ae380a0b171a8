package main

import (
	"path"
	"strings"
)

// strategicPatch makes a patch for an object from the object itself.
func (g *generator) strategicPatch(o *object) *mapping {
	g.patchedBefore[o] = true
	metadata := dict("name", o.name)
	if o.namespace != "" {
		metadata.set("namespace", o.namespace)
	}
	p := dict("apiVersion", o.apiVersion, "kind", o.kind, "metadata", metadata)
	if g.chance(6) {
		return p.set("$patch", pick(g.random, "delete", "delete", "replace", "merge"))
	}
	g.maybe(metadata, 25, "labels", func() any { return g.patchedMap(o, "labels") })
	g.maybe(metadata, 25, "annotations", func() any { return g.patchedMap(o, "annotations") })
	for _, e := range o.body.entries {
		if e.key == "apiVersion" || e.key == "kind" || e.key == "metadata" {
			continue
		}
		if g.chance(75) {
			p.set(e.key, g.patched(e.value, 8))
		}
	}
	if g.chance(5) {
		p.set(g.anyKey(), g.anyValue(2))
	}
	return p
}

func (g *generator) patchedMap(o *object, field string) value {
	metadata, _ := o.body.get("metadata").(*mapping)
	made := g.stringMap(2)
	if present, found := metadata.get(field).(*mapping); found && len(present.entries) > 0 && g.chance(50) {
		made.set(pick(g.random, present.entries...).key, pick[value](g.random, token("null"), text(g.anyText())))
	}
	if g.chance(4) {
		return token("null")
	}
	return made
}

// patched makes what a patch may say about a value.
func (g *generator) patched(item value, depth int) value {
	if depth == 0 || g.chance(2) && g.chance(50+g.careless) {
		return pick(g.random, value(token("null")), g.anyScalar(), copyOf(item))
	}
	switch item := item.(type) {
	case *mapping:
		return g.patchedMapping(item, depth)
	case list:
		return g.patchedList(item, depth)
	default:
		choice := g.IntN(8)
		if choice == 0 && g.chance(85) && g.careful() {
			choice = 1
		}
		switch choice {
		case 0:
			return token("null")
		case 1, 2:
			return item
		case 3:
			if g.oddity > 0 {
				return g.anyScalar()
			}
		case 4:
			return token(itoa(g.IntN(100)))
		}
		return text(g.anyText())
	}
}

func (g *generator) patchedMapping(item *mapping, depth int) value {
	made := &mapping{}
	for _, e := range item.entries {
		identifies := e.key == "name" || e.key == "containerPort" || e.key == "port" || e.key == "mountPath" || e.key == "type"
		if identifies && g.chance(80) {
			made.set(e.key, e.value)
		} else if g.chance(35) {
			made.set(e.key, g.patched(e.value, depth-1))
		}
	}
	g.maybe(made, 12, g.anyKey(), func() any { return g.anyValue(1) })
	if g.chance(3) {
		made.set("$patch", pick(g.random, "replace", "delete", "merge"))
	}
	if g.chance(2) && len(item.entries) > 0 {
		made.set("$retainKeys", []string{pick(g.random, item.entries...).key, "name"})
	}
	return made
}

func (g *generator) patchedList(items list, depth int) value {
	made := list{}
	for _, element := range items {
		if !g.chance(50) {
			continue
		}
		patched := g.patched(element, depth-1)
		if m, isMapping := patched.(*mapping); isMapping && g.chance(6) {
			m.set("$patch", pick(g.random, "delete", "delete", "replace", "merge"))
		}
		made = append(made, patched)
	}
	if len(items) > 0 && g.chance(20) {
		extra := copyOf(pick(g.random, items...))
		if m, isMapping := extra.(*mapping); isMapping && m.get("name") != nil {
			m.set("name", pick(g.random, "extra", "LOG_LEVEL", "app", "sidecar"))
		}
		made = append(made, extra)
	}
	if g.chance(3) {
		made = append(made, dict("$patch", pick(g.random, "replace", "delete", "merge")))
	}
	if g.chance(10) {
		g.Shuffle(len(made), func(i, j int) { made[i], made[j] = made[j], made[i] })
	}
	return made
}

// directives adds the directives that stand beside lists.
func (g *generator) directives(o *object, p *mapping) {
	spec, _ := p.get("spec").(*mapping)
	if spec == nil {
		return
	}
	if template, found := spec.get("template").(*mapping); found {
		if inner, found := template.get("spec").(*mapping); found {
			spec = inner
		}
	}
	switch g.IntN(3) {
	case 0:
		spec.set("$setElementOrder/containers", []value{dict("name", "sidecar"), dict("name", "app"), dict("name", "main")})
	case 1:
		spec.set("$deleteFromPrimitiveList/finalizers", []string{"a", "b"})
	default:
		spec.set("$retainKeys", []string{"containers", "volumes", "type"})
	}
}

// jsonPatch makes operations for an object.
func (g *generator) jsonPatch(o *object) list {
	var operations list
	defer func() { g.patchedBefore[o] = true }()
	for range g.between(1, 3) {
		pointer := g.pointer(o)
		choice := g.IntN(9)
		if g.careful() && choice != 2 && choice != 3 {
			if choice > 5 && g.patchedBefore[o] || choice < 5 {
				operations = append(operations, dict("op", "add", "path", g.newPointer(o), "value", g.anyValue(1)))
				continue
			}
		}
		switch choice {
		case 0:
			if pointer != nowhere {
				operations = append(operations, dict("op", "remove", "path", pointer))
			}
		case 1:
			operations = append(operations, dict("op", "add", "path", g.newPointer(o), "value", g.anyScalar()))
		case 2:
			if pointer == nowhere || g.patchedBefore[o] && g.careful() {
				continue
			}
			operations = append(operations, dict("op", pick(g.random, "copy", "move"), "from", pointer, "path", pick(g.random, g.newPointer(o), pointer)))
		case 3:
			if g.patchedBefore[o] && g.careful() {
				continue
			}
			if item := g.scalarAt(o, pointer); item != nil {
				operations = append(operations, dict("op", "test", "path", pointer, "value", item))
			}
		case 4:
			operations = append(operations, dict("op", "add", "path", pointer, "value", g.anyValue(2)))
		default:
			operations = append(operations, dict("op", "replace", "path", pointer, "value", g.anyScalar()))
		}
	}
	if len(operations) == 0 {
		operations = append(operations, dict("op", "replace", "path", "/metadata/name", "value", pick(g.random, o.name, g.name())))
	}
	return operations
}

// newPointer gives a JSON pointer to where nothing is yet.
func (g *generator) newPointer(o *object) string {
	if !g.careful() {
		return pick(g.random, "/metadata/labels/new", "/spec/new", "/spec/template/spec/containers/-", "/metadata/annotations/a~1b", "/data/copied")
	}
	var places []string
	for _, e := range o.body.entries {
		if m, isMapping := e.value.(*mapping); isMapping {
			places = append(places, "/"+e.key+"/new")
			if g.patchedBefore[o] {
				continue
			}
			for _, inner := range m.entries {
				switch inner.value.(type) {
				case *mapping:
					places = append(places, "/"+e.key+"/"+inner.key+"/a~1b")
				case list:
					places = append(places, "/"+e.key+"/"+inner.key+"/-")
				}
			}
		}
	}
	return pick(g.random, places...)
}

// pointer gives a JSON pointer into an object, to a scalar or to what holds one.
func (g *generator) pointer(o *object) string {
	for range 5 {
		parts := g.scalarParts(o.body, 9)
		if len(parts) == 0 || parts[0] == "apiVersion" || parts[0] == "kind" || identity(parts) {
			continue
		}
		if g.chance(15) && len(parts) > 3 {
			parts = parts[:len(parts)-1]
		}
		for i, part := range parts {
			parts[i] = strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(part, "\x00"), "~", "~0"), "/", "~1")
		}
		if g.chance(2) && !g.careful() {
			parts = append(parts, "missing")
		}
		return "/" + strings.Join(parts, "/")
	}
	return nowhere
}

// nowhere is a pointer that can be added to, and leads to nothing yet.
const nowhere = "/metadata/generation"

// identity tells whether a path leads to what kustomize keeps its own notes by, or in: malformed, that is another story.
func identity(parts []string) bool {
	if len(parts) == 0 || parts[0] != "metadata" {
		return false
	}
	return len(parts) == 1 || len(parts) == 2 && (parts[1] == "name" || parts[1] == "namespace" || parts[1] == "annotations")
}

func (g *generator) scalarAt(o *object, pointer string) value {
	var at value = o.body
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		m, isMapping := at.(*mapping)
		if !isMapping {
			return nil
		}
		at = m.get(strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~"))
	}
	switch at := at.(type) {
	case text, token:
		return at
	default:
		return nil
	}
}

// target makes a selector that should find an object.
func (g *generator) target(o *object) *mapping {
	t := dict("kind", o.kind)
	g.maybe(t, 60, "name", func() any {
		return pick(g.random, o.name, o.name, o.name, ".*", "^"+o.name+"$", o.name[:len(o.name)-1]+".", pick(g.random, o.name, "(app|web)", o.name[:1]+".*"))
	})
	if o.namespace != "" {
		g.maybe(t, 40, "namespace", func() any { return pick(g.random, o.namespace, ".*") })
	}
	group, version, found := strings.Cut(o.apiVersion, "/")
	if !found {
		group, version = "", o.apiVersion
	}
	g.maybe(t, 25, "version", func() any { return version })
	if group != "" {
		g.maybe(t, 25, "group", func() any { return group })
	}
	g.maybe(t, 12, "labelSelector", func() any {
		return pick(g.random, "app=alpha", "app", "!app", "app in (alpha,beta)", "tier notin (one), env", "app!=alpha", "app.kubernetes.io/name=blue")
	})
	g.maybe(t, 8, "annotationSelector", func() any { return pick(g.random, "env=one", "team", "!team", "app in (blue, green)") })
	if g.chance(10) {
		t.remove("kind")
	}
	return t
}

// patchTarget chooses what to patch; objects of layers below come first in the list.
func (g *generator) patchTarget(l *layer) *object {
	if len(l.objects) == 0 {
		return nil
	}
	return pick(g.random, l.objects...)
}

func (g *generator) patches(l *layer) {
	for range pick(g.random, 1, 1, 2, 3) {
		o := g.patchTarget(l)
		if o == nil {
			return
		}
		e := &mapping{}
		var documents []value
		if g.chance(55) {
			p := g.strategicPatch(o)
			if g.chance(5) {
				g.directives(o, p)
			}
			documents = []value{p}
			if g.chance(40) {
				e.set("target", g.target(o))
				if g.chance(30) {
					p.get("metadata").(*mapping).set("name", pick(g.random, "any", "not-used", "ignored"))
				}
			} else if g.chance(10) {
				if other := g.patchTarget(l); other != o {
					documents = append(documents, g.strategicPatch(other))
				}
			}
		} else {
			documents = []value{g.jsonPatch(o)}
			e.set("target", g.target(o))
		}
		g.maybe(e, 6, "options", func() any {
			if e.get("target") != nil {
				return dict("allowNameChange", true)
			}
			return dict(pick(g.random, "allowNameChange", "allowKindChange"), true)
		})
		g.placePatch(l, e, documents)
		g.reorder(e)
		l.appendTo("patches", e)
	}
}

// placePatch writes a patch into a file or into the kustomization.
func (g *generator) placePatch(l *layer, e *mapping, documents []value) {
	if g.chance(50) {
		e.set("path", g.yamlFile(l.directory, pick(g.random, "patch.yaml", "fix.yaml", "patches/p.yaml"), documents...))
		return
	}
	e.set("patch", g.inline(documents...))
}

// inline writes documents as a text in the kustomization.
func (g *generator) inline(documents ...value) string {
	if len(documents) == 1 && g.chance(8) {
		return toJSON(g.random, documents[0])
	}
	s := g.style()
	s.byteOrderMark, s.carriageReturns = false, false
	return write(g.random, s, documents...)
}

func (g *generator) patchesStrategicMerge(l *layer) {
	for range pick(g.random, 1, 1, 2) {
		o := g.patchTarget(l)
		if o == nil {
			return
		}
		p := g.strategicPatch(o)
		if g.chance(8) {
			g.directives(o, p)
		}
		if g.chance(60) {
			l.appendTo("patchesStrategicMerge", text(g.yamlFile(l.directory, "strategic.yaml", p)))
		} else {
			l.appendTo("patchesStrategicMerge", text(g.inline(p)))
		}
	}
}

func (g *generator) patchesJSON6902(l *layer) {
	o := g.patchTarget(l)
	if o == nil {
		return
	}
	t := g.exactTarget(o)
	e := dict("target", t)
	g.placePatch(l, e, []value{g.jsonPatch(o)})
	field := "patchesJson6902"
	if g.chance(15) {
		field = pick(g.random, "patchesJSON6902", "patchesjson6902")
	}
	// One field in two spellings is another matter.
	for _, present := range l.fields.entries {
		if strings.EqualFold(present.key, field) {
			field = present.key
		}
	}
	l.appendTo(field, e)
}

func (g *generator) exactTarget(o *object) *mapping {
	group, version, found := strings.Cut(o.apiVersion, "/")
	if !found {
		group, version = "", o.apiVersion
	}
	t := dict("version", version, "kind", o.kind, "name", o.name)
	if group != "" {
		t.set("group", group)
	}
	if o.namespace != "" {
		t.set("namespace", o.namespace)
	}
	return t
}

// outside names a file of the tree relative to a directory.
func outside(directory, name string) string { return relative(directory, path.Clean(name)) }
