// Command record-plugin records what the plugin's tests compare with.
//
//	tools/record-plugin/run [--check] [FILTER]
//
// Each folder testdata/plugin/<case> holds
//
//	in/                    a repository, with the Application in in/app
//	source-kustomize.yaml  spec.source.kustomize of an Application that Argo CD renders itself
//	parameters.json        the same as spec.source.plugin.parameters
//
// This does with in/ what Argo CD 3.6 does for source-kustomize.yaml (util/kustomize, Build): `kustomize edit` and the
// patches in a copy, then `kustomize build`. It writes want.yaml, the bytes that kustomize prints. Where that fails it makes sure
// that want.err is there and want.yaml is not: want.err holds our own message, written by `UPDATE_PLUGIN=1 cargo test --test cli`.
//
// With --check nothing is written; the exit status is 1 if a file would change. FILTER: only the cases whose name has it.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// version is kustomize's, out of tools/versions; the linker sets it.
var version string

// The environment of the Application; the tests have the same.
var variables = map[string]string{
	"ARGOCD_APP_NAME":                   "lamp",
	"ARGOCD_APP_NAMESPACE":              "house",
	"ARGOCD_APP_PROJECT_NAME":           "home",
	"ARGOCD_APP_REVISION":               "0123456789abcdef0123456789abcdef01234567",
	"ARGOCD_APP_REVISION_SHORT":         "0123456",
	"ARGOCD_APP_REVISION_SHORT_8":       "01234567",
	"ARGOCD_APP_SOURCE_REPO_URL":        "https://git.example.org/repository",
	"ARGOCD_APP_SOURCE_PATH":            "app",
	"ARGOCD_APP_SOURCE_TARGET_REVISION": "main",
}

var kustomizationFiles = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// source is spec.source.kustomize.
type source struct {
	NamePrefix                string            `json:"namePrefix"`
	NameSuffix                string            `json:"nameSuffix"`
	Namespace                 string            `json:"namespace"`
	Images                    []string          `json:"images"`
	Replicas                  []replica         `json:"replicas"`
	CommonLabels              map[string]string `json:"commonLabels"`
	LabelWithoutSelector      bool              `json:"labelWithoutSelector"`
	LabelIncludeTemplates     bool              `json:"labelIncludeTemplates"`
	ForceCommonLabels         bool              `json:"forceCommonLabels"`
	CommonAnnotations         map[string]string `json:"commonAnnotations"`
	CommonAnnotationsEnvsubst bool              `json:"commonAnnotationsEnvsubst"`
	ForceCommonAnnotations    bool              `json:"forceCommonAnnotations"`
	Patches                   []any             `json:"patches"`
	Components                []string          `json:"components"`
	IgnoreMissingComponents   bool              `json:"ignoreMissingComponents"`
	// Both are for Helm, which is off.
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`
}

type replica struct {
	Name  string `json:"name"`
	Count any    `json:"count"`
}

// application is a copy of a repository with an Application in it.
type application struct {
	kustomize, root, path string
}

func main() {
	arguments := os.Args[1:]
	check := slices.Contains(arguments, "--check")
	filters := slices.DeleteFunc(slices.Clone(arguments), func(argument string) bool { return strings.HasPrefix(argument, "-") })
	if len(filters) > 1 || (!check && len(arguments) != len(filters)) || (check && len(arguments) != len(filters)+1) {
		fail(errors.New("usage: tools/record-plugin/run [--check] [FILTER]"))
	}
	filter := strings.Join(filters, "")
	kustomize := os.Getenv("KUSTOMIZE")
	if printed, err := exec.Command(kustomize, "version").Output(); err != nil || strings.TrimSpace(string(printed)) != version {
		fail(fmt.Errorf("$KUSTOMIZE is no kustomize %s: %q", version, kustomize))
	}
	// `go run` starts in the folder of this file.
	cases, err := filepath.Glob("../../testdata/plugin/*/source-kustomize.yaml")
	if err != nil || len(cases) == 0 {
		fail(errors.New("there are no cases"))
	}
	changed := 0
	for _, path := range cases {
		folder := filepath.Dir(path)
		if !strings.Contains(filepath.Base(folder), filter) {
			continue
		}
		differs, err := record(kustomize, folder, check)
		if err != nil {
			fail(fmt.Errorf("%s: %w", folder, err))
		}
		if differs {
			fmt.Println(filepath.Base(folder))
			changed++
		}
	}
	word := "written"
	if check {
		word = "differ"
	}
	fmt.Fprintf(os.Stderr, "%d cases, %d %s\n", len(cases), changed, word)
	if check && changed > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(2)
}

// record writes what one case wants, and says whether that changes anything.
func record(kustomize, folder string, check bool) (bool, error) {
	var options source
	text, err := os.ReadFile(filepath.Join(folder, "source-kustomize.yaml"))
	if err != nil {
		return false, err
	}
	if err := yaml.UnmarshalStrict(text, &options); err != nil {
		return false, err
	}
	scratch, err := os.MkdirTemp("", "record-plugin")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(scratch)
	root := filepath.Join(scratch, "in")
	if err := os.CopyFS(root, os.DirFS(filepath.Join(folder, "in"))); err != nil {
		return false, err
	}
	answer, refused := application{kustomize, root, filepath.Join(root, "app")}.render(options)
	if os.Getenv("VERBOSE") != "" && refused != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(folder), refused)
	}
	want, wrong := filepath.Join(folder, "want.yaml"), filepath.Join(folder, "want.err")
	before, err := os.ReadFile(want)
	isThere := err == nil
	_, err = os.Stat(wrong)
	isWrong := err == nil
	if refused == nil && isThere && !isWrong && bytes.Equal(before, answer) || refused != nil && !isThere && isWrong {
		return false, nil
	}
	if check {
		return true, nil
	}
	if refused != nil {
		if err := os.Remove(want); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		return true, os.WriteFile(wrong, nil, 0o644)
	}
	if err := os.Remove(wrong); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, os.WriteFile(want, answer, 0o644)
}

// run runs kustomize in a directory, and gives what it prints.
func (a application) run(directory string, arguments ...string) ([]byte, error) {
	command := exec.Command(a.kustomize, arguments...)
	command.Dir = directory
	command.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C"}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	printed, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %s", arguments, stderr.String())
	}
	return printed, nil
}

// render does the edits that are asked for one after another, and builds.
func (a application) render(options source) ([]byte, error) {
	edits := a.edits(options)
	for _, edit := range edits {
		if edit.err != nil {
			return nil, edit.err
		}
		if _, err := a.run(a.path, append([]string{"edit"}, edit.arguments...)...); err != nil {
			return nil, err
		}
	}
	if len(options.Patches) > 0 {
		if err := a.addPatches(options.Patches); err != nil {
			return nil, err
		}
	}
	components := options.Components
	if options.IgnoreMissingComponents {
		components = a.firstPresent(components)
	}
	if len(components) > 0 {
		if _, err := a.run(a.path, append([]string{"edit", "add", "component"}, components...)...); err != nil {
			return nil, err
		}
	}
	return a.run(a.root, "build", a.path)
}

type edit struct {
	arguments []string
	err       error
}

func (a application) edits(options source) []edit {
	var edits []edit
	add := func(arguments ...string) { edits = append(edits, edit{arguments: arguments}) }
	if options.NamePrefix != "" {
		add("set", "nameprefix", "--", options.NamePrefix)
	}
	if options.NameSuffix != "" {
		add("set", "namesuffix", "--", options.NameSuffix)
	}
	if len(options.Images) > 0 {
		arguments := []string{"set", "image"}
		for _, image := range options.Images {
			arguments = append(arguments, substitute(image))
		}
		add(arguments...)
	}
	if len(options.Replicas) > 0 {
		arguments := []string{"set", "replicas"}
		for _, replica := range options.Replicas {
			count, err := strconv.Atoi(fmt.Sprint(replica.Count))
			if err != nil {
				edits = append(edits, edit{err: err})
			}
			arguments = append(arguments, fmt.Sprintf("%s=%d", replica.Name, count))
		}
		add(arguments...)
	}
	if len(options.CommonLabels) > 0 {
		arguments := []string{"add", "label"}
		for flag, isSet := range map[string]bool{
			"--force":             options.ForceCommonLabels,
			"--without-selector":  options.LabelWithoutSelector,
			"--include-templates": options.LabelIncludeTemplates,
		} {
			if isSet {
				arguments = append(arguments, flag)
			}
		}
		add(append(arguments, pairs(options.CommonLabels, true)...)...)
	}
	if len(options.CommonAnnotations) > 0 {
		arguments := []string{"add", "annotation"}
		if options.ForceCommonAnnotations {
			arguments = append(arguments, "--force")
		}
		add(append(arguments, pairs(options.CommonAnnotations, options.CommonAnnotationsEnvsubst)...)...)
	}
	if options.Namespace != "" {
		add("set", "namespace", "--", options.Namespace)
	}
	return edits
}

func pairs(values map[string]string, substitutes bool) []string {
	var arguments []string
	for name, value := range values {
		if substitutes {
			value = substitute(value)
		}
		arguments = append(arguments, name+":"+value)
	}
	return arguments
}

func substitute(text string) string {
	return os.Expand(text, func(name string) string {
		if name == "$" {
			return name
		}
		return variables[name]
	})
}

// addPatches adds entries to `patches` in the file, for which kustomize has no command.
func (a application) addPatches(added []any) error {
	for _, name := range kustomizationFiles {
		file := filepath.Join(a.path, name)
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		var kustomization map[string]any
		if err := yaml.Unmarshal(text, &kustomization); err != nil {
			return err
		}
		known, isList := kustomization["patches"].([]any)
		if _, isThere := kustomization["patches"]; isThere && !isList || kustomization == nil {
			return errors.New("patches cannot be added")
		}
		kustomization["patches"] = append(known, added...)
		text, err = yaml.Marshal(kustomization)
		if err != nil {
			return err
		}
		return os.WriteFile(file, text, 0o644)
	}
	return errors.New("there is no kustomization file")
}

// firstPresent gives the first component that is there: Argo CD 3.6.1 looks no further.
func (a application) firstPresent(components []string) []string {
	for _, component := range components {
		for _, name := range kustomizationFiles {
			info, err := os.Stat(filepath.Join(a.path, component, name))
			if err == nil && info.Mode().IsRegular() {
				return []string{component}
			}
		}
	}
	return nil
}
