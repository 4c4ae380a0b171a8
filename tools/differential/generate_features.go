package main

import "strings"

// features adds fields of a kustomization, each with its weight.
func (g *generator) features(l *layer) {
	choices := []struct {
		weight int
		add    func(l *layer)
	}{
		{10, g.names}, {8, g.namespaceField}, {9, g.labels}, {6, g.commonLabels}, {6, g.commonAnnotations}, {8, g.images}, {4, g.replicas},
		{14, g.configMapGenerator}, {8, g.secretGenerator}, {4, g.generatorOptions}, {16, g.patches}, {6, g.patchesStrategicMerge}, {6, g.patchesJSON6902},
		{10, g.replacements}, {7, g.vars}, {5, g.configurations}, {3, g.crds}, {2, g.openapi}, {12, g.plugins}, {4, g.sortOptions}, {4, g.buildMetadata}, {1, g.metadataField},
	}
	total := 0
	for _, choice := range choices {
		total += choice.weight
	}
	for range pick(g.random, 0, 1, 1, 2, 2, 3, 4, 6) {
		chosen := g.IntN(total)
		for _, choice := range choices {
			if chosen -= choice.weight; chosen < 0 {
				choice.add(l)
				break
			}
		}
	}
}

func (g *generator) names(l *layer) {
	if g.chance(70) {
		l.fields.set("namePrefix", pick(g.random, "dev-", "p-", "prod-", "x", "", "1-"))
	}
	if g.chance(40) {
		l.fields.set("nameSuffix", pick(g.random, "-v1", "-s", "-2", "y", "-"))
	}
}

func (g *generator) namespaceField(l *layer) {
	l.fields.set("namespace", pick(g.random, g.namespaceName(), g.namespaceName(), g.namespaceName(), "other", "default", "123"))
}

func (g *generator) labels(l *layer) {
	var entries []value
	for range pick(g.random, 1, 1, 2) {
		e := dict("pairs", g.stringMap(3))
		g.maybe(e, 35, "includeSelectors", func() any { return g.chance(60) })
		g.maybe(e, 30, "includeTemplates", func() any { return g.chance(60) })
		g.maybe(e, 10, "includeVolumeClaimTemplates", func() any { return true })
		g.maybe(e, 12, "fields", func() any { return repeat(g, 1, 2, g.fieldSpec) })
		entries = append(entries, e)
	}
	l.appendTo("labels", entries...)
}

// fieldSpec names a field for labels, names or annotations.
func (g *generator) fieldSpec() *mapping {
	s := dict("path", pick(g.random, "spec/template/metadata/labels", "spec/labels", "metadata/labels", "spec/selector", "spec/items/labels", "spec/items[]/labels", "spec/template/spec/nodeSelector",
		"spec/jobTemplate/metadata/labels", "data/labels", "spec/a\\/b", "spec/*/labels"))
	if g.careful() {
		// Fields of which the built-in specs say nothing.
		s.set("path", pick(g.random, "spec/labels", "spec/items/labels", "spec/items[]/labels", "spec/extra/labels", "spec/a\\/b"))
		g.maybe(s, 30, "kind", func() any { return pick(g.random, "Widget", "Service") })
		return s
	}
	g.maybe(s, 60, "create", func() any { return g.chance(70) })
	g.maybe(s, 50, "kind", func() any {
		return pick(g.random, "Deployment", "Service", "Widget", "ConfigMap", "StatefulSet", "CronJob")
	})
	g.maybe(s, 10, "group", func() any { return pick(g.random, "apps", "example.com", "") })
	g.maybe(s, 10, "version", func() any { return pick(g.random, "v1", "v2") })
	return s
}

func (g *generator) commonLabels(l *layer) { l.fields.set("commonLabels", g.tameMap()) }

func (g *generator) commonAnnotations(l *layer) { l.fields.set("commonAnnotations", g.tameMap()) }

// tameMap gives texts whose keys are no numbers or booleans most of the time.
func (g *generator) tameMap() *mapping {
	made := &mapping{}
	for range g.between(1, 3) {
		var item value = text(g.anyText())
		if g.chance(g.oddity/6) && !g.careful() {
			item = g.anyScalar()
		}
		made.set(pick(g.random, "app", "team", "note", "example.com/owner", "app.kubernetes.io/part-of", "a b"), item)
	}
	return made
}

func (g *generator) images(l *layer) {
	field := "images"
	if g.chance(6) {
		field = "imageTags"
	}
	l.appendTo(field, repeat(g, 1, 3, func() *mapping { return g.imageEntry() })...)
}

func (g *generator) imageEntry() *mapping {
	e := dict("name", pick(g.random, "nginx", "busybox", "redis", "app", "my-app", "registry.example.com:5000/team/app", "ghcr.io/org/app", "docker.io/library/nginx", ".*", "ngin"))
	g.maybe(e, 45, "newName", func() any { return pick(g.random, "mirror.local/nginx", "other", "localhost:5000/x") })
	g.maybe(e, 55, "newTag", func() any {
		if g.chance(10) && !g.careful() {
			return token("1.20")
		}
		return pick(g.random, "v2", "1.0", "007", "latest")
	})
	g.maybe(e, 20, "digest", func() any {
		return "sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3"
	})
	g.maybe(e, 12, "tagSuffix", func() any { return pick(g.random, "-x", "-debug") })
	return e
}

func (g *generator) replicas(l *layer) {
	var entries []value
	for range g.between(1, 2) {
		name := ""
		for _, o := range l.objects {
			if (o.kind == "Deployment" || o.kind == "StatefulSet" || o.kind == "ReplicaSet") && (name == "" || g.chance(50)) {
				name = o.name
			}
		}
		if !g.careful() {
			name = g.name()
		}
		if name == "" {
			return
		}
		entries = append(entries, dict("name", name, "count", pick[value](g.random, token("0"), token("3"), token("7"), token("0x10"))))
	}
	l.appendTo("replicas", entries...)
}

func (g *generator) sortOptions(l *layer) {
	switch g.IntN(4) {
	case 0:
		l.fields.set("sortOptions", dict("order", "fifo"))
	case 1:
		l.fields.set("sortOptions", dict("order", "legacy"))
	default:
		kindsOf := func() []string {
			return some(g.random, 5, "Namespace", "Deployment", "Service", "ConfigMap", "Secret", "Widget", "StatefulSet", "Ingress")
		}
		options := &mapping{}
		g.maybe(options, 70, "orderFirst", func() any { return kindsOf() })
		g.maybe(options, 70, "orderLast", func() any { return kindsOf() })
		l.fields.set("sortOptions", dict("order", "legacy", "legacySortOptions", options))
	}
}

func (g *generator) buildMetadata(l *layer) {
	l.fields.set("buildMetadata", some(g.random, 3, "originAnnotations", "transformerAnnotations", "managedByLabel"))
}

func (g *generator) metadataField(l *layer) {
	m := dict("name", g.name())
	g.maybe(m, 50, "annotations", func() any { return g.stringMap(2) })
	l.fields.set("metadata", m)
}

// crds adds a file of definitions, as kustomize reads them.
func (g *generator) crds(l *layer) {
	field := func() *mapping {
		f := dict("x-kubernetes-object-ref-api-version", "v1", "x-kubernetes-object-ref-kind", pick(g.random, "Secret", "ConfigMap", "Service"))
		g.maybe(f, 60, "x-kubernetes-object-ref-name-key", func() any { return "name" })
		return f
	}
	spec := dict("properties", dict("secretRef", field(), "size", dict("type", "string"), "labels", dict("x-kubernetes-label-selector", ""), "notes", dict("x-kubernetes-annotation", ""),
		"me", dict("x-kubernetes-identity", "")))
	definitions := dict("example.com/v1.Widget", dict("Schema", dict("properties", dict("apiVersion", dict("type", "string"), "kind", dict("type", "string"), "metadata", dict("$ref", "k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta"), "spec", dict("$ref", "example.com/v1.WidgetSpec"))), "Dependencies", []string{}),
		"example.com/v1.WidgetSpec", dict("Schema", spec, "Dependencies", []string{}))
	content := toJSON(g.random, definitions)
	if g.chance(50) {
		content = write(g.random, plainStyle(g.random), definitions)
	}
	l.appendTo("crds", text(g.file(l.directory, pick(g.random, "crd.json", "crd.yaml"), content)))
}

// openapi adds a schema, with merge keys for the custom kind.
func (g *generator) openapi(l *layer) {
	if g.chance(30) {
		version := "v1.21.2"
		if !g.careful() {
			version = "v1.20.4"
		}
		l.fields.set("openapi", dict("version", version))
		return
	}
	items := dict("type", "array", "items", dict("type", "object", "properties", dict("name", dict("type", "string"), "value", dict("type", "object"))),
		"x-kubernetes-patch-merge-key", "name", "x-kubernetes-patch-strategy", pick(g.random, "merge", "merge", "merge,retainKeys", "replace"))
	widget := dict("type", "object", "properties", dict("apiVersion", dict("type", "string"), "kind", dict("type", "string"), "metadata", dict("type", "object"),
		"spec", dict("type", "object", "properties", dict("items", items, "template", dict("$ref", "#/definitions/io.k8s.api.core.v1.PodTemplateSpec")))),
		"x-kubernetes-group-version-kind", []value{dict("group", "example.com", "version", "v1", "kind", "Widget")})
	definitions := dict("v1.Widget", widget)
	if g.chance(50) {
		containers := dict("type", "array", "items", dict("type", "object"), "x-kubernetes-patch-merge-key", "name", "x-kubernetes-patch-strategy", "merge")
		definitions.set("io.k8s.api.core.v1.PodTemplateSpec", dict("type", "object", "properties", dict("spec", dict("type", "object", "properties", dict("containers", containers)))))
	}
	document := dict("definitions", definitions)
	content := toJSON(g.random, document)
	if g.chance(30) {
		content = write(g.random, plainStyle(g.random), document)
	}
	l.fields.set("openapi", dict("path", g.file(l.directory, "schema.json", content)))
}

// configurations adds a file of field specs.
func (g *generator) configurations(l *layer) {
	c := &mapping{}
	// The first of the paths are those that are built in, and must not say otherwise.
	spec := func(builtIn int, paths ...string) func() any {
		return func() any {
			return repeat(g, 1, 2, func() *mapping {
				if g.careful() {
					paths = paths[builtIn:]
					builtIn = 0
				}
				s := dict("path", pick(g.random, paths...))
				path := string(s.get("path").(text))
				mayCreate := strings.HasPrefix(path, "spec/notes") || strings.HasPrefix(path, "spec/labels") || strings.HasPrefix(path, "spec/more")
				if mayCreate || !g.careful() && g.chance(50) {
					s.set("create", true)
				}
				g.maybe(s, 50, "kind", func() any { return pick(g.random, "Widget", "Deployment", "Service", "ConfigMap") })
				g.maybe(s, 15, "group", func() any { return pick(g.random, "example.com", "apps") })
				return s
			})
		}
	}
	g.maybe(c, 20, "namePrefix", spec(1, "metadata/name", "spec/size", "spec/secretRef/name"))
	g.maybe(c, 20, "nameSuffix", spec(1, "metadata/name", "spec/size"))
	g.maybe(c, 15, "namespace", spec(1, "metadata/namespace", "spec/namespace"))
	g.maybe(c, 25, "commonLabels", spec(2, "metadata/labels", "spec/template/metadata/labels", "spec/labels", "spec/extra/labels"))
	g.maybe(c, 10, "labels", spec(1, "metadata/labels", "spec/labels"))
	g.maybe(c, 10, "templateLabels", spec(1, "spec/template/metadata/labels", "spec/more/labels"))
	g.maybe(c, 25, "commonAnnotations", spec(1, "metadata/annotations", "spec/notes", "spec/items/notes"))
	g.maybe(c, 25, "images", spec(0, "spec/image", "spec/items/image", "spec/template/spec/containers[]/image", "spec/containers/image"))
	g.maybe(c, 20, "replicas", spec(1, "spec/replicas", "spec/size"))
	g.maybe(c, 25, "varReference", spec(0, "spec/size", "spec/items/value", "data", "metadata/annotations", "spec/template/spec/containers/args", "spec"))
	g.maybe(c, 40, "nameReference", func() any {
		return repeat(g, 1, 2, func() *mapping {
			r := dict("kind", pick(g.random, "Secret", "ConfigMap", "Deployment", "Widget", "Service"))
			g.maybe(r, 30, "version", func() any { return "v1" })
			g.maybe(r, 10, "group", func() any { return pick(g.random, "apps", "example.com") })
			r.set("fieldSpecs", repeat(g, 1, 2, func() *mapping {
				s := dict("path", pick(g.random, "spec/secretRef/name", "spec/secretRef", "spec/items/value", "spec/size", "metadata/annotations/note", "spec/template/spec/volumes/csi/nodePublishSecretRef/name"))
				g.maybe(s, 60, "kind", func() any { return pick(g.random, "Widget", "Deployment", "Service") })
				return s
			}))
			return r
		})
	})
	l.appendTo("configurations", text(g.yamlFile(l.directory, "config.yaml", c)))
}

// vars adds variables, and uses of them where there is a place.
func (g *generator) vars(l *layer) {
	if len(l.objects) == 0 || g.diamonds > 0 {
		return
	}
	for range pick(g.random, 1, 1, 2) {
		o := pick(g.random, l.objects...)
		name := pick(g.random, "NAME", "HOST", "PORT", "SERVICE", "VAR", "IMAGE")
		if contains(g.variables, name) && g.careful() {
			continue
		}
		g.variables = append(g.variables, name)
		reference := dict("kind", o.kind, "name", o.name)
		if o.apiVersion != "v1" || g.careful() {
			reference.set("apiVersion", o.apiVersion)
		}
		if o.namespace != "" {
			reference.set("namespace", o.namespace)
		}
		v := dict("name", name, "objref", reference)
		g.maybe(v, 60, "fieldref", func() any {
			fields := []string{"metadata.name"}
			if !g.careful() {
				fields = []string{"kind", "apiVersion", "spec", "metadata"}
			}
			if p := g.scalarPath(o, "."); p != "" && g.chance(50) {
				fields = []string{p}
			}
			return dict("fieldpath", pick(g.random, fields...))
		})
		l.appendTo("vars", v)
	}
}

func contains(items []string, item string) bool {
	for _, present := range items {
		if present == item {
			return true
		}
	}
	return false
}

// scalarPath finds a path to some scalar of an object, with its parts joined; a dot inside a part is escaped.
func (g *generator) scalarPath(o *object, separator string) string {
	parts := g.scalarParts(o.body, 8)
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(part, ".", `\.`)
	}
	return strings.Join(parts, separator)
}

// scalarParts walks at random to a scalar and gives the keys and indices on the way.
func (g *generator) scalarParts(item value, depth int) []string {
	switch item := item.(type) {
	case *mapping:
		if len(item.entries) == 0 || depth == 0 {
			return nil
		}
		e := pick(g.random, item.entries...)
		return append([]string{e.key}, g.scalarParts(e.value, depth-1)...)
	case list:
		if len(item) == 0 || depth == 0 {
			return nil
		}
		i := g.IntN(len(item))
		return append([]string{itoa(i)}, g.scalarParts(item[i], depth-1)...)
	default:
		return nil
	}
}
