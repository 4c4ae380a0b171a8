// The rates of go-yaml: v3 reading documents into nodes, and v2 writing the same documents.
//
// usage: yaml-rate ROUNDS FILE...
//
// Prints a line for each: what, the bytes, and the least nanoseconds of the rounds. benches/rate.rs prints the same
// of our own.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	v2 "go.yaml.in/yaml/v2"
	v3 "go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) < 3 {
		fail(errors.New("usage: yaml-rate ROUNDS FILE..."))
	}
	rounds, err := strconv.Atoi(os.Args[1])
	fail(err)
	var files [][]byte
	var values []any
	for _, name := range os.Args[2:] {
		text, err := os.ReadFile(name)
		fail(err)
		files = append(files, text)
		nodes, err := read(text)
		fail(err)
		for _, node := range nodes {
			var value any
			fail(node.Decode(&value))
			values = append(values, value)
		}
	}
	report("parse", rounds, func() (size int) {
		for _, text := range files {
			_, err := read(text)
			fail(err)
			size += len(text)
		}
		return size
	})
	report("emit", rounds, func() (size int) {
		for _, value := range values {
			text, err := v2.Marshal(value)
			fail(err)
			size += len(text)
		}
		return size
	})
}

func read(text []byte) (nodes []*v3.Node, err error) {
	decoder := v3.NewDecoder(bytes.NewReader(text))
	for {
		node := new(v3.Node)
		err := decoder.Decode(node)
		if errors.Is(err, io.EOF) {
			return nodes, nil
		}
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
}

func report(what string, rounds int, run func() int) {
	size, least := 0, time.Duration(1<<62)
	for range rounds {
		start := time.Now()
		size = run()
		least = min(least, time.Since(start))
	}
	fmt.Println(what, size, least.Nanoseconds())
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
