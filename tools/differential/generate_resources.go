package main

// object is a resource that is generated, with what other parts of the tree need to refer to it.
type object struct {
	apiVersion, kind, name, namespace string
	body                              *mapping
}

var names = []string{"app", "web", "db", "cache", "api", "worker", "app-config", "settings", "credentials", "my-app"}

func (g *generator) name() string {
	if g.chance(g.oddity / 10) {
		return pick(g.random, "a.b", "UPPER", "123", "true", "1e3", "x-1", "name-with-a-rather-long-tail-that-goes-on-and-on-and-on-and-on-to-the-limit", "ünï")
	}
	return pick(g.random, names...)
}

func (g *generator) namespaceName() string {
	return pick(g.random, "default", "prod", "staging", "team-a", "kube-system")
}

func (g *generator) image() string {
	return pick(g.random, "nginx", "nginx:1.25", "busybox", "busybox:1.36.1", "redis:7-alpine", "registry.example.com:5000/team/app:v1", "registry.example.com:5000/team/app",
		"ghcr.io/org/app@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3", "app:v1@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3",
		"app:", "$(IMAGE)", "docker.io/library/nginx:latest", "my-app", "my-app:1")
}

func (g *generator) port() value {
	if g.chance(5) {
		return text(itoa(g.between(1, 9999)))
	}
	return pick[value](g.random, token("80"), token("443"), token("8080"), token("9090"))
}

// maybe sets a key with a probability.
func (g *generator) maybe(m *mapping, percent int, key string, make func() any) {
	if g.chance(percent) {
		m.set(key, make())
	}
}

func repeat[T any](g *generator, low, high int, make func() T) []value {
	made := []value{}
	for range g.between(low, high) {
		made = append(made, make())
	}
	return made
}

func (g *generator) variable() *mapping {
	v := dict("name", pick(g.random, "LOG_LEVEL", "HOST", "PORT", "DB_URL", "A10", "A2", "PATH_PREFIX"))
	switch g.IntN(6) {
	case 0:
		v.set("valueFrom", dict("configMapKeyRef", dict("name", g.name(), "key", g.anyKey())))
	case 1:
		v.set("valueFrom", dict("secretKeyRef", dict("name", g.name(), "key", g.anyKey(), "optional", g.chance(50))))
	case 2:
		v.set("valueFrom", dict("fieldRef", dict("fieldPath", "metadata.namespace")))
	case 3:
		v.set("value", g.anyScalar())
	default:
		v.set("value", pick(g.random, g.anyText(), "$(NAME)", "$(HOST):$(PORT)", "$$(NAME) $(NAME)", "http://$(SERVICE)/"))
	}
	return v
}

func (g *generator) container(name string) *mapping {
	c := dict("name", name, "image", g.image())
	g.maybe(c, 5, "image", func() any { return nil })
	g.maybe(c, 40, "env", func() any { return repeat(g, 0, 4, g.variable) })
	g.maybe(c, 20, "envFrom", func() any {
		return repeat(g, 1, 2, func() *mapping { return dict(pick(g.random, "configMapRef", "secretRef"), dict("name", g.name())) })
	})
	g.maybe(c, 40, "ports", func() any {
		return repeat(g, 1, 3, func() *mapping {
			p := dict("containerPort", g.port())
			g.maybe(p, 50, "name", func() any { return pick(g.random, "http", "metrics", "https") })
			g.maybe(p, 30, "protocol", func() any { return pick(g.random, "TCP", "UDP") })
			return p
		})
	})
	g.maybe(c, 30, "args", func() any {
		return repeat(g, 0, 4, func() value { return text(pick(g.random, g.anyText(), "--name=$(NAME)", "-v", "--port=8080")) })
	})
	g.maybe(c, 20, "command", func() any { return []string{"sh", "-c", g.anyText()} })
	g.maybe(c, 25, "resources", func() any {
		return dict("limits", dict("cpu", pick[value](g.random, text("500m"), token("1"), token("0.5"), text("1")), "memory", pick(g.random, "128Mi", "1Gi")),
			"requests", dict("cpu", "100m"))
	})
	g.maybe(c, 25, "volumeMounts", func() any {
		return repeat(g, 1, 2, func() *mapping {
			m := dict("name", pick(g.random, "config", "data", "tmp"), "mountPath", pick(g.random, "/etc/config", "/data", "/tmp"))
			g.maybe(m, 30, "subPath", func() any { return g.anyKey() })
			g.maybe(m, 30, "readOnly", func() any { return true })
			return m
		})
	})
	g.maybe(c, 15, "livenessProbe", func() any {
		return dict("httpGet", dict("path", "/health", "port", pick[value](g.random, text("http"), token("8080"))), "periodSeconds", 10)
	})
	g.maybe(c, 10, "securityContext", func() any {
		return dict("runAsNonRoot", true, "capabilities", dict("drop", []string{"ALL"}, "add", repeat(g, 0, 2, func() value { return text("NET_ADMIN") })))
	})
	g.maybe(c, 5, "imagePullPolicy", func() any { return "Always" })
	return c
}

func (g *generator) volume() *mapping {
	v := dict("name", pick(g.random, "config", "data", "tmp"))
	switch g.IntN(7) {
	case 0:
		v.set("configMap", dict("name", g.name(), "defaultMode", pick[value](g.random, token("0440"), token("420"), token("0o644"))))
	case 1:
		v.set("secret", dict("secretName", g.name(), "items", []value{dict("key", g.anyKey(), "path", "a")}))
	case 2:
		v.set("emptyDir", &mapping{})
	case 3:
		v.set("persistentVolumeClaim", dict("claimName", g.name()))
	case 4:
		v.set("projected", dict("sources", []value{dict("configMap", dict("name", g.name())), dict("secret", dict("name", g.name())), dict("serviceAccountToken", dict("path", "token"))}))
	case 5:
		v.set("hostPath", dict("path", "/var/run", "type", "Directory"))
	default:
		v.set("csi", dict("driver", "csi.example.com", "nodePublishSecretRef", dict("name", g.name())))
	}
	return v
}

func (g *generator) podSpec() *mapping {
	s := &mapping{}
	g.maybe(s, 20, "serviceAccountName", func() any { return g.name() })
	g.maybe(s, 20, "initContainers", func() any { return []value{g.container("init")} })
	containers := list{g.container(pick(g.random, "app", "main", "nginx"))}
	if g.chance(35) {
		containers = append(containers, g.container("sidecar"))
	}
	if g.chance(3) {
		containers = append(containers, g.container("sidecar"))
	}
	s.set("containers", containers)
	g.maybe(s, 35, "volumes", func() any { return repeat(g, 0, 3, g.volume) })
	g.maybe(s, 10, "nodeSelector", func() any { return g.stringMap(2) })
	g.maybe(s, 10, "imagePullSecrets", func() any { return []value{dict("name", g.name())} })
	g.maybe(s, 10, "tolerations", func() any {
		return repeat(g, 1, 2, func() *mapping {
			return dict("key", g.anyKey(), "operator", pick(g.random, "Equal", "Exists"), "value", g.anyScalar(), "effect", "NoSchedule")
		})
	})
	g.maybe(s, 10, "affinity", func() any {
		term := dict("labelSelector", dict("matchLabels", g.stringMap(2)), "topologyKey", "kubernetes.io/hostname")
		return dict("podAntiAffinity", dict("requiredDuringSchedulingIgnoredDuringExecution", []value{term},
			"preferredDuringSchedulingIgnoredDuringExecution", []value{dict("weight", 100, "podAffinityTerm", copyOf(term))}))
	})
	g.maybe(s, 8, "topologySpreadConstraints", func() any {
		return []value{dict("maxSkew", 1, "topologyKey", "zone", "whenUnsatisfiable", "DoNotSchedule", "labelSelector", dict("matchLabels", g.stringMap(2)))}
	})
	g.maybe(s, 8, "hostAliases", func() any { return []value{dict("ip", "127.0.0.1", "hostnames", []string{"a.local", "b.local"})} })
	g.maybe(s, 8, "restartPolicy", func() any { return "Never" })
	return s
}

func (g *generator) podTemplate() *mapping {
	metadata := dict("labels", dict("app", g.word()))
	g.maybe(metadata, 20, "annotations", func() any { return g.stringMap(3) })
	template := dict("metadata", metadata, "spec", g.podSpec())
	if g.chance(5) {
		template.remove("metadata")
	}
	return template
}

func (g *generator) selector() *mapping {
	s := dict("matchLabels", dict("app", g.word()))
	g.maybe(s, 8, "matchExpressions", func() any { return []value{dict("key", "tier", "operator", "In", "values", []string{"a", "b"})} })
	return s
}

// kinds makes the objects, each kind with its apiVersion; body holds what stands beside the metadata.
var kinds = []struct {
	apiVersion, kind string
	weight           int
	clustered        bool
	fill             func(g *generator, body *mapping)
}{
	{"apps/v1", "Deployment", 14, false, func(g *generator, body *mapping) {
		spec := dict("replicas", g.between(0, 5), "selector", g.selector(), "template", g.podTemplate())
		g.maybe(spec, 20, "strategy", func() any {
			return pick(g.random, dict("type", "Recreate"), dict("type", "RollingUpdate", "rollingUpdate", dict("maxSurge", text("25%"), "maxUnavailable", 0)))
		})
		if g.chance(15) {
			spec.remove("replicas")
		}
		body.set("spec", spec)
	}},
	{"apps/v1", "StatefulSet", 5, false, func(g *generator, body *mapping) {
		spec := dict("serviceName", g.name(), "replicas", g.between(0, 5), "selector", g.selector(), "template", g.podTemplate())
		g.maybe(spec, 60, "volumeClaimTemplates", func() any {
			return repeat(g, 1, 2, func() *mapping {
				return dict("metadata", dict("name", pick(g.random, "data", "logs")), "spec", dict("accessModes", []string{"ReadWriteOnce"}, "resources", dict("requests", dict("storage", "1Gi")), "storageClassName", g.name()))
			})
		})
		body.set("spec", spec)
	}},
	{"apps/v1", "DaemonSet", 2, false, func(g *generator, body *mapping) {
		body.set("spec", dict("selector", g.selector(), "template", g.podTemplate()))
	}},
	{"batch/v1", "Job", 3, false, func(g *generator, body *mapping) {
		body.set("spec", dict("backoffLimit", 3, "template", g.podTemplate()))
	}},
	{"batch/v1", "CronJob", 3, false, func(g *generator, body *mapping) {
		body.set("spec", dict("schedule", pick(g.random, "*/5 * * * *", "@daily", "0 0 * * 0"), "jobTemplate", dict("spec", dict("template", g.podTemplate()))))
	}},
	{"v1", "Pod", 3, false, func(g *generator, body *mapping) { body.set("spec", g.podSpec()) }},
	{"v1", "Service", 9, false, func(g *generator, body *mapping) {
		ports := repeat(g, 1, 3, func() *mapping {
			p := dict("port", g.port())
			g.maybe(p, 60, "name", func() any { return pick(g.random, "http", "metrics", "https") })
			g.maybe(p, 50, "targetPort", func() any { return pick[value](g.random, text("http"), token("8080")) })
			g.maybe(p, 30, "protocol", func() any { return pick(g.random, "TCP", "UDP") })
			return p
		})
		spec := dict("selector", dict("app", g.word()), "ports", ports)
		g.maybe(spec, 30, "type", func() any { return pick(g.random, "ClusterIP", "LoadBalancer", "NodePort") })
		g.maybe(spec, 5, "clusterIP", func() any { return "None" })
		body.set("spec", spec)
	}},
	{"v1", "ConfigMap", 10, false, func(g *generator, body *mapping) {
		body.set("data", g.data())
		g.maybe(body, 10, "binaryData", func() any { return dict("blob", "aGVsbG8=") })
		g.maybe(body, 10, "immutable", func() any { return true })
	}},
	{"v1", "Secret", 6, false, func(g *generator, body *mapping) {
		body.set("type", pick(g.random, "Opaque", "kubernetes.io/tls", "kubernetes.io/dockerconfigjson"))
		if g.chance(50) {
			body.set("stringData", g.data())
		} else {
			body.set("data", dict("password", "c2VjcmV0", "user", "YWRtaW4="))
		}
	}},
	{"v1", "ServiceAccount", 4, false, func(g *generator, body *mapping) {
		g.maybe(body, 40, "imagePullSecrets", func() any { return []value{dict("name", g.name())} })
		g.maybe(body, 20, "secrets", func() any { return []value{dict("name", g.name())} })
	}},
	{"v1", "Namespace", 3, true, func(g *generator, body *mapping) {}},
	{"v1", "PersistentVolumeClaim", 2, false, func(g *generator, body *mapping) {
		body.set("spec", dict("accessModes", []string{"ReadWriteOnce"}, "resources", dict("requests", dict("storage", pick(g.random, "1Gi", "1e3"))), "volumeName", g.name()))
	}},
	{"v1", "PersistentVolume", 2, true, func(g *generator, body *mapping) {
		body.set("spec", dict("capacity", dict("storage", "1Gi"), "storageClassName", g.name(), "claimRef", dict("name", g.name(), "namespace", g.namespaceName())))
	}},
	{"storage.k8s.io/v1", "StorageClass", 2, true, func(g *generator, body *mapping) {
		body.set("provisioner", "example.com/disk")
		body.set("parameters", dict("type", "gp2", "iops", text("100"), "fsType", "ext4"))
	}},
	{"networking.k8s.io/v1", "Ingress", 4, false, func(g *generator, body *mapping) {
		path := func() *mapping {
			return dict("path", pick(g.random, "/", "/api", "/static"), "pathType", "Prefix", "backend", dict("service", dict("name", g.name(), "port", pick(g.random, dict("number", 80), dict("name", "http")))))
		}
		spec := dict("rules", repeat(g, 1, 2, func() *mapping {
			return dict("host", pick(g.random, "example.com", "*.example.com", "$(HOST).example.com"), "http", dict("paths", repeat(g, 1, 3, path)))
		}))
		g.maybe(spec, 30, "tls", func() any {
			return []value{dict("hosts", []string{"example.com"}, "secretName", g.name())}
		})
		g.maybe(spec, 30, "ingressClassName", func() any { return g.name() })
		g.maybe(spec, 10, "defaultBackend", func() any { return dict("service", dict("name", g.name(), "port", dict("number", 80))) })
		body.set("spec", spec)
	}},
	{"networking.k8s.io/v1", "NetworkPolicy", 2, false, func(g *generator, body *mapping) {
		peer := dict("podSelector", dict("matchLabels", g.stringMap(2)))
		body.set("spec", dict("podSelector", dict("matchLabels", g.stringMap(2)), "policyTypes", []string{"Ingress", "Egress"},
			"ingress", []value{dict("from", []value{peer, dict("namespaceSelector", &mapping{})}, "ports", []value{dict("port", g.port())})},
			"egress", []value{dict("to", []value{copyOf(peer), dict("ipBlock", dict("cidr", "10.0.0.0/8"))})}))
	}},
	{"autoscaling/v2", "HorizontalPodAutoscaler", 3, false, func(g *generator, body *mapping) {
		body.set("spec", dict("scaleTargetRef", dict("apiVersion", "apps/v1", "kind", pick(g.random, "Deployment", "StatefulSet"), "name", g.name()), "minReplicas", 1, "maxReplicas", 5,
			"metrics", []value{dict("type", "Resource", "resource", dict("name", "cpu", "target", dict("type", "Utilization", "averageUtilization", 80)))}))
	}},
	{"policy/v1", "PodDisruptionBudget", 2, false, func(g *generator, body *mapping) {
		body.set("spec", dict("minAvailable", pick[value](g.random, token("1"), text("50%"), token("50%")), "selector", g.selector()))
	}},
	{"rbac.authorization.k8s.io/v1", "Role", 3, false, func(g *generator, body *mapping) {
		body.set("rules", []value{dict("apiGroups", []string{""}, "resources", []string{"configmaps", "secrets"}, "verbs", []string{"get", "*"}, "resourceNames", []string{g.name()})})
	}},
	{"rbac.authorization.k8s.io/v1", "ClusterRole", 2, true, func(g *generator, body *mapping) {
		body.set("rules", []value{dict("apiGroups", []string{"*"}, "resources", []string{"*"}, "verbs", []string{"*"})})
		g.maybe(body, 30, "aggregationRule", func() any { return dict("clusterRoleSelectors", []value{dict("matchLabels", g.stringMap(1))}) })
	}},
	{"rbac.authorization.k8s.io/v1", "RoleBinding", 3, false, func(g *generator, body *mapping) { g.binding(body, pick(g.random, "Role", "ClusterRole")) }},
	{"rbac.authorization.k8s.io/v1", "ClusterRoleBinding", 3, true, func(g *generator, body *mapping) { g.binding(body, "ClusterRole") }},
	{"apiextensions.k8s.io/v1", "CustomResourceDefinition", 2, true, func(g *generator, body *mapping) {
		spec := dict("group", "example.com", "scope", pick(g.random, "Namespaced", "Cluster"), "names", dict("kind", "Widget", "plural", "widgets"),
			"versions", []value{dict("name", "v1", "served", true, "storage", true, "schema", dict("openAPIV3Schema", dict("type", "object", "properties", dict("spec", dict("type", "object", "x-kubernetes-preserve-unknown-fields", true)))))})
		g.maybe(spec, 40, "conversion", func() any {
			return dict("strategy", "Webhook", "webhook", dict("conversionReviewVersions", []string{"v1"}, "clientConfig", dict("service", dict("name", g.name(), "namespace", g.namespaceName(), "path", "/convert"))))
		})
		body.set("spec", spec)
	}},
	{"example.com/v1", "Widget", 6, false, func(g *generator, body *mapping) {
		spec := dict("size", g.anyScalar(), "items", repeat(g, 0, 3, func() *mapping { return dict("name", pick(g.random, "a", "b", "c"), "value", g.anyValue(2)) }), "secretRef", dict("name", g.name()))
		g.maybe(spec, 40, "template", func() any { return g.podTemplate() })
		g.maybe(spec, 30, "image", func() any { return g.image() })
		g.maybe(spec, 30, "replicas", func() any { return g.anyScalar() })
		g.maybe(spec, 40, g.anyKey(), func() any { return g.anyValue(3) })
		body.set("spec", spec)
	}},
	{"argoproj.io/v1alpha1", "Application", 1, false, func(g *generator, body *mapping) {
		body.set("spec", dict("project", "default", "source", dict("repoURL", "https://example.com/repo.git", "path", "apps", "helm", dict("values", "a: 1\nb:\n  c: "+g.word()+"\n")), "destination", dict("namespace", g.namespaceName())))
	}},
	{"apiregistration.k8s.io/v1", "APIService", 1, true, func(g *generator, body *mapping) {
		body.set("spec", dict("group", "metrics.k8s.io", "version", "v1beta1", "service", dict("name", g.name(), "namespace", g.namespaceName()), "caBundle", "e30=", "groupPriorityMinimum", 100, "versionPriority", 100))
	}},
	{"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", 2, true, func(g *generator, body *mapping) { g.webhooks(body) }},
	{"admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", 2, true, func(g *generator, body *mapping) { g.webhooks(body) }},
	{"scheduling.k8s.io/v1", "PriorityClass", 1, true, func(g *generator, body *mapping) {
		body.set("value", g.between(0, 1000000))
		body.set("globalDefault", false)
	}},
	{"v1", "ReplicationController", 1, false, func(g *generator, body *mapping) {
		body.set("spec", dict("replicas", 2, "selector", dict("app", g.word()), "template", g.podTemplate()))
	}},
	{"apps/v1", "ReplicaSet", 1, false, func(g *generator, body *mapping) {
		body.set("spec", dict("replicas", 2, "selector", g.selector(), "template", g.podTemplate()))
	}},
	{"v1", "ResourceQuota", 1, false, func(g *generator, body *mapping) { body.set("spec", dict("hard", dict("pods", text("10"), "cpu", 4))) }},
	{"v1", "LimitRange", 1, false, func(g *generator, body *mapping) {
		body.set("spec", dict("limits", []value{dict("type", "Container", "default", dict("cpu", "1"))}))
	}},
	{"v1", "Endpoints", 1, false, func(g *generator, body *mapping) {
		body.set("subsets", []value{dict("addresses", []value{dict("ip", "10.0.0.1")}, "ports", []value{dict("port", 80)})})
	}},
	{"extensions/v1beta1", "Ingress", 1, false, func(g *generator, body *mapping) {
		body.set("spec", dict("backend", dict("serviceName", g.name(), "servicePort", 80), "rules", []value{dict("http", dict("paths", []value{dict("backend", dict("serviceName", g.name(), "servicePort", "http"))}))}))
	}},
	{"apps/v1beta1", "Deployment", 1, false, func(g *generator, body *mapping) { body.set("spec", dict("template", g.podTemplate())) }},
	{"monitoring.coreos.com/v1", "ServiceMonitor", 1, false, func(g *generator, body *mapping) {
		body.set("spec", dict("selector", g.selector(), "endpoints", []value{dict("port", "metrics", "interval", pick(g.random, "30s", "1m"))}))
	}},
}

func (g *generator) binding(body *mapping, role string) {
	body.set("roleRef", dict("apiGroup", "rbac.authorization.k8s.io", "kind", role, "name", g.name()))
	body.set("subjects", repeat(g, 0, 3, func() *mapping {
		s := dict("kind", pick(g.random, "ServiceAccount", "ServiceAccount", "User", "Group"), "name", pick(g.random, "default", g.name(), g.name()))
		g.maybe(s, 60, "namespace", func() any { return g.namespaceName() })
		return s
	}))
	if g.chance(8) {
		body.remove("subjects")
	}
}

func (g *generator) webhooks(body *mapping) {
	body.set("webhooks", repeat(g, 1, 2, func() *mapping {
		service := dict("name", g.name(), "path", "/validate")
		g.maybe(service, 70, "namespace", func() any { return g.namespaceName() })
		w := dict("name", pick(g.random, "a.example.com", "b.example.com"), "clientConfig", dict("service", service), "sideEffects", "None", "admissionReviewVersions", []string{"v1"})
		g.maybe(w, 20, "clientConfig", func() any { return dict("url", "https://example.com") })
		return w
	}))
}

// data gives the data of a ConfigMap.
func (g *generator) data() *mapping {
	made := &mapping{}
	for range g.between(0, 4) {
		switch g.IntN(6) {
		case 0:
			made.set("config.yaml", pick(g.random, "database:\n  host: localhost\n  port: 5432\nitems:\n- name: a\n  value: 1\n- name: b\n", "# comment\na: 1 # one\nb: [1, 2]\nlong: "+g.sentence()+"\n", "host: "+g.word()+"\n"))
		case 1:
			made.set("config.json", pick(g.random, "{\"database\": {\"host\": \"localhost\", \"port\": 5432}, \"items\": [{\"name\": \"a\", \"value\": 1}]}", "{\n  \"a\": 1.50,\n  \"b\": \"<&>\"\n}\n", "[1, 2]"))
		case 2:
			if g.oddity > 0 {
				made.set(g.anyKey(), g.anyScalar())
			}
		default:
			made.set(g.anyKey(), g.anyText())
		}
	}
	return made
}

// object makes a resource of some kind.
func (g *generator) object() *object {
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	chosen := g.IntN(total)
	for _, k := range kinds {
		if chosen -= k.weight; chosen >= 0 {
			continue
		}
		made := &object{apiVersion: k.apiVersion, kind: k.kind, name: g.name()}
		metadata := dict("name", g.nameToken(made.name))
		if !k.clustered && g.chance(25) {
			made.namespace = g.namespaceName()
			metadata.set("namespace", made.namespace)
		}
		g.metadata(metadata)
		made.body = dict("apiVersion", made.apiVersion, "kind", made.kind, "metadata", metadata)
		k.fill(g, made.body)
		if g.chance(3) {
			made.body.set("status", dict("ready", g.anyScalar()))
		}
		g.reorder(made.body)
		return made
	}
	return nil
}

// nameToken writes some names unquoted that read as something else.
func (g *generator) nameToken(name string) value {
	if g.chance(g.oddity/20) && (name == "123" || name == "true" || name == "1e3") {
		return token(name)
	}
	return text(name)
}

func (g *generator) metadata(metadata *mapping) {
	g.maybe(metadata, 45, "labels", func() any { return g.stringMap(4) })
	g.maybe(metadata, 30, "annotations", func() any {
		made := g.stringMap(3)
		if g.chance(g.oddity) {
			made.set(g.anyKey(), g.anyScalar())
		}
		return made
	})
	if !g.chance(6) {
		return
	}
	annotations, _ := metadata.get("annotations").(*mapping)
	if annotations == nil {
		annotations = &mapping{}
		metadata.set("annotations", annotations)
	}
	switch g.IntN(9) {
	case 0:
		annotations.set("config.kubernetes.io/local-config", pick(g.random, "true", "false", "yes"))
	case 1:
		annotations.set("kustomize.config.k8s.io/needs-hash", pick(g.random, "true", "false"))
	case 2:
		annotations.set("kustomize.config.k8s.io/behavior", pick(g.random, "merge", "replace", "create", "unspecified"))
	case 3:
		annotations.set("config.kubernetes.io/function", "container:\n  image: x\n")
	case 4:
		annotations.set("config.kubernetes.io/depends-on", "/namespaces/default/ConfigMap/"+g.name())
	case 5:
		annotations.set("config.kubernetes.io/index", "0")
	case 6:
		annotations.set("internal.config.kubernetes.io/path", "a.yaml")
	case 7:
		annotations.set("config.kubernetes.io/path", "a.yaml")
	default:
		metadata.set("creationTimestamp", nil)
	}
}

// reorder moves the first keys of some objects, as people write them.
func (g *generator) reorder(body *mapping) {
	if g.chance(15) {
		g.Shuffle(len(body.entries), func(i, j int) { body.entries[i], body.entries[j] = body.entries[j], body.entries[i] })
	}
}
