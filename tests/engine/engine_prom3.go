//go:build !prom2

package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
)

func openEngine(dir string) (*engine, error) {
	logger := slog.New(slog.DiscardHandler)
	db, err := tsdb.Open(dir, logger, nil, storageOptions(), nil)
	if err != nil {
		return nil, err
	}
	p := parser.NewParser(parser.Options{})
	e := &engine{db: db, promql: promql.NewEngine(promql.EngineOpts{
		Logger: logger, Parser: p, MaxSamples: 50_000_000, Timeout: 5 * time.Minute, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true,
	})}
	e.manager = rules.NewManager(&rules.ManagerOptions{
		QueryFunc: e.instant, NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Context: context.Background(),
		Appendable: db, Queryable: db, Logger: logger, Parser: p,
	})
	return e, nil
}

func (e *engine) loadGroups(files []string) (map[string]*rules.Group, error) {
	groups, problems := e.manager.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, files...)
	return groups, errors.Join(problems...)
}

func (e *engine) newQuery(ctx context.Context, expr string, from, to time.Time, step time.Duration) (promql.Query, error) {
	if step == 0 {
		return e.promql.NewInstantQuery(ctx, e.db, nil, expr, to)
	}
	return e.promql.NewRangeQuery(ctx, e.db, nil, expr, from, to, step)
}

func scalarSample(v promql.Scalar) promql.Sample { return promql.Sample{T: v.T, F: v.V} }

func sampleTimeValue(s promql.Sample) (int64, float64) { return s.T, s.F }

func points(s promql.Series) Points {
	p := Points{Labels: s.Metric.Map()}
	for _, f := range s.Floats {
		p.add(f.T, f.F)
	}
	return p
}
