package main

import (
	"path"
	"strings"
)

// plugins adds generators, transformers or validators: inline, in files, or in a directory with a kustomization.
func (g *generator) plugins(l *layer) {
	field := pick(g.random, "generators", "transformers", "transformers", "transformers", "validators")
	var documents []value
	for range pick(g.random, 1, 1, 2) {
		if field == "validators" && g.careful() {
			documents = append(documents, g.plugin("LabelTransformer").set("labels", dict("a", "b")).set("fieldSpecs", []value{dict("path", "spec/x", "kind", "Nothing")}))
		} else if field == "generators" {
			documents = append(documents, g.generatorPlugin(l))
		} else if field == "validators" {
			documents = append(documents, g.patchPlugin(l, 4))
		} else {
			documents = append(documents, g.transformerPlugin(l))
		}
	}
	switch g.IntN(5) {
	case 0, 1:
		l.appendTo(field, text(g.inline(documents...)))
	case 2:
		g.files++
		directory := path.Join(l.directory, "plugins-"+itoa(g.files))
		name := g.yamlFile(directory, "plugin.yaml", documents...)
		fields := dict("resources", []string{name})
		g.maybe(fields, 10, "namePrefix", func() any { return "p-" })
		g.tree.files[path.Join(directory, "kustomization.yaml")] = write(g.random, plainStyle(g.random), fields)
		l.appendTo(field, text(relative(l.directory, directory)))
	default:
		l.appendTo(field, text(g.yamlFile(l.directory, "plugin.yaml", documents...)))
	}
}

func (g *generator) plugin(kind string) *mapping {
	return dict("apiVersion", "builtin", "kind", kind, "metadata", dict("name", pick(g.random, "x", "plugin", "not-important")+itoa(g.IntN(1000))))
}

func (g *generator) generatorPlugin(l *layer) *mapping {
	switch g.IntN(5) {
	case 0:
		p := g.plugin("IAMPolicyGenerator")
		p.set("cloud", "gke")
		service := dict("name", g.name())
		g.maybe(service, 60, "namespace", func() any { return g.namespaceName() })
		p.set("kubernetesService", service)
		p.set("serviceAccount", dict("name", "gsa", "projectId", "project"))
		return p
	case 1, 2:
		return g.pluginOf(l, "Secret")
	default:
		return g.pluginOf(l, "ConfigMap")
	}
}

// pluginOf writes an entry of a generator as a plugin: its name and namespace are metadata there.
func (g *generator) pluginOf(l *layer, kind string) *mapping {
	e := g.generatorEntry(l, kind)
	p := g.plugin(kind + "Generator")
	metadata := dict("name", e.get("name"))
	if namespace := e.get("namespace"); namespace != nil {
		metadata.set("namespace", namespace)
	}
	p.set("metadata", metadata)
	for _, e := range e.entries {
		if e.key != "name" && e.key != "namespace" {
			p.set(e.key, e.value)
		}
	}
	return p
}

// specs gives field specs, with kinds that are there.
func (g *generator) specs(paths ...string) []value {
	return repeat(g, 1, 2, func() *mapping {
		s := dict("path", pick(g.random, paths...))
		g.maybe(s, 50, "create", func() any { return g.chance(60) })
		g.maybe(s, 40, "kind", func() any { return pick(g.random, "Deployment", "Service", "Widget", "ConfigMap") })
		g.maybe(s, 10, "group", func() any { return "apps" })
		g.maybe(s, 10, "version", func() any { return "v1" })
		return s
	})
}

func (g *generator) transformerPlugin(l *layer) *mapping {
	switch g.IntN(15) {
	case 0:
		return g.plugin("AnnotationsTransformer").set("annotations", g.tameMap()).set("fieldSpecs", g.specs("metadata/annotations", "spec/template/metadata/annotations", "spec/notes"))
	case 1:
		return g.plugin("LabelTransformer").set("labels", g.tameMap()).set("fieldSpecs", g.specs("metadata/labels", "spec/selector/matchLabels", "spec/template/metadata/labels", "spec/selector"))
	case 2:
		p := g.plugin("NamespaceTransformer")
		p.get("metadata").(*mapping).set("namespace", g.namespaceName())
		g.maybe(p, 40, "unsetOnly", func() any { return g.chance(70) })
		g.maybe(p, 50, "setRoleBindingSubjects", func() any { return pick(g.random, "defaultOnly", "allServiceAccounts", "none") })
		g.maybe(p, 50, "fieldSpecs", func() any { return g.specs("metadata/namespace", "spec/namespace", "metadata/name") })
		return p
	case 3:
		return g.affix(g.plugin("PrefixTransformer"), "prefix")
	case 4:
		return g.affix(g.plugin("SuffixTransformer"), "suffix")
	case 5:
		return g.affix(g.affix(g.plugin("PrefixSuffixTransformer"), "prefix"), "suffix")
	case 6:
		return g.plugin("HashTransformer")
	case 7:
		p := g.plugin("ImageTagTransformer").set("imageTag", g.imageEntry())
		g.maybe(p, 70, "fieldSpecs", func() any {
			return g.specs("spec/template/spec/containers[]/image", "spec/image", "spec/containers/image", "spec/items/image", "image")
		})
		return p
	case 8:
		return g.plugin("ReplicaCountTransformer").set("replica", dict("name", g.replicated(l), "count", g.IntN(9))).set("fieldSpecs", g.specs("spec/replicas", "spec/size"))
	case 9:
		return g.valueAdd()
	case 10:
		if len(l.objects) > 0 {
			return g.plugin("ReplacementTransformer").set("replacements", []value{g.replacement(l)})
		}
	default:
		return g.patchPlugin(l, 6)
	}
	return g.plugin("HashTransformer")
}

// patchPlugin makes one of the plugins that patch, one of the first so many forms. A validator must be one of the first
// four: what else writes what is there already may count as a change in kustomize and as none here, or the other way.
func (g *generator) patchPlugin(l *layer, forms int) *mapping {
	o := g.patchTarget(l)
	if o == nil {
		return g.plugin("HashTransformer")
	}
	switch g.IntN(forms) {
	case 0:
		return g.plugin("PatchTransformer").set("target", g.target(o)).set("patch", g.inline(g.strategicPatch(o)))
	case 1:
		return g.plugin("PatchTransformer").set("target", g.target(o)).set("patch", g.inline(g.jsonPatch(o)))
	case 2:
		return g.plugin("PatchStrategicMergeTransformer").set("patches", g.inline(g.strategicPatch(o)))
	case 3:
		return g.plugin("PatchStrategicMergeTransformer").set("paths", []string{g.yamlFile(l.directory, "strategic.yaml", g.strategicPatch(o))})
	case 4:
		return g.plugin("PatchJson6902Transformer").set("target", g.exactTarget(o)).set("jsonOp", g.inline(g.jsonPatch(o)))
	default:
		return g.plugin("PatchJson6902Transformer").set("target", g.exactTarget(o)).set("path", g.yamlFile(l.directory, "json.yaml", g.jsonPatch(o)))
	}
}

// replicated gives the name of some object.
func (g *generator) replicated(l *layer) string {
	if o := g.patchTarget(l); o != nil {
		return o.name
	}
	return g.name()
}

func (g *generator) affix(p *mapping, field string) *mapping {
	p.set(field, pick(g.random, "a-", "-b", "x"))
	return p.set("fieldSpecs", g.specs("metadata/name", "spec/size", "spec/secretRef/name"))
}

func (g *generator) valueAdd() *mapping {
	p := g.plugin("ValueAddTransformer")
	g.maybe(p, 80, "value", func() any { return pick(g.random, g.word(), g.anyText()) })
	p.set("targets", repeat(g, 1, 2, func() *mapping {
		t := dict("selector", dict("kind", pick(g.random, "Deployment", "Service", "ConfigMap", "Namespace", "Widget")),
			"fieldPath", pick(g.random, "metadata/namespace", "metadata/labels/added", "metadata/annotations/added", "spec/added", "metadata/name", "data/path"))
		g.maybe(t, 20, "filePathPosition", func() any { return g.between(1, 3) })
		return t
	}))
	return p
}

// damage makes a tree wrong in one place, or in a way that only looks wrong.
func (g *generator) damage() {
	names := g.tree.names()
	name := pick(g.random, names...)
	lines := splitLines(g.tree.files[name])
	if len(lines) == 0 {
		return
	}
	at := g.IntN(len(lines))
	switch g.IntN(12) {
	case 0:
		delete(g.tree.files, name)
		return
	case 1:
		lines = append(lines[:at], lines[blockEnd(lines, at):]...)
	case 2:
		lines = append(lines[:at+1], append([]string{lines[at]}, lines[at+1:]...)...)
	case 3:
		lines[at] = " " + lines[at]
	case 4:
		key, _, found := strings.Cut(lines[at], ":")
		if found {
			lines[at] = key + ": " + pick(g.random, "[]", "{}", "null", "5", "text", "[a]", "{a: b}", "true", "") + "\n"
		}
	case 5:
		lines[at] = strings.Replace(lines[at], ":", "x:", 1)
	case 6:
		// A comment behind a tab is read by one of kustomize's two readers, and not by the other.
		if !strings.HasPrefix(strings.TrimSpace(lines[at]), "#") {
			lines[at] = "\t" + lines[at]
		}
	case 7:
		lines = lines[:at]
	case 8:
		lines[at] = strings.Replace(lines[at], pick(g.random, "e", "a", "n", "- ", ": ", "\""), pick(g.random, "E", "", "&", "*", ": ", "'"), 1)
	case 9:
		for _, other := range names {
			if strings.HasPrefix(path.Base(other), "kustomization") {
				g.tree.files[other] += pick(g.random, "resources: [.]\n", "unknown: field\n", "kind: Other\n", "apiVersion: v1\n", "nameSuffix: [a]\n", "resources:\n- missing.yaml\n", "components: [../base]\n", "images: {}\n", "namePrefix:\n  a: b\n", "commonLabels: [a]\n")
				return
			}
		}
	case 10:
		end := blockEnd(lines, at)
		block := append([]string(nil), lines[at:end]...)
		lines = append(lines[:end], append(block, lines[end:]...)...)
	default:
		lines[at] = strings.TrimLeft(lines[at], " ")
	}
	g.tree.files[name] = strings.Join(lines, "")
}
