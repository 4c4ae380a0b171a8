package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// ours is what the program under test made of a tree.
type ours struct {
	output, stderr []byte
	status         int
	late           bool
}

// tester compares the two on trees; each goroutine has its own.
type tester struct {
	binary  string
	timeout time.Duration
	oracle  oracle
	// root is the directory in which trees are written.
	root string
}

// verdict is what a comparison found; kind is empty where both agree.
type verdict struct {
	kind string
	// built says that kustomize succeeded.
	built bool
	// unsteady says that kustomize disagrees with itself, crashed that it crashes where we build.
	unsteady, crashed bool
	// malformed says that a map has a key twice.
	malformed bool
	theirs    answer
	ours      ours
}

func (c *tester) runOurs(t *tree) (ours, error) {
	limit, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	command := exec.CommandContext(limit, c.binary, append([]string{"build", t.dir}, t.args...)...)
	command.Dir = c.root
	command.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C"}
	var output, stderr bytes.Buffer
	command.Stdout, command.Stderr = &output, &stderr
	err := command.Run()
	if command.ProcessState == nil {
		return ours{}, fmt.Errorf("%w: %w", errBinary, err)
	}
	late := limit.Err() != nil
	return ours{output.Bytes(), stderr.Bytes(), command.ProcessState.ExitCode(), late}, nil
}

// compare builds a tree with both.
func (c *tester) compare(t *tree, fresh bool) (verdict, error) {
	if err := t.write(c.root); err != nil {
		return verdict{}, err
	}
	theirs, err := c.oracle.build(t, c.root, fresh)
	if err != nil {
		return verdict{}, err
	}
	mine, err := c.runOurs(t)
	if err != nil {
		return verdict{}, err
	}
	found := verdict{built: theirs.Failure == "", theirs: theirs, ours: mine}
	found.kind = kindOf(theirs, mine)
	if crashes := strings.HasPrefix(found.kind, "we "); found.kind != "" && !crashes && hasKeyTwice(t) {
		found.kind, found.malformed = "", true
	}
	if found.crashed = mine.status == 0 && !mine.late && (theirs.crashed() || ownText.MatchString(theirs.Failure) && readable(t)); found.crashed {
		found.kind = ""
	}
	return found, nil
}

// kindOf names the difference between two outcomes so that differences of one cause share a name.
func kindOf(theirs answer, mine ours) string {
	switch {
	case mine.late:
		return "we take too long"
	case mine.status != 0 && mine.status != 1:
		return fmt.Sprintf("we end with status %d: %s", mine.status, essence(string(mine.stderr)))
	case mine.status == 1 && len(mine.output) > 0:
		return "we fail and print"
	case mine.status == 1 && theirs.Failure == "":
		return "only we fail: " + essence(string(mine.stderr))
	case mine.status == 0 && theirs.Failure != "":
		return "only kustomize fails: " + essence(theirs.Failure)
	case mine.status == 0 && !bytes.Equal(mine.output, theirs.Output):
		return "other bytes" + firstDifference(theirs.Output, mine.output)
	default:
		return ""
	}
}

// confirm asks kustomize again: what differs from run to run is no difference of ours.
func (c *tester) confirm(t *tree, first verdict) (verdict, error) {
	const runs = 6
	for run := range runs {
		again, err := c.compare(t, run == 0)
		if err != nil {
			return again, err
		}
		if again.theirs.Failure == "" != (first.theirs.Failure == "") || !bytes.Equal(again.theirs.Output, first.theirs.Output) {
			first.unsteady = true
			return first, nil
		}
		if again.kind == "" {
			return again, nil
		}
	}
	return first, nil
}

// ownText is the failure of kustomize to read what it wrote itself, for instance a comment in the wrong place, or a text
// that begins with a tab.
var ownText = regexp.MustCompile(`yaml: (line [0-9]+: )?(could not find expected|did not find expected|invalid map key|mapping values are not allowed|found a tab character)`)

var (
	quoted = regexp.MustCompile("`[^`]*`|'[^']*'|\"(?:[^\"\\\\]|\\\\.)*\"")
	// wrapped is what kustomize puts before the message of a layer below.
	wrapped = regexp.MustCompile(`accumulat\w+[^:\n]*: '?`)
	numbers = regexp.MustCompile(`[0-9]+`)
	places  = regexp.MustCompile(`(/[^\s:]*)+`)
)

// essence is the message without names, numbers and places.
func essence(message string) string {
	line := strings.NewReplacer(`accumulateDirectory: "`, "accumulateDirectory: ", `\"`, `"`).Replace(message)
	if strings.HasPrefix(message, "error:") || strings.Contains(message, "\nerror:") {
		line = message[strings.Index(message, "error:"):]
	}
	if chain := wrapped.FindAllStringIndex(line, -1); chain != nil {
		line = line[chain[len(chain)-1][1]:]
	}
	line, _, _ = strings.Cut(line, "\n")
	line = quoted.ReplaceAllString(line, "Q")
	line = places.ReplaceAllString(line, "P")
	line = numbers.ReplaceAllString(line, "N")
	line = regexp.MustCompile(`error: \S+\.(ya?ml|json)\S*`).ReplaceAllString(line, "error: F")
	if len(line) > 160 {
		line = line[:80] + "…" + line[len(line)-80:]
	}
	return line
}

// firstDifference tells roughly in which way the first lines that differ do so.
func firstDifference(theirs, mine []byte) string {
	a, b := strings.Split(string(theirs), "\n"), strings.Split(string(mine), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		keyA, _, mapA := strings.Cut(strings.TrimLeft(a[i], " -"), ":")
		keyB, _, mapB := strings.Cut(strings.TrimLeft(b[i], " -"), ":")
		switch {
		case mapA && mapB && keyA == keyB:
			return ": the value of a key"
		case mapA && mapB:
			return ": a key for another"
		default:
			return ": a line for another"
		}
	}
	return ": a longer output"
}

// scratch makes a directory for trees, in memory where there is such a file system.
func scratch() (string, error) {
	parent := "/dev/shm"
	if information, err := os.Stat(parent); err != nil || !information.IsDir() {
		parent = ""
	}
	return os.MkdirTemp(parent, "differential-")
}
