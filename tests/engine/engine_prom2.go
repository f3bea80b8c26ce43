//go:build prom2

package main

import (
	"context"
	"errors"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
)

func openEngine(dir string) (*engine, error) {
	logger := log.NewNopLogger()
	db, err := tsdb.Open(dir, logger, nil, storageOptions(), nil)
	if err != nil {
		return nil, err
	}
	e := &engine{db: db, promql: promql.NewEngine(promql.EngineOpts{
		Logger: logger, MaxSamples: 50_000_000, Timeout: 5 * time.Minute, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true,
	})}
	e.manager = rules.NewManager(&rules.ManagerOptions{
		QueryFunc: e.instant, NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Context: context.Background(),
		Appendable: db, Queryable: db, Logger: logger,
	})
	return e, nil
}

func (e *engine) loadGroups(files []string) (map[string]*rules.Group, error) {
	groups, problems := e.manager.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, files...)
	return groups, errors.Join(problems...)
}

func (e *engine) newQuery(_ context.Context, expr string, from, to time.Time, step time.Duration) (promql.Query, error) {
	if step == 0 {
		return e.promql.NewInstantQuery(e.db, nil, expr, to)
	}
	return e.promql.NewRangeQuery(e.db, nil, expr, from, to, step)
}

func scalarSample(v promql.Scalar) promql.Sample {
	return promql.Sample{Point: promql.Point{T: v.T, V: v.V}}
}

func sampleTimeValue(s promql.Sample) (int64, float64) { return s.T, s.V }

func points(s promql.Series) Points {
	p := Points{Labels: s.Metric.Map()}
	for _, f := range s.Points {
		p.add(f.T, f.V)
	}
	return p
}
