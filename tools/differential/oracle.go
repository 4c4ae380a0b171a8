package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// workerFlag makes the program a worker: kustomize may end its process, so it has one of its own.
const workerFlag = "-worker"

// request asks a worker to build a directory as `kustomize build` does there.
type request struct {
	Root, Dir string
	Args      []string
	// Fresh says that kustomize's global schema must be as in a new process.
	Fresh bool
}

// answer is what came of a build.
type answer struct {
	Output []byte
	// Failure is empty where the build succeeded.
	Failure string
}

const (
	panicked = "panic: "
	died     = "kustomize ended its process"
	timedOut = "time is up"
)

// crashed tells whether kustomize neither built nor refused: it panicked, ended its process, or never came to an end.
func (a answer) crashed() bool {
	return strings.HasPrefix(a.Failure, panicked) || a.Failure == died || a.Failure == timedOut
}

// work answers requests, one JSON object a line, until its input ends.
func work() {
	log.SetOutput(io.Discard)
	// An endless recursion ends soon, and without taking all memory.
	debug.SetMaxStack(64 << 20)
	debug.SetGCPercent(1000)
	requests := json.NewDecoder(bufio.NewReader(os.Stdin))
	answers := json.NewEncoder(os.Stdout)
	// What kustomize itself prints must not be read as an answer.
	os.Stdout = os.Stderr
	for {
		var asked request
		if err := requests.Decode(&asked); err != nil {
			return
		}
		if err := answers.Encode(kustomize(asked)); err != nil {
			return
		}
	}
}

// kustomize builds in this process, with the options that the command line of kustomize would set.
func kustomize(asked request) (result answer) {
	defer func() {
		if cause := recover(); cause != nil {
			result = answer{Failure: fmt.Sprint(panicked, cause)}
		}
	}()
	if asked.Fresh {
		openapi.ResetOpenAPI()
	}
	if err := os.Chdir(asked.Root); err != nil {
		return answer{Failure: err.Error()}
	}
	options, err := optionsOf(asked.Args)
	if err != nil {
		return answer{Failure: err.Error()}
	}
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), asked.Dir)
	if err != nil {
		return answer{Failure: err.Error()}
	}
	output, err := resources.AsYaml()
	if err != nil {
		return answer{Failure: err.Error()}
	}
	return answer{Output: output}
}

func optionsOf(args []string) (*krusty.Options, error) {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	for _, arg := range args {
		switch arg {
		case "--reorder=legacy":
			options.Reorder = krusty.ReorderOptionLegacy
		case "--reorder=none":
			options.Reorder = krusty.ReorderOptionNone
		case "--load-restrictor=LoadRestrictionsNone":
			options.LoadRestrictions = types.LoadRestrictionsNone
		case "--load-restrictor=LoadRestrictionsRootOnly":
		case "--enable-managedby-label":
			options.AddManagedbyLabel = true
		default:
			return nil, fmt.Errorf("unknown flag %s", arg)
		}
	}
	return options, nil
}

// oracle asks a worker process, and starts another when it ends or takes too long.
type oracle struct {
	timeout time.Duration
	process *exec.Cmd
	input   io.WriteCloser
	answers chan answer
	// tainted says that the last tree may have changed kustomize's global schema.
	tainted bool
}

func (o *oracle) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o.process = exec.Command(self, workerFlag)
	// Without a PATH kustomize finds no git and no helm to run.
	o.process.Env = []string{"HOME=/nonexistent", "LC_ALL=C", "GOMAXPROCS=1"}
	if o.input, err = o.process.StdinPipe(); err != nil {
		return err
	}
	output, err := o.process.StdoutPipe()
	if err != nil {
		return err
	}
	answers := make(chan answer, 1)
	o.answers = answers
	go func() {
		defer close(answers)
		decoder := json.NewDecoder(bufio.NewReader(output))
		for {
			var result answer
			if decoder.Decode(&result) != nil {
				return
			}
			answers <- result
		}
	}()
	o.tainted = false
	return o.process.Start()
}

func (o *oracle) stop() {
	if o.process != nil {
		_ = o.input.Close()
		_ = o.process.Process.Kill()
		_ = o.process.Wait()
		o.process = nil
	}
}

// build gives what kustomize makes of a tree that lies below root.
func (o *oracle) build(t *tree, root string, fresh bool) (answer, error) {
	if o.process == nil {
		if err := o.start(); err != nil {
			return answer{}, fmt.Errorf("cannot start a worker: %w", err)
		}
	}
	taints := t.mentions("openapi")
	asked := request{Root: root, Dir: t.dir, Args: t.args, Fresh: fresh || taints || o.tainted}
	o.tainted = taints
	if err := json.NewEncoder(o.input).Encode(asked); err != nil {
		o.stop()
		return answer{}, fmt.Errorf("cannot ask a worker: %w", err)
	}
	select {
	case result, alive := <-o.answers:
		if !alive {
			o.stop()
			return answer{Failure: died}, nil
		}
		return result, nil
	case <-time.After(o.timeout):
		o.stop()
		return answer{Failure: timedOut}, nil
	}
}

var errBinary = errors.New("the program under test cannot be run")
