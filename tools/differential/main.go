// Command differential compares a program with kustomize on trees that it makes up, and on mutants of trees it is given.
//
//	tools/differential/run --trees 1500 --seed 1
//
// The same seed makes the same trees. What differs is made smaller and kept as a case of testdata/kustomize.
// CONTRIBUTING.md says more.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"sync"
	"time"
)

// options are the command line.
type options struct {
	trees, from, jobs int
	seed              uint64
	binary, keep      string
	corpus            corpusList
	perKind           int
	reasons, all      bool
	timeout           time.Duration
	shrinkLimit       time.Duration
}

// corpusList collects the values of a flag that may stand several times.
type corpusList []string

func (c *corpusList) String() string { return fmt.Sprint(*c) }

func (c *corpusList) Set(pattern string) error {
	*c = append(*c, pattern)
	return nil
}

// tally counts what came out.
type tally struct {
	sync.Mutex
	trees, built, refused, unsteady, crashed, malformed, mutants int
	kinds                                                        map[string]*finding
	// reasons counts kustomize's failures by message.
	reasons map[string]*finding
}

// finding is a kind of difference with the cases that are kept of it.
type finding struct {
	count int
	cases []string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == workerFlag {
		work()
		return
	}
	failed, err := run(readOptions())
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

func readOptions() options {
	var o options
	flag.IntVar(&o.trees, "trees", 1500, "how many trees to make")
	flag.IntVar(&o.from, "from", 0, "index of the first tree; --from N --trees 1 makes the tree N of a run again")
	flag.Uint64Var(&o.seed, "seed", 1, "what chance starts from")
	flag.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "how many trees at a time")
	flag.StringVar(&o.binary, "binary", "target/release/argocd-infisical", "the program that is compared with kustomize")
	flag.StringVar(&o.keep, "keep", "", "directory for the cases that differ; it is emptied first")
	flag.Var(&o.corpus, "corpus", "pattern of directories that hold trees to mutate, such as 'testdata/kustomize/*/*/in'; may stand several times")
	flag.IntVar(&o.perKind, "per-kind", 3, "how many cases to keep of each kind of difference")
	flag.BoolVar(&o.reasons, "reasons", false, "print why kustomize fails, by count")
	flag.BoolVar(&o.all, "all", false, "keep every tree, also where both agree")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Second, "limit of one build")
	flag.DurationVar(&o.shrinkLimit, "shrink", 20*time.Second, "limit for making one case smaller; 0 leaves cases as they are")
	flag.Parse()
	return o
}

func run(o options) (bool, error) {
	if o.trees < 1 || o.jobs < 1 {
		return false, fmt.Errorf("--trees and --jobs must be at least 1")
	}
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return false, err
	}
	o.binary = binary
	sources, err := readCorpus(o.corpus)
	if err != nil {
		return false, err
	}
	base, err := scratch()
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(base)
	if o.keep != "" {
		if err := emptyKept(o.keep); err != nil {
			return false, err
		}
	}
	counts := &tally{kinds: map[string]*finding{}, reasons: map[string]*finding{}}
	indices := make(chan int)
	failures := make(chan error, o.jobs)
	var workers sync.WaitGroup
	started := time.Now()
	for job := range o.jobs {
		workers.Go(func() {
			c := &tester{binary: o.binary, timeout: o.timeout, root: filepath.Join(base, fmt.Sprint(job), "in"), oracle: oracle{timeout: o.timeout}}
			defer c.oracle.stop()
			for index := range indices {
				if err := c.examine(o, counts, sources, index); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	err = feed(indices, failures, o)
	workers.Wait()
	if err == nil && len(failures) > 0 {
		err = <-failures
	}
	if err != nil {
		return false, err
	}
	if o.reasons {
		counts.reportReasons()
	}
	failed := counts.report(time.Since(started))
	return failed, counts.check()
}

// check makes sure that the trees were worth comparing: a tester whose trees kustomize does not build, or whose
// differences are nearly all set aside, says nothing.
func (t *tally) check() error {
	const few = 100
	aside := t.unsteady + t.crashed + t.malformed
	if t.trees >= few && (t.built < t.trees/2 || aside > t.trees/10) {
		return fmt.Errorf("of %d trees kustomize builds %d, and %d are set aside", t.trees, t.built, aside)
	}
	return nil
}

// mark is the file that says that a directory is one for cases that differ.
const mark = ".differential"

// emptyKept empties the directory for the cases that differ, and refuses one that was made for something else.
func emptyKept(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(directory, mark)); err != nil {
			return fmt.Errorf("--keep %s: the directory is neither empty nor one of this program", directory)
		}
	}
	if err := os.RemoveAll(directory); err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, mark), nil, 0o644)
}

// feed hands out the indices of the trees until one of the workers fails.
func feed(indices chan<- int, failures <-chan error, o options) error {
	defer close(indices)
	for index := o.from; index < o.from+o.trees; index++ {
		select {
		case indices <- index:
		case err := <-failures:
			return err
		}
	}
	return nil
}

// attempts is how many trees are drawn for an index until kustomize builds one, so that most of those counted are built.
const attempts = 3

// examine makes the tree of an index, compares, and keeps what differs.
func (c *tester) examine(o options, counts *tally, sources []*tree, index int) error {
	for attempt := range attempts {
		made, mutant := treeOf(o, sources, index, attempt)
		found, err := c.compare(made, false)
		if err == nil && found.kind != "" {
			found, err = c.confirm(made, found)
		}
		if err != nil {
			return fmt.Errorf("tree %d of seed %d: %w", index, o.seed, err)
		}
		if agreed := found.kind == "" && !found.built && !found.crashed && !found.malformed; agreed && attempt+1 < attempts {
			counts.addRefused(found, index)
			continue
		}
		return c.settle(o, counts, made, found, index, mutant)
	}
	return nil
}

// settle counts the outcome of an index, and keeps the tree if it is to be kept.
func (c *tester) settle(o options, counts *tally, made *tree, found verdict, index int, mutant bool) error {
	name := fmt.Sprintf("%d-%d", o.seed, index)
	wanted := counts.add(found, index, mutant, o.perKind)
	if o.all && o.keep != "" {
		return keep(filepath.Join(o.keep, name), made, found, "")
	}
	if !wanted {
		return nil
	}
	small := made
	if o.shrinkLimit > 0 {
		var err error
		if small, found, err = c.shrink(made, found, o.shrinkLimit); err != nil {
			return err
		}
	}
	counts.record(found.kind, name)
	if o.keep == "" {
		return nil
	}
	return keep(filepath.Join(o.keep, name), small, found, fmt.Sprintf("seed %d, index %d", o.seed, index))
}

// treeOf makes the tree of an index: every second one is a mutant where there is a corpus.
func treeOf(o options, sources []*tree, index, attempt int) (*tree, bool) {
	number := uint64(index) + uint64(attempt)<<40
	if len(sources) > 0 && index%2 == 1 {
		return mutate(newRandom(o.seed, number), sources), true
	}
	return generate(o.seed, number), false
}

// addRefused counts a tree that both refuse, in whose place another is drawn.
func (t *tally) addRefused(found verdict, index int) {
	t.Lock()
	defer t.Unlock()
	t.refused++
	t.addReason(found, index)
}

func (t *tally) addReason(found verdict, index int) {
	reason := essence(found.theirs.Failure)
	of := t.reasons[reason]
	if of == nil {
		of = &finding{}
		t.reasons[reason] = of
	}
	of.count++
	if len(of.cases) < 4 {
		of.cases = append(of.cases, fmt.Sprint(index))
	}
}

// add counts an outcome; whether its case should be kept.
func (t *tally) add(found verdict, index int, mutant bool, perKind int) bool {
	t.Lock()
	defer t.Unlock()
	t.trees++
	if found.built {
		t.built++
	} else {
		t.addReason(found, index)
	}
	if mutant {
		t.mutants++
	}
	if found.malformed {
		t.malformed++
	}
	if found.crashed {
		t.crashed++
	}
	if found.unsteady {
		t.unsteady++
		return false
	}
	if found.kind == "" {
		return false
	}
	of := t.kinds[found.kind]
	if of == nil {
		of = &finding{}
		t.kinds[found.kind] = of
	}
	of.count++
	return of.count <= perKind
}

func (t *tally) record(kind, name string) {
	t.Lock()
	defer t.Unlock()
	if of := t.kinds[kind]; of != nil {
		of.cases = append(of.cases, name)
	}
}

// reportReasons prints why kustomize fails: a generator of trees must not fail too often for one reason.
func (t *tally) reportReasons() {
	reasons := make([]string, 0, len(t.reasons))
	for reason := range t.reasons {
		reasons = append(reasons, reason)
	}
	sort.Slice(reasons, func(i, j int) bool {
		return t.reasons[reasons[i]].count > t.reasons[reasons[j]].count || t.reasons[reasons[i]].count == t.reasons[reasons[j]].count && reasons[i] < reasons[j]
	})
	for _, reason := range reasons {
		fmt.Printf("%6d  %s  %v\n", t.reasons[reason].count, reason, t.reasons[reason].cases)
	}
	fmt.Println()
}

// report prints the summary; whether anything differs.
func (t *tally) report(took time.Duration) bool {
	kinds := make([]string, 0, len(t.kinds))
	failed := 0
	for kind, of := range t.kinds {
		kinds = append(kinds, kind)
		failed += of.count
	}
	sort.Slice(kinds, func(i, j int) bool {
		if t.kinds[kinds[i]].count != t.kinds[kinds[j]].count {
			return t.kinds[kinds[i]].count > t.kinds[kinds[j]].count
		}
		return kinds[i] < kinds[j]
	})
	for _, kind := range kinds {
		fmt.Printf("%6d  %s  %v\n", t.kinds[kind].count, kind, t.kinds[kind].cases)
	}
	fmt.Printf("%d trees (%d mutants) in %.1f s, %.0f a second; kustomize builds %.1f %%\n", t.trees, t.mutants, took.Seconds(), float64(t.trees)/took.Seconds(), 100*float64(t.built)/float64(max(1, t.trees)))
	fmt.Printf("%d more were drawn that both refuse\n", t.refused)
	fmt.Printf("%d where kustomize disagrees with itself, %d where it crashes and we build, %d that differ over a key that is twice in a map\n", t.unsteady, t.crashed, t.malformed)
	fmt.Printf("%d passed, %d failed\n", t.trees-failed, failed)
	return failed > 0
}
