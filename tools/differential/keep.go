package main

import (
	"os"
	"path/filepath"
	"strings"
)

// keep writes a case as testdata/kustomize has them, with both outcomes and a note beside it.
func keep(directory string, t *tree, found verdict, origin string) error {
	if err := t.write(filepath.Join(directory, "in")); err != nil {
		return err
	}
	files := map[string][]byte{
		"note": []byte(origin + "\n" + found.kind + "\n"),
	}
	if t.dir != "." {
		files["dir"] = []byte(t.dir + "\n")
	}
	if len(t.args) > 0 {
		files["args"] = []byte(strings.Join(t.args, "\n") + "\n")
	}
	if found.theirs.Failure == "" {
		files["kustomize.yaml"] = found.theirs.Output
	} else {
		files["kustomize.err"] = []byte(found.theirs.Failure + "\n")
	}
	if found.ours.status == 0 {
		files["ours.yaml"] = found.ours.output
	} else {
		files["ours.err"] = found.ours.stderr
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
