package main

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
)

const dayMs = int64(24 * time.Hour / time.Millisecond)

// engine is one in-memory Prometheus: its storage, its query engine and its rule loader.
// What differs between the versions stands in engine_prom2.go and engine_prom3.go.
type engine struct {
	db      *tsdb.DB
	promql  *promql.Engine
	manager *rules.Manager
	samples int64 // read by queries so far
}

// storageOptions keeps the whole run in the head block: nothing is compacted, nothing expires, nothing is logged.
func storageOptions() *tsdb.Options {
	o := tsdb.DefaultOptions()
	o.MinBlockDuration, o.MaxBlockDuration, o.RetentionDuration = 400*dayMs, 400*dayMs, 4000*dayMs
	o.WALSegmentSize, o.NoLockfile = -1, true
	return o
}

// append stores every sample that has arrived by `untilMs`.
func (e *engine) append(ctx context.Context, feeds []*feed, untilMs int64) error {
	app := e.db.Appender(ctx)
	for _, f := range feeds {
		for ; f.next < len(f.samples) && f.samples[f.next].arrivesMs <= untilMs; f.next++ {
			s := f.samples[f.next]
			var err error
			if s.histogram != nil {
				_, err = app.AppendHistogram(0, f.labels, s.atMs, s.histogram, nil)
			} else {
				_, err = app.Append(0, f.labels, s.atMs, s.value)
			}
			if err != nil {
				return err
			}
		}
	}
	return app.Commit()
}

// exec runs a prepared query, counts the samples that it read, and keeps its result usable after Close.
func (e *engine) exec(ctx context.Context, q promql.Query, keep func(*promql.Result)) error {
	defer q.Close()
	result := q.Exec(ctx)
	if result.Err != nil {
		return result.Err
	}
	e.samples += q.Stats().Samples.TotalSamples
	keep(result)
	return nil
}

func (e *engine) instant(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	q, err := e.newQuery(ctx, expr, at, at, 0)
	if err != nil {
		return nil, err
	}
	var vector promql.Vector
	err = e.exec(ctx, q, func(result *promql.Result) {
		switch v := result.Value.(type) {
		case promql.Vector:
			vector = append(vector, v...)
		case promql.Scalar:
			vector = promql.Vector{scalarSample(v)}
		}
	})
	return vector, err
}

// query answers a case's own question.
func (e *engine) query(ctx context.Context, c Query) ([]Points, error) {
	from, to := time.UnixMilli(milliseconds(c.FromS)), time.UnixMilli(milliseconds(c.ToS))
	q, err := e.newQuery(ctx, c.Expr, from, to, time.Duration(c.StepS*float64(time.Second)))
	if err != nil {
		return nil, err
	}
	var series []Points
	err = e.exec(ctx, q, func(result *promql.Result) {
		switch v := result.Value.(type) {
		case promql.Vector:
			for _, s := range v {
				p := Points{Labels: s.Metric.Map()}
				p.add(sampleTimeValue(s))
				series = append(series, p)
			}
		case promql.Matrix:
			for _, s := range v {
				series = append(series, points(s))
			}
		case promql.Scalar:
			p := Points{Labels: map[string]string{}}
			p.add(v.T, v.V)
			series = append(series, p)
		}
	})
	return series, err
}

func (p *Points) add(ms int64, v float64) {
	p.Times = append(p.Times, float64(ms-epochMs)/1000)
	p.Values = append(p.Values, strconv.FormatFloat(v, 'g', -1, 64))
}
