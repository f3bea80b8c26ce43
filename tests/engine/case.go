package main

import (
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
)

// epochMs is the simulated midnight that every time of a case counts from.
const epochMs = int64(1_750_032_000_000)

// Case is what one run gets on stdin. Times are seconds since the simulated midnight.
type Case struct {
	EndS    float64      `json:"end_s"`
	Rules   []RuleSet    `json:"rules"`
	Series  []Series     `json:"series"`
	Queries []Query      `json:"queries"`
	Down    [][2]float64 `json:"down"` // [from, to): no rule is evaluated
}

// RuleSet replaces all loaded rule files at AtS, as a reload does. Group slots hang on the file names.
type RuleSet struct {
	AtS   float64           `json:"at_s"`
	Files map[string]string `json:"files"` // name -> YAML text
}

// Query is answered after the run. Without StepS it is asked once, at ToS.
type Query struct {
	Name  string  `json:"name"`
	Expr  string  `json:"expr"`
	FromS float64 `json:"from_s"`
	ToS   float64 `json:"to_s"`
	StepS float64 `json:"step_s"`
}

// Series is one scraped series: run-length coded times, a value (or histogram) for each, and stale markers between.
type Series struct {
	Labels     map[string]string `json:"labels"`
	Times      [][3]float64      `json:"times"`      // [first, step, count]
	Values     []float64         `json:"values"`     // one for each time …
	Histograms []Histogram       `json:"histograms"` // … or one of these for each
	Delays     [][2]float64      `json:"delays"`     // [seconds, count]: how long after its time a sample arrives
	Stale      [][2]float64      `json:"stale"`      // stale markers: [time, delay]
}

// Histogram is a native histogram with plain bucket counts: index -> observations.
type Histogram struct {
	Schema  int32          `json:"schema"`
	Sum     float64        `json:"sum"`
	Buckets map[int]uint64 `json:"buckets"`
}

type sample struct {
	atMs, arrivesMs int64
	value           float64
	histogram       *histogram.Histogram
}

// feed hands out the samples of one series in the order of their time.
type feed struct {
	labels  labels.Labels
	samples []sample
	next    int
}

func milliseconds(seconds float64) int64 { return epochMs + int64(math.Round(seconds*1000)) }

func newFeed(s Series) (*feed, error) {
	var samples []sample
	for _, run := range s.Times {
		for i := 0; i < int(run[2]); i++ {
			at := milliseconds(run[0] + float64(i)*run[1])
			samples = append(samples, sample{atMs: at, arrivesMs: at})
		}
	}
	switch len(samples) {
	case len(s.Values):
		for i, v := range s.Values {
			samples[i].value = v
		}
	case len(s.Histograms):
		for i, h := range s.Histograms {
			samples[i].histogram = h.native()
		}
	default:
		return nil, fmt.Errorf("%v: %d times, %d values, %d histograms", s.Labels, len(samples), len(s.Values), len(s.Histograms))
	}
	i := 0
	for _, run := range s.Delays {
		for n := 0; n < int(run[1]); n++ {
			if i == len(samples) {
				return nil, fmt.Errorf("%v: more delays than samples", s.Labels)
			}
			samples[i].arrivesMs += int64(math.Round(run[0] * 1000))
			i++
		}
	}
	for _, mark := range s.Stale {
		samples = append(samples, sample{
			atMs: milliseconds(mark[0]), arrivesMs: milliseconds(mark[0] + mark[1]), value: math.Float64frombits(value.StaleNaN),
		})
	}
	sort.SliceStable(samples, func(a, b int) bool { return samples[a].atMs < samples[b].atMs })
	for i := 1; i < len(samples); i++ {
		if samples[i].atMs == samples[i-1].atMs {
			return nil, fmt.Errorf("%v: two samples at %d ms", s.Labels, samples[i].atMs-epochMs)
		}
		// A series is appended in order: what follows a late sample waits for it.
		samples[i].arrivesMs = max(samples[i].arrivesMs, samples[i-1].arrivesMs)
	}
	return &feed{labels: labels.FromMap(s.Labels), samples: samples}, nil
}

func newFeeds(series []Series) ([]*feed, error) {
	var feeds []*feed
	var problems []error
	for _, s := range series {
		f, err := newFeed(s)
		feeds, problems = append(feeds, f), append(problems, err)
	}
	return feeds, errors.Join(problems...)
}

// native returns the histogram in the shape that the TSDB stores: spans of neighbours, counts as differences.
func (h Histogram) native() *histogram.Histogram {
	out := &histogram.Histogram{Schema: h.Schema, Sum: h.Sum, ZeroThreshold: 1e-128}
	indexes := make([]int, 0, len(h.Buckets))
	for index := range h.Buckets {
		indexes = append(indexes, index)
	}
	sort.Ints(indexes)
	end, last := 0, int64(0)
	for _, index := range indexes {
		spans := out.PositiveSpans
		if len(spans) > 0 && index == end {
			spans[len(spans)-1].Length++
		} else {
			out.PositiveSpans = append(spans, histogram.Span{Offset: int32(index - end), Length: 1})
		}
		count := int64(h.Buckets[index])
		out.PositiveBuckets = append(out.PositiveBuckets, count-last)
		out.Count += h.Buckets[index]
		end, last = index+1, count
	}
	return out
}
