package main

import (
	"strconv"
	"strings"
)

// fieldPath gives a path for a replacement: mostly to a scalar that is there.
func (g *generator) fieldPath(o *object) string {
	if g.careful() {
		if data, found := o.body.get("data").(*mapping); found && g.chance(40) {
			if content, found := data.get("config.yaml").(text); found && strings.HasPrefix(string(content), "database") {
				return pick(g.random, "data.config\\.yaml.database.host", "data.[config.yaml].database.port", "data.config\\.yaml.items.[name=a].value", "data.config\\.yaml.items.1.name", "data.config\\.yaml.items.*.name")
			}
			if content, found := data.get("config.json").(text); found && strings.HasPrefix(string(content), "{\"database") {
				return pick(g.random, "data.config\\.json.database.port", "data.[config.json].items.[name=a].value", "data.[config.json].items.0.name")
			}
		}
	} else {
		switch g.IntN(6) {
		case 0:
			return pick(g.random, "metadata.name", "metadata.namespace", "metadata.labels.app", "metadata.annotations.note", "metadata.labels.[app.kubernetes.io/name]", "metadata.annotations.[example.com/owner]")
		case 1:
			return pick(g.random, "spec.template.spec.containers.[name=app].image", "spec.template.spec.containers.*.image", "spec.template.spec.containers.[name=app].env.[name=HOST].value",
				"spec.template.spec.containers.0.env.0.value", "spec.template.spec.containers.*.env.*.value", "spec.template.metadata.labels.app", "spec.rules.0.host", "spec.rules.*.host", "data.config\\.yaml", "data.config\\.json",
				"spec.template.spec.containers.-.image", "spec.ports.[name=http].port", "spec.items.[name=a].value", "spec.template.spec.initContainers.[name=init].image", "spec.selector.app", "spec.*.app")
		case 2:
			return pick(g.random, "data.config\\.yaml.database.host", "data.config\\.yaml.items.[name=a].value", "data.config\\.json.database.port", "data.config\\.json.items.0.name", "data.config\\.yaml.new", "spec.source.helm.values.b.c", "data.[config.json].items.[name=a].value")
		}
	}
	var parts []string
	for range 8 {
		parts = g.scalarParts(o.body, 9)
		_, isText := valueAt(o.body, parts).(text)
		if len(parts) > 1 && (isText || !g.careful()) || len(parts) == 1 && !identity(parts) && !g.careful() {
			break
		}
		parts = nil
	}
	if len(parts) < 2 || identity(parts) {
		return "metadata.name"
	}
	if g.chance(10) && len(parts) > 2 && !identity(parts[:len(parts)-1]) && !g.careful() {
		parts = parts[:len(parts)-1]
	}
	for i, part := range parts {
		part = strings.TrimPrefix(part, "\x00")
		if strings.Contains(part, ".") {
			if g.chance(50) {
				part = "[" + part + "]"
			} else {
				part = strings.ReplaceAll(part, ".", `\.`)
			}
		}
		parts[i] = part
	}
	for i := range parts {
		if i > 0 && len(parts[i]) == 1 && parts[i][0] >= '0' && parts[i][0] <= '9' && g.chance(30) {
			parts[i] = "*"
		} else if i > 0 && !g.careful() {
			parts[i] = pick(g.random, "*", "[name="+pick(g.random, "app", "main", "sidecar", "http", "a")+"]")
		}
	}
	return strings.Join(parts, ".")
}

// valueAt follows keys and indices.
func valueAt(at value, parts []string) value {
	for _, part := range parts {
		switch inner := at.(type) {
		case *mapping:
			at = inner.get(part)
		case list:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(inner) {
				return nil
			}
			at = inner[i]
		default:
			return nil
		}
	}
	return at
}

func (g *generator) replacementOptions() *mapping {
	o := &mapping{}
	if g.careful() {
		return pick(g.random, dict("delimiter", pick(g.random, ":", "-", "/", "="), "index", 0), dict("delimiter", pick(g.random, ":", "-", "/", ".")), dict("create", true), dict("create", true), dict("create", true), dict("index", 0))
	}
	g.maybe(o, 60, "delimiter", func() any { return pick(g.random, ":", "-", "/", ".", "", "=", " ") })
	g.maybe(o, 50, "index", func() any { return pick(g.random, 0, 0, 1, 1, 2, -1, 5) })
	g.maybe(o, 35, "create", func() any { return true })
	g.maybe(o, 4, "encoding", func() any { return pick(g.random, "base64", "hex") })
	return o
}

func (g *generator) replacement(l *layer) *mapping {
	r := &mapping{}
	from := g.patchTarget(l)
	if g.chance(12) {
		r.set("sourceValue", g.anyText())
	} else {
		source := g.exactTarget(from)
		for _, key := range []string{"version", "group", "namespace", "kind"} {
			if g.chance(35) && !g.careful() && source.get(key) != nil && (key != "kind" || g.chance(20)) {
				source.remove(key)
			}
		}
		g.maybe(source, 75, "fieldPath", func() any {
			if p := g.fieldPath(from); !g.careful() || !strings.Contains(p, "*") && !g.patchedBefore[from] && from.kind != "Secret" {
				return p
			}
			return "metadata.name"
		})
		if g.chance(20) {
			source.set("options", g.replacementOptions())
		}
		r.set("source", source)
	}
	r.set("targets", repeat(g, 1, 2, func() *mapping {
		to := g.patchTarget(l)
		t := dict("select", g.replacementSelect(to))
		g.maybe(t, 95, "fieldPaths", func() any {
			return repeat(g, 1, 2, func() value {
				p := g.fieldPath(to)
				if g.patchedBefore[to] && g.careful() {
					p = pick(g.random, "metadata.labels.app", "metadata.annotations.[example.com/owner]", "metadata.name", "spec.new")
				}
				return text(p)
			})
		})
		g.maybe(t, 12, "reject", func() any { return repeat(g, 1, 1, func() *mapping { return g.replacementSelect(g.patchTarget(l)) }) })
		if g.careful() && (g.patchedBefore[to] || g.chance(70)) {
			return t.set("options", dict("create", true))
		}
		g.maybe(t, 45, "options", func() any { return g.replacementOptions() })
		return t
	}))
	return r
}

func (g *generator) replacementSelect(o *object) *mapping {
	s := dict("kind", o.kind)
	if g.careful() {
		s.set("name", o.name)
		if o.namespace != "" {
			s.set("namespace", o.namespace)
		}
		return s
	}
	g.maybe(s, 60, "name", func() any {
		return pick(g.random, o.name, o.name, o.name, o.name, o.name, o.name, o.name, ".*", "app|web")
	})
	if o.namespace != "" {
		g.maybe(s, 30, "namespace", func() any { return o.namespace })
	}
	g.maybe(s, 6, "labelSelector", func() any { return pick(g.random, "app", "app=alpha") })
	if g.chance(10) {
		s.remove("kind")
		s.set("name", o.name)
	}
	return s
}

func (g *generator) replacements(l *layer) {
	if len(l.objects) == 0 {
		return
	}
	for range pick(g.random, 1, 1, 2, 3) {
		r := g.replacement(l)
		if g.chance(75) {
			l.appendTo("replacements", r)
			continue
		}
		var document value = r
		if g.chance(30) {
			document = list{r, g.replacement(l)}
		}
		l.appendTo("replacements", dict("path", g.yamlFile(l.directory, "replacement.yaml", document)))
	}
}
