// Command engine evaluates Prometheus rule files on the real engine over simulated time, each group at its own
// interval and slot offset, and answers queries on what they recorded: a week in seconds.
//
// It reads a Case as JSON on stdin and writes an Outcome as JSON on stdout.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// Outcome is what one run prints.
type Outcome struct {
	Answers map[string]Answer `json:"answers"`
	Errors  map[string]int    `json:"errors"`  // rule and message -> evaluations that failed so
	Firing  []*Span           `json:"firing"`  // in the order of their start
	Samples map[string]int64  `json:"samples"` // read by each group's rules
	Rules   int               `json:"rules"`   // rule evaluations
}

// Answer holds the series that one query returned, or why it failed.
type Answer struct {
	Series []Points `json:"series"`
	Error  string   `json:"error,omitempty"`
}

// Points is one series of an answer; values are text so that NaN and +Inf survive JSON.
type Points struct {
	Labels map[string]string `json:"labels"`
	Times  []float64         `json:"times"`
	Values []string          `json:"values"`
}

func play(ctx context.Context, c Case, dir string) (*Outcome, error) {
	e, err := openEngine(dir)
	if err != nil {
		return nil, err
	}
	defer e.db.Close()
	feeds, err := newFeeds(c.Series)
	if err != nil {
		return nil, err
	}
	r := newRuler(e, c)
	if err := r.run(ctx, feeds, c.EndS); err != nil {
		return nil, err
	}
	out := &Outcome{Answers: map[string]Answer{}, Errors: r.errors, Firing: r.spans, Samples: r.samples, Rules: r.evals}
	for _, q := range c.Queries {
		series, err := e.query(ctx, q)
		answer := Answer{Series: series}
		if err != nil {
			answer.Error = err.Error()
		}
		out.Answers[q.Name] = answer
	}
	return out, nil
}

func run(in io.Reader, out io.Writer) error {
	var c Case
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// Slots hang on the file path: with relative names they are the same in every run.
	if err := os.Chdir(dir); err != nil {
		return err
	}
	outcome, err := play(context.Background(), c, dir)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(outcome)
}

func main() {
	debug.SetGCPercent(400)
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
