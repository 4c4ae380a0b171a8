package main

import "math/rand/v2"

// random is the one source of chance of a tree: the same seed makes the same tree.
type random struct{ *rand.Rand }

func newRandom(seed, index uint64) *random {
	return &random{rand.New(rand.NewPCG(seed, index))}
}

// chance is true with the probability of percent in a hundred.
func (r *random) chance(percent int) bool {
	return r.IntN(100) < percent
}

// between gives a number from low to high, both included.
func (r *random) between(low, high int) int {
	return low + r.IntN(high-low+1)
}

func pick[T any](r *random, items ...T) T {
	return items[r.IntN(len(items))]
}

// some gives up to most different items, in their order.
func some[T any](r *random, most int, items ...T) []T {
	count := r.between(1, most)
	var chosen []T
	for i, item := range items {
		if r.IntN(len(items)-i) < count-len(chosen) {
			chosen = append(chosen, item)
		}
	}
	return chosen
}
